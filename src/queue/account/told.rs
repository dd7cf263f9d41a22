//! An account for people.

use super::made::{Account, Attained, Direction, OfMapping};
use crate::queue::words::{indented, plain, table};

/// The account in lines.
pub fn lines(account: &Account) -> Vec<String> {
    let mut lines = vec![format!("report from {} until {}", account.from, account.until)];
    if account.mappings.is_empty() {
        lines.push("no mapping has run yet".to_owned());
        return lines;
    }
    let mut rows = table(&["MAPPING", "WAY", "CARRIED", "REFUSED", "RETRIED", "SET ASIDE", "LAG"]);
    for of in &account.mappings {
        for (way, direction) in [("to left", &of.to_left), ("to right", &of.to_right)] {
            rows.add_row([
                plain(&of.mapping),
                way.to_owned(),
                direction.carried.to_string(),
                refused(direction),
                direction.retried.to_string(),
                direction.parked.to_string(),
                direction.lag_seconds.map_or_else(|| "-".to_owned(), lag),
            ]);
        }
    }
    lines.push(String::new());
    lines.push(indented(&rows));
    let mut rows = table(&["MAPPING", "ASKED", "ANSWERED", "OPEN", "SET ASIDE", "OBJECTIVE"]);
    for of in &account.mappings {
        let told = of.objective.as_ref();
        rows.add_row([
            plain(&of.mapping),
            of.questions.asked.to_string(),
            of.questions.answered.to_string(),
            of.questions.open.to_string(),
            of.parked.to_string(),
            told.map_or_else(|| "none".to_owned(), objective),
        ]);
    }
    lines.push(String::new());
    lines.push(indented(&rows));
    lines.push(String::new());
    let calls: Vec<String> = account
        .systems
        .iter()
        .map(|system| format!("{} {}", system.calls, plain(&system.system)))
        .collect();
    let calls = if calls.is_empty() { "none".to_owned() } else { calls.join(", ") };
    lines.push(format!("calls to systems: {calls}"));
    lines
}

/// The account in one line, for a log.
pub fn line(account: &Account) -> String {
    let mapping = |of: &OfMapping| {
        let (left, right) = (&of.to_left, &of.to_right);
        let mut told = format!(
            "{}: {} to left, {} to right, {} refused, {} set aside, {} asked, {} answered, {} open",
            of.mapping,
            left.carried,
            right.carried,
            left.refused + right.refused,
            of.parked,
            of.questions.asked,
            of.questions.answered,
            of.questions.open,
        );
        if let Some(met) = of.objective.as_ref().and_then(|attained| attained.met) {
            told.push_str(if met { ", objective met" } else { ", objective missed" });
        }
        told
    };
    let mut told: Vec<String> = account.mappings.iter().map(mapping).collect();
    let calls = account.systems.iter();
    told.extend(calls.map(|system| format!("{}: {} calls", system.system, system.calls)));
    told.join("; ")
}

fn refused(direction: &Direction) -> String {
    let kinds: Vec<String> = direction
        .refused_by_kind
        .iter()
        .map(|(kind, count)| format!("{count} {}", plain(kind)))
        .collect();
    match kinds.as_slice() {
        [] => "0".to_owned(),
        kinds => format!("{} ({})", direction.refused, kinds.join(", ")),
    }
}

fn lag(seconds: f64) -> String {
    match seconds {
        0.0..10.0 => format!("{seconds:.1}s"),
        10.0..120.0 => format!("{seconds:.0}s"),
        120.0..7_200.0 => format!("{:.0}m", seconds / 60.0),
        _ => format!("{:.0}h", seconds / 3_600.0),
    }
}

/// An objective and how far it was met.
pub fn objective(attained: &Attained) -> String {
    let percent = |share: f64| {
        let text = format!("{:.4}", share * 100.0);
        format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
    };
    let known = |share: Option<f64>| share.map_or_else(|| "nothing measured".to_owned(), percent);
    let mut told = Vec::new();
    if let Some(wanted) = attained.lag_seconds {
        told.push(format!("{} within {}", known(attained.within), lag(wanted)));
    }
    if let Some(most) = attained.failures {
        told.push(format!("{} of {} refused", known(attained.failed), percent(most)));
    }
    let verdict = match attained.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None if attained.within.or(attained.failed).is_some() => "met as far as measured",
        None => "nothing measured",
    };
    format!("{verdict}: {}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_told_with_what_it_asks_for() {
        let attained = Attained {
            lag_seconds: Some(5.0),
            within: Some(0.9871),
            failures: Some(0.002),
            failed: Some(0.0),
            met: Some(false),
        };
        assert_eq!(objective(&attained), "MISSED: 98.71% within 5.0s, 0% of 0.2% refused");
        let nothing = Attained {
            lag_seconds: None,
            within: None,
            failures: Some(0.01),
            failed: None,
            met: None,
        };
        let told = "nothing measured: nothing measured of 1% refused";
        assert_eq!(objective(&nothing), told);
        let loaded =
            Attained { lag_seconds: Some(5.0), failed: Some(0.0), within: None, ..nothing };
        let told = "met as far as measured: nothing measured within 5.0s, 0% of 1% refused";
        assert_eq!(objective(&loaded), told);
    }
}
