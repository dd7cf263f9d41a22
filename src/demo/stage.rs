//! The stage: everything that runs for a demo, and how it is taken down again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use syncline_ledger::postgres::Postgres;

use super::crm::Crm;
use super::engine::Engine;
use super::folder::Folder;
use super::ops::{self, Ops};
use super::process::Process;
use super::removal::remove;
use crate::embedded::{Cluster, ClusterOptions};
use crate::installation::Installation;
use crate::service::open_ledger;
use crate::stop::Stop;

const SETTINGS: &str = include_str!("files/syncline.yaml");
const MAPPINGS: [(&str, &str); 2] = [
    ("mappings/accounts.yaml", include_str!("files/accounts.yaml")),
    ("mappings/contacts.yaml", include_str!("files/contacts.yaml")),
];

/// How long the simulated org may take to listen.
const ORG_LIMIT: Duration = Duration::from_secs(20);

/// The private clusters of a demo. They outlive their starters, so whoever ends the demo, in
/// whatever way, stops them here.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    wanted: Mutex<Vec<(ClusterOptions, Option<Cluster>)>>,
}

impl Clusters {
    /// Starts one.
    async fn ensure(&self, folder: &Folder, name: &str, logical: bool) -> anyhow::Result<String> {
        let options = ClusterOptions {
            state_dir: folder.join(".syncline"),
            name: name.to_owned(),
            logical,
            programs: None,
        };
        // Known before it is started: it is to be stopped even when we are stopped in between.
        if let Ok(mut wanted) = self.wanted.lock() {
            wanted.push((options.clone(), None));
        }
        let cluster = Cluster::ensure(&options).await?;
        let database = if name == ops::DATABASE { ops::DATABASE } else { "postgres" };
        let url = cluster.url(database).expose_secret().to_owned();
        cluster.ensure_database(database).await?;
        self.note(cluster, name);
        Ok(url)
    }

    fn note(&self, cluster: Cluster, name: &str) {
        if let Ok(mut wanted) = self.wanted.lock() {
            let place = wanted.iter_mut().find(|(options, _)| options.name == name);
            if let Some((_, known)) = place {
                *known = Some(cluster);
            }
        }
    }

    /// Stops all of them, and removes what lies outside the folder of the demo.
    pub async fn stop(&self, folder: &Folder) -> anyhow::Result<()> {
        let wanted = self.wanted.lock().map(|mut wanted| std::mem::take(&mut *wanted));
        let mut failed = None;
        for (options, known) in wanted.unwrap_or_default() {
            let stopped = async {
                let cluster = match known {
                    Some(cluster) => cluster,
                    // Its start was cut short: whether it runs is found out by finishing it.
                    None => Cluster::ensure(&options).await?,
                };
                if folder.is_kept() {
                    cluster.stop().await?;
                } else {
                    cluster.stop_at_once().await?;
                }
                if !cluster.folder().starts_with(folder.path()) && !folder.is_kept() {
                    remove(cluster.folder())?;
                    if let Some(root) = cluster.folder().parent() {
                        // Only when it is empty: the last one removes it.
                        let _ = std::fs::remove_dir(root);
                    }
                }
                anyhow::Ok(())
            };
            if let Err(error) = stopped.await {
                failed = Some(error.context(format!("the Postgres of {}", options.name)));
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Everything that runs, but for the clusters.
pub(super) struct Stage {
    folder: Arc<Folder>,
    /// The CRM.
    pub crm: Crm,
    /// The database.
    pub ops: Ops,
    /// The ledger, as people read it.
    pub ledger: Postgres,
    /// The engine.
    pub engine: Engine,
    simulator: tokio::sync::Mutex<Process>,
}

impl Stage {
    /// Starts both systems and opens the ledger. The engine does not run yet.
    pub async fn set(folder: &Arc<Folder>, clusters: &Clusters, seed: u64) -> anyhow::Result<Self> {
        let superuser = clusters.ensure(folder, ops::DATABASE, true).await?;
        let ops = Ops::open(&superuser).await?;
        let log = folder.join("simulator.log");
        let seed = seed.to_string();
        let arguments =
            ["--json", "simulate", "salesforce", "--port", "0", "--seed", seed.as_str()];
        let mut simulator = Process::start("simulated CRM", &arguments, &log)?;
        let login = simulator.answer(ORG_LIMIT).await?;
        let word = |name: &str| {
            let value = login.get(name).and_then(Value::as_str);
            value.with_context(|| format!("the simulated CRM does not tell its {name}"))
        };
        let crm = Crm::open(word("url")?).await?;
        let settings =
            SETTINGS.replace("{crm_url}", word("url")?).replace("{crm_client}", word("client_id")?);
        folder.write("syncline.yaml", &settings)?;
        folder.write("crm.secret", word("client_secret")?)?;
        folder.write("ops.secret", &ops::url_of(ops::SYNC, &superuser)?)?;
        for (name, text) in MAPPINGS {
            folder.write(name, text)?;
        }
        let config = folder.join("syncline.yaml");
        // The ledger's cluster has the name and place that the engine gives it.
        clusters.ensure(folder, "ledger", false).await?;
        let installation = Installation::open(&config).map_err(|stop| match stop {
            Stop::Found(found) => anyhow::anyhow!("the demo's files:\n{}", found.render(false)),
            Stop::Failed(error) => error,
        })?;
        let ledger = open_ledger(&installation.settings).await?.ledger;
        let engine = Engine::new(config, folder.join("engine.log"))?;
        Ok(Self {
            folder: folder.clone(),
            crm,
            ops,
            ledger,
            engine,
            simulator: tokio::sync::Mutex::new(simulator),
        })
    }

    /// Where the engine's log is.
    pub fn engine_log(&self) -> PathBuf {
        self.folder.join("engine.log")
    }

    /// Where settings, logs and ledger are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file for afterwards, where the folder stays.
    pub fn keep(&self, name: &str, text: &str) -> anyhow::Result<()> {
        if self.folder.is_kept() { self.folder.write(name, text) } else { Ok(()) }
    }

    /// Ends everything but the clusters, in order.
    pub async fn strike(&self) -> anyhow::Result<()> {
        let engine = self.engine.stop().await;
        let simulator = self.simulator.lock().await.stop().await;
        self.ops.close().await;
        self.ledger.pool().close().await;
        engine.and(simulator)
    }
}
