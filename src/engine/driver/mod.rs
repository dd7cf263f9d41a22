//! The driver: the only place with tasks, timers and selects. It runs the rounds on tokio.
//!
//! One task owns the engine and commits; reads and sends run beside it and come back through
//! channels, so that nothing is ever dropped in the middle of a transaction. Whatever is ready
//! when a round starts goes into one commit.

mod feeds;
mod pace;
mod reads;
mod run;
mod status;
mod system_clock;

pub use run::{Driver, DriverError};
pub use status::{Status, SystemStatus};
pub use system_clock::{RandomIds, SystemClock};

use std::collections::BTreeMap;
use std::time::Duration;

use syncline_sdk::SystemName;

/// What the driver is told by the settings.
#[derive(Clone, Debug)]
pub struct DriverSettings {
    /// How often a polled system is asked for changes.
    pub poll_interval: Duration,
    /// Other intervals for systems of that name.
    pub poll_intervals: BTreeMap<SystemName, Duration>,
    /// The share of a system's daily quota that loads and sweeps leave to others, 0 to 1.
    pub quota_reserve: f64,
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(5),
            poll_intervals: BTreeMap::new(),
            quota_reserve: 0.5,
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
