//! Times by the calendar, in UTC: when a schedule is due, and which hours a window covers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use syncline_sdk::Instant;

use crate::clock::micros;

/// Times that come again and again, as a cron expression says them, in UTC.
#[derive(Clone, Debug)]
pub struct Times {
    text: Arc<str>,
    schedule: Arc<cron::Schedule>,
}

/// Why a text says no times; the words tell what to write.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoTimes(String);

impl Times {
    /// The text, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first of these times behind one; nothing when there are no more.
    #[must_use]
    pub fn after(&self, time: Instant) -> Option<Instant> {
        let time: DateTime<Utc> = DateTime::from_timestamp_micros(time.micros())?;
        let next = self.schedule.after(&time).next()?;
        Some(Instant::from_micros(next.timestamp_micros()))
    }
}

impl PartialEq for Times {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Times {}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Times {
    type Err = NoTimes;

    /// Five fields (minute, hour, day of month, month, day of week), or six with seconds before
    /// them. Days of the week have names, since their numbers differ from one cron to the next;
    /// and only one of the two days may be said, since what both together mean does too.
    fn from_str(text: &str) -> Result<Self, NoTimes> {
        const FORM: &str = "write minute, hour, day of month, month and day of week, as \
                            `30 6 * * MON-FRI`";
        let fields: Vec<&str> = text.split_whitespace().collect();
        let (with_seconds, days) = match fields.as_slice() {
            [_, _, of_month, _, of_week] => {
                (format!("0 {}", fields.join(" ")), (*of_month, *of_week))
            }
            [_, _, _, of_month, _, of_week] => (fields.join(" "), (*of_month, *of_week)),
            _ => return Err(NoTimes(format!("it has {} fields: {FORM}", fields.len()))),
        };
        // What stands behind a stroke is a step, no day.
        let named = |part: &str| !part.split('/').next().unwrap_or(part).contains(char::is_numeric);
        if !days.1.split(',').all(named) {
            return Err(NoTimes(
                "write days of the week by name, as `MON-FRI` or `SAT,SUN`: their numbers mean \
                 different days in different programs"
                    .to_owned(),
            ));
        }
        let any = |field: &str| matches!(field, "*" | "?");
        if !any(days.0) && !any(days.1) {
            return Err(NoTimes(
                "say the day of the month or the day of the week, and `*` for the other".to_owned(),
            ));
        }
        let schedule: cron::Schedule = with_seconds.parse().map_err(|error| {
            NoTimes(culprits(&with_seconds).unwrap_or_else(|| format!("{error}; {FORM}")))
        })?;
        let times = Self { text: text.trim().into(), schedule: Arc::new(schedule) };
        match times.after(any_time()) {
            Some(_) => Ok(times),
            None => Err(NoTimes("no such day ever comes".to_owned())),
        }
    }
}

/// What each field of a cron expression says, seconds first, and what it may be.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0 to 59"),
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of month", "1 to 31"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of week", "SUN to SAT"),
];

/// The fields of an expression that cannot be read even where all others say nothing.
fn culprits(expression: &str) -> Option<String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let reads = |at: usize, field: &str| {
        let mut alone = ["*"; FIELDS.len()];
        alone[at] = field;
        alone.join(" ").parse::<cron::Schedule>().is_ok()
    };
    let wrong =
        FIELDS.iter().zip(&fields).enumerate().filter(|(at, (_, field))| !reads(*at, field));
    let told: Vec<String> = wrong
        .map(|(_, ((name, range), field))| format!("`{field}` is no {name}: it is {range}"))
        .collect();
    let forms = "also as a list `a,b`, a range `a-b`, steps `*/n`, or `*`";
    (!told.is_empty()).then(|| format!("{}; {forms}", told.join("; ")))
}

/// A time from which on a calendar is tried: the beginning of 2024, a leap year.
fn any_time() -> Instant {
    Instant::from_micros(1_704_067_200_000_000)
}

/// How many beginnings are tried to see whether a window ever closes.
const TRIED: usize = 1_000;

/// Hours that come again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// When they begin.
    pub from: Times,
    /// How long they last.
    pub lasts: Duration,
}

impl Window {
    /// Until when the window is open; nothing while it is closed.
    #[must_use]
    pub fn open_until(&self, now: Instant) -> Option<Instant> {
        let lasts = micros(self.lasts);
        let began = self.from.after(Instant::from_micros(now.micros().saturating_sub(lasts)))?;
        let until = began.micros().saturating_add(lasts);
        (began.micros() <= now.micros()).then_some(Instant::from_micros(until))
    }

    /// When it opens next.
    #[must_use]
    pub fn opens(&self, now: Instant) -> Option<Instant> {
        self.from.after(now)
    }

    /// Whether it closes at all: what begins each hour and lasts two is always open.
    #[must_use]
    pub fn closes(&self) -> bool {
        let mut time = any_time();
        for _ in 0..TRIED {
            let Some(next) = self.from.after(time) else { return true };
            if time != any_time() && next.micros() - time.micros() > micros(self.lasts) {
                return true;
            }
            time = next;
        }
        false
    }
}

