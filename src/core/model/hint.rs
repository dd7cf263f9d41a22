//! Hints: notices that a record may have changed. Their content is not trusted.

use serde::{Deserialize, Serialize};
use syncline_sdk::{EntityName, Key, SystemName};

/// Why a hint was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HintReason {
    /// The side, or somebody for it, said that it changed.
    Changed,
    /// The record was locked when we wrote.
    Busy,
    /// The version's tick was still open (protocol O6).
    OpenTick,
    /// It waits for the record that it refers to.
    Parent,
    /// A create of the same business key is under way.
    Claimed,
    /// A write was refused or lost and is planned again.
    Again,
    /// A person answered, or asked for a replay.
    Person,
    /// A sweep found it: not to find it is no proof of a deletion.
    Sweep,
    /// A guarded delete waits for its look.
    Look,
    /// A feed showed its deletion before any link could take it: not to find it is proof.
    Deleted,
}

impl HintReason {
    /// The reason of a record's one hint once another is added: the later one, but what is known
    /// of a deletion stays. A feed tells of it once, and a gap is looked into once: read for any
    /// other reason, a record that is not found says nothing (protocol O7).
    #[must_use]
    pub const fn joined(self, later: Self) -> Self {
        match (self, later) {
            (Self::Deleted, _) | (_, Self::Deleted) => Self::Deleted,
            (Self::Sweep, _) | (_, Self::Sweep) => Self::Sweep,
            (_, later) => later,
        }
    }
}

/// The name of a record.
pub type RecordName = (SystemName, EntityName, Key);

/// A record that a person is asked about, since no record is there yet on the other side for the
/// one that it refers to. It is read again when there is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Awaits {
    /// The record that is referred to.
    pub parent: RecordName,
    /// The record that refers to it.
    pub child: RecordName,
}

/// A notice that a record may have changed. One per record: adding it again takes a new `seq`
/// and the earlier due time, and what is known of a deletion stays; it is removed only with the
/// `seq` that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hint {
    /// The system.
    pub system: SystemName,
    /// The entity.
    pub entity: EntityName,
    /// The record.
    pub key: Key,
    /// Its number, given by the ledger; 0 before that.
    pub seq: i64,
    /// Not to be taken before this time, microseconds UTC; 0 is at once.
    pub due: i64,
    /// Why.
    pub reason: HintReason,
    /// How often it was put off in a row, for the back-off.
    pub tries: i16,
}
