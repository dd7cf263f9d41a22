//! W1: where a write may replace an edit that it has not seen, the history tells of it.

use syncline_core::Side;
use syncline_core::model::Verdict;
use syncline_sdk::{Cas, EntityName, Value};
use syncline_testkit::Origin;

use super::chains::Node;
use super::evidence::{Evidence, Violation, violation};

/// Whether a side has no conditional writes: class 3, of which an overwrite inside one round trip
/// is possible, and a copy that comes late is applied (protocol section 3, W6).
pub(super) fn is_unguarded(evidence: &Evidence<'_>, side: Side, entity: &EntityName) -> bool {
    let mapping = evidence.mapping_of(entity);
    mapping.is_some_and(|mapping| mapping.sides[side].capabilities.cas == Cas::None)
}

/// Judges a write that replaced a value unseen, where that may be: the journal must tell of it, if
/// histories are asked.
pub(super) fn judge_overwritten(
    evidence: &Evidence<'_>,
    side: Side,
    origin: &Origin,
    unit: Option<u16>,
    given: &Value,
    replaced: &Node,
) -> Option<Violation> {
    let mut decided = evidence.decided(origin.link).filter(|decided| decided.unit == unit);
    let told = decided.any(|decided| {
        let shown = match side {
            Side::Left => &decided.left,
            Side::Right => &decided.right,
        };
        decided.verdict == Verdict::Overwritten(side) && shown.contains(&replaced.value)
    });
    if told || !evidence.world.plan.histories {
        return None;
    }
    let text = format!(
        "{given:?} of {} replaced {:?}, made in step {} by {:?}, and nobody was told",
        origin.intent, replaced.value, replaced.step, replaced.by
    );
    Some(violation("W1", text))
}
