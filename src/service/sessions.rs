//! The sessions of a service: each is an engine and a driver over the mappings that can be bound
//! now. When a system that was waited for answers, the next session begins with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use syncline_core::machine::{Limits, Mappings};
use syncline_core::mapping::MappingId;
use syncline_engine::driver::{
    Driver, DriverError, DriverSettings, Ended, RandomIds, Status, SystemClock,
};
use syncline_engine::{Away, Clock as _, Engine, Parts};
use syncline_ledger::Setup as _;
use syncline_ledger::postgres::Postgres;
use syncline_sdk::{ErrorKind, SystemName};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::binding::Binder;
use super::lookout::{Agreed, Lookout};
use super::reaching::{Schemas, reach};
use super::running::ServiceError;
use super::waiting::Waits;
use crate::installation::Installation;
use crate::settings::{Settings, SystemSettings};
use crate::stop::told;

/// How long it takes until what could not be done is tried again, where no driver paces it.
const AGAIN: Duration = Duration::from_secs(2);

/// How long a system is left alone that vanished again as soon as it was taken in: the others are
/// interrupted for it each time. Doubled each time, up to the most.
const LEFT_ALONE_MIN: Duration = Duration::from_millis(500);
const LEFT_ALONE_MAX: Duration = Duration::from_secs(60);

/// What an attempt to open a session came to.
pub(super) enum Opened {
    /// These mappings can be kept in agreement.
    Session(Mappings),
    /// Nothing can: the feeds must not go on without a mapping that cannot be bound.
    Held,
    /// It was stopped.
    Stopped,
}

/// The sessions of a service.
pub(super) struct Sessions {
    installation: Installation,
    ledger: Arc<Postgres>,
    /// The name of this process in the ledger. All its sessions have one: the ownership passes
    /// from one to the next.
    owner: String,
    status: watch::Sender<Status>,
    waits: watch::Sender<Waits>,
    stop: CancellationToken,
    /// Wakes the driver of the session, whichever that is.
    wake: Arc<Notify>,
    /// The systems that are waited for.
    away: BTreeMap<SystemName, Away>,
    /// What the systems described when the session was opened.
    schemas: Schemas,
    /// What was agreed of them by then.
    agreed: Agreed,
    /// How often a system vanished as soon as it was taken in.
    relapses: BTreeMap<SystemName, u32>,
}

impl Sessions {
    pub fn new(
        installation: Installation,
        ledger: Arc<Postgres>,
        owner: String,
        stop: CancellationToken,
    ) -> Self {
        Self {
            installation,
            ledger,
            owner,
            status: watch::Sender::default(),
            waits: watch::Sender::default(),
            stop,
            wake: Arc::default(),
            away: BTreeMap::new(),
            schemas: Schemas::new(),
            agreed: Agreed::new(),
            relapses: BTreeMap::new(),
        }
    }

    /// What the drivers tell about themselves, one after the other.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// What wakes the drivers.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// Which mappings wait.
    pub fn waits(&self) -> watch::Receiver<Waits> {
        self.waits.subscribe()
    }

    /// The numbers of the mappings in the ledger, and their names.
    pub async fn numbers(&self) -> syncline_ledger::Result<BTreeMap<MappingId, Arc<str>>> {
        let mut numbers = BTreeMap::new();
        for spec in &self.installation.specs {
            let text = spec.rules_text();
            let known = self.ledger.mapping(&spec.name, &text, SystemClock.now()).await?;
            numbers.insert(known.mapping, Arc::clone(&spec.name));
        }
        Ok(numbers)
    }

    /// Opens the first session.
    ///
    /// # Errors
    /// What is wrong with a mapping whose systems answer: the files were just written, and
    /// somebody is there to mend them.
    pub async fn first(&mut self) -> Result<Opened, ServiceError> {
        let (opened, found) = self.open(None).await?;
        if found.has_errors() {
            return Err(found.into());
        }
        Ok(opened)
    }

    /// Asks the systems that are not waited for, and binds what can be bound.
    async fn open(
        &mut self,
        answers: Option<&SystemName>,
    ) -> anyhow::Result<(Opened, syncline_core::mapping::language::Diagnostics)> {
        let reached = tokio::select! {
            reached = reach(&self.installation, &self.away, answers) => reached,
            () = self.stop.cancelled() => return Ok((Opened::Stopped, Default::default())),
        };
        for (system, away) in &reached.away {
            tracing::error!(%system, why = away.why, "no answer: the system is waited for");
        }
        self.away.extend(reached.away);
        let binder = Binder {
            installation: &self.installation,
            ledger: &self.ledger,
            away: &self.away,
            schemas: reached.schemas,
        };
        let bound = binder.bind().await?;
        self.schemas = binder.schemas;
        self.agreed = bound.agreed;
        for (field, why) in &bound.frozen {
            tracing::warn!(%field, why, "the field is observed and not written");
        }
        for (mapping, why) in &bound.waiting {
            tracing::warn!(%mapping, why, "the mapping waits");
        }
        let syncs = !bound.held && (!bound.mappings.is_empty() || bound.waiting.is_empty());
        self.waits.send_replace(Waits {
            asked: true,
            syncs,
            mappings: bound.waiting,
            misfits: bound.misfits,
            fields: bound.frozen,
        });
        let opened = if bound.held { Opened::Held } else { Opened::Session(bound.mappings) };
        Ok((opened, bound.found))
    }

