//! Whether two conditions can hold for one record.
//!
//! Conditions compare fields with constants, so they are decided field by field: between the
//! constants that they name all values are alike, and trying one of each kind tries all.
//!
//! The types of the fields are not known here, and a text in quotes is also how a moment, a time
//! of day or a UUID may be written. Such constants are tried as each of what they may be: where
//! one of these has a value for both conditions, the conditions can meet.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, Time};
use rust_decimal::Decimal as Number;
use syncline_sdk::{Comparison, FieldName};

use super::condition::sign;
use super::{Condition, Literal, Located, Span};

/// The most alternatives that a condition is taken apart into.
const ALTERNATIVES_MAX: usize = 512;

/// One comparison, or its opposite.
#[derive(Clone)]
struct Atom<'c> {
    field: &'c str,
    test: Test<'c>,
    holds: bool,
}

#[derive(Clone)]
enum Test<'c> {
    Compare(Comparison, &'c Literal),
    In(Vec<&'c Literal>),
}

/// A value that is tried.
#[derive(Clone, PartialEq, Debug)]
enum Tried {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// Microseconds.
    Moment(i128),
    /// A time of day.
    Time(Time),
    /// A constant that cannot be compared here.
    Unknown,
}

/// What a field's constants in quotes are taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reading {
    Text,
    Moment,
    Time,
    Uuid,
}

/// A record for which both conditions hold, in words; nothing when there is none. No condition
/// holds for every record.
pub(super) fn witness(a: Option<&Condition>, b: Option<&Condition>) -> Option<String> {
    let some = || "some values".to_owned();
    let (Some(first), Some(second)) = (apart(a), apart(b)) else { return Some(some()) };
    for one in &first {
        for other in &second {
            let atoms: Vec<&Atom<'_>> = one.iter().chain(other).collect();
            if let Some(found) = satisfied(&atoms) {
                return Some(if found.is_empty() { "any values".to_owned() } else { found });
            }
        }
    }
    None
}

/// Whether a condition can hold for a record with this text in a field.
pub(super) fn may_be(condition: Option<&Condition>, field: &FieldName, text: &Arc<str>) -> bool {
    let none = Span::new(0, 0);
    let is = Condition::Compare {
        field: Located::new(field.clone(), none),
        comparison: Comparison::Equal,
        literal: Located::new(Literal::Text(Arc::clone(text)), none),
    };
    witness(condition, Some(&is)).is_some()
}

/// The alternatives of a condition; one without comparisons where there is none.
fn apart(condition: Option<&Condition>) -> Option<Vec<Vec<Atom<'_>>>> {
    match condition {
        None => Some(vec![Vec::new()]),
        Some(condition) => alternatives(condition, true),
    }
}

/// The alternatives of a condition or of its opposite; nothing when they are too many.
fn alternatives(condition: &Condition, holds: bool) -> Option<Vec<Vec<Atom<'_>>>> {
    let (parts, every) = match condition {
        Condition::All(parts) => (parts, holds),
        Condition::Any(parts) => (parts, !holds),
        Condition::Not(part) => return alternatives(part, !holds),
        Condition::Compare { field, comparison, literal } => {
            let test = Test::Compare(*comparison, &literal.value);
            return Some(vec![vec![Atom { field: field.as_str(), test, holds }]]);
        }
        Condition::In { field, literals } => {
            let test = Test::In(literals.iter().map(|literal| &literal.value).collect());
            return Some(vec![vec![Atom { field: field.as_str(), test, holds }]]);
        }
    };
    let mut all: Vec<Vec<Atom<'_>>> = if every { vec![Vec::new()] } else { Vec::new() };
    for part in parts {
        let some = alternatives(part, holds)?;
        if every {
            all = all
                .iter()
                .flat_map(|one| some.iter().map(move |other| [one.as_slice(), other].concat()))
                .collect();
        } else {
            all.extend(some);
        }
        if all.len() > ALTERNATIVES_MAX {
            return None;
        }
    }
    Some(all)
}

