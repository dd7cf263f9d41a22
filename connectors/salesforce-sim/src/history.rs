//! The change history: every committed save with its fields before and after, who did it,
//! through which client, and in which order the commits came. It is the simulator's truth for
//! judging a sync, not part of the API.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::org::clock::rest_datetime;
use crate::org::ids::Id;
use crate::org::txn::Actor;
use crate::org::value::Value;

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Create,
    Update,
    Delete,
    Undelete,
    Purge,
    Merge,
}

impl Op {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Undelete => "undelete",
            Self::Purge => "purge",
            Self::Merge => "merge",
        }
    }
}

/// One field before and after.
#[derive(Clone, Debug)]
pub(crate) struct FieldChange {
    pub(crate) field: Arc<str>,
    pub(crate) old: Value,
    pub(crate) new: Value,
    /// Set by a flow inside the transaction rather than by the caller.
    pub(crate) by_flow: bool,
}

/// One save within a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) op: Op,
    pub(crate) object: Arc<str>,
    pub(crate) id: Id,
    pub(crate) changes: Vec<FieldChange>,
}

/// One save of a committed transaction.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// 1, 2, 3 … in commit order.
    pub(crate) seq: u64,
    pub(crate) txn: u64,
    /// Number of the commit; saves of one transaction share it.
    pub(crate) commit: u64,
    pub(crate) actor: Arc<Actor>,
    pub(crate) stamp_s: i64,
    pub(crate) started_ms: i64,
    pub(crate) committed_ms: i64,
    pub(crate) event: Event,
}

impl Entry {
    /// The form that leaves the simulator; `user` is the actor's login name.
    pub(crate) fn shown(&self, user: Option<String>) -> HistoryEntry {
        let change = |change: &FieldChange| HistoryChange {
            field: change.field.to_string(),
            old: change.old.to_json().to_value(),
            new: change.new.to_json().to_value(),
            by_flow: change.by_flow,
        };
        HistoryEntry {
            seq: self.seq,
            txn: self.txn,
            commit: self.commit,
            op: self.event.op.name().to_owned(),
            object: self.event.object.to_string(),
            id: self.event.id,
            user_id: self.actor.user,
            user: user.unwrap_or_default(),
            client: self.actor.client.clone(),
            api: self.actor.api.to_owned(),
            request: self.actor.request,
            stamp: rest_datetime(self.stamp_s),
            started_ms: self.started_ms,
            committed_ms: self.committed_ms,
            changes: self.event.changes.iter().map(change).collect(),
        }
    }
}

/// One committed save, as a judge of a sync reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// 1, 2, 3 … in commit order.
    pub seq: u64,
    /// The transaction; saves of one transaction share it.
    pub txn: u64,
    /// Number of the commit, in commit order.
    pub commit: u64,
    /// `create`, `update`, `delete`, `undelete`, `purge`, or `merge` (a loser of a merge).
    pub op: String,
    /// Object name.
    pub object: String,
    /// The row.
    pub id: Id,
    /// Who did it.
    pub user_id: Id,
    /// Login name of who did it.
    pub user: String,
    /// `client=` of `Sforce-Call-Options`.
    pub client: Option<String>,
    /// `rest`, `soap`, `person` (an edit through the control API), `seed`.
    pub api: String,
    /// Number of the request in the request log.
    pub request: Option<u64>,
    /// The stamp that the row carries, given before the commit.
    pub stamp: String,
    /// When the transaction began, milliseconds of the org's clock.
    pub started_ms: i64,
    /// When others could see it, milliseconds of the org's clock.
    pub committed_ms: i64,
    /// Every field whose stored value changed; stamps are left out.
    pub changes: Vec<HistoryChange>,
}

/// One field of a save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryChange {
    /// Field name.
    pub field: String,
    /// Stored value before, in the form that REST reads.
    pub old: serde_json::Value,
    /// Stored value after.
    pub new: serde_json::Value,
    /// Set by a flow or by the service, not by the caller.
    pub by_flow: bool,
}
