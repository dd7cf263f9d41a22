//! What is observed of a record.

use std::sync::Arc;

use syncline_sdk::{Actor, Instant, IntentId, Key, LinkId, Value, Version};

/// Why a record is not there any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    /// It was deleted, with positive evidence.
    Deleted,
    /// It is gone since a gap and nothing proves that it was deleted: a person decides.
    Suspected,
    /// It was merged into this record.
    MergedInto(Key),
}

/// How an observation came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// With a pushed feed: it may be older than what is known.
    Feed,
    /// With a page of a poll or a scan, read in this round.
    Page,
    /// We looked this very record up in this round.
    Read,
}

/// A deleted record as the recycle bin shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Bin {
    /// The values in the order of the selection.
    pub values: Vec<Value>,
    /// Whether our own user deleted it.
    pub ours: bool,
}

/// What a side shows of a record. References are links already, where they could be resolved.
#[derive(Clone, PartialEq, Debug)]
pub struct Observation {
    /// The record.
    pub key: Key,
    /// Its id before, where the change moved it.
    pub old_key: Option<Key>,
    /// How new it is.
    pub version: Version,
    /// The values in the order of the selection, or why there are none.
    pub content: Result<Vec<Value>, Missing>,
    /// Of a deleted record: what the recycle bin still shows of it, and whether our own user
    /// deleted it (protocol 1.4.1).
    pub bin: Option<Bin>,
    /// The link id that it carries.
    pub external_id: Option<LinkId>,
    /// Whether the version can no longer be shared by a later change.
    pub closed: bool,
    /// Who changed it.
    pub actor: Actor,
    /// When, by the side's own clock.
    pub at: Option<Instant>,
    /// The side's clock when it was read.
    pub server_time: Option<Instant>,
    /// The transaction it came in.
    pub group: Option<u64>,
    /// The marker of ours that it came with.
    pub marker: Option<Arc<str>>,
    /// The intents of the batch that the marker names, while that batch is not settled.
    pub marked: Arc<[IntentId]>,
    /// How it came.
    pub source: Source,
}
