//! The quiet hours of systems.

use std::collections::BTreeMap;

use syncline_ledger::Ledger;
use syncline_sdk::{Instant, SystemName};

use crate::calendar::Window;
use crate::engine::Engine;

impl<L: Ledger> Engine<L> {
    /// The engine with systems that have quiet hours: in these nothing new is sent to them. What
    /// was begun before is brought to its end, and what waits goes when they are over.
    #[must_use]
    pub fn with_quiet_hours(mut self, quiet: BTreeMap<SystemName, Window>) -> Self {
        self.quiet = quiet;
        self
    }
    /// How much longer nothing new is sent to a system because of its quiet hours, microseconds;
    /// nothing outside of them.
    #[must_use]
    pub fn quiet(&self, system: &SystemName, now: Instant) -> Option<i64> {
        let until = self.quiet.get(system)?.open_until(now)?;
        Some(until.micros().saturating_sub(now.micros()))
    }
}
