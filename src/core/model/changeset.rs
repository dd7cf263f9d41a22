//! Changesets: everything that one ledger commit does, with its guards.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use syncline_sdk::{BatchId, EntityName, IntentId, Key, LinkId, SystemName};

use super::{
    Awaits, Batch, BatchState, Entry, EntryId, Hint, Link, RecordName, ReviewChange, Tally,
};
use crate::mapping::MappingId;
use crate::{Side, Sides};

/// One ledger commit: all of it or nothing. The guards of every row operation are checked; one
/// that does not hold makes the whole commit answer `Moved`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Changeset {
    /// Its number, reserved beforehand and never used twice: the journal's commit number. A
    /// commit whose reply was lost is found again by it.
    pub commit: i64,
    /// Who commits.
    pub fence: Fence,
    /// When, by the engine's clock, microseconds UTC.
    pub at: i64,
    /// The mappings with sensitive fields: what this commit writes of their links is kept
    /// encrypted, where it is kept beyond this process.
    pub sensitive: BTreeSet<MappingId>,
    /// Links made or changed.
    pub links: Vec<LinkChange>,
    /// Old names of records.
    pub aliases: Vec<Alias>,
    /// Business keys claimed. One that is taken by another link makes the commit `Moved`.
    pub claims: Vec<Claim>,
    /// Business keys released, only where they still belong to the link named.
    pub releases: Vec<Claim>,
    /// Journal entries.
    pub entries: Vec<Entry>,
    /// Batches.
    pub batches: Vec<BatchChange>,
    /// Hints added.
    pub hints: Vec<Hint>,
    /// Hints done with.
    pub hints_done: Vec<HintDone>,
    /// Records that wait no longer for one that they refer to.
    pub awaits_done: Vec<RecordName>,
    /// Records that wait for one that they refer to.
    pub awaits: Vec<Awaits>,
    /// Records that have a partner by now: what waits for one of them, also since this very commit,
    /// is hinted at and waits no longer.
    pub arrived: Vec<RecordName>,
    /// Positions moved.
    pub positions: Vec<StreamPosition>,
    /// Questions asked, shown anew or closed.
    pub reviews: Vec<ReviewChange>,
    /// Records set aside; the same record again replaces what was known.
    pub parked: Vec<Parked>,
    /// Records taken back from being set aside.
    pub unparked: Vec<(MappingId, LinkId)>,
    /// Gaps noticed.
    pub gaps: Vec<Gap>,
    /// What this commit adds to the running figures.
    pub figures: Vec<(Figure, i64)>,
    /// What it adds to the running counts of mappings, each named once.
    pub tallies: Vec<(Tally, i64)>,
}

impl Changeset {
    /// True when committing it would change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.aliases.is_empty()
            && self.claims.is_empty()
            && self.releases.is_empty()
            && self.entries.is_empty()
            && self.batches.is_empty()
            && self.hints.is_empty()
            && self.hints_done.is_empty()
            && self.awaits_done.is_empty()
            && self.awaits.is_empty()
            && self.arrived.is_empty()
            && self.positions.is_empty()
            && self.reviews.is_empty()
            && self.parked.is_empty()
            && self.unparked.is_empty()
            && self.gaps.is_empty()
    }
}

/// Who commits: refused when the lease went to a later epoch (protocol I6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
pub struct Fence {
    /// The owner epoch under which the committer works.
    pub epoch: i64,
}

/// What a link row must still be like to be changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard {
    /// The sync version that was loaded.
    pub sync_version: i64,
    /// The open intents that were loaded.
    pub open: Sides<Option<IntentId>>,
    /// The newest entry that was loaded.
    pub last_entry: Option<EntryId>,
}

/// A link made or changed.
#[derive(Clone, PartialEq, Debug)]
pub enum LinkChange {
    /// A new link. Its keys must be free in the mapping.
    Insert(Link),
    /// A link as it becomes, if it still is as it was loaded.
    Update {
        /// What must still hold.
        guard: Guard,
        /// The row as it becomes.
        link: Link,
        /// Whether a key changed, so that the common path need not touch the keys' indexes.
        keys_changed: bool,
    },
}

impl LinkChange {
    /// The link as it becomes.
    #[must_use]
    pub fn link(&self) -> &Link {
        match self {
            Self::Insert(link) | Self::Update { link, .. } => link,
        }
    }
}

/// An old name of a record: a merged, re-keyed or re-created one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alias {
    /// The mapping.
    pub mapping: MappingId,
    /// The side.
    pub side: Side,
    /// The old native id.
    pub key: Key,
    /// The link it belongs to now.
    pub link: LinkId,
    /// Why: `merged`, `re-keyed`, `re-created`.
    pub reason: String,
}

