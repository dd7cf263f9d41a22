//! The change history: every committed save with its fields before and after, who did it,
//! through which client, and in which order the commits came. It is the simulator's truth for
//! judging a sync, not part of the API.

use std::sync::Arc;

use crate::json::{Json, object};
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
    /// The form the control API shows; `user` is the user's login name.
    pub(crate) fn to_json(&self, user: Option<&str>) -> Json {
        let changes = self.event.changes.iter().map(|change| {
            object! {
                "field" => Arc::clone(&change.field),
                "old" => change.old.to_json(),
                "new" => change.new.to_json(),
                "by_flow" => change.by_flow,
            }
        });
        object! {
            "seq" => self.seq,
            "txn" => self.txn,
            "commit" => self.commit,
            "op" => self.event.op.name(),
            "object" => Arc::clone(&self.event.object),
            "id" => self.event.id.to_string(),
            "user_id" => self.actor.user.to_string(),
            "user" => user.map(str::to_owned),
            "client" => self.actor.client.clone(),
            "api" => self.actor.api,
            "request" => self.actor.request,
            "stamp" => rest_datetime(self.stamp_s),
            "started_ms" => self.started_ms,
            "committed_ms" => self.committed_ms,
            "changes" => changes.collect::<Vec<_>>(),
        }
    }
}
