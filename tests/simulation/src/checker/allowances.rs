//! Writes that carry what nobody made, and may.

use syncline_core::Side;
use syncline_core::mapping::Direction;
use syncline_core::model::Verdict;
use syncline_sdk::{FieldName, Value};

use super::evidence::Evidence;
use crate::setup::ITEMS;

/// Whether a decision writes what nobody made: a person's answer, or the empty field of the side
/// that leads, over an edit of the one that does not.
pub(super) fn is_own_word(verdict: &Verdict, given: &Value) -> bool {
    match verdict {
        Verdict::Answered(_) => true,
        Verdict::Reverted(_) => given.is_null(),
        _ => false,
    }
}
/// Whether a field is led together with others: they travel whole, also where the side that leads
/// was never given some of them.
pub(super) fn is_led_together(evidence: &Evidence<'_>, side: Side, field: &FieldName) -> bool {
    let mapping = &evidence.world.mappings[&ITEMS];
    let names = &mapping.sides[side].selection.fields;
    let at = names.iter().position(|name| name == field);
    let unit = at.and_then(|at| mapping.unit_of(side, at)).map(|unit| &mapping.units[unit]);
    unit.is_some_and(|unit| unit.direction != Direction::Both && unit.pairs.len() > 1)
}
