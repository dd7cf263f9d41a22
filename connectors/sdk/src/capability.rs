//! What a side can do, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The conditional write that a side has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cas {
    /// Each written field is compared with its old value under the row's lock (Postgres).
    ExactField,
    /// The record's version is compared, exactly.
    ExactRecord,
    /// The record's version is compared, but its clock ticks coarsely (Salesforce).
    Coarse {
        /// The tick.
        tick: Duration,
    },
    /// There is none.
    None,
}

/// How a side proves that a write was applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// A row in a table of ours, committed with the write.
    Table,
    /// A message in the change stream, committed with the write.
    Stream,
    /// A field of the record that holds the id of the last intent.
    MarkerField,
    /// There is none.
    None,
}

/// What a side remembers of past changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    /// Nothing.
    None,
    /// How often a record changed.
    VersionCount,
    /// Change events that carry the new values.
    EventsWithValues,
    /// Old and new values.
    FullValues,
}

/// How changes arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedKind {
    /// A pushed stream, ordered per record, with complete images: observed directly (protocol
    /// O4).
    Images,
    /// Polled: a change is only a hint, the record is read again.
    Polled,
}

/// What may be promised of a side: protocol section 3, classes 1 to 5.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// Exact conditional writes: nothing is overwritten unseen.
    Exact = 1,
    /// Conditional writes on a coarse clock, with the closed-tick rule.
    Coarse = 2,
    /// No conditional writes, but every overwrite is found in the side's history.
    Audited = 3,
    /// An overwrite is detected, its value is not known.
    Detected = 4,
    /// An overwrite is neither prevented nor detected. Refused unless accepted for the entity.
    Unguarded = 5,
}

/// What a side can do for one entity. The effective capability is the weaker of what the
/// connector declares and what its checks measured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Capabilities {
    /// Conditional writes.
    pub cas: Cas,
    /// Proof of application.
    pub receipt: ReceiptKind,
    /// Memory of past changes.
    pub history: HistoryKind,
    /// How changes arrive.
    pub feed: FeedKind,
    /// Whether a create can carry the link id in a field that the side keeps unique.
    pub unique_external_id: bool,
    /// Whether a delete can be made conditional.
    pub conditional_delete: bool,
    /// Whether deleted records can be brought back, and for how long.
    pub recycle_bin: Option<Duration>,
    /// Whether a batch is applied in one transaction.
    pub transactional: bool,
    /// Whether a write answers with the stored image of what it wrote (evidence, protocol N2).
    pub stored_image: bool,
    /// How long after a write a search by field may still miss it.
    pub search_lag: Duration,
    /// How long after a client's time-out a request may still be applied.
    pub request_horizon: Duration,
    /// The most writes of one call.
    pub push_writes_max: usize,
    /// The most guarded updates of one call.
    pub push_guarded_max: usize,
    /// The most records of one look-up by key.
    pub fetch_keys_max: usize,
}

impl Capabilities {
    /// The class of guarantee that these capabilities allow.
    #[must_use]
    pub fn guarantee(&self) -> Guarantee {
        match (self.cas, self.history) {
            (Cas::ExactField | Cas::ExactRecord, _) => Guarantee::Exact,
            (Cas::Coarse { .. }, _) => Guarantee::Coarse,
            (Cas::None, HistoryKind::FullValues | HistoryKind::EventsWithValues) => {
                Guarantee::Audited
            }
            (Cas::None, HistoryKind::VersionCount) => Guarantee::Detected,
            (Cas::None, HistoryKind::None) => Guarantee::Unguarded,
        }
    }
}
