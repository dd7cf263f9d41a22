//! The engine: a process that is killed and started again.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::process::Process;
use super::time::now;

/// How long a start may take: it waits for the systems, and for the ownership of a killed one.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long the engine may take to say what it has trouble with.
const TROUBLE_LIMIT: Duration = Duration::from_secs(1);

/// The engine.
#[derive(Debug)]
pub(super) struct Engine {
    http: reqwest::Client,
    config: PathBuf,
    log: PathBuf,
    state: Mutex<State>,
    kills: AtomicU64,
    recoveries: std::sync::Mutex<Vec<Duration>>,
}

#[derive(Debug, Default)]
struct State {
    process: Option<Process>,
    /// Where it tells how it is, while it runs.
    address: Option<String>,
    since: Option<Instant>,
    /// How it ended when nobody had asked it to.
    fallen: Option<String>,
}

/// How the engine is.
#[derive(Clone, Debug, Default)]
pub(super) struct EngineState {
    /// Its process, while it runs.
    pub pid: Option<u32>,
    /// Whether it is being killed or started at this moment.
    pub changing: bool,
    /// How long it has been running.
    pub up: Duration,
    /// How often it was killed.
    pub kills: u64,
    /// How long it took from the last kill to the first write of the next one.
    pub recovery: Option<Duration>,
    /// How it ended when nobody had asked it to.
    pub fallen: Option<String>,
}

impl Engine {
    /// The engine of an installation; it does not run yet.
    pub fn new(config: PathBuf, log: PathBuf) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(TROUBLE_LIMIT).no_proxy().build()?;
        Ok(Self {
            http,
            config,
            log,
            state: Mutex::default(),
            kills: AtomicU64::new(0),
            recoveries: std::sync::Mutex::default(),
        })
    }

    /// Starts it, and returns once it says that it runs.
    pub async fn start(&self) -> anyhow::Result<()> {
        let mut state = self.state.lock().await;
        let config = self.config.display().to_string();
        let arguments = ["--json", "--config", &config, "run"];
        let mut process = Process::start("engine", &arguments, &self.log)?;
        let answer = process.answer(START_LIMIT).await;
        let answer = answer.with_context(|| format!("its log is {}", self.log.display()))?;
        state.address = answer.get("listen").and_then(|at| at.as_str()).map(str::to_owned);
        state.process = Some(process);
        state.since = Some(now());
        Ok(())
    }

    /// Kills it with signal 9 and starts it again.
    pub async fn kill_and_start(&self) -> anyhow::Result<()> {
        {
            let mut state = self.state.lock().await;
            note_fall(&mut state);
            if let Some(process) = &mut state.process {
                process.kill().await?;
                self.kills.fetch_add(1, Ordering::Relaxed);
            }
            state.process = None;
        }
        self.start().await
    }

    /// Notes how long it took from a kill to the first write of the next one.
    pub fn note_recovery(&self, time: Duration) {
        if let Ok(mut recoveries) = self.recoveries.lock() {
            recoveries.push(time);
        }
    }

    /// From the kills to the first writes of the next ones.
    pub fn recoveries(&self) -> Vec<Duration> {
        self.recoveries.lock().map(|recoveries| recoveries.clone()).unwrap_or_default()
    }

    /// Asks it to end.
    pub async fn stop(&self) -> anyhow::Result<()> {
        let mut state = self.state.lock().await;
        note_fall(&mut state);
        match state.process.take() {
            Some(mut process) => process.stop().await,
            None => Ok(()),
        }
    }

    /// What keeps it from its work, in its own words: which system does not answer, and why.
    /// Nothing while it is down, or does not say.
    pub async fn troubles(&self) -> Vec<String> {
        let address = match self.state.try_lock() {
            Ok(state) if state.process.is_some() => state.address.clone(),
            _ => None,
        };
        let Some(address) = address else { return Vec::new() };
        let told = async {
            let reply = self.http.get(format!("http://{address}/readyz")).send().await?;
            reply.json::<Readiness>().await
        };
        told.await.map(|told| told.notes).unwrap_or_default()
    }

    /// How it is. While it is being started nothing is told of its process.
    pub fn look(&self) -> EngineState {
        let kills = self.kills.load(Ordering::Relaxed);
        let recovery = self.recoveries().last().copied();
        let Ok(mut state) = self.state.try_lock() else {
            return EngineState { changing: true, kills, recovery, ..EngineState::default() };
        };
        note_fall(&mut state);
        EngineState {
            pid: state.process.as_ref().and_then(Process::id),
            changing: false,
            up: state.since.map_or(Duration::ZERO, |since| now().duration_since(since)),
            kills,
            recovery,
            fallen: state.fallen.clone(),
        }
    }
}

/// What the engine says of itself.
#[derive(Deserialize)]
struct Readiness {
    notes: Vec<String>,
}

fn note_fall(state: &mut State) {
    let ended = state.process.as_mut().and_then(Process::ended);
    if let Some(status) = ended {
        state.fallen = Some(format!("the engine ended by itself: {status}"));
        state.process = None;
    }
}
