//! The journal: append-only; the audit and the intent log in one.

use serde::{Deserialize, Serialize};
use syncline_sdk::{Actor, Instant, IntentId, Key, LinkId, Value, Version};

use super::EntryId;
use crate::Side;
use crate::mapping::{MASK, MappingId, NoImage};

/// What one commit did to one link. Entries of a link form a chain through `previous`.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its id; an intent's id where it carries one.
    pub id: EntryId,
    /// The mapping.
    pub mapping: MappingId,
    /// The link.
    pub link: LinkId,
    /// The link's entry before this one.
    pub previous: Option<EntryId>,
    /// When it was committed, by the engine's clock.
    pub at: Instant,
    /// The revision of the mapping that its fields and units are counted by; 0 where an early
    /// release did not tell.
    pub revision: i32,
    /// What was observed, where it differed from what was known.
    pub observed: Vec<Observed>,
    /// What was decided, unit by unit.
    pub decided: Vec<Decided>,
    /// The write decided on.
    pub intent: Option<Intent>,
    /// What became of intents.
    pub settled: Vec<Settled>,
}

impl Entry {
    /// The transaction of the other side whose change an intent of this entry carries, where
    /// one does and the side tells (protocol I9).
    #[must_use]
    pub fn group_behind(&self, intent: &Intent) -> Option<u64> {
        let foreign = |seen: &&Observed| seen.side != intent.side && seen.marker.is_none();
        self.observed.iter().rev().find(foreign)?.group
    }
}

/// An observation that differed from what was known.
#[derive(Clone, PartialEq, Debug)]
pub struct Observed {
    /// The side.
    pub side: Side,
    /// The record.
    pub key: Key,
    /// Its existence, where that changed.
    pub exists: Option<bool>,
    /// The fields that changed: index in the image, value before, value now.
    pub values: Vec<(u16, Value, Value)>,
    /// How new it is.
    pub version: Version,
    /// Whether the version is closed (protocol O6).
    pub closed: bool,
    /// Who changed it.
    pub actor: Actor,
    /// When, by the side's own clock.
    pub at: Option<Instant>,
    /// The side's clock when it was read.
    pub server_time: Option<Instant>,
    /// The transaction it came in, where the side tells.
    pub group: Option<u64>,
    /// The marker of ours that it carried.
    pub marker: Option<String>,
}

/// What was decided about one unit, with the inputs.
#[derive(Clone, PartialEq, Debug)]
pub struct Decided {
    /// The unit by index; nothing for a decision on the whole pair.
    pub unit: Option<u16>,
    /// What.
    pub verdict: Verdict,
    /// The values it was decided on, left and right, for the unit's fields.
    pub left: Vec<Value>,
    /// The right values.
    pub right: Vec<Value>,
}

/// What was decided, and why.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// One side changed: its value goes to this side.
    Write(Side),
    /// Both changed to the same: agreed, nothing to write.
    Agree,
    /// Both changed; the policy took this side's value, the other is lost but recorded here.
    PolicyTook(Side),
    /// Both changed; the policy made one value of both.
    Merged,
    /// The field changed on this side, which does not lead it: the leading side's value goes
    /// there.
    Reverted(Side),
    /// Both changed; held for a person.
    Hold,
    /// The field changed on the side that does not lead it; its value stays there.
    Kept(Side),
    /// The value has no image on this side.
    NoImage(Side, NoImage),
    /// The unit waits for the record it refers to.
    AwaitParent,
    /// The unit is not written any more: it bounced too often (protocol P8a).
    Oscillates,
    /// The record is created on this side.
    Create(Side),
    /// The record is deleted on this side, because its partner was.
    Delete(Side),
    /// The record that a create of ours made on this side is taken back, because somebody made
    /// the same record there (protocol C6).
    Retract(Side),
    /// The record is brought back on this side, because its partner was.
    Undelete(Side),
    /// Both are gone.
    BothGone,
    /// One was deleted and the other changed; held for a person.
    DeleteUpdate(Side),
    /// A record was found for the link on this side and adopted.
    Adopt(Side),
    /// The pair was found ambiguous; held for a person.
    Ambiguous,
    /// The link ended by the mapping's rule.
    End,
    /// The records went into another link.
    MergeInto(LinkId),
    /// The key of the record on this side changed.
    Rekey(Side),
    /// The record left the mapping's filter on this side.
    Leave(Side),
    /// The record is back inside the mapping's filter on this side.
    Enter(Side),
    /// No record is made on this side: it would stand outside the mapping's filter there.
    Excluded(Side),
    /// A person's answer was applied.
    Answered(String),
    /// A person's answer was not applied, and why.
    AnswerNotApplied(String),
    /// A decision on both sides was not written as a whole, so its base stays or follows one
    /// half (protocol P7').
    HalfWritten,
    /// A parked unit was released, and why.
    Released(String),
    /// The mapping observes and does not write: this is what it would have done. The values of a
    /// side that would have been written are those it would have been given.
    Would(Would),
    /// What became of that without us.
    Came(Came),
    /// A record of the pair moved into the filter of this mapping, and the link with it.
    MoveTo(MappingId),
    /// The link came from this mapping.
    MoveFrom(MappingId),
    /// A write of ours replaced an edit of this side that it had not seen: the values of that side
    /// are those of the edit (protocol W1).
    Overwritten(Side),
    /// An edit of this side waited in a record whose partner was merged into this pair's: the
    /// values of that side are those of the edit (protocol 1.4.2).
    Candidate(Side),
}

