//! The decision on one unit: protocol 1.3.

use syncline_sdk::Value;

use super::live::meets;
use super::merge;
use crate::mapping::{
    ForeignEdits, Initial, Mapping, NoImage, Policy, Put, Unowned, convert, stored,
};
use crate::model::{Link, UnitStatus, Verdict, WrittenField};
use crate::{Side, Sides};

/// What is to be done about a unit.
#[derive(Clone, PartialEq, Debug)]
pub enum UnitPlan {
    /// Nothing: neither side differs from the base. This is what suppresses echoes.
    Rest,
    /// Both sides hold the same by now: the base moves, nothing is written.
    Agree,
    /// The side's value is not carried over, by the mapping's direction; its base moves.
    Keep(Side),
    /// The other side's value is written to this one.
    Write {
        /// The side written.
        to: Side,
        /// Why.
        verdict: Verdict,
        /// What is written.
        fields: Vec<WrittenField>,
    },
    /// A value made of both is written to both sides (protocol P7').
    Merge(Sides<Vec<WrittenField>>),
    /// A person must choose.
    Hold,
    /// The value that should go to this side has no image there.
    NoImage(Side, NoImage),
    /// A value that is needed was not delivered.
    Unreadable,
}

/// Decides one unit of a linked pair. The rows of protocol 1.3, P1, with the direction and the
/// policies of the mapping; a pair without a base is decided by the mapping's rule for first
/// matches.
#[must_use]
pub fn decide_unit(mapping: &Mapping, link: &Link, at: usize) -> UnitPlan {
    let unit = &mapping.units[at];
    // A side without fields of its own gives its constants to a pair that was just matched.
    let first_match = is_first_match(mapping, link, at);
    let changed = Sides::from_fn(|side| {
        let shows = unit.fields(side).any(|field| link.pending[side].value(field).is_some());
        shows || (first_match && unit.is_missing(side))
    });
    if !changed.left && !changed.right {
        return UnitPlan::Rest;
    }
    let readable = Sides::from_fn(|side| {
        unit.fields(side).all(|field| link.observed(side, field).is_present())
    });
    if !readable.left || !readable.right {
        return UnitPlan::Unreadable;
    }
    let winner = match (changed.left, changed.right) {
        (true, false) => Ok(Side::Left),
        (false, true) => Ok(Side::Right),
        _ if agrees(mapping, link, at) => return UnitPlan::Agree,
        _ => Err(()),
    };
    match winner {
        Ok(from) if unit.direction.reaches(from.other()) => {
            carry(mapping, link, at, from, Verdict::Write(from.other()))
        }
        Ok(from) => match unit.foreign {
            ForeignEdits::Keep => UnitPlan::Keep(from),
            ForeignEdits::Revert => carry(mapping, link, at, from.other(), Verdict::Reverted(from)),
            ForeignEdits::Review => UnitPlan::Hold,
        },
        Err(()) => contest(mapping, link, at, first_match),
    }
}

/// Whether nothing of the unit was ever agreed upon: its pair was just matched.
#[must_use]
pub fn is_first_match(mapping: &Mapping, link: &Link, at: usize) -> bool {
    let none = |side: Side| {
        mapping.units[at].fields(side).all(|field| !link.base_value(side, field).is_present())
    };
    none(Side::Left) && none(Side::Right)
}

