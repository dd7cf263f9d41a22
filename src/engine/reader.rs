//! What intakes read with: shared, so that reads run beside the rounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_core::machine::Mappings;
use syncline_ledger::Ledger;
use syncline_sdk::{Context, Purpose, SystemName};

use crate::clock::Clock;
use crate::error::EngineError;
use crate::limits;
use crate::system::System;

/// Reads systems and the ledger and makes [`crate::Work`]. Cheap to clone; holds no state of the
/// rounds.
pub struct Intake<L> {
    pub(crate) ledger: Arc<L>,
    pub(crate) install: Arc<str>,
    pub(crate) mappings: Arc<Mappings>,
    pub(crate) systems: Arc<BTreeMap<SystemName, System>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl<L> Clone for Intake<L> {
    fn clone(&self) -> Self {
        Self {
            ledger: self.ledger.clone(),
            install: self.install.clone(),
            mappings: self.mappings.clone(),
            systems: self.systems.clone(),
            clock: self.clock.clone(),
        }
    }
}

impl<L: Ledger> Intake<L> {
    /// What a call to a system is given.
    #[must_use]
    pub fn context(&self, purpose: Purpose) -> Context {
        Context {
            install: self.install.clone(),
            now: self.clock.now(),
            timeout: limits::CALL_TIMEOUT,
            purpose,
        }
    }
    pub(crate) fn system(&self, name: &SystemName) -> Option<&System> {
        self.systems.get(name)
    }
    /// Names the system of an error.
    pub(crate) fn at(system: &SystemName) -> impl Fn(syncline_sdk::Error) -> EngineError + '_ {
        move |source| EngineError::System { system: system.clone(), source }
    }
}
