//! What a call is given, and what a system says of its health.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{BatchId, Guarantee, Instant, IntentId};

/// What a call is made for: connectors pass it on where a system tells urgent from bulk work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Purpose {
    /// An edit that somebody waits for.
    #[default]
    Sync,
    /// A first load or a backfill.
    Load,
    /// A slow full comparison.
    Sweep,
}

/// What every call is given.
#[derive(Clone, Debug)]
pub struct Context {
    /// The installation: the ledger's own id, part of every marker, so that two installations
    /// never take each other's writes for their own.
    pub install: Arc<str>,
    /// The time now, by the engine's clock.
    pub now: Instant,
    /// How long the call may take in all.
    pub timeout: Duration,
    /// What the call is made for.
    pub purpose: Purpose,
}

impl Context {
    /// The marker of an intent, as it is written into a marker field.
    #[must_use]
    pub fn marker(&self, intent: IntentId) -> String {
        format!("{}:{intent}", self.install)
    }
    /// The marker of a batch, as it is written into a receipt or a stream.
    #[must_use]
    pub fn batch_marker(&self, batch: BatchId) -> String {
        format!("{}:{batch}", self.install)
    }
}

/// One piece of what a system should have, found or missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Piece {
    /// What it is: `publication`, `receipt table`, `marker field of Account`.
    pub name: String,
    /// Whether it is there and fit.
    pub present: bool,
    /// Whether Syncline cannot work without it.
    pub required: bool,
    /// Whether the next sync makes it where it is missing: nobody has to do anything.
    pub made: bool,
    /// What was found, or what it buys and how to make it.
    pub detail: String,
}

/// What a check of a system found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Health {
    /// The system's own name and version: `PostgreSQL 15.18`, `Salesforce v67.0`.
    pub version: String,
    /// What identifies it: system identifier, organisation id.
    pub identity: String,
    /// The user that we are there.
    pub user: String,
    /// The class of guarantee measured, before the entity's own pieces are looked at.
    pub guarantee: Guarantee,
    /// What it should have.
    pub pieces: Vec<Piece>,
}

/// A quota of calls as a system last stated it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quota {
    /// Calls used in the running period, by everybody.
    pub used: u64,
    /// Calls allowed in the period.
    pub max: u64,
}

/// What a connector has used so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Calls made by this process.
    pub calls: u64,
    /// The quota as the system last stated it.
    pub quota: Option<Quota>,
    /// Bytes of its log that a system keeps for a feed of ours, which has not acknowledged them
    /// yet, as far as it told. Nothing where no feed is open or the system keeps no log.
    pub log_retained: Option<u64>,
}
