//! What the engine is told of each write of a committed batch.

use syncline_sdk::{Absence, Current, WriteBatch, WriteOutcome};

use super::plan::Plan;
use super::state::State;
use crate::read::absence;
use crate::version::Snapshot;

/// The outcome of each write, in the batch's order.
pub(super) fn answers(
    batch: &WriteBatch,
    plan: &Plan<'_>,
    states: Vec<State>,
    xid: u64,
    snapshot: &Snapshot,
) -> Vec<WriteOutcome> {
    let (written, held) = (snapshot.written(xid), snapshot.held(xid));
    let receipted = true;
    let mut outcomes = Vec::with_capacity(states.len());
    for ((write, layout), state) in batch.writes.iter().zip(&plan.layouts).zip(states) {
        outcomes.push(match state {
            State::Applied { stored, key } => {
                WriteOutcome::Applied { version: Some(written.clone()), stored, key }
            }
            State::Stale(texts) => {
                let record = match (texts, layout, write.op.key()) {
                    (Some(texts), Some(layout), Some(key)) => {
                        let texts = texts.iter().map(Option::as_deref);
                        Current::Record(Box::new(layout.record(key.clone(), held.clone(), texts)))
                    }
                    _ => Current::Unread,
                };
                WriteOutcome::Stale { current: record, receipted }
            }
            State::Missing => {
                let reason = layout.as_deref().map_or(Absence::NotVisible, absence);
                WriteOutcome::Missing { reason: Some(reason), receipted }
            }
            State::Busy | State::Open => WriteOutcome::Busy { receipted },
            State::Rejected(error) => WriteOutcome::Rejected { error, receipted },
        });
    }
    outcomes
}
