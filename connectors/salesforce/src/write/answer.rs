//! What the answers to writes mean: of collections, and of composite calls.

use serde::Deserialize;
use syncline_sdk::{Key, WriteOp, WriteOutcome};

use super::outcome::{Verb, applied, refused, stale, unreadable, updated};
use crate::id::id18;
use crate::wire::{Fault, SubAnswer};

/// The answer to one sub-request of a composite call.
pub(super) fn update(op: &WriteOp, place: &str, answer: &SubAnswer) -> WriteOutcome {
    match answer.status {
        200..300 => updated(op),
        // The guard: the record changed since. Its body says nothing that is needed.
        412 => stale(),
        500.. if answer.faults.is_empty() => unreadable(place),
        500.. => match refused(Verb::Update, place, &answer.faults) {
            // Any error of the server itself leaves it open whether the update was applied.
            WriteOutcome::Rejected { error, .. } => WriteOutcome::Unknown(error),
            outcome => outcome,
        },
        404 if answer.faults.is_empty() => WriteOutcome::Missing { reason: None, receipted: false },
        _ => refused(Verb::Update, place, &answer.faults),
    }
}

/// The answer to one node of a graph.
///
/// Where the graph failed nothing of it was saved: the culprit says why, the others are halted.
/// An answer that contradicts that proves nothing: the receipt tells.
pub(super) fn node(
    op: &WriteOp,
    place: &str,
    successful: bool,
    answer: &SubAnswer,
) -> WriteOutcome {
    let good = (200..300).contains(&answer.status);
    if successful != good {
        return unreadable(place);
    }
    if !good {
        return failed_node(op, place, answer);
    }
    match op {
        WriteOp::Insert { .. } => match answer.id.as_deref().and_then(id18) {
            Some(id) => applied(Some(Key::new(id))),
            None => unreadable(place),
        },
        WriteOp::Update { .. } | WriteOp::Fence { .. } => updated(op),
        WriteOp::Delete { .. } | WriteOp::Undelete { .. } => applied(None),
    }
}

fn failed_node(op: &WriteOp, place: &str, answer: &SubAnswer) -> WriteOutcome {
    let verb = match op {
        WriteOp::Insert { .. } => Verb::Insert,
        WriteOp::Update { .. } | WriteOp::Fence { .. } => return update(op, place, answer),
        WriteOp::Delete { .. } => Verb::Delete,
        WriteOp::Undelete { .. } => Verb::Undelete,
    };
    match refused(verb, place, &answer.faults) {
        // Any error of the server itself leaves it open whether the write was applied.
        WriteOutcome::Rejected { error, .. } if answer.status >= 500 => {
            WriteOutcome::Unknown(error)
        }
        outcome => outcome,
    }
}

/// One row of a collections answer, in the order of the request.
#[derive(Debug, Deserialize)]
pub(super) struct SavedRow {
    #[serde(default)]
    id: Option<String>,
    success: bool,
    #[serde(default)]
    errors: Option<Vec<Fault>>,
}

/// The rows of a collections answer. One that cannot be read says nothing of the others.
pub(super) fn saved_rows(body: &[u8]) -> Vec<Option<SavedRow>> {
    let rows: Vec<serde_json::Value> = serde_json::from_slice(body).unwrap_or_default();
    rows.into_iter().map(|row| serde_json::from_value(row).ok()).collect()
}

impl SavedRow {
    pub(super) fn faults(&self) -> &[Fault] {
        self.errors.as_deref().unwrap_or_default()
    }

    pub(super) fn outcome(&self, verb: Verb, place: &str) -> WriteOutcome {
        if !self.success {
            return refused(verb, place, self.faults());
        }
        let id = self.id.as_deref().and_then(id18).map(Key::new);
        match (verb, id) {
            // A create that names no id was made all the same; settling finds it.
            (Verb::Insert, None) => unreadable(place),
            (Verb::Insert, key) => applied(key),
            _ => applied(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_cannot_be_read_says_nothing_of_the_others() {
        let body = br#"[{"success":false,"errors":[{"statusCode":"DUPLICATES_DETECTED",
            "message":"m","fields":null,"duplicateResut":{"matchResults":null}}]},
            null, {"id":"001000000000001AAA","success":true,"errors":null}]"#;
        let rows = saved_rows(body);
        let outcome = |at: usize| rows[at].as_ref().map(|row| row.outcome(Verb::Insert, "Account"));
        assert!(matches!(outcome(0), Some(WriteOutcome::Rejected { .. })));
        assert!(outcome(1).is_none());
        assert!(matches!(outcome(2), Some(WriteOutcome::Applied { key: Some(_), .. })));
    }
}
