//! Runs a transaction: waits for row locks, commits at once or late.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::timeout_at;

use super::Org;
use super::clock::{instant, pause};
use super::state::State;
use super::txn::{Actor, Txn};

/// How long after its stamp a transaction commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitDelay {
    /// At once.
    None,
    /// As the org's settings say.
    Jitter,
    /// Milliseconds.
    Ms(u64),
}

/// How a try of a transaction ended.
enum Attempt<T> {
    /// At a lock; when the next timed lock ends.
    Blocked(Option<tokio::time::Instant>),
    Done(T),
    /// Left open, to commit after so many milliseconds.
    Held {
        out: T,
        id: u64,
        ms: u64,
    },
}

impl Org {
    pub(crate) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in a transaction until it meets no lock of others, or the lock wait is over
    /// and the locks have become errors. Each attempt starts from nothing.
    pub(crate) async fn transact<T>(
        &self,
        actor: &Actor,
        delay: CommitDelay,
        mut work: impl FnMut(&mut State, &mut Txn) -> T,
    ) -> T {
        let wait_ms = self.state().settings.lock_wait_ms;
        let deadline = instant() + Duration::from_millis(wait_ms);
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wait_over = instant() >= deadline;
            match self.attempt(actor, delay, wait_over, &mut work) {
                Attempt::Blocked(end) => {
                    // Woken by a release or by the end of a timed lock; either way look again.
                    let end = end.unwrap_or(deadline).min(deadline);
                    if timeout_at(end, changed).await.is_err() {
                        tracing::trace!("a lock wait came to its end");
                    }
                }
                Attempt::Done(out) => return out,
                Attempt::Held { out, id, ms } => {
                    self.finish_late(id, ms).await;
                    return out;
                }
            }
        }
    }

    /// One try: everything is taken back when it meets a lock that may still be waited for.
    fn attempt<T>(
        &self,
        actor: &Actor,
        delay: CommitDelay,
        wait_over: bool,
        work: &mut impl FnMut(&mut State, &mut Txn) -> T,
    ) -> Attempt<T> {
        let mut state = self.state();
        let mut txn = state.begin(actor.clone());
        txn.wait_over = wait_over;
        let used = state.usage.used;
        let out = work(&mut state, &mut txn);
        if !txn.blocked.is_empty() && !wait_over {
            state.rollback(&mut txn);
            // The calls in a call count once, however often it is tried.
            state.usage.used = used;
            return Attempt::Blocked(state.locks.next_end());
        }
        match settle(&mut state, txn, delay) {
            Some((id, ms)) => Attempt::Held { out, id, ms },
            None => Attempt::Done(out),
        }
    }

    /// Waits out a held transaction, or until a test commits it.
    async fn finish_late(&self, id: u64, ms: u64) {
        let end = instant() + Duration::from_millis(ms);
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if !self.state().held.contains_key(&id) {
                return;
            }
            if timeout_at(end, changed).await.is_err() {
                break;
            }
        }
        self.state().commit_held(id);
        self.inner.changed.notify_waiters();
    }

    /// How many transactions are open, stamped but not committed.
    pub fn held(&self) -> usize {
        self.state().held.len()
    }

    /// Commits all open transactions now; gives how many.
    pub fn commit_held(&self) -> usize {
        let mut state = self.state();
        let open: Vec<u64> = state.held.keys().copied().collect();
        for id in &open {
            state.commit_held(*id);
        }
        drop(state);
        self.inner.changed.notify_waiters();
        open.len()
    }

    /// Spends the API latency of one direction.
    pub(crate) async fn travel(&self) {
        let ms = self.state().settings.latency_ms / 2;
        pause(ms).await;
    }
}

/// Commits now, or leaves the transaction open and says for how long.
fn settle(state: &mut State, txn: Txn, delay: CommitDelay) -> Option<(u64, u64)> {
    let ms = match delay {
        CommitDelay::None => 0,
        CommitDelay::Ms(ms) => ms,
        CommitDelay::Jitter => state.commit_jitter(),
    };
    if ms == 0 || txn.changes.is_empty() {
        state.commit(txn);
        return None;
    }
    let id = txn.id;
    state.hold(txn);
    Some((id, ms))
}
