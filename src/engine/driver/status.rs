//! What the driver tells about itself: for readiness, metrics and the live view.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_sdk::{ErrorKind, SystemName, Usage};

use crate::system::System;

/// How a system stands.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SystemStatus {
    /// Whether the last call to it was answered.
    pub reachable: bool,
    /// What it said last when it was not; the remedy is in the words.
    pub trouble: Option<String>,
    /// Whether it is halted until a person acts (a revoked login).
    pub halted: bool,
    /// Whether it is waited for: its streams have not begun since the process started.
    pub awaited: bool,
    /// Whether rounds leave it alone for a while, because it gave no answer.
    pub left_alone: bool,
    /// Whether nothing new is sent to it, because of its quiet hours.
    pub quiet: bool,
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
    /// What of a mapping is not read, since its system says that it cannot be: by the mapping and
    /// what it is (`poll of left`, `sweep`), with what the system said last.
    pub unread: BTreeMap<(Arc<str>, String), String>,
    /// Batches under way.
    pub in_flight: usize,
    /// Rounds committed since the start.
    pub rounds: u64,
    /// Observations folded since the start.
    pub observed: u64,
    /// Values about which people were asked since the start, because the type of a field does not
    /// take them, and look-ups that were refused for a field: its system may describe it otherwise
    /// by now.
    pub misfits: u64,
    /// How far behind feeds and polls were, by stream.
    pub lags: BTreeMap<String, StreamLag>,
}

/// How far behind a stream was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StreamLag {
    /// When the newest change that it told was made, by its side's clock, microseconds UTC.
    pub newest: i64,
    /// How old that was when it came, by our clock, microseconds; 0 once nothing newer came.
    pub micros: i64,
}

impl Status {
    /// Notes that a stream told of a change made at that time. What is read again tells nothing
    /// new.
    pub(super) fn note_lag(&mut self, stream: String, made: i64, now: i64) {
        let lag = self.lags.entry(stream).or_default();
        if made > lag.newest {
            *lag = StreamLag { newest: made, micros: now.saturating_sub(made).max(0) };
        }
    }

    /// Notes that a stream told of nothing newer than what it told before, and has no more: it is
    /// not behind.
    pub(super) fn caught_up(&mut self, stream: &str) {
        if let Some(lag) = self.lags.get_mut(stream) {
            lag.micros = 0;
        }
    }

    /// A session begins: which systems it has, and which of them are waited for. What an earlier
    /// session told of the others holds until they are heard of.
    pub(super) fn begin(&mut self, systems: &BTreeMap<SystemName, System>) {
        let mut before = std::mem::take(&mut self.systems);
        self.unread.clear();
        self.in_flight = 0;
        self.loaded = false;
        for (name, system) in systems {
            let usage = system.connector.usage();
            let status = match (&system.away, before.remove(name)) {
                (Some(away), _) => SystemStatus {
                    reachable: false,
                    trouble: Some(away.why.clone()),
                    halted: away.kind == ErrorKind::Auth,
                    awaited: true,
                    left_alone: false,
                    quiet: false,
                    usage,
                },
                (None, Some(known)) if !known.awaited => known,
                (None, _) => SystemStatus { usage, ..SystemStatus::default() },
            };
            self.systems.insert(name.clone(), status);
        }
    }
}
