//! Filters: a record outside the filter of its side is nobody's business, and a pair of which one
//! stands outside is treated as the mapping says.

use std::collections::BTreeMap;

use syncline_core::mapping::{LeaveRule, Mapping};
use syncline_core::model::{Link, LinkState};
use syncline_core::{Side, Sides};
use syncline_sdk::{FieldName, Key, Value};
use syncline_testkit::Event;

use super::evidence::{Evidence, Violation, violation};
use crate::setup::{CODE, INSIDE, ITEMS, PLACE};

type Values = BTreeMap<FieldName, Value>;

/// Whether a mapping has a filter on a side.
fn is_filtered(evidence: &Evidence<'_>, mapping: &Mapping, side: Side) -> bool {
    let filter = evidence.world.plan.filter.filter(|_| mapping.id == ITEMS);
    filter.is_some_and(|filter| filter.sides[usize::from(side == Side::Right)])
}

/// Whether a record with these values stands outside the filter of its side.
pub(super) fn is_outside(
    evidence: &Evidence<'_>,
    mapping: &Mapping,
    side: Side,
    values: &Values,
) -> bool {
    let inside = values.get(&FieldName::new(PLACE)).and_then(Value::as_text) == Some(INSIDE);
    is_filtered(evidence, mapping, side) && !inside
}

/// Whether a record made on a side from these values of the other one would stand outside its
/// filter.
pub(super) fn is_excluded(
    evidence: &Evidence<'_>,
    mapping: &Mapping,
    side: Side,
    theirs: &Values,
) -> bool {
    let mapped = evidence.world.plan.filter.is_some_and(|filter| filter.mapped);
    mapped && is_outside(evidence, mapping, side, theirs)
}

/// Whether a record was ever outside the filter of its side.
pub(super) fn was_outside(
    evidence: &Evidence<'_>,
    mapping: &Mapping,
    side: Side,
    key: &Key,
) -> bool {
    let entity = &mapping.sides[side].selection.entity;
    is_filtered(evidence, mapping, side)
        && evidence.history[side].iter().any(|line| match &line.event {
            Event::Field { field, new, .. } => {
                line.entity == *entity
                    && line.key == *key
                    && field.as_str() == PLACE
                    && new.as_text() != Some(INSIDE)
            }
            _ => false,
        })
}

/// Whether any record of a business key was ever outside the filter of a side: what is outside is
/// not looked at, and another one may be made beside it.
pub(super) fn was_any_outside(
    evidence: &Evidence<'_>,
    mapping: &Mapping,
    side: Side,
    code: &str,
) -> bool {
    let entity = &mapping.sides[side].selection.entity;
    evidence.history[side].iter().any(|line| match &line.event {
        Event::Field { field, new, .. } => {
            line.entity == *entity
                && field.as_str() == CODE
                && new.as_text() == Some(code)
                && was_outside(evidence, mapping, side, &line.key)
        }
        _ => false,
    })
}

/// Judges a pair of which at least one record stands outside.
pub(super) fn judge_pair(
    evidence: &Evidence<'_>,
    mapping: &Mapping,
    link: &Link,
    outside: Sides<bool>,
) -> Option<Violation> {
    let known = link.field_state.outside;
    let rule = mapping.leave;
    let settled = match rule {
        LeaveRule::Keep => known == outside,
        _ => link.state == LinkState::Ended,
    };
    if settled || evidence.is_asked(link.id, None) || evidence.is_parked(link.id) {
        return None;
    }
    let text = format!(
        "link {} is {:?} with {known:?} outside where {outside:?} are, and records that leave are \
         to be treated by {rule:?}",
        link.id, link.state
    );
    Some(violation("FILTER", text))
}
