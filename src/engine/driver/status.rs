//! What the driver tells about itself: for readiness, metrics and the live view.

use std::collections::BTreeMap;

use syncline_sdk::{SystemName, Usage};

/// How a system stands.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SystemStatus {
    /// Whether the last call to it was answered.
    pub reachable: bool,
    /// What it said last when it was not; the remedy is in the words.
    pub trouble: Option<String>,
    /// Whether it is halted until a person acts (a revoked login).
    pub halted: bool,
    /// What was used of it.
    pub usage: Usage,
}

/// How the driver stands.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Status {
    /// Whether this process owns the shards.
    pub owner: bool,
    /// Whether all first loads are done.
    pub loaded: bool,
    /// The systems.
    pub systems: BTreeMap<SystemName, SystemStatus>,
    /// Batches under way.
    pub in_flight: usize,
    /// Rounds committed since the start.
    pub rounds: u64,
    /// Observations folded since the start.
    pub observed: u64,
}
