//! Batches: the intents sent in one call or one target transaction.

use serde::{Deserialize, Serialize};
use syncline_sdk::{BatchId, IntentId, SystemName};

/// Where a batch stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// A send of it is recorded; it may be under way, answered, or lost with a crash. A batch
    /// found so after a restart is unknown (protocol I4).
    Sent,
    /// Every intent of it is settled.
    Settled,
    /// And the history of its system was asked what its writes replaced unseen (protocol W1).
    Audited,
}

/// What a batch does. A crash must know which step of a guarded delete it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// The system written.
    pub system: SystemName,
    /// The intents it carries; their place is the ordinal of the receipt.
    pub intents: Vec<IntentId>,
    /// The owner epoch that recorded the last send.
    pub epoch: i64,
    /// Where it stands.
    pub state: BatchState,
    /// When it was first recorded as sent, microseconds UTC.
    pub first_sent: i64,
    /// When it was last recorded as sent, microseconds UTC.
    pub last_sent: i64,
    /// Until when a copy may still be applied, microseconds UTC.
    pub die_after: i64,
    /// How many sends of its intents are recorded, in this batch and those it replaces; raised
    /// before each send.
    pub attempts: i32,
}
