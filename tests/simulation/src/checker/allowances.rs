//! Writes that carry what nobody made, and may.

use std::collections::BTreeSet;

use syncline_core::Side;
use syncline_core::mapping::Direction;
use syncline_core::model::Verdict;
use syncline_sdk::{FieldName, Key, Value};
use syncline_testkit::{Event, Origin};

use super::evidence::Evidence;
use crate::setup::ITEMS;

/// Whether a decision writes what nobody made: a person's answer, or the empty field of the side
/// that leads, over an edit of the one that does not or at a first match.
pub(super) fn is_own_word(verdict: &Verdict, given: &Value) -> bool {
    match verdict {
        Verdict::Answered(_) => true,
        Verdict::Reverted(_) | Verdict::PolicyTook(_) => given.is_null(),
        _ => false,
    }
}
/// Whether a field is led together with others: they travel whole, also where the side that leads
/// was never given some of them.
fn is_led_together(evidence: &Evidence<'_>, side: Side, field: &FieldName) -> bool {
    let mapping = &evidence.world.mappings[&ITEMS];
    let names = &mapping.sides[side].selection.fields;
    let at = names.iter().position(|name| name == field);
    let unit = at.and_then(|at| mapping.unit_of(side, at)).map(|unit| &mapping.units[unit]);
    unit.is_some_and(|unit| unit.direction != Direction::Both && unit.pairs.len() > 1)
}

/// Whether the side that leads a field together with others was ever empty there.
pub(super) fn is_never_given(
    evidence: &Evidence<'_>,
    side: Side,
    field: &FieldName,
    origin: &Origin,
) -> bool {
    is_led_together(evidence, side, field) && was_empty_at_leader(evidence, side, field, origin)
}

/// Whether a field was ever empty in a partner of the record that was written: one that was merged
/// away since counts too.
fn was_empty_at_leader(
    evidence: &Evidence<'_>,
    side: Side,
    field: &FieldName,
    origin: &Origin,
) -> bool {
    let mapping = &evidence.world.mappings[&ITEMS];
    let other = side.other();
    let at = mapping.sides[side].selection.fields.iter().position(|name| name == field);
    let pair = mapping.units.iter().flat_map(|unit| &unit.pairs);
    let Some(pair) = pair.into_iter().find(|pair| Some(pair.on(side)) == at) else { return false };
    let name = mapping.field_name(other, pair.on(other));
    let keys: BTreeSet<&Key> = evidence.history[other].iter().map(|line| &line.key).collect();
    let mut partners = keys.into_iter().filter(|key| evidence.belonged(origin.link, other, key));
    partners.any(|partner| {
        let of = evidence.history[other].iter().filter(|line| line.key == *partner);
        let mut values = of.filter_map(|line| match &line.event {
            Event::Field { field, old, new, .. } if field == name => Some((old, new)),
            _ => None,
        });
        let mut told = values.clone();
        told.next().is_none() || values.any(|(old, new)| old.is_null() || new.is_null())
    })
}
