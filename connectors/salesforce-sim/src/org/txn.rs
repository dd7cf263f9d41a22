//! A transaction: changes are made in place under the org's mutex and logged, so that they can
//! be taken back (to a savepoint, or all of them) and, for a transaction that commits late, put
//! in again when it commits.

use super::ids::Id;
use super::locks::LockKey;
use super::table::Record;
use crate::history::Event;

/// On whose behalf a transaction runs.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) user: Id,
    /// `client=` of `Sforce-Call-Options`.
    pub(crate) client: Option<String>,
    /// `rest`, `soap`, `person`, `seed`.
    pub(crate) api: &'static str,
    /// Number of the request in the request log.
    pub(crate) request: Option<u64>,
}

/// One row before and after.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) table: usize,
    pub(crate) id: Id,
    pub(crate) before: Option<Record>,
    pub(crate) after: Option<Record>,
}

/// An open transaction.
#[derive(Debug)]
pub(crate) struct Txn {
    pub(crate) id: u64,
    pub(crate) actor: Actor,
    /// The stamp that every save of this transaction carries: given when the save runs, before
    /// the commit (SOAP guide, system fields: one-second precision).
    pub(crate) stamp_s: i64,
    pub(crate) started_ms: i64,
    pub(crate) changes: Vec<Change>,
    pub(crate) events: Vec<Event>,
    /// Locks of others that this attempt ran into.
    pub(crate) blocked: Vec<LockKey>,
    /// The lock wait is over: a taken lock is now the error `UNABLE_TO_LOCK_ROW`.
    pub(crate) wait_over: bool,
    /// Header flags that the save rules read.
    pub(crate) auto_assign: bool,
    /// The caller saves what a duplicate rule only warns of.
    pub(crate) allow_duplicates: bool,
}

/// A place in a transaction to go back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Savepoint {
    pub(crate) changes: usize,
    pub(crate) events: usize,
}

impl Txn {
    pub(crate) fn savepoint(&self) -> Savepoint {
        Savepoint { changes: self.changes.len(), events: self.events.len() }
    }
}
