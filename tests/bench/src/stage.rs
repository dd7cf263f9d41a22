//! What a measurement runs against: private clusters that keep `fsync` on, and the engine as a
//! process of its own. Everything ends with the value, also when a measurement fails or is
//! interrupted.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use secrecy::ExposeSecret;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use syncline::embedded::{Cluster, ClusterOptions};

use crate::clock::{ms, now, pause};
use crate::process;

/// The ledger's database.
const LEDGER: &str = "syncline";
/// How long a cluster may take to end.
const END: Duration = Duration::from_secs(10);

/// A folder with clusters, and the engine when it runs.
pub(crate) struct Stage {
    folder: PathBuf,
    clusters: Vec<Cluster>,
    engine: Option<tokio::process::Child>,
}

impl Stage {
    /// A cluster for the ledger, and one for each system named.
    pub(crate) async fn new(systems: &[&str]) -> anyhow::Result<Self> {
        let name = format!("syncline-bench.{}.{}", std::process::id(), systems.join("-"));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let mut stage = Self { folder, clusters: Vec::new(), engine: None };
        for name in std::iter::once(&"ledger").chain(systems) {
            let options = ClusterOptions {
                state_dir: stage.folder.join("state"),
                name: (*name).to_owned(),
                logical: *name != "ledger",
                programs: None,
            };
            let cluster = Cluster::ensure(&options).await?;
            cluster.ensure_database(LEDGER).await?;
            stage.clusters.push(cluster);
        }
        Ok(stage)
    }

    /// The address of the database in the cluster of that place; the ledger's is 0.
    pub(crate) fn url(&self, cluster: usize) -> String {
        self.clusters[cluster].url(LEDGER).expose_secret().to_owned()
    }

    /// Connections to the database of a cluster.
    pub(crate) async fn pool(&self, cluster: usize) -> anyhow::Result<PgPool> {
        let options = PgPoolOptions::new().max_connections(4);
        Ok(options.connect(&self.url(cluster)).await?)
    }

    /// Seconds of processor time that a cluster has used.
    pub(crate) fn cluster_seconds(&self, cluster: usize) -> anyhow::Result<f64> {
        process::postmaster_seconds(self.clusters[cluster].pid())
    }

    /// Starts the engine, as `syncline run` does, with these systems (YAML below `systems:`) and
    /// mappings (name and YAML).
    pub(crate) fn start_engine(
        &mut self,
        systems: &str,
        poll_interval: &str,
        mappings: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        self.stop_engine()?;
        let home = self.folder.join("engine");
        if home.join("mappings").exists() {
            fs::remove_dir_all(home.join("mappings"))?;
        }
        fs::create_dir_all(home.join("mappings"))?;
        for (name, text) in mappings {
            fs::write(home.join("mappings").join(format!("{name}.yaml")), text)?;
        }
        fs::write(home.join("ledger.secret"), self.url(0))?;
        for (at, cluster) in self.clusters.iter().enumerate().skip(1) {
            let name = cluster.folder().file_name().context("a cluster without a name")?;
            fs::write(home.join(name).with_extension("secret"), self.url(at))?;
        }
        let level = self.log_level();
        let settings = format!(
            "systems:\n{systems}ledger: {{ url: file:ledger.secret }}\nlisten: 127.0.0.1:0\n\
             poll_interval: {poll_interval}\nlog: {{ level: {level} }}\n"
        );
        let file = home.join("syncline.yaml");
        fs::write(&file, settings)?;
        let log = fs::File::create(self.log())?;
        let mut command = tokio::process::Command::new(std::env::current_exe()?);
        command
            .arg("--engine")
            .arg(&file)
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        self.engine = Some(command.spawn().context("the engine could not be started")?);
        Ok(())
    }

    fn log_level(&self) -> &'static str {
        "warn"
    }

    fn log(&self) -> PathBuf {
        self.folder.join("engine.log")
    }

    /// The engine's process.
    pub(crate) fn engine(&self) -> anyhow::Result<i32> {
        let pid = self.engine.as_ref().and_then(tokio::process::Child::id);
        Ok(i32::try_from(pid.context("the engine does not run")?)?)
    }

    /// Fails when the engine has ended, with its own last words.
    pub(crate) fn engine_runs(&mut self) -> anyhow::Result<()> {
        let Some(engine) = &mut self.engine else { bail!("the engine does not run") };
        if let Some(status) = engine.try_wait()? {
            bail!("the engine ended ({status}):\n{}", self.last_words());
        }
        Ok(())
    }

    /// The end of the engine's log.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Ends the engine as Ctrl-C would.
    pub(crate) fn stop_engine(&mut self) -> anyhow::Result<()> {
        let Some(engine) = self.engine.take() else { return Ok(()) };
        if let Some(pid) = engine.id() {
            end(i32::try_from(pid)?, Signal::TERM);
        }
        Ok(())
    }

    /// Waits until a condition holds, as long as the engine runs.
    ///
    /// # Errors
    /// When it does not hold in time, or the engine ends.
    pub(crate) async fn until<F>(
        &mut self,
        what: &str,
        limit: Duration,
        mut holds: impl FnMut() -> F,
    ) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<bool>>,
    {
        let start = now();
        while !holds().await? {
            self.engine_runs()?;
            if start.elapsed() > limit {
                bail!("{what}: not within {limit:?}\n{}", self.last_words());
            }
            pause(ms(20)).await;
        }
        Ok(())
    }
}

/// Asks a process to end and waits for it; then ends it.
fn end(pid: i32, signal: Signal) {
    let Some(process) = Pid::from_raw(pid) else { return };
    for signal in [signal, Signal::KILL] {
        if kill_process(process, signal).is_err() {
            return;
        }
        let start = now();
        while start.elapsed() < END {
            if process::has_ended(pid) {
                return;
            }
            std::thread::park_timeout(ms(10));
        }
    }
}

fn remove(folder: &Path) {
    // Nothing is left to tell it to when this fails, and the name says whose it was.
    let _ = fs::remove_dir_all(folder);
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.stop_engine();
        for cluster in &self.clusters {
            // Postgres's immediate shutdown: the data is thrown away.
            end(cluster.pid(), Signal::QUIT);
            remove(cluster.folder());
        }
        remove(&self.folder);
    }
}
