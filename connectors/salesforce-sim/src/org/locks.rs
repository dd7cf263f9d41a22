//! Row locks: held by transactions that are open over time, or set by a test.

use std::collections::HashMap;

use tokio::time::Instant;

use super::clock::instant;
use super::ids::Id;

/// What a save must own before it may go on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LockKey {
    Row(Id),
    /// A unique key that an open transaction is about to insert: table, slot, key text.
    Key(usize, usize, String),
}

/// Who holds which lock. A lock without an end is released by its transaction.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: HashMap<LockKey, Holder>,
}

#[derive(Clone, Copy, Debug)]
struct Holder {
    txn: u64,
    until: Option<Instant>,
}

impl Locks {
    /// Held by somebody else than `txn`, now.
    pub(crate) fn is_taken(&self, key: &LockKey, txn: u64) -> bool {
        if self.held.is_empty() {
            return false;
        }
        self.held.get(key).is_some_and(|holder| {
            holder.txn != txn && holder.until.is_none_or(|until| until > instant())
        })
    }

    pub(crate) fn take(&mut self, key: LockKey, txn: u64, until: Option<Instant>) {
        self.held.insert(key, Holder { txn, until });
    }

    pub(crate) fn release(&mut self, txn: u64) {
        self.held.retain(|_, holder| holder.txn != txn);
    }

    /// Drops the locks that a test set.
    pub(crate) fn release_timed(&mut self) {
        self.held.retain(|_, holder| holder.until.is_none());
    }

    /// When the next timed lock ends; those that ended are forgotten.
    pub(crate) fn next_end(&mut self) -> Option<Instant> {
        let now = instant();
        self.held.retain(|_, holder| holder.until.is_none_or(|until| until > now));
        self.held.values().filter_map(|holder| holder.until).min()
    }
}
