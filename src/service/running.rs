//! A service: ledger, mappings, engine, driver and HTTP surface of one installation.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sqlx::PgPool;
use syncline_core::mapping::Objective;
use syncline_core::mapping::language::Diagnostics;
use syncline_engine::driver::Status;
use syncline_engine::{PollWindow, poll_stream};
use syncline_ledger::Setup as _;
use syncline_ledger::postgres::Postgres;
use syncline_sdk::Connector;
use syncline_server::{Door, Recorder, Surface, TrustedProxies, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::api::ServiceBook;
use super::known::Known;
use super::ledger::{LedgerHandle, end_private, find_ledger, open_ledger};
use super::probe::ServiceProbe;
use super::revisions::check_same_records;
use super::schedules::Calendar;
use super::sessions::{Opened, Sessions};
use super::tokens::LedgerTokens;
use super::waiting::tell;
use super::webhooks::{Inbound, WebhookDesk};
use crate::embedded::Cluster;
use crate::installation::Installation;
use crate::settings::SystemSettings;
use crate::stop::Stop;

/// How often, and how long apart, a taken port is tried.
const LISTEN_TRIES: u32 = 10;
const LISTEN_AGAIN: Duration = Duration::from_millis(200);

/// Why a service did not start: what its files say, or what failed.
pub type ServiceError = Stop;

/// A service that is ready to run.
pub struct Service {
    sessions: Sessions,
    first: Opened,
    surface: JoinHandle<()>,
    telling: JoinHandle<()>,
    calendar: JoinHandle<()>,
    /// Ends the surface, also when the service is dropped before it runs.
    serving: DropGuard,
    /// What the driver tells about itself.
    pub status: watch::Receiver<Status>,
    /// The ledger.
    pub ledger: Arc<Postgres>,
    /// All connections to it.
    pools: [PgPool; 2],
    /// The private cluster that it lives in, where it has one.
    cluster: Option<Cluster>,
    /// Where the HTTP surface listens.
    pub address: std::net::SocketAddr,
    /// Whether its connections are encrypted by itself.
    pub encrypted: bool,
    /// What should be known about the files.
    pub warnings: Diagnostics,
}

impl Service {
    /// Opens everything that a run needs: the listener and the ledger, which must answer; from
    /// then on the HTTP surface is served. Then the systems are asked. One that gives no answer is
    /// waited for while the service runs; mappings that do not need it are kept in agreement.
    ///
    /// # Errors
    /// What is wrong with the files, or with the set-up; the message says what to do.
    pub async fn open(config: &Path, stop: CancellationToken) -> Result<Self, ServiceError> {
        let mut installation = Installation::open(config)?;
        let http = installation.settings.http.clone();
        let encrypted = http.tls.is_some();
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
        let (doors, inbound) = webhooks(&installation)?;
        let install = ledger.install(&uuid_text()).await.context("the ledger")?;
        installation.install = install.into();
        let warnings = installation.warnings.clone();
        let kind = |system: &SystemSettings| (system.name.clone(), system.kind.word());
        let systems: Vec<_> = installation.settings.systems.iter().map(kind).collect();
        check_same_records(&ledger, &installation.specs).await?;
        let owner = uuid_text();
        let (objectives, poll_windows) = (objectives(&installation), poll_windows(&installation));
        let schedules = installation.settings.schedules.clone();
        let mut sessions = Sessions::new(installation, ledger.clone(), owner.clone(), stop.clone());
        let (status, waits) = (sessions.status(), sessions.waits());
        let serving = stop.child_token();
        let deliveries = WebhookDesk::new(ledger.clone(), inbound, sessions.wake());
        let known = Known {
            mappings: sessions.numbers().await.context("the ledger")?,
            systems: systems.iter().map(|(name, _)| name.clone()).collect(),
            objectives,
            poll_windows,
        };
        // The engine never waits for what is asked here.
        let looking = Arc::new(ledger.looking());
        let pools = [ledger.pool().clone(), looking.pool().clone()];
        let probe = ServiceProbe::new(
            looking.clone(),
            status.clone(),
            waits.clone(),
            known,
            deliveries.clone(),
        );
        let recorder = Recorder::new().context("the metrics")?;
        super::metrics::describe(&recorder);
        let until = serving.clone().cancelled_owned();
        let (config, wake) = (config.to_owned(), sessions.wake());
        let calendar = Calendar {
            ledger: looking.clone(),
            owner,
            settings: schedules,
            config: config.clone(),
            probe: probe.clone(),
            status: status.clone(),
        };
        let calendar = tokio::spawn(calendar.keep(serving.clone()));
        let book = ServiceBook::new(looking, config, status.clone(), systems, probe.clone(), wake);
        let surface = Surface {
            probe: Arc::new(probe),
            book: Arc::new(book),
            recorder,
            doors,
            receiver: Arc::new(deliveries),
            proxies: TrustedProxies(http.trusted_proxies),
            tls: http.tls,
        };
        let surface = serve(listener, surface, until).context("the HTTP surface")?;
        let surface = tokio::spawn(surface);
        let telling = tell(ledger.clone(), status.clone(), waits, serving.clone());
        let telling = tokio::spawn(telling);
        let serving = serving.drop_guard();
        let first = sessions.first().await?;
        Ok(Self {
            sessions,
            first,
            surface,
            telling,
            calendar,
            serving,
            status,
            ledger,
            pools,
            cluster,
            address,
            encrypted,
            warnings,
        })
    }

    /// Runs until it is stopped.
    ///
    /// # Errors
    /// When the driver or the listener fails.
    pub async fn run(self) -> anyhow::Result<()> {
        let ended = self.sessions.run(self.first).await;
        drop(self.serving);
        self.surface.await.context("the HTTP surface")?;
        self.telling.await.context("telling what is waited for")?;
        self.calendar.await.context("what is done at set times")?;
        if let Some(cluster) = &self.cluster {
            // The connection of the ownership ends with the last handle of the ledger.
            drop(self.ledger);
            end_private(cluster, &self.pools).await;
        }
        ended
    }
}

/// What the mappings of an installation are to attain.
fn objectives(installation: &Installation) -> BTreeMap<Arc<str>, Objective> {
    let specs = installation.specs.iter();
    specs.filter_map(|spec| Some((Arc::clone(&spec.name), spec.objective?))).collect()
}

/// The hours of the polls of an installation, by the names of their streams.
fn poll_windows(installation: &Installation) -> BTreeMap<String, PollWindow> {
    let mut windows = BTreeMap::new();
    for spec in &installation.specs {
        for (side, of) in spec.sides.iter() {
            let mut systems = installation.settings.systems.iter();
            let system = systems.find(|system| system.name == *of.system);
            if let Some(window) = system.and_then(|system| system.poll_window.clone()) {
                windows.insert(poll_stream(&spec.name, side), window);
            }
        }
    }
    windows
}

/// Lets an installation look at its systems as its runs do: with their names for what they made
/// where a sync has run before, and with the logins that its ledger keeps. Makes nothing.
///
/// # Errors
/// When there is a ledger and it does not answer; the message says what to do.
pub async fn attach(installation: &mut Installation) -> Result<(), ServiceError> {
    let Some(found) = find_ledger(&installation.settings).await? else {
        return Ok(());
    };
    if let Some(install) = found.install {
        installation.install = install.into();
    }
    if !found.keeps_logins {
        return Ok(());
    }
    renewable_logins(installation, &Arc::new(found.ledger))
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
            .connector(&system.name, Arc::new(tokens))
            .with_context(|| format!("system {}", system.name))?;
        installation.connectors.insert(system.name.clone(), connector);
    }
    Ok(())
}

/// The doors of the webhooks that the settings open, and who is behind each.
fn webhooks(installation: &Installation) -> Result<(Vec<Door>, Vec<Inbound>), ServiceError> {
    let (mut doors, mut inbound) = (Vec::new(), Vec::new());
    for system in &installation.settings.systems {
        let Some(settings) = &system.webhook else {
            continue;
        };
        let connector = installation.connectors.get(&system.name);
        let webhook = connector.and_then(|connector| connector.webhook());
        doors.push(settings.door(system.name.as_str(), webhook.is_some())?);
        let selections = installation.selections(&system.name);
        let entities = selections.into_iter().map(|selection| selection.entity).collect();
        inbound.push(Inbound { system: system.name.clone(), webhook, entities });
    }
    Ok((doors, inbound))
}

#[expect(clippy::disallowed_methods, reason = "the start of a process waits for its port")]
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

#[expect(clippy::disallowed_methods, reason = "names of installations and processes are random")]
fn uuid_text() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