/// A business key that belongs to a link (protocol C1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Claim {
    /// The mapping.
    pub mapping: MappingId,
    /// The normalised business key, with the number of its match rule.
    pub key: String,
    /// The link.
    pub link: LinkId,
}

/// What a commit does to a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BatchChange {
    /// Records its first send.
    Send(Batch),
    /// Records another send, if so many were recorded before.
    Resend {
        /// The batch.
        id: BatchId,
        /// How many sends were recorded.
        read_attempts: i32,
        /// The owner epoch.
        epoch: i64,
        /// When, microseconds UTC.
        last_sent: i64,
        /// Until when a copy may be applied, microseconds UTC.
        die_after: i64,
    },
    /// Moves it to another state, if it is still open. `attempts` asserts the number of sends
    /// recorded, where the settlement rests on it (protocol I3).
    Close {
        /// The batch.
        id: BatchId,
        /// Its new state.
        state: BatchState,
        /// The number of sends that must have been recorded.
        attempts: Option<i32>,
    },
    /// Asserts the number of sends recorded and leaves the batch open: some of its intents are
    /// settled by a refusal, others are not settled yet.
    Assert {
        /// The batch.
        id: BatchId,
        /// The number of sends that must have been recorded.
        attempts: i32,
    },
    /// Notes that a settled batch was audited; one that is not there any more, or was audited
    /// before, stays as it is.
    Audit(BatchId),
}

/// A hint that was taken and is done with; one added since (another `seq`) stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HintDone {
    /// The system.
    pub system: SystemName,
    /// The entity.
    pub entity: EntityName,
    /// The record.
    pub key: Key,
    /// The number it was taken with.
    pub seq: i64,
}

/// How far a stream is folded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamPosition {
    /// The stream's name: `feed:ops`, `poll:crm:Account`, `load:accounts:left`.
    pub stream: String,
    /// What the stream is: system id, timeline, slot, organisation.
    pub identity: String,
    /// The place.
    pub place: String,
}

/// A record set aside because something must be mended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parked {
    /// The mapping.
    pub mapping: MappingId,
    /// The link.
    pub link: LinkId,
    /// The side that refused.
    pub side: Side,
    /// The kind of error.
    pub kind: String,
    /// The remote's message.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// The entry that tells what was tried.
    pub entry: Option<EntryId>,
    /// When, microseconds UTC.
    pub at: i64,
    /// Whether a person has asked since that it is tried again. The ledger tells; it is not
    /// written.
    pub asked_again: bool,
}

/// A stretch of a stream that was lost: closed when both sides were scanned again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The stream.
    pub stream: String,
    /// Why.
    pub reason: String,
    /// When it was noticed, microseconds UTC.
    pub noticed_at: i64,
    /// When it was closed, microseconds UTC; closing it again changes nothing.
    pub closed_at: Option<i64>,
}

/// A running figure, kept in the ledger, so that it goes on after a crash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Edits seen: observations from outside that differed.
    EditsSeen,
    /// Writes applied.
    Writes,
    /// Echoes suppressed.
    Echoes,
    /// Units held.
    Held,
    /// Creates applied.
    Creates,
    /// Deletes applied.
    Deletes,
    /// Writes refused as stale.
    Stale,
    /// Records parked.
    Parked,
    /// Sends whose outcome was not known at first.
    Unknown,
    /// Links made.
    Linked,
    /// Writes that a mapping which observes would have made.
    WouldWrite,
    /// Of those, how many somebody else made alike.
    CameSame,
    /// Of those, how many somebody else made otherwise.
    CameOther,
}

impl Figure {
    /// All of them, in order.
    pub const ALL: [Self; 13] = [
        Self::EditsSeen,
        Self::Writes,
        Self::Echoes,
        Self::Held,
        Self::Creates,
        Self::Deletes,
        Self::Stale,
        Self::Parked,
        Self::Unknown,
        Self::Linked,
        Self::WouldWrite,
        Self::CameSame,
        Self::CameOther,
    ];
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EditsSeen => "edits_seen",
            Self::Writes => "writes",
            Self::Echoes => "echoes",
            Self::Held => "held",
            Self::Creates => "creates",
            Self::Deletes => "deletes",
            Self::Stale => "stale",
            Self::Parked => "parked",
            Self::Unknown => "unknown",
            Self::Linked => "linked",
            Self::WouldWrite => "would_write",
            Self::CameSame => "came_same",
            Self::CameOther => "came_other",
        }
    }
}
