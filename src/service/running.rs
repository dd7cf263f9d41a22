//! A service: ledger, mappings, engine, driver and HTTP surface of one installation.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use syncline_core::machine::{Limits, Mappings};
use syncline_core::mapping::MappingId;
use syncline_core::mapping::language::Diagnostics;
use syncline_engine::driver::{Driver, DriverSettings, RandomIds, Status, SystemClock};
use syncline_engine::{Clock, Engine, Parts};
use syncline_ledger::Setup;
use syncline_ledger::postgres::Postgres;
use syncline_sdk::{Connector, SystemName};
use syncline_server::{Recorder, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ledger::{LedgerHandle, find_ledger, open_ledger};
use super::probe::ServiceProbe;
use super::tokens::LedgerTokens;
use crate::cli::{Installation, Stop, bind_all, reach};

/// How long a system that does not answer at the start is waited for between two tries.
const REACH_AGAIN: Duration = Duration::from_secs(2);

/// How often, and how long apart, a taken port is tried.
const LISTEN_TRIES: u32 = 10;
const LISTEN_AGAIN: Duration = Duration::from_millis(200);

/// Why a service did not start: what its files say, or what failed.
pub type ServiceError = Stop;

/// A service that is ready to run.
pub struct Service {
    driver: Driver<Postgres>,
    listener: TcpListener,
    probe: Arc<ServiceProbe>,
    stop: CancellationToken,
    /// What the driver tells about itself.
    pub status: watch::Receiver<Status>,
    /// The ledger.
    pub ledger: Arc<Postgres>,
    /// Where the HTTP surface listens.
    pub address: std::net::SocketAddr,
    /// What should be known about the files.
    pub warnings: Diagnostics,
}

impl Service {
    /// Opens everything that a run needs: the ledger first, then both systems, which are waited
    /// for when they do not answer yet.
    ///
    /// # Errors
    /// What is wrong with the files, or with the set-up; the message says what to do.
    pub async fn open(config: &Path, stop: CancellationToken) -> Result<Self, ServiceError> {
        let mut installation = Installation::open(config)?;
        let listener = listen(installation.settings.listen).await?;
        let address = listener.local_addr().context("the HTTP listener")?;
        let LedgerHandle { ledger, cluster } = open_ledger(&installation.settings).await?;
        let ledger = Arc::new(ledger);
        if let Some(cluster) = &cluster {
            tracing::info!(
                port = cluster.port(),
                adopted = cluster.adopted(),
                "the ledger lives in a private Postgres"
            );
        }
        renewable_logins(&mut installation, &ledger)?;
        let candidate = uuid_text();
        let install: Arc<str> = ledger.install(&candidate).await.context("the ledger")?.into();
        installation.install = install.clone();
        let mappings = bound_mappings(&installation, &ledger, &stop).await?;
        let connectors = installation.connectors.clone();
        let engine = Engine::new(Parts {
            ledger: ledger.clone(),
            install,
            owner: uuid_text(),
            mappings: mappings.clone(),
            connectors,
            clock: Arc::new(SystemClock),
            ids: Box::new(RandomIds),
            limits: Limits::default(),
        });
        let settings = DriverSettings {
            poll_interval: installation.settings.poll_interval,
            poll_intervals: BTreeMap::new(),
            quota_reserve: f64::from(installation.settings.quota_reserve_percent) / 100.0,
        };
        let driver = Driver::new(engine, settings, stop.clone());
        let status = driver.status();
        let probe = Arc::new(ServiceProbe::new(ledger.clone(), status.clone(), &mappings));
        Ok(Self {
            driver,
            listener,
            probe,
            stop,
            status,
            ledger,
            address,
            warnings: installation.warnings,
        })
    }

    /// Runs until it is stopped.
    ///
    /// # Errors
    /// When the driver or the listener fails.
    pub async fn run(self) -> anyhow::Result<()> {
        let recorder = Recorder::new()?;
        super::probe::describe(&recorder);
        let surface = tokio::spawn(serve(
            self.listener,
            self.probe,
            recorder,
            self.stop.clone().cancelled_owned(),
        ));
        let ended = self.driver.run().await;
        self.stop.cancel();
        surface.await.context("the HTTP surface")??;
        ended.context("syncing ended")
    }
}

/// Lets an installation look at its systems as its runs do, with their names for what they made
/// and their logins, where a sync has run before. Makes nothing.
///
/// # Errors
/// When there is a ledger and it does not answer; the message says what to do.
pub async fn attach(installation: &mut Installation) -> Result<(), ServiceError> {
    let Some((ledger, install)) = find_ledger(&installation.settings).await? else {
        return Ok(());
    };
    installation.install = install.into();
    renewable_logins(installation, &Arc::new(ledger))
}

/// Gives the connectors a place to keep logins that renew themselves.
fn renewable_logins(
    installation: &mut Installation,
    ledger: &Arc<Postgres>,
) -> Result<(), ServiceError> {
    for system in &installation.settings.systems {
        let tokens = LedgerTokens { ledger: ledger.clone(), system: system.name.clone() };
        let connector: Arc<dyn Connector> = system
            .kind
            .connector(&system.name, Some(Arc::new(tokens)))
            .with_context(|| format!("system {}", system.name))?;
        installation.connectors.insert(system.name.clone(), connector);
    }
    Ok(())
}

/// Binds the mappings to both systems' schemas, under the numbers that the ledger gives them.
async fn bound_mappings(
    installation: &Installation,
    ledger: &Postgres,
    stop: &CancellationToken,
) -> Result<Mappings, ServiceError> {
    let mut numbers: Vec<(MappingId, i32)> = Vec::new();
    for spec in &installation.specs {
        let now = SystemClock.now();
        let known =
            ledger.mapping(&spec.name, spec.source.text(), now).await.context("the ledger")?;
        numbers.push((known.mapping, known.revision));
    }
    loop {
        let reached = reach(installation).await;
        let silent: Vec<&SystemName> = installation
            .settings
            .systems
            .iter()
            .map(|system| &system.name)
            .filter(|name| !reached.health.contains_key(*name))
            .collect();
        if silent.is_empty() {
            let bound = bind_all(installation, &reached, |at, _| numbers[at]).await;
            return collect(bound);
        }
        tracing::error!("a system does not answer:\n{}", reached.found.render(false));
        tokio::select! {
            () = stop.cancelled() => {
                return Err(anyhow::anyhow!("stopped while waiting for {silent:?}").into());
            }
            () = wait(REACH_AGAIN) => {}
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the start of a process waits for its systems")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Listens; a port that a process just killed still holds is waited for.
async fn listen(address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    let mut tries = 0;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && tries < LISTEN_TRIES => {
                tries += 1;
                wait(LISTEN_AGAIN).await;
            }
            bound => {
                return bound.with_context(|| {
                    format!(
                        "cannot listen on {address} (does another `syncline run` use it? `listen` \
                         in the settings names another address)"
                    )
                });
            }
        }
    }
}

fn collect(bound: Vec<crate::cli::Bound>) -> Result<Mappings, ServiceError> {
    let mut mappings = Mappings::new();
    let mut found = Diagnostics::new();
    for bound in bound {
        match bound.mapping {
            Ok(checked) => {
                mappings.insert(checked.value.id, Arc::new(checked.value));
            }
            Err(errors) => found.extend(errors),
        }
    }
    if found.has_errors() {
        return Err(found.into());
    }
    Ok(mappings)
}

#[expect(clippy::disallowed_methods, reason = "names of installations and processes are random")]
fn uuid_text() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
