//! Writes that do not hold: counted until a unit is frozen (protocol P8a, N5, N7).

use syncline_sdk::{ActorKind, FeedKind, Instant, Value};

use super::round::Limits;
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
    let replaced = link.field_state.unit(unit).replaced;
    if link.pending[side].actor.kind != ActorKind::Unknown || replaced == 0 {
        return false;
    }
    is_soon(link, unit, side, within) && replaced == mark(mapping, link, unit, side)
}

/// Whether a side, which does not tell who made a change, shows a new value soon after our write
/// of this unit. It may be somebody's answer to the value, or an automation's to the write, which
/// would never end where the other side answers likewise: a few are taken for edits, a long row
/// of them is not (protocol N5, N7). What was made of both sides' values is ours on either.
pub(super) fn is_reaction(link: &Link, unit: usize, side: Side, within: i64) -> bool {
    let from = link.origins.get(unit).copied().flatten();
    let ours = from.is_some_and(|from| from.side != side || from.actor == ActorKind::Sync);
    ours && link.pending[side].actor.kind == ActorKind::Unknown && is_soon(link, unit, side, within)
}

/// Whether what is pending on a side was made soon after the edit that is the unit's base.
fn is_soon(link: &Link, unit: usize, side: Side, within: i64) -> bool {
    let from = link.origins.get(unit).copied().flatten().map_or(0, |origin| origin.at);
    match link.pending[side].at.map(Instant::micros) {
        Some(at) if from != 0 => at.saturating_sub(from) <= within,
        _ => true,
    }
}

/// How often a unit was written without an edit from outside in between, the write that carries
/// these sides' values counted, and how often it may be (protocol P8a).
pub(super) fn count(
    mapping: &Mapping,
    link: &Link,
    unit: usize,
    from: &[Side],
    limits: &Limits,
) -> (u8, u8) {
    let within = limits.bounce_within;
    let foreign = from.iter().copied().filter(|side| {
        link.pending[*side].foreign && !is_return(mapping, link, unit, *side, within)
    });
    let (mut edited, mut reacted) = (false, false);
    for side in foreign {
        match is_reaction(link, unit, side, within) {
            true => reacted = true,
            false => edited = true,
        }
    }
    let before = link.field_state.unit(unit).bounces;
    let now = if edited { 0 } else { before.saturating_add(1) };
    (now, if reacted { limits.reactions_max } else { limits.bounces_max })
}

/// What a write to a side is about to replace there, for [`is_return`]; 0 where the side tells who
/// makes a change.
pub(super) fn replaced(mapping: &Mapping, link: &Link, unit: usize, side: Side) -> u32 {
    let place = &mapping.sides[side];
    let tells = place.capabilities.feed == FeedKind::Images || place.selection.actor.is_some();
    if tells { 0 } else { mark(mapping, link, unit, side) }
}

/// A number for what a side shows of a unit; never 0.
pub(super) fn mark(mapping: &Mapping, link: &Link, unit: usize, side: Side) -> u32 {
    let fields = mapping.units[unit].fields(side);
    let shown: Vec<Value> = fields.map(|at| link.observed(side, at).clone()).collect();
    let hash = blake3::hash(&encode(&(side == Side::Right, shown)));
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_le_bytes([a, b, c, d]) | 1
}
