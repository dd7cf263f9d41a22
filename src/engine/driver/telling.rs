//! What the driver tells about itself.

use syncline_ledger::Ledger;
use syncline_sdk::{ErrorKind, Scope, SystemName};

use super::pace::tick;
use super::reads::Job;
use super::run::{Driver, HINTS_SOON};
use crate::system::System;
use crate::work::Account;

impl<L: Ledger> Driver<L> {
    pub(super) fn note_round(&mut self, account: &Account) {
        let in_flight = self.engine.flights.len();
        let observed = u64::try_from(account.observed).unwrap_or(0);
        let systems = self.engine.intake.systems.values();
        let refused: usize = systems.map(|system| system.refused.take()).sum();
        let misfits = u64::try_from(account.misfits + refused).unwrap_or(0);
        self.status.send_modify(|status| {
            status.rounds += u64::from(account.committed);
            status.observed += observed;
            status.misfits += misfits;
            status.in_flight = in_flight;
        });
        if account.hints > 0 {
            self.turns.hurry(|job| matches!(job, Job::Hints(_)), tick() + HINTS_SOON);
        }
    }

    pub(super) fn note_loads(&mut self) {
        let loading = self.turns.contains(|job| matches!(job, Job::Load(..)));
        self.gaps_open |= self.turns.contains(|job| matches!(job, Job::Verify(_)));
        self.status.send_modify(|status| status.loaded = !loading);
    }

    pub(super) fn system_of(&self, job: &Job) -> Option<SystemName> {
        match job {
            Job::Poll(id, side) | Job::Load(id, side) => {
                Some(self.engine.intake.mappings[id].sides[*side].system.clone())
            }
            Job::Hints(system)
            | Job::Forget(system)
            | Job::Audit(system)
            | Job::Reopen(system)
            | Job::Mend(system)
            | Job::Begin(system) => Some(system.clone()),
            Job::Verify(_)
            | Job::Sweep(_)
            | Job::Rules(_)
            | Job::Retry(_)
            | Job::Answers
            | Job::Asked => None,
        }
    }

    pub(super) fn reachable(&mut self, name: &SystemName) {
        let usage = self.engine.intake.systems[name].connector.usage();
        self.status.send_if_modified(|status| {
            let system = status.systems.entry(name.clone()).or_default();
            if !system.reachable || system.halted {
                tracing::info!(system = %name, "the system answers");
            }
            let changed = !system.reachable || system.usage != usage;
            system.reachable = true;
            system.trouble = None;
            system.halted = false;
            system.usage = usage;
            changed
        });
    }

    /// Tells whether what a job reads of a mapping can be read. An outage of a whole system is told
    /// of that, and ends with it.
    pub(super) fn note_read(&mut self, job: &Job, error: Option<&syncline_sdk::Error>) {
        let (id, what) = match job {
            Job::Poll(id, side) => (id, format!("changes of the {side} side")),
            Job::Load(id, side) => (id, format!("first load of the {side} side")),
            Job::Verify(id) => (id, "comparison after a gap".to_owned()),
            Job::Sweep(id) => (id, "sweep".to_owned()),
            _ => return,
        };
        let Some(mapping) = self.engine.intake.mappings.get(id) else { return };
        let place = (mapping.name.clone(), what);
        let words = error.filter(|error| error.kind.scope() == Scope::Entity).map(|e| chain(e));
        if words.is_none() && error.is_some() {
            return;
        }
        self.status.send_if_modified(|status| match words {
            None => status.unread.remove(&place).is_some(),
            Some(words) if status.unread.get(&place) == Some(&words) => false,
            Some(words) => {
                status.unread.insert(place, words);
                true
            }
        });
    }

    /// Tells which systems rounds leave alone now.
    pub(super) fn note_breakers(&mut self) {
        let now = self.engine.intake.clock.now();
        let systems = &self.engine.intake.systems;
        self.status.send_if_modified(|status| {
            let mut changed = false;
            for (name, system) in &mut status.systems {
                let silent = |known: &System| known.breaker.away(now).is_some();
                let left_alone = systems.get(name).is_some_and(silent);
                let quiet = self.engine.quiet(name, now).is_some();
                if quiet != system.quiet {
                    let words = if quiet { "begin" } else { "are over" };
                    tracing::info!(system = %name, "the quiet hours {words}");
                }
                changed |= system.left_alone != left_alone || system.quiet != quiet;
                system.left_alone = left_alone;
                system.quiet = quiet;
            }
            changed
        });
    }

    /// A call to a system failed. While it is waited for only the look whether it answers says
    /// anything: all else was refused without a call.
    pub(super) fn heard(&mut self, name: &SystemName, error: &syncline_sdk::Error) {
        if self.engine.intake.systems[name].away.is_none() {
            self.trouble(name, error);
        }
    }

    pub(super) fn trouble(&mut self, name: &SystemName, error: &syncline_sdk::Error) {
        let words = chain(error);
        let halted = error.kind == ErrorKind::Auth;
        self.status.send_modify(|status| {
            let system = status.systems.entry(name.clone()).or_default();
            if system.trouble.as_deref() != Some(&words) {
                tracing::error!(system = %name, error = words, halted, "the system has trouble");
            }
            // What concerns one entity or record does not stop the others.
            system.reachable &= error.kind.scope() != Scope::System;
            system.halted = halted;
            system.trouble = Some(words.clone());
        });
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}