impl Verdict {
    /// The same without any value in it, for those who are not shown it.
    #[must_use]
    pub fn masked(&self) -> Self {
        match self {
            Self::NoImage(side, reason) => Self::NoImage(*side, reason.masked()),
            // A value that was typed, and who typed it; early entries say it in another way.
            Self::Answered(told) if told.starts_with("value ") || told.starts_with("Typed") => {
                let by = told.rfind(" by ").map_or("", |at| &told[at..]);
                Self::Answered(format!("{MASK}{by}"))
            }
            Self::AnswerNotApplied(_) => Self::AnswerNotApplied(MASK.to_owned()),
            verdict => verdict.clone(),
        }
    }
}

/// What a mapping that observes would have done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Would {
    /// Write the unit on this side.
    Write(Side),
    /// Write a value made of both sides' to both.
    WriteBoth,
    /// Ask a person.
    Ask,
    /// Create the record on this side.
    Create(Side),
    /// Delete the record on this side.
    Delete(Side),
    /// Bring the record back on this side.
    Undelete(Side),
}

impl Would {
    /// The side that would have been written; nothing where that is both, or none.
    #[must_use]
    pub fn to(self) -> Option<Side> {
        match self {
            Self::Write(to) | Self::Create(to) | Self::Delete(to) | Self::Undelete(to) => Some(to),
            Self::WriteBoth | Self::Ask => None,
        }
    }
}

/// What became of something that a mapping would have done and did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// The sides came to hold the same without it: somebody else did it.
    Same,
    /// This side, which would have been written, came to show another value.
    Other(Side),
    /// There is no reason for it any more: what it would have carried was taken back.
    Withdrawn,
}

/// What an intent does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentKind {
    /// Creates the record.
    Create,
    /// Changes fields.
    Update,
    /// Deletes the record, in one guarded call where the side can, else by the guarded delete.
    Delete,
    /// Brings the record back.
    Undelete,
}

/// One written field of an intent.
#[derive(Clone, PartialEq, Debug)]
pub struct WrittenField {
    /// Index in the target's image.
    pub field: u16,
    /// What is sent; references are links.
    pub value: Value,
    /// The image that the target is expected to store.
    pub image: Value,
    /// What must still be there.
    pub expected: Value,
}

/// A write decided on, journalled before it is sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Intent {
    /// Its id.
    pub id: IntentId,
    /// The side written.
    pub side: Side,
    /// What it does.
    pub kind: IntentKind,
    /// The record written; none for a create.
    pub key: Option<Key>,
    /// The units it carries.
    pub units: Vec<u16>,
    /// The fields written, or, for a delete, the whole image that the plan was made from
    /// (`value` and `image` as `expected`).
    pub fields: Vec<WrittenField>,
    /// The version that must still be there, where the side compares versions.
    pub version: Version,
    /// The values of the other side that the plan was computed from, for the units' fields
    /// there: what its base becomes (protocol P7).
    pub source: Vec<(u16, Value)>,
    /// Whether it is one half of a decision on both sides (protocol P7').
    pub half: bool,
    /// Who made the edit it carries.
    pub actor: Actor,
    /// When that edit was made, by its side's clock.
    pub edited_at: Option<Instant>,
}

/// What became of an intent.
#[derive(Clone, PartialEq, Debug)]
pub struct Settled {
    /// The intent.
    pub intent: IntentId,
    /// The side it wrote.
    pub side: Side,
    /// What became of it.
    pub outcome: Outcome,
}

/// The outcome of an intent, proved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was applied.
    Applied,
    /// What it expected was gone; nothing was written.
    Stale,
    /// The record was gone; nothing was written.
    Missing,
    /// The record was locked; nothing was written.
    Busy,
    /// The target refused it: kind of error and the target's message.
    Refused(String, String),
    /// It was cancelled before any copy could take effect.
    Cancelled,
}
