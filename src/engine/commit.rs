//! Commits whose reply may be lost.

use syncline_core::machine::OutBatch;
use syncline_core::model::{BatchChange, Changeset};
use syncline_ledger::{Committed, Ledger};
use syncline_sdk::BatchId;

use crate::engine::Engine;
use crate::error::Result;

/// A commit of which nobody knows whether it happened.
pub(crate) struct Unresolved {
    commit: i64,
    batches: Vec<OutBatch>,
    closes: Vec<BatchId>,
    resends: Vec<(BatchId, i64)>,
}

/// The batches that a changeset records as sent once more, and how long copies of it may arrive.
fn resends(changeset: &Changeset) -> Vec<(BatchId, i64)> {
    let resent = changeset.batches.iter().filter_map(|change| match change {
        BatchChange::Resend { id, die_after, .. } => Some((*id, *die_after)),
        _ => None,
    });
    resent.collect()
}

impl<L: Ledger> Engine<L> {
    /// Commits, and readies what is to be sent once that is known to be durable. A commit whose
    /// reply was lost is resolved before anything else is done, also when the ledger is silent
    /// about it for a while: its sends are recorded, and only we can make them.
    pub(crate) async fn commit(
        &mut self,
        changeset: &Changeset,
        batches: Vec<OutBatch>,
    ) -> Result<Committed> {
        match self.intake.ledger.commit(changeset).await? {
            Committed::Committed => {
                self.launch(batches);
                self.note_resent(resends(changeset));
                Ok(Committed::Committed)
            }
            Committed::Unknown => {
                let closes = changeset.batches.iter().filter_map(|change| match change {
                    BatchChange::Close { id, .. } => Some(*id),
                    _ => None,
                });
                let closes = closes.collect();
                let commit = changeset.commit;
                let resends = resends(changeset);
                self.unresolved = Some(Unresolved { commit, batches, closes, resends });
                let happened = self.resolve().await?;
                Ok(if happened { Committed::Committed } else { Committed::Unknown })
            }
            answer => Ok(answer),
        }
    }

    /// Asks what became of a commit whose reply was lost. True when there was one and it
    /// happened.
    pub(crate) async fn resolve(&mut self) -> Result<bool> {
        let Some(commit) = self.unresolved.as_ref().map(|unresolved| unresolved.commit) else {
            return Ok(false);
        };
        let happened = self.intake.ledger.committed(commit).await?;
        let unresolved = self.unresolved.take().filter(|_| happened);
        if let Some(Unresolved { batches, closes, resends, .. }) = unresolved {
            self.launch(batches);
            self.note_resent(resends);
            for id in closes {
                self.flights.remove(id);
                self.closed.insert(id);
            }
        }
        Ok(happened)
    }

    /// Notes what is recorded as sent once more.
    fn note_resent(&mut self, resends: Vec<(BatchId, i64)>) {
        for (id, die_after) in resends {
            if let Some(flight) = self.flights.get_mut(id) {
                flight.batch.attempts += 1;
                flight.batch.die_after = die_after;
            }
        }
    }
}
