//! What the driver is told by the settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncline_sdk::SystemName;

/// What the driver is told by the settings.
#[derive(Clone, Debug)]
pub struct DriverSettings {
    /// How often a polled system is asked for changes.
    pub poll_interval: Duration,
    /// Other intervals for systems of that name.
    pub poll_intervals: BTreeMap<SystemName, Duration>,
    /// How much time passes from the beginning of one sweep of a mapping to that of the next;
    /// nothing where none runs by itself.
    pub sweep_every: Option<Duration>,
    /// The share of a system's daily quota that loads and sweeps leave to others, 0 to 1.
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
}
