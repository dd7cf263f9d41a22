//! The decision on one unit: protocol 1.3.

use syncline_sdk::Value;

use crate::mapping::{Initial, Mapping, NoImage, Policy};
use crate::model::{Link, Verdict, WrittenField};
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
    let changed = Sides::from_fn(|side| {
        unit.pairs.iter().any(|pair| link.pending[side].value(pair.on(side)).is_some())
    });
    if !changed.left && !changed.right {
        return UnitPlan::Rest;
    }
    let readable = Sides::from_fn(|side| {
        unit.pairs.iter().all(|pair| link.observed(side, pair.on(side)).is_present())
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
        Ok(from) => UnitPlan::Keep(from),
        Err(()) => contest(mapping, link, at),
    }
}

/// Both sides differ from the base and from each other.
fn contest(mapping: &Mapping, link: &Link, at: usize) -> UnitPlan {
    let unit = &mapping.units[at];
    for side in Side::BOTH {
        if !unit.direction.reaches(side) {
            return carry(mapping, link, at, side, Verdict::PolicyTook(side));
        }
    }
    // Of a pair that was just matched nothing is agreed yet, unit by unit.
    let first_match = unit.pairs.iter().all(|pair| {
        Side::BOTH.into_iter().all(|side| !link.base_value(side, pair.on(side)).is_present())
    });
    let winner = if first_match {
        first_winner(mapping, link, at)
    } else {
        match unit.conflict {
            Policy::Review => None,
            Policy::Wins(side) => Some(side),
        }
    };
    match winner {
        Some(side) => carry(mapping, link, at, side, Verdict::PolicyTook(side)),
        None => UnitPlan::Hold,
    }
}

/// Whose value wins when a pair is matched for the first time.
fn first_winner(mapping: &Mapping, link: &Link, at: usize) -> Option<Side> {
    let unit = &mapping.units[at];
    match mapping.initial {
        Initial::Review => None,
        Initial::Wins(side) => Some(side),
        Initial::Newest => {
            let left = link.pending.left.at?;
            let right = link.pending.right.at?;
            match left.cmp(&right) {
                std::cmp::Ordering::Less => Some(Side::Right),
                std::cmp::Ordering::Greater => Some(Side::Left),
                std::cmp::Ordering::Equal => None,
            }
        }
        Initial::Fill => {
            let empty = Sides::from_fn(|side| {
                unit.pairs.iter().all(|pair| link.observed(side, pair.on(side)).is_null())
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
    let from = to.other();
    mapping.units[at]
        .pairs
        .iter()
        .map(|pair| {
            let target = &mapping.sides[to].fields[pair.on(to)];
            let source = link.observed(from, pair.on(from));
            let value = pair.put(to, source, target)?;
            let image = syncline_sdk::Normalizer::apply_all(&target.normalizers, value.clone());
            Ok(WrittenField {
                field: u16::try_from(pair.on(to)).unwrap_or(u16::MAX),
                value,
                image,
                expected: link.observed(to, pair.on(to)).clone(),
            })
        })
        .collect()
}

/// Whether both sides hold the same under the mapping. Compared only through the mapping, never
/// raw (protocol M8): the image of one side's value must be the other's.
#[must_use]
pub fn agrees(mapping: &Mapping, link: &Link, at: usize) -> bool {
    let unit = &mapping.units[at];
    unit.pairs.iter().all(|pair| {
        let value = |side: Side| link.observed(side, pair.on(side));
        let stored = |to: Side| -> Option<Value> {
            let target = &mapping.sides[to].fields[pair.on(to)];
            pair.image(to, value(to.other()), target).ok()
        };
        Side::BOTH
            .into_iter()
            .filter(|to| unit.direction.reaches(*to))
            .any(|to| stored(to).as_ref() == Some(value(to)))
    })
}