/// Both sides differ from the base and from each other.
fn contest(mapping: &Mapping, link: &Link, at: usize, first_match: bool) -> UnitPlan {
    let unit = &mapping.units[at];
    for side in Side::BOTH {
        if unit.direction.reaches(side) {
            continue;
        }
        let asks = unit.foreign == ForeignEdits::Review && !first_match;
        return match asks {
            true => UnitPlan::Hold,
            false => carry(mapping, link, at, side, Verdict::PolicyTook(side)),
        };
    }
    // What was agreed upon under another rule and differs under this one is never overwritten
    // unasked (protocol 1.10).
    let returned = link.field_state.unit(at).status == UnitStatus::Returned;
    if first_match && (returned || link.origins.get(at).is_some_and(Option::is_some)) {
        let empty =
            |side: &Side| unit.fields(*side).all(|field| link.observed(*side, field).is_null());
        return match Side::BOTH.into_iter().find(empty).filter(|_| returned) {
            Some(side) => carry(mapping, link, at, side.other(), Verdict::PolicyTook(side.other())),
            None => UnitPlan::Hold,
        };
    }
    // Of a pair that was just matched nothing is agreed yet, unit by unit.
    let winner = if first_match {
        first_winner(mapping, link, at)
    } else {
        match unit.conflict {
            Policy::Review => None,
            Policy::Wins(side) => Some(side),
            Policy::Row(unowned) => match row_owner(mapping, link) {
                Owner::Side(side) => Some(side),
                Owner::Unknown => None,
                Owner::Nobody => match unowned {
                    Unowned::Review => None,
                    Unowned::Wins(side) => Some(side),
                    Unowned::Newest => merge::newest(link),
                },
            },
            Policy::Newest => merge::newest(link),
            Policy::Max | Policy::Min | Policy::Counter | Policy::MergeText | Policy::MergeSet => {
                return match merge::merged(mapping, link, at) {
                    Some(value) => merge(mapping, link, at, value),
                    None => UnitPlan::Hold,
                };
            }
        }
    };
    match winner {
        Some(side) => carry(mapping, link, at, side, Verdict::PolicyTook(side)),
        None => UnitPlan::Hold,
    }
}

/// A value made of both goes where it is not. One that a side cannot hold as it is waits for a
/// person (protocol R5).
fn merge(mapping: &Mapping, link: &Link, at: usize, value: Value) -> UnitPlan {
    let fields = match both_written(mapping, link, at, vec![value]) {
        Ok(fields) => fields,
        Err((side, reason)) => return UnitPlan::NoImage(side, reason),
    };
    let image = |side: Side, field: usize| {
        let found = fields[side].iter().find(|written| usize::from(written.field) == field);
        found.map_or(&Value::Absent, |written| &written.image)
    };
    if !mapping.units[at].agrees(&mapping.sides, image) {
        return UnitPlan::Hold;
    }
    let written = Sides::from_fn(|side| fields[side].iter().any(WrittenField::is_written));
    match (written.left, written.right) {
        (true, true) => UnitPlan::Merge(fields),
        (false, false) => UnitPlan::Agree,
        (true, false) => {
            UnitPlan::Write { to: Side::Left, verdict: Verdict::Merged, fields: fields.left }
        }
        (false, true) => {
            UnitPlan::Write { to: Side::Right, verdict: Verdict::Merged, fields: fields.right }
        }
    }
}

/// Whether the times of the two edits are what decides a conflict of a unit.
#[must_use]
pub fn times_decide(mapping: &Mapping, link: &Link, at: usize) -> bool {
    match mapping.units[at].conflict {
        Policy::Newest => true,
        Policy::Row(Unowned::Newest) => matches!(row_owner(mapping, link), Owner::Nobody),
        _ => false,
    }
}

/// Who owns a record, by the mapping's conditions.
enum Owner {
    Side(Side),
    /// Neither side, or both.
    Nobody,
    /// A value that a condition asks for was not delivered.
    Unknown,
}

fn row_owner(mapping: &Mapping, link: &Link) -> Owner {
    let owns = Sides::from_fn(|side| match &mapping.owners[side] {
        Some(condition) => meets(mapping, link, side, condition),
        None => Some(false),
    });
    match (owns.left, owns.right) {
        (None, _) | (_, None) => Owner::Unknown,
        (Some(true), Some(false)) => Owner::Side(Side::Left),
        (Some(false), Some(true)) => Owner::Side(Side::Right),
        _ => Owner::Nobody,
    }
}

