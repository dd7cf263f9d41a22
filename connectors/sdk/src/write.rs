//! Writing: guarded, with receipt.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{
    Absence, BatchId, Error, FieldName, IntentId, Key, LinkId, Record, Selection, Value, Version,
};

/// What a write expects to find. A side compares what it can ([`crate::Cas`]): old values where
/// it has an exact guard per field, else the version.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Expect {
    /// The old value of each written field, in the order of the written values.
    pub values: Vec<Value>,
    /// Fields that are not written, with what they must hold still: where a side guards field by
    /// field, so that no half of what belongs together is written over somebody's other half.
    pub also: Vec<(FieldName, Value)>,
    /// The version that the record was planned on.
    pub version: Version,
}

/// What a write does.
#[derive(Clone, PartialEq, Debug)]
pub enum WriteOp {
    /// Creates a record, or fails when one with this link id or unique key exists (protocol
    /// C3): never an upsert.
    Insert {
        /// The values; references are native ids.
        values: Vec<(FieldName, Value)>,
    },
    /// Changes fields of a record.
    Update {
        /// The record.
        key: Key,
        /// The new values.
        values: Vec<(FieldName, Value)>,
        /// What must still be there.
        expect: Expect,
        /// Whether the link id is written into the external-id field as well (a key written
        /// back on adoption).
        claim: bool,
    },
    /// Writes nothing but the marker, guarded by the version: the fence of a guarded delete
    /// (protocol 1.4.1).
    Fence {
        /// The record.
        key: Key,
        /// What must still be there.
        expect: Expect,
    },
    /// Deletes a record. Where the side can, only if each value given here is still there.
    Delete {
        /// The record.
        key: Key,
        /// The image that the plan was made from: field and value.
        fields: Vec<FieldName>,
        /// What must still be there, where the side can compare.
        expect: Expect,
    },
    /// Brings a deleted record back under its own id.
    Undelete {
        /// The record.
        key: Key,
    },
}

impl WriteOp {
    /// The record that the write is about; a create has none yet.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::Insert { .. } => None,
            Self::Update { key, .. }
            | Self::Fence { key, .. }
            | Self::Delete { key, .. }
            | Self::Undelete { key } => Some(key),
        }
    }
    /// The verb, for messages and figures.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Insert { .. } => "insert",
            Self::Update { .. } => "update",
            Self::Fence { .. } => "fence",
            Self::Delete { .. } => "delete",
            Self::Undelete { .. } => "undelete",
        }
    }
}

/// One intent as it is sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Write {
    /// The intent.
    pub intent: IntentId,
    /// Its place in the batch; what receipts list.
    pub ordinal: i32,
    /// The link it belongs to: the external id of a create.
    pub link: LinkId,
    /// The entity, and the fields in which a current record is answered.
    pub selection: Arc<Selection>,
    /// What it does.
    pub op: WriteOp,
    /// Writes of a batch with one number stand for one transaction of the other side: all of
    /// them pass here or none does (protocol I9). Only where the side is transactional.
    pub group: Option<u64>,
}

/// Writes that go out together. Each link occurs at most once.
#[derive(Clone, PartialEq, Debug)]
pub struct WriteBatch {
    /// The batch.
    pub batch: BatchId,
    /// The writes, in order.
    pub writes: Vec<Write>,
}

impl WriteBatch {
    /// The groups of which a write was refused, by what became of the writes in order: none of
    /// their writes may pass.
    #[must_use]
    pub fn broken_groups(&self, refused: impl Fn(usize) -> bool) -> BTreeSet<u64> {
        let refused = self.writes.iter().enumerate().filter(|(at, _)| refused(*at));
        refused.filter_map(|(_, write)| write.group).collect()
    }
}

/// What a refused write found.
#[derive(Clone, PartialEq, Debug)]
pub enum Current {
    /// The record as it is now, in the write's selection.
    Record(Box<Record>),
    /// It was not read.
    Unread,
}

/// What became of one write. Definite unless it says `Unknown`.
#[derive(Debug)]
pub enum WriteOutcome {
    /// It was applied.
    Applied {
        /// The version that the write produced, where the side tells. One without conditional
        /// writes should: else what was read before and after the write is not told apart.
        version: Option<Version>,
        /// The whole record as stored in the transaction of this write, right after it: one
        /// value a field of the write's selection. Its written fields are evidence of their
        /// image (protocol N2), the others a reading at `version`, so that feed events from
        /// before the write can be dropped without losing what they said of other fields
        /// (protocol E2'). Nothing where the side cannot give it; a read made afterwards is
        /// no evidence and never stands here.
        stored: Option<Vec<Value>>,
        /// The key of a created record.
        key: Option<Key>,
    },
    /// What it expected was no longer there; nothing was written by this copy.
    Stale {
        /// What is there instead.
        current: Current,
        /// Whether the refusal left a receipt, so that no other copy can ever pass.
        receipted: bool,
    },
    /// The record is not there; nothing was written by this copy.
    Missing {
        /// Why, where the side tells.
        reason: Option<Absence>,
        /// Whether the refusal left a receipt.
        receipted: bool,
    },
    /// The row is locked by somebody, or the side asked to come back; nothing was written.
    Busy {
        /// Whether the refusal left a receipt.
        receipted: bool,
    },
    /// The side refused the write for what it says; nothing was written by this copy.
    Rejected {
        /// Why, with the side's own words.
        error: Error,
        /// Whether the refusal left a receipt.
        receipted: bool,
    },
    /// Whether it was applied is not known; the engine settles it (protocol 1.5).
    Unknown(Error),
}

/// A write whose outcome is not known.
#[derive(Clone, PartialEq, Debug)]
pub struct UnknownWrite {
    /// The batch it was last sent in.
    pub batch: BatchId,
    /// The write as it was sent.
    pub write: Write,
    /// Whether a copy may still arrive: the time it can live is not over.
    pub may_arrive: bool,
    /// Whether a stretch of the change stream was lost since it was sent. Where the receipt
    /// comes in the stream it may have stood there, so that a stream which passed a fence
    /// without it proves nothing (protocol I7).
    pub unseen: bool,
}

/// What is known of a write after looking for its receipt.
#[derive(Debug)]
pub enum Settlement {
    /// It was applied: the receipt says so. What the record shows now may be a later edit.
    Applied {
        /// The version that the write produced, where the side tells.
        version: Option<Version>,
        /// The whole record as this write stored it, as in [`WriteOutcome::Applied`]: only with
        /// evidence, such as a row that still carries the transaction id of the receipt.
        stored: Option<Vec<Value>>,
        /// The key of a created record.
        key: Option<Key>,
    },
    /// It was not applied and never will be: proved (a cancelling receipt, or a version guard
    /// that no copy can pass any more).
    NotApplied,
    /// What will prove either is on its way: a fence in the stream, another copy between its
    /// receipt and its commit. It is asked for again; that time passes proves nothing meanwhile
    /// (protocol I7, W6).
    Awaited,
    /// Neither is proved, nor will be without another send.
    Undecided {
        /// What the record shows now.
        current: Current,
    },
}
