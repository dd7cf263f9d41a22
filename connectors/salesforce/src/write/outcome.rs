//! What an answer to one write means.

use syncline_sdk::{Current, Error, ErrorKind, Key, Version, WriteOp, WriteOutcome};

use crate::version::Stamp;
use crate::wire::{Disposition, Fault, classify};

/// The verbs whose refusals differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verb {
    Insert,
    Update,
    Delete,
    Undelete,
}

/// A write that was applied. Its image is not told: one read afterwards would be no evidence
/// (protocol N2).
pub(super) fn applied(key: Option<Key>) -> WriteOutcome {
    WriteOutcome::Applied { version: None, stored: None, key }
}

/// An update that was applied: it is newer than the version that guarded it.
pub(super) fn updated(op: &WriteOp) -> WriteOutcome {
    WriteOutcome::Applied { version: after(op), stored: None, key: None }
}

/// What is known of the version that an applied write produced.
pub(super) fn after(op: &WriteOp) -> Option<Version> {
    match op {
        WriteOp::Update { expect, .. } | WriteOp::Fence { expect, .. } => {
            Stamp::of(&expect.version).map(Stamp::version_after)
        }
        WriteOp::Insert { .. } | WriteOp::Delete { .. } | WriteOp::Undelete { .. } => None,
    }
}

/// A write that was not sent and can be sent later.
pub(super) fn unsent() -> WriteOutcome {
    WriteOutcome::Busy { receipted: false }
}

/// A write that was refused, for the faults given. A refusal leaves no receipt on Salesforce.
pub(super) fn refused(verb: Verb, place: &str, faults: &[Fault]) -> WriteOutcome {
    let (error, disposition) = classify(faults, "push", place);
    let code = error.code.as_deref();
    // A delete has no references: the invalid one is the record itself, purged (REST guide).
    let purged = verb == Verb::Delete && code == Some("INVALID_CROSS_REFERENCE_KEY");
    match disposition {
        _ if purged => missing(),
        Disposition::Missing if verb == Verb::Insert => rejected(error),
        Disposition::Missing => missing(),
        Disposition::Rejected => rejected(error),
        Disposition::Busy => unsent(),
        Disposition::Stale => stale(),
        Disposition::Unknown => WriteOutcome::Unknown(error),
    }
}

/// A guarded write whose record changed. It is not read here: whoever plans again reads it with
/// others.
pub(super) fn stale() -> WriteOutcome {
    WriteOutcome::Stale { current: Current::Unread, receipted: false }
}

/// A write whose record is gone; a look-up tells whether it was deleted or merged.
fn missing() -> WriteOutcome {
    WriteOutcome::Missing { reason: None, receipted: false }
}

pub(super) fn rejected(error: Error) -> WriteOutcome {
    WriteOutcome::Rejected { error, receipted: false }
}

/// A write whose answer cannot be read: it may have been applied.
pub(super) fn unreadable(place: &str) -> WriteOutcome {
    let what = format!("{place}: the answer cannot be read");
    WriteOutcome::Unknown(Error::new(ErrorKind::Protocol, "push", what))
}

/// A copy of an error for each write that it concerns.
pub(super) fn copy(error: &Error) -> Error {
    let mut copy = Error::new(error.kind, error.operation, error.context.clone());
    copy.advice.clone_from(&error.advice);
    copy.field.clone_from(&error.field);
    copy.code.clone_from(&error.code);
    copy.retry_after = error.retry_after;
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(verb: Verb, code: &str) -> WriteOutcome {
        let fault = Fault { code: code.into(), message: "m".into(), fields: None };
        refused(verb, "Account", &[fault])
    }

    #[test]
    fn codes_become_outcomes() {
        assert!(matches!(one(Verb::Update, "UNABLE_TO_LOCK_ROW"), WriteOutcome::Busy { .. }));
        assert!(matches!(one(Verb::Update, "ENTITY_IS_DELETED"), WriteOutcome::Missing { .. }));
        assert!(matches!(one(Verb::Insert, "NOT_FOUND"), WriteOutcome::Rejected { .. }));
        assert!(matches!(one(Verb::Insert, "UNKNOWN_EXCEPTION"), WriteOutcome::Unknown(_)));
        let key = "INVALID_CROSS_REFERENCE_KEY";
        assert!(matches!(one(Verb::Delete, key), WriteOutcome::Missing { .. }));
        assert!(matches!(one(Verb::Update, key), WriteOutcome::Rejected { .. }));
        match one(Verb::Insert, "DUPLICATE_VALUE") {
            WriteOutcome::Rejected { error, receipted: false } => {
                assert_eq!(error.kind, ErrorKind::Duplicate);
            }
            other => panic!("{other:?}"),
        }
    }
}
