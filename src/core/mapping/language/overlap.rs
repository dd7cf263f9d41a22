//! Whether two conditions can hold for one record.
//!
//! Conditions compare fields with constants, so they are decided field by field: between the
//! constants that they name all values are alike, and trying one of each kind tries all.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rust_decimal::Decimal as Number;
use syncline_sdk::Comparison;

use super::condition::sign;
use super::{Condition, Literal};

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
    /// A constant that cannot be compared here.
    Unknown,
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
        let values = to_try(&atoms);
        let found = values.iter().find(|value| atoms.iter().all(|atom| passes(atom, value)))?;
        words.push(match found {
            Tried::Null => format!("{field} is null"),
            Tried::Unknown => return Some("some values".to_owned()),
            other => format!("{field} {} {}", sign(Comparison::Equal), told(other)),
        });
    }
    Some(words.join(" and "))
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
        Tried::Null | Tried::Unknown => "null".to_owned(),
    }
}

/// One value of each kind that the comparisons of a field tell apart.
fn to_try(atoms: &[&Atom<'_>]) -> Vec<Tried> {
    let mut known: Vec<Tried> = Vec::new();
    for atom in atoms {
        match &atom.test {
            Test::Compare(_, literal) => known.push(constant(literal)),
            Test::In(literals) => known.extend(literals.iter().map(|literal| constant(literal))),
        }
    }
    if known.contains(&Tried::Unknown) {
        return vec![Tried::Unknown];
    }
    let mut values = vec![Tried::Null];
    let mut numbers: Vec<Number> = Vec::new();
    let mut moments: Vec<i128> = Vec::new();
    for value in known {
        match &value {
            Tried::Bool(_) => values.extend([Tried::Bool(true), Tried::Bool(false)]),
            Tried::Number(number) => numbers.push(*number),
            Tried::Moment(micros) => moments.push(*micros),
            _ => {}
        }
        values.push(value);
    }
    values.push(Tried::Text("anything else".to_owned()));
    numbers.sort();
    moments.sort_unstable();
    for pair in numbers.windows(2) {
        values.extend(pair[0].checked_add(pair[1]).map(|sum| Tried::Number(sum / Number::TWO)));
    }
    for number in numbers.first().into_iter().chain(numbers.last()) {
        values.extend(number.checked_sub(Number::ONE).map(Tried::Number));
        values.extend(number.checked_add(Number::ONE).map(Tried::Number));
    }
    values.extend(moments.windows(2).map(|pair| Tried::Moment(pair[0].midpoint(pair[1]))));
    for moment in moments.first().into_iter().chain(moments.last()) {
        values.extend([
            Tried::Moment(moment - 86_400_000_000),
            Tried::Moment(moment + 86_400_000_000),
        ]);
    }
    values
}

fn constant(literal: &Literal) -> Tried {
    match literal {
        Literal::Null => Tried::Null,
        Literal::Bool(truth) => Tried::Bool(*truth),
        Literal::Number(number) => {
            Number::from_str_exact(&number.canonical()).map_or(Tried::Unknown, Tried::Number)
        }
        Literal::Text(text) => Tried::Text(text.to_string()),
        Literal::Moment(text) => {
            let day = text.parse::<jiff::civil::Date>().ok();
            let day = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
            let stamp = text.parse::<jiff::Timestamp>().ok();
            let stamp = stamp.or_else(|| day.map(|day| day.timestamp()));
            stamp.map_or(Tried::Unknown, |stamp| Tried::Moment(stamp.as_microsecond().into()))
        }
    }
}

/// Whether a comparison holds for a value, as it does for records: null differs from every value
/// and is neither greater nor less.
fn passes(atom: &Atom<'_>, value: &Tried) -> bool {
    if *value == Tried::Unknown {
        return true;
    }
    let order = |literal: &Literal| match (value, constant(literal)) {
        (Tried::Number(a), Tried::Number(b)) => Some(a.cmp(&b)),
        (Tried::Moment(a), Tried::Moment(b)) => Some(a.cmp(&b)),
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
        assert_eq!(witness(None, Some(&parse("t = 'a'").unwrap())).as_deref(), Some("t = 'a'"));
        assert_eq!(witness(None, None).as_deref(), Some("any values"));
    }
}
