//! A handle on the ledger, and how a call passes its gate.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncline_core::model::{Batch, Changeset, Entry, Hint, Link, Review};

use super::gate::{Call, Gate, Open, Point, Step, Verdict};
use super::state::State;
use crate::{Committed, LedgerError, Result};

/// A handle on a ledger in memory.
#[derive(Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
    gate: Arc<dyn Gate>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(Arc::new(Open))
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    /// An empty ledger whose calls pass this gate.
    #[must_use]
    pub fn new(gate: Arc<dyn Gate>) -> Self {
        Self { state: Arc::default(), gate }
    }

    /// Another handle on the same ledger, with a gate of its own: another process.
    #[must_use]
    pub fn behind(&self, gate: Arc<dyn Gate>) -> Self {
        Self { state: Arc::clone(&self.state), gate }
    }

    /// The commits that are under way since a [`Verdict::Delay`].
    #[must_use]
    pub fn under_way(&self) -> Vec<i64> {
        self.lock().under_way.keys().copied().collect()
    }

    /// Lets a delayed commit reach the ledger now, where fence and guards decide as ever.
    /// Nothing when it is not under way any more.
    #[must_use]
    pub fn land(&self, commit: i64) -> Option<Committed> {
        let mut state = self.lock();
        let changeset = state.under_way.remove(&commit)?;
        Some(state.commit(&changeset))
    }

    /// All links, by mapping and id.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        self.lock().links.values().cloned().collect()
    }

    /// The whole journal, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.values().cloned().collect()
    }

    /// All batches, oldest first.
    #[must_use]
    pub fn batches(&self) -> Vec<Batch> {
        self.lock().batches.values().cloned().collect()
    }

    /// All hints, due or not.
    #[must_use]
    pub fn all_hints(&self) -> Vec<Hint> {
        self.lock().hints.values().cloned().collect()
    }

    /// All questions, closed ones too.
    #[must_use]
    pub fn all_reviews(&self) -> Vec<Review> {
        self.lock().reviews.values().cloned().collect()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of a test's own thread must not hide what it was about.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call that is not a commit: arrives, does its work at one instant, answers.
    pub(super) async fn call<T>(
        &self,
        call: Call,
        work: impl FnOnce(&mut State) -> T + Send,
    ) -> Result<T>
    where
        T: Send,
    {
        if self.gate.pass(Point { call, step: Step::Arrive }).await != Verdict::Go {
            return Err(lost(call));
        }
        let answer = work(&mut self.lock());
        match self.gate.pass(Point { call, step: Step::Answer }).await {
            Verdict::Go => Ok(answer),
            _ => Err(lost(call)),
        }
    }

    /// Makes a commit.
    pub(super) async fn pass_commit(&self, changeset: &Changeset) -> Result<Committed> {
        let call = Call::Commit;
        match self.gate.pass(Point { call, step: Step::Arrive }).await {
            Verdict::Go => {}
            Verdict::Refuse => return Err(lost(call)),
            Verdict::Lose => return Ok(Committed::Unknown),
            Verdict::Delay => {
                self.lock().under_way.insert(changeset.commit, changeset.clone());
                return Ok(Committed::Unknown);
            }
        }
        let answer = self.lock().commit(changeset);
        match self.gate.pass(Point { call, step: Step::Answer }).await {
            Verdict::Go => Ok(answer),
            _ => Ok(Committed::Unknown),
        }
    }
}

fn lost(call: Call) -> LedgerError {
    LedgerError::Unavailable { what: call.as_str(), source: "the gate let nothing pass".into() }
}