/// Values for which all comparisons hold.
fn satisfied(atoms: &[&Atom<'_>]) -> Option<String> {
    let mut fields: BTreeMap<&str, Vec<&Atom<'_>>> = BTreeMap::new();
    for atom in atoms {
        fields.entry(atom.field).or_default().push(*atom);
    }
    let mut words = Vec::new();
    for (field, atoms) in fields {
        let mut readings = readings(&atoms).into_iter();
        words.push(match readings.find_map(|reading| found(&atoms, reading))? {
            Tried::Null => format!("{field} is null"),
            Tried::Unknown => return Some("some values".to_owned()),
            other => format!("{field} {} {}", sign(Comparison::Equal), told(&other)),
        });
    }
    Some(words.join(" and "))
}

/// A value of a field for which all its comparisons hold, its constants taken for one thing.
fn found(atoms: &[&Atom<'_>], reading: Reading) -> Option<Tried> {
    let mut values = to_try(atoms, reading).into_iter();
    values.find(|value| atoms.iter().all(|atom| passes(atom, value, reading)))
}

/// What the constants of a field may be. Text has no order, so what is greater or less than a text
/// in quotes is a moment or a time of day, and so is what is compared with a moment as well.
fn readings(atoms: &[&Atom<'_>]) -> Vec<Reading> {
    let texts: Vec<&str> = literals(atoms).filter_map(quoted).collect();
    let ordered = atoms.iter().any(|atom| match &atom.test {
        Test::Compare(Comparison::Equal | Comparison::NotEqual, _) | Test::In(_) => false,
        Test::Compare(_, literal) => quoted(literal).is_some(),
    });
    let beside = literals(atoms).any(|literal| matches!(literal, Literal::Moment(_)));
    if texts.is_empty() {
        return vec![Reading::Text];
    }
    let fits = |reading: &Reading| texts.iter().all(|text| read(text, *reading).is_some());
    let typed = [Reading::Moment, Reading::Time, Reading::Uuid].into_iter().filter(fits);
    let comparable = |reading: &Reading| !ordered || *reading != Reading::Uuid;
    let mut readings: Vec<Reading> = typed.filter(comparable).collect();
    if !(ordered || beside) {
        readings.insert(0, Reading::Text);
    } else if readings.is_empty() {
        // Nothing of it can be compared, so nothing can be ruled out.
        readings.push(Reading::Moment);
    }
    readings
}

fn literals<'c>(atoms: &[&Atom<'c>]) -> impl Iterator<Item = &'c Literal> {
    atoms.iter().flat_map(|atom| match &atom.test {
        Test::Compare(_, literal) => vec![*literal],
        Test::In(literals) => literals.clone(),
    })
}

fn quoted(literal: &Literal) -> Option<&str> {
    if let Literal::Text(text) = literal { Some(text) } else { None }
}

fn told(value: &Tried) -> String {
    match value {
        Tried::Bool(truth) => truth.to_string(),
        Tried::Number(number) => number.normalize().to_string(),
        Tried::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Tried::Moment(micros) => i64::try_from(*micros)
            .ok()
            .and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok())
            .map_or_else(|| "some moment".to_owned(), |stamp| stamp.to_string()),
        Tried::Time(time) => format!("'{time}'"),
        Tried::Null | Tried::Unknown => "null".to_owned(),
    }
}

