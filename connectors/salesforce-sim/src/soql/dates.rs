//! Date words: `TODAY`, `LAST_N_DAYS:n` and their kind (SOQL guide, date formats). Days are
//! those of UTC; weeks begin on Sunday.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

const PLAIN: [&str; 15] = [
    "TODAY",
    "YESTERDAY",
    "TOMORROW",
    "LAST_WEEK",
    "THIS_WEEK",
    "NEXT_WEEK",
    "LAST_MONTH",
    "THIS_MONTH",
    "NEXT_MONTH",
    "LAST_90_DAYS",
    "NEXT_90_DAYS",
    "LAST_YEAR",
    "THIS_YEAR",
    "NEXT_YEAR",
    "THIS_QUARTER",
];
const NUMBERED: [&str; 9] = [
    "LAST_N_DAYS",
    "NEXT_N_DAYS",
    "N_DAYS_AGO",
    "LAST_N_WEEKS",
    "NEXT_N_WEEKS",
    "LAST_N_MONTHS",
    "NEXT_N_MONTHS",
    "LAST_N_YEARS",
    "NEXT_N_YEARS",
];

pub(crate) fn is_known(name: &str) -> bool {
    PLAIN.contains(&name) || NUMBERED.contains(&name)
}

pub(crate) fn wants_number(name: &str) -> bool {
    NUMBERED.contains(&name)
}

/// The days `[first, after last)` that a word names on a day.
pub(crate) fn range(name: &str, number: Option<i64>, today: Date) -> Option<(Date, Date)> {
    let n = number.unwrap_or(0);
    if n > 20_000 {
        return None;
    }
    let days = |by: i64| today.checked_add(by.days()).ok();
    let plus = |date: Date, span: Span| date.checked_add(span).ok();
    let week = days(-i64::from(today.weekday().to_sunday_zero_offset()))?;
    let month = today.first_of_month();
    let year = today.first_of_year();
    Some(match name {
        "TODAY" => (today, days(1)?),
        "YESTERDAY" => (days(-1)?, today),
        "TOMORROW" => (days(1)?, days(2)?),
        "LAST_WEEK" => (plus(week, -1.week())?, week),
        "THIS_WEEK" => (week, plus(week, 1.week())?),
        "NEXT_WEEK" => (plus(week, 1.week())?, plus(week, 2.weeks())?),
        "LAST_MONTH" => (plus(month, -1.month())?, month),
        "THIS_MONTH" => (month, plus(month, 1.month())?),
        "NEXT_MONTH" => (plus(month, 1.month())?, plus(month, 2.months())?),
        "LAST_YEAR" => (plus(year, -1.year())?, year),
        "THIS_YEAR" => (year, plus(year, 1.year())?),
        "NEXT_YEAR" => (plus(year, 1.year())?, plus(year, 2.years())?),
        "THIS_QUARTER" => {
            let into = (i64::from(today.month()) - 1) % 3;
            let start = plus(month, (-into).months())?;
            (start, plus(start, 3.months())?)
        }
        "LAST_90_DAYS" => (days(-90)?, days(1)?),
        "NEXT_90_DAYS" => (days(1)?, days(91)?),
        "LAST_N_DAYS" => (days(-n)?, days(1)?),
        "NEXT_N_DAYS" => (days(1)?, days(n + 1)?),
        "N_DAYS_AGO" => (days(-n)?, days(1 - n)?),
        "LAST_N_WEEKS" => (plus(week, (-n).weeks())?, week),
        "NEXT_N_WEEKS" => (plus(week, 1.week())?, plus(week, (n + 1).weeks())?),
        "LAST_N_MONTHS" => (plus(month, (-n).months())?, month),
        "NEXT_N_MONTHS" => (plus(month, 1.month())?, plus(month, (n + 1).months())?),
        "LAST_N_YEARS" => (plus(year, (-n).years())?, year),
        "NEXT_N_YEARS" => (plus(year, 1.year())?, plus(year, (n + 1).years())?),
        _ => return None,
    })
}
