//! What the files of an installation have, told from what its ledger remembers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_core::mapping::{MappingId, Objective};
use syncline_engine::PollWindow;
use syncline_sdk::{Instant, SystemName};

/// What the settings and mapping files have. The rest was removed from them.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The mappings.
    pub mappings: BTreeMap<MappingId, Arc<str>>,
    /// The systems.
    pub systems: BTreeSet<SystemName>,
    /// What mappings are to attain, by their names.
    pub objectives: BTreeMap<Arc<str>, Objective>,
    /// The polls that have hours, by the names of their streams.
    pub poll_windows: BTreeMap<String, PollWindow>,
}

impl Known {
    /// Whether a stream is not to move now, microseconds UTC: its poll has hours, and this is none
    /// of them.
    pub fn rests(&self, stream: &str, now: i64) -> bool {
        let window = self.poll_windows.get(stream);
        window.is_some_and(|window| window.rests(Instant::from_micros(now)))
    }

    /// Whether a stream is of something that is known.
    pub fn has(&self, stream: &str) -> bool {
        let mut parts = stream.split(':');
        match (parts.next(), parts.next()) {
            (Some("feed"), Some(system)) => self.systems.contains(&SystemName::from(system)),
            (Some("poll" | "load" | "sweep" | "revision" | "frozen"), Some(mapping)) => {
                self.mappings.values().any(|name| **name == *mapping)
            }
            (Some("mapping"), Some(id)) => {
                id.parse().is_ok_and(|id| self.mappings.contains_key(&MappingId(id)))
            }
            _ => true,
        }
    }
}
