//! Commits: whole where it can be, in parts where it must.

use syncline_core::model::{Hint, HintReason};
use syncline_ledger::{Ledger, LedgerError};

use super::pace::Pace;
use super::run::{Driver, DriverError};
use super::telling::chain;
use crate::error::EngineError;
use crate::work::Work;

/// How long a record that cannot be committed is put off, microseconds.
const PUT_OFF: i64 = 60_000_000;

/// What became of a part of a round's work.
enum Part {
    /// It is durable.
    Durable,
    /// The driver was stopped first.
    Stopped,
    /// It cannot be committed as it is.
    Stuck(EngineError),
}

impl<L: Ledger> Driver<L> {
    /// Commits work, again and again while the ledger gives no answer: nothing that was taken in
    /// may be lost while this process lives. What cannot be committed together is committed in
    /// parts, and one record that cannot be committed at all is put off and told of, so that the
    /// others flow on. False when it was stopped before all of it was durable.
    pub(super) async fn commit(&mut self, work: Work) -> Result<bool, DriverError> {
        let mut parts = vec![work];
        while let Some(work) = parts.pop() {
            match self.commit_part(&work).await? {
                Part::Durable => {}
                Part::Stopped => return Ok(false),
                Part::Stuck(error) => match work.split() {
                    Ok((first, second)) => parts.extend([second, first]),
                    Err(work) => {
                        let left = self.put_off(&work, &error);
                        if let Part::Stuck(error) = self.commit_part(&left).await? {
                            return Err(error.into());
                        }
                    }
                },
            }
        }
        Ok(true)
    }

    async fn commit_part(&mut self, work: &Work) -> Result<Part, DriverError> {
        let mut pace = Pace::default();
        loop {
            match self.engine.round(work).await {
                Ok(account) => {
                    self.engine.forget_settled(work);
                    self.note_round(&account);
                    self.launch(account);
                    return Ok(Part::Durable);
                }
                Err(EngineError::Ledger(error @ LedgerError::Unavailable { .. })) => {
                    tracing::error!(error = %chain(&error), "the ledger gave no answer");
                    if self.stop.is_cancelled() {
                        return Ok(Part::Stopped);
                    }
                    pace.pause(&self.stop).await;
                }
                Err(error @ (EngineError::Ledger(_) | EngineError::Moved { .. })) => {
                    return Ok(Part::Stuck(error));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What is left to commit of work on one record that cannot be committed: the positions, and
    /// a hint, so that the record is read again later. A write that could not be settled stays
    /// unknown and is settled again.
    fn put_off(&self, work: &Work, error: &EngineError) -> Work {
        let error = chain(error);
        let due = self.engine.intake.clock.now().micros() + PUT_OFF;
        let mut left = Work {
            positions: work.positions.clone(),
            hints_done: work.hints_done.clone(),
            gaps: work.gaps.clone(),
            ..Work::default()
        };
        for (mapping, side, seen) in &work.observed {
            let place = &self.engine.intake.mappings[mapping].sides[*side];
            tracing::error!(system = %place.system, key = %seen.key, error, "a record is put off");
            left.hints.push(Hint {
                system: place.system.clone(),
                entity: place.selection.entity.clone(),
                key: seen.key.clone(),
                seq: 0,
                due,
                reason: HintReason::Again,
                tries: 0,
            });
        }
        for input in &work.settled {
            let link = input.carried.link;
            tracing::error!(%link, error, "a write stays unsettled and is settled again");
        }
        left
    }
}
