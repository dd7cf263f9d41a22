//! Writes that do not hold: counted until a unit is frozen (protocol P8a, N5, N7).

use syncline_sdk::{ActorKind, FeedKind, Instant, Value};

use crate::Side;
use crate::encoding::encode;
use crate::mapping::Mapping;
use crate::model::Link;

/// Whether a side, which does not tell who made a change, is back at the very value that our last
/// write replaced there, soon after: that is how a rule of the remote looks that will not have
/// our value. Anything else that such a side shows is taken for somebody's edit.
pub(super) fn is_return(
    mapping: &Mapping,
    link: &Link,
    unit: usize,
    side: Side,
    within: i64,
) -> bool {
    let pending = &link.pending[side];
    let replaced = link.field_state.unit(unit).replaced;
    if pending.actor.kind != ActorKind::Unknown || replaced == 0 {
        return false;
    }
    let from = link.origins.get(unit).copied().flatten().map_or(0, |origin| origin.at);
    let soon = match pending.at.map(Instant::micros) {
        Some(at) if from != 0 => at.saturating_sub(from) <= within,
        _ => true,
    };
    soon && replaced == mark(mapping, link, unit, side)
}

/// What a write to a side is about to replace there, for [`is_return`]; 0 where the side tells who
/// makes a change.
pub(super) fn replaced(mapping: &Mapping, link: &Link, unit: usize, side: Side) -> u32 {
    let place = &mapping.sides[side];
    let tells = place.capabilities.feed == FeedKind::Images || place.selection.actor.is_some();
    if tells { 0 } else { mark(mapping, link, unit, side) }
}

/// A number for what a side shows of a unit; never 0.
fn mark(mapping: &Mapping, link: &Link, unit: usize, side: Side) -> u32 {
    let pairs = mapping.units[unit].pairs.iter();
    let shown: Vec<Value> = pairs.map(|pair| link.observed(side, pair.on(side)).clone()).collect();
    let hash = blake3::hash(&encode(&(side == Side::Right, shown)));
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_le_bytes([a, b, c, d]) | 1
}