/// When a system is polled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PollWindow {
    /// The hours in which it is polled as often as everywhere.
    pub window: Window,
    /// How often it is polled outside of them; not at all without it.
    pub otherwise: Option<Duration>,
}

impl PollWindow {
    /// How long to wait until the next poll, where it would be `usual` else.
    #[must_use]
    pub fn wait(&self, usual: Duration, now: Instant) -> Duration {
        if self.window.open_until(now).is_some() {
            return usual;
        }
        let opens = self.until_open(now);
        match self.otherwise {
            Some(slow) => slow.max(usual).min(opens),
            None => opens,
        }
    }

    /// Whether nothing is polled now.
    #[must_use]
    pub fn rests(&self, now: Instant) -> bool {
        self.otherwise.is_none() && self.window.open_until(now).is_none()
    }

    /// How long it takes until the window opens; nothing while it is open.
    #[must_use]
    pub fn until_open(&self, now: Instant) -> Duration {
        if self.window.open_until(now).is_some() {
            return Duration::ZERO;
        }
        let opens = self.window.opens(now).map_or(i64::MAX, Instant::micros);
        Duration::from_micros(u64::try_from(opens.saturating_sub(now.micros())).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const DAY: i64 = 24 * HOUR;

    /// A time of the first day of 2024, a Monday.
    fn at(hours: i64) -> Instant {
        Instant::from_micros(any_time().micros() + hours * HOUR)
    }

    fn times(text: &str) -> Times {
        text.parse().unwrap()
    }

    fn window(from: &str, hours: u64) -> Window {
        Window { from: times(from), lasts: Duration::from_secs(hours * 3_600) }
    }

    #[test]
    fn five_fields_and_six_say_the_same() {
        assert_eq!(times("0 6 * * *").after(at(0)), Some(at(6)));
        assert_eq!(times("0 0 6 * * *").after(at(0)), Some(at(6)));
        assert_eq!(times("0 6 * * *").after(at(6)), Some(at(30)));
        assert_eq!(times("0 6 * * TUE").after(at(0)), Some(at(30)));
        assert_eq!(times("0 */6 * * *").after(at(1)), Some(at(6)));
        assert_eq!(times("0 0 29 2 *").after(at(0)).unwrap().micros(), at(0).micros() + 59 * DAY);
    }

    #[test]
    fn what_is_told_otherwise_elsewhere_is_refused() {
        for (text, says) in [
            ("0 6 * * 1", "by name"),
            ("0 6 * * MON,5", "by name"),
            ("0 6 1 * MON", "the day of the month or"),
            ("daily", "1 fields"),
            ("0 6 * *", "4 fields"),
            ("0 6 * * * * *", "7 fields"),
            ("61 6 * * *", "`61` is no minute: it is 0 to 59; "),
            ("61 0 6 * * *", "`61` is no second"),
            ("0 24 * JANUAR *", "`24` is no hour: it is 0 to 23; `JANUAR` is no month"),
            ("0 6 32 * *", "`32` is no day of month: it is 1 to 31"),
            ("0 6 30 2 *", "no such day"),
            ("0 6 * * NEVER", "`NEVER` is no day of week: it is SUN to SAT"),
        ] {
            let refused = text.parse::<Times>().unwrap_err().to_string();
            assert!(refused.contains(says), "{text}: {refused}");
        }
    }

    #[test]
    fn a_window_goes_over_midnight() {
        let quiet = window("0 22 * * *", 8);
        assert_eq!(quiet.open_until(at(21)), None);
        assert_eq!(quiet.open_until(at(22)), Some(at(30)));
        assert_eq!(quiet.open_until(at(29)), Some(at(30)));
        assert_eq!(quiet.open_until(at(30)), None);
        assert_eq!(quiet.opens(at(30)), Some(at(46)));
        assert!(quiet.closes());
        assert!(!window("0 * * * *", 2).closes());
        assert!(!window("0 0 * * *", 24).closes());
        assert!(window("0 0 * * MON-FRI", 24).closes());
    }

    #[test]
    fn a_poll_waits_for_its_window() {
        let usual = Duration::from_secs(5);
        let mut polls = PollWindow { window: window("0 6 * * *", 12), otherwise: None };
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        assert_eq!((polls.wait(usual, at(7)), polls.rests(at(7))), (usual, false));
        assert_eq!((polls.wait(usual, at(3)), polls.rests(at(3))), (hours(3), true));
        assert_eq!(polls.wait(usual, at(19)), hours(11));
        polls.otherwise = Some(hours(1));
        assert_eq!((polls.wait(usual, at(3)), polls.rests(at(3))), (hours(1), false));
        let half = Instant::from_micros(at(5).micros() + HOUR / 2);
        assert_eq!(polls.wait(usual, half), hours(1) / 2);
        assert_eq!(polls.wait(hours(2), at(3)), hours(2));
    }
}