/// One value of each kind that the comparisons of a field tell apart.
fn to_try(atoms: &[&Atom<'_>], reading: Reading) -> Vec<Tried> {
    let known: Vec<Tried> = literals(atoms).map(|literal| constant(literal, reading)).collect();
    if known.contains(&Tried::Unknown) {
        return vec![Tried::Unknown];
    }
    let mut values = vec![Tried::Null];
    let mut numbers: Vec<Number> = Vec::new();
    let mut moments: Vec<i128> = Vec::new();
    let mut times: Vec<Time> = Vec::new();
    for value in known {
        match &value {
            Tried::Bool(_) => values.extend([Tried::Bool(true), Tried::Bool(false)]),
            Tried::Number(number) => numbers.push(*number),
            Tried::Moment(micros) => moments.push(*micros),
            Tried::Time(time) => times.push(*time),
            _ => {}
        }
        values.push(value);
    }
    if reading == Reading::Text {
        values.push(Tried::Text("anything else".to_owned()));
    }
    values.extend(numbers_between(numbers));
    values.extend(moments_between(moments));
    values.extend(times_between(times));
    values
}

/// A number between each two of them, and one beyond them.
fn numbers_between(mut numbers: Vec<Number>) -> Vec<Tried> {
    numbers.sort();
    let mut values = Vec::new();
    for pair in numbers.windows(2) {
        values.extend(pair[0].checked_add(pair[1]).map(|sum| sum / Number::TWO));
    }
    for number in numbers.first().into_iter().chain(numbers.last()) {
        values.extend(number.checked_sub(Number::ONE));
        values.extend(number.checked_add(Number::ONE));
    }
    values.into_iter().map(Tried::Number).collect()
}

fn moments_between(mut moments: Vec<i128>) -> Vec<Tried> {
    moments.sort_unstable();
    let mut values: Vec<i128> = moments.windows(2).map(|pair| pair[0].midpoint(pair[1])).collect();
    for moment in moments.first().into_iter().chain(moments.last()) {
        values.extend([moment - 86_400_000_000, moment + 86_400_000_000]);
    }
    values.into_iter().map(Tried::Moment).collect()
}

/// As of moments, within the day.
fn times_between(mut times: Vec<Time>) -> Vec<Tried> {
    if times.is_empty() {
        return Vec::new();
    }
    times.extend([Time::MIN, Time::MAX]);
    times.sort_unstable();
    let between = |pair: &[Time]| {
        let half = pair[0].duration_until(pair[1]) / 2;
        pair[0].saturating_add(half)
    };
    let between: Vec<Time> = times.windows(2).map(between).collect();
    times.into_iter().chain(between).map(Tried::Time).collect()
}

fn constant(literal: &Literal, reading: Reading) -> Tried {
    match literal {
        Literal::Null => Tried::Null,
        Literal::Bool(truth) => Tried::Bool(*truth),
        Literal::Number(number) => {
            Number::from_str_exact(&number.canonical()).map_or(Tried::Unknown, Tried::Number)
        }
        Literal::Text(text) => read(text, reading).unwrap_or(Tried::Unknown),
        Literal::Moment(text) => read(text, Reading::Moment).unwrap_or(Tried::Unknown),
    }
}

fn read(text: &str, reading: Reading) -> Option<Tried> {
    match reading {
        Reading::Text => Some(Tried::Text(text.to_owned())),
        Reading::Moment => {
            let day = text.parse::<Date>().ok();
            let day = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
            let stamp = text.parse::<jiff::Timestamp>().ok();
            let stamp = stamp.or_else(|| day.map(|day| day.timestamp()));
            stamp.map(|stamp| Tried::Moment(stamp.as_microsecond().into()))
        }
        Reading::Time => text.parse::<Time>().ok().map(Tried::Time),
        Reading::Uuid => uuid::Uuid::parse_str(text).ok().map(|uuid| Tried::Text(uuid.to_string())),
    }
}

/// Whether a comparison holds for a value, as it does for records: null differs from every value
/// and is neither greater nor less.
fn passes(atom: &Atom<'_>, value: &Tried, reading: Reading) -> bool {
    if *value == Tried::Unknown {
        return true;
    }
    let order = |literal: &Literal| match (value, constant(literal, reading)) {
        (Tried::Number(a), Tried::Number(b)) => Some(a.cmp(&b)),
        (Tried::Moment(a), Tried::Moment(b)) => Some(a.cmp(&b)),
        (Tried::Time(a), Tried::Time(b)) => Some(a.cmp(&b)),
        (a, b) => (*a == b).then_some(Ordering::Equal),
    };
    let truth = match &atom.test {
        Test::In(literals) => literals.iter().any(|one| order(one) == Some(Ordering::Equal)),
        Test::Compare(comparison, literal) => {
            let order = order(literal);
            match comparison {
                Comparison::Equal => order == Some(Ordering::Equal),
                Comparison::NotEqual => order != Some(Ordering::Equal),
                _ if *value == Tried::Null => false,
                Comparison::Less => order == Some(Ordering::Less),
                Comparison::LessOrEqual => {
                    matches!(order, Some(Ordering::Less | Ordering::Equal))
                }
                Comparison::Greater => order == Some(Ordering::Greater),
                Comparison::GreaterOrEqual => {
                    matches!(order, Some(Ordering::Greater | Ordering::Equal))
                }
            }
        }
    };
    truth == atom.holds
}

#[cfg(test)]
mod tests {
    use super::super::condition_parser::parse;
    use super::*;

    fn both(a: &str, b: &str) -> Option<String> {
        witness(Some(&parse(a).unwrap()), Some(&parse(b).unwrap()))
    }

    #[test]
    fn conditions_that_exclude_each_other_have_no_witness() {
        let apart = [
            ("t = 'a'", "t = 'b'"),
            ("t in ('a', 'b')", "t not in ('a', 'b')"),
            ("t = 'a'", "t != 'a'"),
            ("n < 5", "n >= 5"),
            ("n > 5", "n <= 5 or n is null"),
            ("b = true", "b = false or b is null"),
            ("t = 'a' and n > 1", "t = 'a' and n <= 1"),
            ("not (t = 'a' or n > 1)", "t = 'a'"),
            ("d < 2024-01-01", "d >= 2024-01-01"),
            ("t is null", "t is not null"),
            ("d < '2024-01-01'", "d >= '2024-01-01'"),
            ("d < '2024-01-01'", "d >= 2024-01-01"),
            ("d < '2024-01-01T00:00:00Z'", "d = '2024-01-01T00:00:00Z'"),
            ("d in ('08:00', '09:00')", "d > '09:00'"),
            ("d < '00:00'", "d is not null"),
            ("u = '0190a2f0-5d6a-7c3e-8f00-0123456789ab'", "u = 'x'"),
        ];
        for (a, b) in apart {
            assert_eq!(both(a, b), None, "{a} and {b}");
            assert_eq!(both(b, a), None, "{b} and {a}");
        }
    }

    #[test]
    fn conditions_that_meet_have_one() {
        assert_eq!(both("t = 'a'", "n > 1").as_deref(), Some("n = 2 and t = 'a'"));
        assert_eq!(both("t != 'a'", "t != 'b'").as_deref(), Some("t is null"));
        assert_eq!(both("n > 1", "n < 2").as_deref(), Some("n = 1.5"));
        assert_eq!(both("t in ('a', 'b')", "t in ('b', 'c')").as_deref(), Some("t = 'b'"));
        assert!(both("d > 2024-01-01", "d > 2025-01-01").unwrap().starts_with("d = 2025-01-02"));
        let quoted = [
            ("d > '2024-01-01'", "d < '2024-06-01'", "d = 2024-03-17T00:00:00Z"),
            ("d > '2024-01-01'", "d < 2024-06-01", "d = 2024-03-17T00:00:00Z"),
            ("d = '2024-03-01'", "d > 2024-01-01", "d = 2024-03-01T00:00:00Z"),
            ("d > '2024-01-01T00:00:00Z'", "d > '2024-01-02T00:00:00Z'", "d = "),
            ("not (d <= '2024-01-01')", "d != '2024-01-01'", "d is null"),
            ("t > '08:00'", "t < '12:00'", "t = '10:00:00'"),
            ("t >= '08:00' and t < '16:00'", "t = '08:00:00'", "t = '08:00:00'"),
            ("t = '08:00'", "t = '08:00:00'", "t = '08:00:00'"),
            ("d = '2024-01-01T00:00:00Z'", "d = '2024-01-01T01:00:00+01:00'", "d = 2024-01-01"),
            ("d < 'a day'", "d > 'another'", "some values"),
            ("d < '2024-01-01'", "d > '08:00'", "some values"),
            (
                "u = '0190a2f0-5d6a-7c3e-8f00-0123456789ab'",
                "u = '0190A2F0-5D6A-7C3E-8F00-0123456789AB'",
                "u = '0190a2f0",
            ),
        ];
        for (a, b, with) in quoted {
            let found = both(a, b).unwrap_or_else(|| panic!("{a} and {b} exclude each other"));
            assert!(found.starts_with(with), "{a} and {b}: {found}");
        }
        assert_eq!(witness(None, Some(&parse("t = 'a'").unwrap())).as_deref(), Some("t = 'a'"));
        assert_eq!(witness(None, None).as_deref(), Some("any values"));
    }
}