/// Whose value wins when a pair is matched for the first time.
fn first_winner(mapping: &Mapping, link: &Link, at: usize) -> Option<Side> {
    let unit = &mapping.units[at];
    match mapping.initial {
        Initial::Review => None,
        Initial::Wins(side) => Some(side),
        Initial::Newest => merge::newest(link),
        Initial::Fill => {
            let empty = Sides::from_fn(|side| {
                unit.fields(side).all(|field| link.observed(side, field).is_null())
            });
            match (empty.left, empty.right) {
                (true, false) => Some(Side::Right),
                (false, true) => Some(Side::Left),
                _ => None,
            }
        }
    }
}

/// Carries a side's value to the other, or finds that it is there already.
fn carry(mapping: &Mapping, link: &Link, at: usize, from: Side, verdict: Verdict) -> UnitPlan {
    let to = from.other();
    match written_fields(mapping, link, at, to) {
        Err(reason) => UnitPlan::NoImage(to, reason),
        Ok(fields) if fields.iter().all(|field| field.image == field.expected) => UnitPlan::Agree,
        Ok(fields) => UnitPlan::Write { to, verdict, fields },
    }
}

/// The fields of a unit as they would be written to a side, those that already hold their image
/// included.
///
/// # Errors
/// [`NoImage`] when a value cannot be stored there.
pub fn written_fields(
    mapping: &Mapping,
    link: &Link,
    at: usize,
    to: Side,
) -> Result<Vec<WrittenField>, NoImage> {
    let source = |field| link.observed(to.other(), field);
    let written =
        mapping.units[at].put(&mapping.sides, to, source, |field| link.observed(to, field))?;
    Ok(written.into_iter().map(|put| expecting(link, to, put)).collect())
}

/// A field as it is written over what its side shows.
fn expecting(link: &Link, to: Side, put: Put) -> WrittenField {
    WrittenField {
        field: u16::try_from(put.field).unwrap_or(u16::MAX),
        value: put.value,
        image: put.image,
        expected: link.observed(to, put.field).clone(),
    }
}

/// Whether both sides hold the same under the mapping.
#[must_use]
pub fn agrees(mapping: &Mapping, link: &Link, at: usize) -> bool {
    mapping.units[at].agrees(&mapping.sides, |side, field| link.observed(side, field))
}

/// The fields of a unit on both sides for a value of its own: values as the left side would
/// store them, in the order of its fields.
///
/// # Errors
/// The side that cannot store the value, and why.
pub fn both_written(
    mapping: &Mapping,
    link: &Link,
    at: usize,
    left: Vec<Value>,
) -> Result<Sides<Vec<WrittenField>>, (Side, NoImage)> {
    let unit = &mapping.units[at];
    let mut fields: Sides<Vec<WrittenField>> = Sides::default();
    for (at, (field, value)) in unit.fields(Side::Left).zip(left).enumerate() {
        let target = &mapping.sides.left.fields[field];
        let pair = unit.pairs.get(at);
        let value = pair.map_or(value.clone(), |pair| pair.normal(value));
        let value = convert(value, target).map_err(|reason| (Side::Left, reason))?;
        let put = match pair {
            Some(pair) => pair.over(field, value, link.observed(Side::Left, field), target),
            None => stored(field, value, target),
        };
        fields.left.push(expecting(link, Side::Left, put));
    }
    let typed = |field: usize| {
        let found = fields.left.iter().find(|written| usize::from(written.field) == field);
        found.map_or(&Value::Absent, |written| &written.value)
    };
    let right = unit
        .put(&mapping.sides, Side::Right, typed, |field| link.observed(Side::Right, field))
        .map_err(|reason| (Side::Right, reason))?;
    fields.right = right.into_iter().map(|put| expecting(link, Side::Right, put)).collect();
    Ok(fields)
}
