//! What really happened in a system: what a black-box checker reads (protocol section 2).

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_sdk::{
    Actor, BatchId, EntityName, FieldName, Instant, IntentId, Key, LinkId, SystemName, Value,
};

use crate::Operation;

/// A request that is under way to a system, or one that was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct CopyId(pub u64);

/// What the author of an edit had on the screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReadSet {
    /// The last commit that the author's screen contained.
    pub sequence: u64,
    /// The values shown.
    pub values: BTreeMap<FieldName, Value>,
}

/// What a commit did to one record.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// It was created; its fields follow as `Field` entries of the same commit.
    Created,
    /// A field was written.
    Field {
        /// The field.
        field: FieldName,
        /// Its value before; absent at a creation.
        old: Value,
        /// The value that the author gave.
        given: Value,
        /// The value that was stored, after what the system does on save.
        new: Value,
        /// Whether an automation inside the same transaction gave it, not the author.
        automatic: bool,
    },
    /// The marker alone was written (a fence).
    Fenced,
    /// It was deleted.
    Deleted,
    /// It was brought back.
    Undeleted,
    /// It left the recycle bin for good.
    Purged,
    /// It was merged into another record.
    MergedInto(Key),
    /// Its key changed from this one.
    Rekeyed(Key),
    /// It vanished in a truncation of its entity.
    Truncated,
}

/// The write that made a commit, where it was one of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The installation.
    pub install: Arc<str>,
    /// The batch.
    pub batch: BatchId,
    /// The intent.
    pub intent: IntentId,
    /// The link.
    pub link: LinkId,
    /// Which copy of the request it was.
    pub copy: CopyId,
}

/// One line of the complete history.
#[derive(Clone, PartialEq, Debug)]
pub struct LogEntry {
    /// The commit; entries of one commit share it.
    pub sequence: u64,
    /// The true time of the commit.
    pub at: Instant,
    /// The time that the system stamped it with: its own clock, when the transaction began.
    pub stamped: Instant,
    /// The entity.
    pub entity: EntityName,
    /// The record.
    pub key: Key,
    /// What happened.
    pub event: Event,
    /// Who did it, in truth.
    pub actor: Actor,
    /// The write that did it, where it was one of ours.
    pub origin: Option<Origin>,
    /// What the author had seen, where it was a person who looked.
    pub read: Option<Arc<ReadSet>>,
}

/// One call that reached a system or was sent to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestEntry {
    /// Its number at the system, from 1.
    pub number: u64,
    /// The true time at which it was made.
    pub at: Instant,
    /// What was called.
    pub operation: Operation,
    /// The batch of a push.
    pub batch: Option<BatchId>,
    /// What the caller was told.
    pub told: Told,
}

/// What the caller of a request was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// Nothing yet, or never: the caller is gone.
    Nothing,
    /// The answer.
    Answer,
    /// That the call failed before anything was sent or read.
    Error,
    /// That the outcome is not known.
    Unknown,
}

/// What became of one write of one copy when it reached the system.
#[derive(Clone, PartialEq, Debug)]
pub struct WriteEntry {
    /// The request it came with.
    pub request: u64,
    /// Which copy.
    pub copy: CopyId,
    /// The true time.
    pub at: Instant,
    /// The system, so that logs of two can be put together.
    pub system: SystemName,
    /// The installation that sent it.
    pub install: Arc<str>,
    /// The batch.
    pub batch: BatchId,
    /// The intent.
    pub intent: IntentId,
    /// Its place in the batch.
    pub ordinal: i32,
    /// The link.
    pub link: LinkId,
    /// The entity.
    pub entity: EntityName,
    /// The record; that of a create only if it was applied.
    pub key: Option<Key>,
    /// `insert`, `update`, `fence`, `delete`, `undelete`.
    pub verb: &'static str,
    /// The values sent.
    pub values: Vec<(FieldName, Value)>,
    /// What became of it: `applied`, `stale`, `missing`, `busy`, `rejected`, `repeat` (another
    /// copy had decided it already).
    pub effect: &'static str,
    /// The commit, where it was applied.
    pub sequence: Option<u64>,
}