    /// Opens a session behind another. The process goes on whatever is found: what does not fit
    /// waits, and is told of.
    async fn open_again(&mut self, answers: Option<&SystemName>) -> Opened {
        loop {
            match self.open(answers).await {
                Ok((opened, found)) => {
                    if !found.is_empty() {
                        tracing::error!("a mapping does not fit:\n{}", found.render(false));
                    }
                    return opened;
                }
                Err(error) => tracing::error!(error = told(&*error), "no session was opened"),
            }
            if !self.pause().await {
                return Opened::Stopped;
            }
        }
    }

    /// Runs session after session until it is stopped.
    ///
    /// # Errors
    /// When a driver fails, or the set-up of a system is wrong at the first start.
    pub async fn run(mut self, first: Opened) -> anyhow::Result<()> {
        let (mut opened, mut is_first) = (first, true);
        loop {
            let mut answers = None;
            match opened {
                Opened::Stopped => return Ok(()),
                Opened::Held => {
                    self.show_waiting();
                    if !self.pause().await {
                        return Ok(());
                    }
                    // No driver asks whether they answer by now.
                    self.away.clear();
                }
                Opened::Session(mappings) => {
                    match self.session(mappings).await {
                        // Its lookout saw that something is described otherwise.
                        Ok(Ended::Stopped) if !self.stop.is_cancelled() => {}
                        Ok(Ended::Stopped) => return Ok(()),
                        Ok(Ended::Answers(system)) => {
                            // The others have begun, and kept on.
                            self.relapses.retain(|name, _| self.away.contains_key(name));
                            self.away.remove(&system);
                            answers = Some(system);
                        }
                        Ok(Ended::Away(system, away)) => self.leave_alone(system, away),
                        Ok(Ended::Begun(mapping)) => {
                            tracing::info!(%mapping, "another process has begun it");
                        }
                        Err(DriverError::Prepare { system, source }) if !is_first => {
                            let why = told(&source);
                            let away = Away { kind: source.kind, why, wait: Duration::ZERO };
                            self.leave_alone(system, away);
                        }
                        Err(error) => return Err(error).context("syncing ended"),
                    }
                    is_first = false;
                }
            }
            opened = self.open_again(answers.as_ref()).await;
        }
    }

    /// Runs a session to its end.
    async fn session(&self, mappings: Mappings) -> Result<Ended, DriverError> {
        let stop = self.stop.child_token();
        let lookout = Lookout::new(
            self.installation.connectors.clone(),
            self.installation.install.clone(),
            self.ledger.clone(),
            &mappings,
            &self.schemas,
            &self.agreed,
        );
        let lookout = tokio::spawn(lookout.look_out(stop.clone(), self.status.subscribe()));
        let ended = self.driver(mappings, &stop).run().await;
        stop.cancel();
        if let Err(error) = lookout.await {
            tracing::error!(%error, "the lookout for changed fields failed");
        }
        ended
    }

    fn driver(&self, mappings: Mappings, stop: &CancellationToken) -> Driver<Postgres> {
        let settings = &self.installation.settings;
        let engine = Engine::new(Parts {
            ledger: self.ledger.clone(),
            install: self.installation.install.clone(),
            owner: self.owner.clone(),
            mappings,
            connectors: self.installation.connectors.clone(),
            away: self.away.clone(),
            clock: Arc::new(SystemClock),
            ids: Box::new(RandomIds),
            limits: Limits::default(),
        });
        let engine =
            engine.with_quiet_hours(by_system(settings, |system| system.quiet_hours.clone()));
        let settings = DriverSettings {
            poll_interval: settings.poll_interval,
            poll_intervals: BTreeMap::new(),
            poll_windows: by_system(settings, |system| system.poll_window.clone()),
            sweep_every: settings.sweep_every,
            quota_reserve: f64::from(settings.quota_reserve_percent) / 100.0,
            left_out: self.waits.borrow().mappings.keys().cloned().collect(),
        };
        let driver = Driver::new(engine, settings, self.status.clone(), stop);
        driver.woken_by(self.wake.clone())
    }

    /// A system vanished before its streams had begun.
    fn leave_alone(&mut self, system: SystemName, away: Away) {
        let relapses = self.relapses.entry(system.clone()).or_insert(0);
        let wait = LEFT_ALONE_MIN.saturating_mul(1 << (*relapses).min(10)).min(LEFT_ALONE_MAX);
        *relapses = relapses.saturating_add(1);
        self.away.insert(system, Away { wait, ..away });
    }

    /// Shows the systems that are waited for while no driver does.
    fn show_waiting(&self) {
        self.status.send_modify(|status| {
            for (name, system) in &mut status.systems {
                system.awaited = self.away.contains_key(name);
            }
            for (name, away) in &self.away {
                let system = status.systems.entry(name.clone()).or_default();
                system.awaited = true;
                system.reachable = false;
                system.halted = away.kind == ErrorKind::Auth;
                system.trouble = Some(away.why.clone());
            }
        });
    }

    /// Waits a while. False when it was stopped.
    #[expect(clippy::disallowed_methods, reason = "a process waits for its systems")]
    async fn pause(&self) -> bool {
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => true,
            () = self.stop.cancelled() => false,
        }
    }
}

/// What systems have of something, by their names.
fn by_system<T>(
    settings: &Settings,
    of: impl Fn(&SystemSettings) -> Option<T>,
) -> BTreeMap<SystemName, T> {
    let systems = settings.systems.iter();
    systems.filter_map(|system| Some((system.name.clone(), of(system)?))).collect()
}
