//! What the driver is told by the settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncline_sdk::{Instant, SystemName};

use crate::calendar::PollWindow;

/// What the driver is told by the settings.
#[derive(Clone, Debug)]
pub struct DriverSettings {
    /// How often a polled system is asked for changes.
    pub poll_interval: Duration,
    /// Other intervals for systems of that name.
    pub poll_intervals: BTreeMap<SystemName, Duration>,
    /// When systems of that name are polled, where that is not always.
    pub poll_windows: BTreeMap<SystemName, PollWindow>,
    /// How much time passes from the beginning of one sweep of a mapping to that of the next;
    /// nothing where none runs by itself.
    pub sweep_every: Option<Duration>,
    /// The share of a system's daily quota that loads and sweeps leave to others, 0 to 1. Polls
    /// take one call a minute of it.
    pub quota_reserve: f64,
    /// The mappings that are left out because they have never begun, by name. None of them may
    /// have begun elsewhere since: the feeds would go on without it.
    pub left_out: Vec<Arc<str>>,
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(5),
            poll_intervals: BTreeMap::new(),
            poll_windows: BTreeMap::new(),
            sweep_every: None,
            quota_reserve: 0.5,
            left_out: Vec::new(),
        }
    }
}

impl DriverSettings {
    /// How often a system is polled.
    #[must_use]
    pub fn poll_interval(&self, system: &SystemName) -> Duration {
        self.poll_intervals.get(system).copied().unwrap_or(self.poll_interval)
    }
    /// How long to wait after a poll of a system until the next.
    #[must_use]
    pub fn poll_wait(&self, system: &SystemName, now: Instant) -> Duration {
        let usual = self.poll_interval(system);
        self.poll_windows.get(system).map_or(usual, |window| window.wait(usual, now))
    }
    /// How long to wait until the first poll of a system: not at all, unless it is not polled now.
    #[must_use]
    pub fn poll_start(&self, system: &SystemName, now: Instant) -> Duration {
        match self.poll_windows.get(system) {
            Some(window) if window.rests(now) => window.until_open(now),
            _ => Duration::ZERO,
        }
    }
    /// Whether a system is outside the hours in which it is polled.
    #[must_use]
    pub fn poll_rests(&self, system: &SystemName, now: Instant) -> bool {
        self.poll_windows.get(system).is_some_and(|window| !window.until_open(now).is_zero())
    }
}
