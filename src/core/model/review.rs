//! The review queue: everything that a person must choose.

use std::fmt;

use serde::{Deserialize, Serialize};
use syncline_sdk::{Actor, Instant, Key, LinkId, Value};

use super::EntryId;
use crate::mapping::{MappingId, NoImage};
use crate::{Side, Sides};

/// What makes two questions the same question: one row per link, unit and base (protocol 1.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
pub struct ReviewKey {
    /// The mapping.
    pub mapping: MappingId,
    /// The link.
    pub link: LinkId,
    /// The unit by index; nothing for a question about the whole pair.
    pub unit: Option<u16>,
    /// The base it stands on.
    pub sync_version: i64,
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewKind {
    /// Both sides changed the unit to different values.
    Conflict,
    /// The pair differed when it was first matched.
    Initial,
    /// What was agreed upon of the unit holds no more (its rule was changed, a field of it was
    /// away), and the sides differ (protocol 1.10).
    Anew,
    /// The record of this side was deleted and the other changed.
    DeleteUpdate(Side),
    /// The record of this side was deleted and the mapping asks a person.
    Delete(Side),
    /// The record of this side left the filter and the mapping asks a person.
    Leave(Side),
    /// More than one record matches, or none is known though one may have been made; the
    /// candidates' keys on the other side.
    Ambiguous(Vec<Key>),
    /// The value has no image on this side.
    NoImage(Side, NoImage),
    /// The unit was written too often without an edit from outside.
    Oscillation,
    /// A record that was here is missing since a gap, with no proof of a deletion.
    SuspectedDelete(Side),
    /// A write of ours replaced an edit of this side that it had not seen, as the side's history
    /// shows (protocol W1). The values shown of that side are those of the edit, and what stands
    /// there now takes the place of the base.
    Overwritten(Side),
    /// An edit of this side, in the record of that key, whose partner was merged into this pair's
    /// before the edit could travel (protocol 1.4.2). It is shown as one that was overwritten.
    Candidate(Side, Key),
    /// The record of this side was merged into another one, and its partner is left over
    /// (protocol 1.4.2); the partner of that other one, where it has one.
    Merged(Side, Option<Key>),
}

impl ReviewKind {
    /// The side of an edit that stands in the question and nowhere else in the pair: the values
    /// shown of that side are the edit's, and what stands there takes the place of the base.
    #[must_use]
    pub fn edit(&self) -> Option<Side> {
        match self {
            Self::Overwritten(side) | Self::Candidate(side, _) => Some(*side),
            _ => None,
        }
    }

    /// The same without any value in it, for those who are not shown it.
    #[must_use]
    pub fn masked(&self) -> Self {
        match self {
            Self::NoImage(side, reason) => Self::NoImage(*side, reason.masked()),
            kind => kind.clone(),
        }
    }
}

/// What a side shows of the question.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Shown {
    /// Whether the record exists.
    pub exists: bool,
    /// The unit's values, or the whole image for a question about the pair.
    pub values: Vec<Value>,
    /// The last agreed values.
    pub base: Vec<Value>,
    /// Who changed it.
    pub actor: Actor,
    /// When, by the side's own clock.
    pub at: Option<Instant>,
}

/// Where a question stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStatus {
    /// It waits for a person.
    Open,
    /// A person answered; the engine has not folded the answer yet.
    Answered,
    /// It is done with.
    Closed,
}

/// What a person chose.
#[derive(Clone, PartialEq, Debug)]
pub enum Choice {
    /// This side's value, or its state of existence.
    Take(Side),
    /// These values for the unit, as the left side would store them; typing one side's value is
    /// taking that side.
    Typed(Vec<Value>),
    /// The record with this key is the partner (for an ambiguous match).
    Adopt(Key),
    /// The two records have nothing to do with each other: the link ends.
    Separate,
    /// Try again: the cause was mended.
    Retry,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Take(side) => write!(f, "take {side}"),
            Self::Typed(values) => {
                f.write_str("value ")?;
                for (at, value) in values.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    write!(f, "{value}")?;
                }
                Ok(())
            }
            Self::Adopt(key) => write!(f, "adopt {key}"),
            Self::Separate => f.write_str("separate"),
            Self::Retry => f.write_str("retry"),
        }
    }
}

/// A person's answer to one revision of a question.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// What was chosen.
    pub choice: Choice,
    /// Who answered.
    pub by: String,
    /// When, by the ledger's clock.
    pub at: Instant,
}

/// One question.
#[derive(Clone, PartialEq, Debug)]
pub struct Review {
    /// What makes it the same question.
    pub key: ReviewKey,
    /// Its short number, given by the ledger; 0 before that.
    pub id: i64,
    /// Raised whenever what it shows moves.
    pub revision: i32,
    /// What is asked.
    pub kind: ReviewKind,
    /// What each side shows.
    pub shown: Sides<Shown>,
    /// Where it stands.
    pub status: ReviewStatus,
    /// The answer, once given.
    pub answer: Option<Answer>,
    /// The journal entry that asked.
    pub entry: Option<EntryId>,
    /// When it was first asked, microseconds UTC.
    pub asked_at: i64,
}

/// What a commit does to a question.
#[derive(Clone, PartialEq, Debug)]
pub enum ReviewChange {
    /// Asks it. A row of the same key must not be there.
    Ask(Review),
    /// Shows newer values, raising the revision, re-opening it where it was answered. Guarded by
    /// the revision and status that were read.
    Show {
        /// The question with its new content, revision and status.
        review: Review,
        /// The revision that was read.
        read_revision: i32,
        /// The status that was read.
        read_status: ReviewStatus,
    },
    /// Closes it. Guarded by the revision and status that were read.
    Close {
        /// The question.
        key: ReviewKey,
        /// The revision that was read.
        read_revision: i32,
        /// The status that was read.
        read_status: ReviewStatus,
    },
}
