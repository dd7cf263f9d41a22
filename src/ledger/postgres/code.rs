//! How ids and choices stand in columns.

use syncline_core::Side;
use syncline_core::model::{BatchState, DeletePhase, HintReason, LinkState, ReviewStatus};
use syncline_sdk::{BatchId, IntentId, LinkId};

use crate::{LedgerError, Result};

/// How many ordinals a commit has: an id is its commit number times this, plus its ordinal.
const ORDINALS: i64 = 1 << 20;

/// An id as one number.
fn pack(commit: i64, ordinal: i32) -> Result<i64> {
    let ordinal = i64::from(ordinal);
    if (0..ORDINALS).contains(&ordinal) && (0..i64::MAX / ORDINALS).contains(&commit) {
        return Ok(commit * ORDINALS + ordinal);
    }
    Err(LedgerError::Refused {
        what: "the id of an entry",
        reason: format!("{commit}.{ordinal}: an ordinal goes up to {}", ORDINALS - 1),
        source: None,
    })
}

fn unpack(number: i64) -> (i64, i32) {
    let ordinal = i32::try_from(number.rem_euclid(ORDINALS)).unwrap_or(0);
    (number.div_euclid(ORDINALS), ordinal)
}

/// The number of an entry or intent.
pub(super) fn entry(id: IntentId) -> Result<i64> {
    pack(id.commit, id.ordinal)
}

/// The number of an entry or intent that may not be.
pub(super) fn entry_or_null(id: Option<IntentId>) -> Result<Option<i64>> {
    id.map(entry).transpose()
}

/// The entry or intent of a number.
pub(super) fn to_entry(number: i64) -> IntentId {
    let (commit, ordinal) = unpack(number);
    IntentId { commit, ordinal }
}

/// The number of a batch.
pub(super) fn batch(id: BatchId) -> Result<i64> {
    pack(id.commit, id.ordinal)
}

/// The batch of a number.
pub(super) fn to_batch(number: i64) -> BatchId {
    let (commit, ordinal) = unpack(number);
    BatchId { commit, ordinal }
}

/// A limit of rows.
pub(super) fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

/// The number of a side.
pub(super) fn side(side: Side) -> i16 {
    match side {
        Side::Left => 0,
        Side::Right => 1,
    }
}

/// The side of a number.
pub(super) fn to_side(number: i16) -> Option<Side> {
    match number {
        0 => Some(Side::Left),
        1 => Some(Side::Right),
        _ => None,
    }
}

/// The number of where a link stands; into which one merged records went stands in its body.
pub(super) fn state(state: LinkState) -> i16 {
    match state {
        LinkState::Seen(seen) => 1 + side(seen),
        LinkState::Creating(created) => 3 + side(created),
        LinkState::Linked => 5,
        LinkState::Tombstone => 6,
        LinkState::Held => 7,
        LinkState::Ended => 8,
        LinkState::Merged(_) => 9,
        LinkState::Deleting(deleted, at) => 10 + 10 * side(deleted) + phase(at),
        LinkState::Retracting(retracted, at) => 30 + 10 * side(retracted) + phase(at),
    }
}

fn phase(phase: DeletePhase) -> i16 {
    match phase {
        DeletePhase::Fence => 0,
        DeletePhase::Delete => 1,
        DeletePhase::Look => 2,
        DeletePhase::Undelete => 3,
    }
}

/// Where a link stands, by its number.
pub(super) fn to_state(number: i16, merged_into: Option<LinkId>) -> Option<LinkState> {
    let phase = |tens| match number - tens {
        0 => Some(DeletePhase::Fence),
        1 => Some(DeletePhase::Delete),
        2 => Some(DeletePhase::Look),
        3 => Some(DeletePhase::Undelete),
        _ => None,
    };
    Some(match number {
        1 => LinkState::Seen(Side::Left),
        2 => LinkState::Seen(Side::Right),
        3 => LinkState::Creating(Side::Left),
        4 => LinkState::Creating(Side::Right),
        5 => LinkState::Linked,
        6 => LinkState::Tombstone,
        7 => LinkState::Held,
        8 => LinkState::Ended,
        9 => LinkState::Merged(merged_into?),
        10..20 => LinkState::Deleting(Side::Left, phase(10)?),
        20..30 => LinkState::Deleting(Side::Right, phase(20)?),
        30..40 => LinkState::Retracting(Side::Left, phase(30)?),
        40..50 => LinkState::Retracting(Side::Right, phase(40)?),
        _ => return None,
    })
}

/// The number of a batch's state.
pub(super) fn batch_state(state: BatchState) -> i16 {
    match state {
        BatchState::Sent => 0,
        BatchState::Settled => 1,
        BatchState::Audited => 2,
    }
}

/// A batch's state by its number.
pub(super) fn to_batch_state(number: i16) -> Option<BatchState> {
    match number {
        0 => Some(BatchState::Sent),
        1 => Some(BatchState::Settled),
        2 => Some(BatchState::Audited),
        _ => None,
    }
}

/// The number of a question's status.
pub(super) fn status(status: ReviewStatus) -> i16 {
    match status {
        ReviewStatus::Open => 0,
        ReviewStatus::Answered => 1,
        ReviewStatus::Closed => 2,
    }
}

/// A question's status by its number.
pub(super) fn to_status(number: i16) -> Option<ReviewStatus> {
    match number {
        0 => Some(ReviewStatus::Open),
        1 => Some(ReviewStatus::Answered),
        2 => Some(ReviewStatus::Closed),
        _ => None,
    }
}

/// A hint's reasons, each at its number.
const REASONS: [HintReason; 10] = [
    HintReason::Changed,
    HintReason::Busy,
    HintReason::OpenTick,
    HintReason::Parent,
    HintReason::Claimed,
    HintReason::Again,
    HintReason::Person,
    HintReason::Sweep,
    HintReason::Look,
    HintReason::Deleted,
];

/// The number of a hint's reason.
pub(super) fn reason(reason: HintReason) -> i16 {
    match reason {
        HintReason::Changed => 0,
        HintReason::Busy => 1,
        HintReason::OpenTick => 2,
        HintReason::Parent => 3,
        HintReason::Claimed => 4,
        HintReason::Again => 5,
        HintReason::Person => 6,
        HintReason::Sweep => 7,
        HintReason::Look => 8,
        HintReason::Deleted => 9,
    }
}

/// A hint's reason by its number.
pub(super) fn to_reason(number: i16) -> Option<HintReason> {
    usize::try_from(number).ok().and_then(|at| REASONS.get(at)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_order() {
        let id = |commit, ordinal| IntentId { commit, ordinal };
        let ids = [id(0, 0), id(0, 1_048_575), id(1, 0), id(8_000_000_000, 7)];
        let numbers: Vec<i64> = ids.iter().map(|id| entry(*id).unwrap()).collect();
        assert!(numbers.is_sorted());
        assert_eq!(numbers.into_iter().map(to_entry).collect::<Vec<_>>(), ids);
        for bad in [id(1, 1_048_576), id(1, -1), id(-1, 0), id(i64::MAX, 0)] {
            assert!(entry(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_read_back() {
        for reason_of in REASONS {
            assert_eq!(to_reason(reason(reason_of)), Some(reason_of));
        }
        assert_eq!(to_reason(10), None);
        for number in 1..50 {
            if let Some(found) = to_state(number, Some(LinkId(uuid::Uuid::nil()))) {
                assert_eq!(state(found), number);
            }
        }
    }
}
