//! Policies that compare or merge: what becomes of a conflict without a person (protocol 5.1).
//!
//! All of them act only where both sides changed to different values, so a change of one side
//! alone is always followed. Where a rule cannot tell, a person is asked.

use std::cmp::Ordering;

use rust_decimal::Decimal as Number;
use syncline_sdk::{Decimal, Instant, Value};

use crate::Side;
use crate::mapping::{Mapping, Pair, Policy};
use crate::model::Link;

/// Two changes whose times, each by its own side's clock, are no further apart than this are as
/// good as simultaneous: the clocks of two systems and the ticks of their stamps differ by less.
const SKEW: i64 = 5_000_000;

/// The side whose record was changed last, beyond doubt.
pub(super) fn newest(link: &Link) -> Option<Side> {
    let left = link.pending.left.at.map(Instant::micros)?;
    let right = link.pending.right.at.map(Instant::micros)?;
    match left.saturating_sub(right) {
        by if by > SKEW => Some(Side::Left),
        by if by < -SKEW => Some(Side::Right),
        _ => None,
    }
}

/// The value that a unit's policy makes of both sides', as the left side would store it. The
/// units of such policies have one field pair.
pub(super) fn merged(mapping: &Mapping, link: &Link, at: usize) -> Option<Value> {
    let unit = &mapping.units[at];
    let ([pair], []) = (unit.pairs.as_slice(), unit.computed.as_slice()) else { return None };
    let ours = pair.normal(link.observed(Side::Left, pair.left).clone());
    let theirs = as_left(mapping, pair, link.observed(Side::Right, pair.right))?;
    let base = || {
        let left = pair.normal(link.base_value(Side::Left, pair.left).clone());
        let right = as_left(mapping, pair, link.base_value(Side::Right, pair.right))?;
        left.is_present().then_some((left, right))
    };
    match unit.conflict {
        Policy::Max => extreme(ours, theirs, Ordering::Greater),
        Policy::Min => extreme(ours, theirs, Ordering::Less),
        Policy::Counter => {
            let (left, right) = base()?;
            sum(&ours, &left, &theirs, &right)
        }
        Policy::MergeSet => {
            let (left, right) = base()?;
            members(&ours, &left, &theirs, &right)
        }
        Policy::MergeText => {
            let (left, _) = base()?;
            text(&ours, &left, &theirs)
        }
        Policy::Review | Policy::Wins(_) | Policy::Row(_) | Policy::Newest => None,
    }
}

/// A right value as the left side would store it.
fn as_left(mapping: &Mapping, pair: &Pair, value: &Value) -> Option<Value> {
    pair.image(Side::Left, value, &Value::Absent, &mapping.sides.left.fields[pair.left]).ok()
}

/// The greater or the lesser value. A cleared field is an edit that has no place in an order.
fn extreme(ours: Value, theirs: Value, wanted: Ordering) -> Option<Value> {
    let order = match (&ours, &theirs) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(_) | Value::Decimal(_), Value::Int(_) | Value::Decimal(_)) => {
            decimal(&ours)?.cmp(&decimal(&theirs)?)
        }
        _ => return None,
    };
    Some(if order == wanted { ours } else { theirs })
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Int(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) if number.is_finite() => Some(number.clone()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<Number> {
    Number::from_str_exact(&decimal(value)?.canonical()).ok()
}

/// Each side's change since the base, added up: each is consumed once, because the base moves in
/// the transaction that settles the write.
fn sum(ours: &Value, left: &Value, theirs: &Value, right: &Value) -> Option<Value> {
    let change = number(theirs)?.checked_sub(number(right)?)?;
    // The base of the left side is asked for as well: without one there is no change to add.
    number(left)?;
    let sum = number(ours)?.checked_add(change)?.normalize();
    match ours {
        Value::Int(_) => i64::try_from(sum).ok().map(Value::Int),
        _ => sum.to_string().parse().ok().map(Value::Decimal),
    }
}

/// Three-way merge of sets, member by member: what either side took away is gone, what either
/// side added is there. The members that stay keep their order, new ones follow in the order of
/// their text, so that the sides may change places.
fn members(ours: &Value, left: &Value, theirs: &Value, right: &Value) -> Option<Value> {
    let sets = [ours, left, theirs, right].map(list);
    let [Some(ours_now), Some(left), Some(theirs_now), Some(right)] = sets else { return None };
    let taken = |member: &&Value| {
        left.contains(member) && !ours_now.contains(member)
            || right.contains(member) && !theirs_now.contains(member)
    };
    let mut merged: Vec<Value> = Vec::new();
    for member in left.iter().chain(right).filter(|member| !taken(member)) {
        if !merged.contains(member) {
            merged.push(member.clone());
        }
    }
    let mut new: Vec<&Value> = ours_now
        .iter()
        .filter(|member| !left.contains(member))
        .chain(theirs_now.iter().filter(|member| !right.contains(member)))
        .collect();
    new.sort_by_key(|member| member.to_string());
    for member in new {
        if !merged.contains(member) {
            merged.push(member.clone());
        }
    }
    let empty = merged.is_empty() && (ours.is_null() || theirs.is_null());
    Some(if empty { Value::Null } else { Value::List(merged.into()) })
}

/// The members of a set; an empty field has none.
fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(items) => Some(items),
        Value::Null => Some(&[]),
        _ => None,
    }
}

/// Three-way merge of a text by lines. Overlapping changes have none, and no marks of a merge
/// ever get into data.
fn text(ours: &Value, base: &Value, theirs: &Value) -> Option<Value> {
    let texts = [ours, base, theirs].map(|value| match value {
        Value::Text(text) => Some(text.replace("\r\n", "\n")),
        _ => None,
    });
    let [Some(mine), Some(base), Some(other)] = texts else { return None };
    let merged = diffy::merge(&base, &mine, &other).ok()?;
    // The sides may change places: a result that hangs on which of them is left is none.
    if diffy::merge(&base, &other, &mine).ok()? != merged {
        return None;
    }
    let carriage_returns = ours.as_text().is_some_and(|text| text.contains("\r\n"));
    Some(Value::from(if carriage_returns { merged.replace('\n', "\r\n") } else { merged }))
}
