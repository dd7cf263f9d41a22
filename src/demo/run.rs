//! The demo from its beginning to its end.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Map, Value};
use syncline_core::Sides;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::evidence::{gather, last_seqs};
use super::farewell::farewell;
use super::folder::Folder;
use super::gauges::Gauges;
use super::judge::judge;
use super::latency::quantiles;
use super::plan::Plan;
use super::player::Players;
use super::quiet::{loaded, quiet};
use super::recovery;
use super::report::Report;
use super::seeds::seed;
use super::stage::{Clusters, Stage};
use super::time::{fresh_seed, now, pause_until};
use super::view::{Progress, Style, figures, show};

/// How a demo is played.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Plays one act to its end and judges it; else it goes on until it is stopped.
    pub once: bool,
    /// What people do is drawn from this; without one it is another demo each time.
    pub seed: Option<u64>,
    /// An empty folder to keep all files in; else a passing one.
    pub dir: Option<PathBuf>,
    /// Whether standard output is a terminal that the live view may draw on.
    pub terminal: bool,
    /// Whether standard output is for one JSON object.
    pub json: bool,
}

/// What came of a demo.
#[derive(Clone, Debug)]
pub struct Played {
    /// Whether everything holds; nothing when it was stopped before it could be judged.
    pub holds: Option<bool>,
    /// The figures.
    pub fields: Map<String, Value>,
    /// The same for people.
    pub lines: Vec<String>,
}

impl Played {
    fn stopped(mut lines: Vec<String>) -> Self {
        lines.insert(0, "the demo was ended".to_owned());
        Self { holds: None, fields: Map::new(), lines }
    }
}

/// Plays a demo. Whatever happens, all that it started is ended before this returns, and removed
/// unless a folder was named for it.
///
/// # Errors
/// When something could not be started, or fell in a way that leaves nothing to judge.
pub async fn run(options: DemoOptions) -> anyhow::Result<Played> {
    let seed = options.seed.unwrap_or_else(fresh_seed);
    let folder = Arc::new(Folder::make(options.dir.as_deref(), seed)?);
    let clusters = Arc::new(Clusters::default());
    let stop = CancellationToken::new();
    // A task of its own: when it fails, in whatever way, what it started is still ended here.
    let mut play = {
        let (folder, clusters, stop) = (folder.clone(), clusters.clone(), stop.clone());
        tokio::spawn(async move { play(&options, seed, &folder, &clusters, &stop).await })
    };
    let played = tokio::select! {
        played = &mut play => Some(played),
        ended = ended() => {
            ended?;
            stop.cancel();
            None
        }
    };
    let played = match played {
        Some(played) => played,
        None => play.await,
    };
    let cleared = clusters.stop(&folder).await;
    let mut played = played.context("the demo fell")??;
    cleared?;
    played.lines.extend(farewell(&folder, seed));
    Ok(played)
}

/// Ctrl-C, the signal of service managers, or that of a terminal that is closed.
async fn ended() -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("signals cannot be listened to")?;
    tokio::select! {
        ended = crate::cli::signals::ended() => ended,
        _ = hangup.recv() => Ok(()),
    }
}

async fn play(
    options: &DemoOptions,
    seed: u64,
    folder: &Arc<Folder>,
    clusters: &Clusters,
    stop: &CancellationToken,
) -> anyhow::Result<Played> {
    let style = match (options.json, options.terminal) {
        (true, _) => Style::Quiet,
        (false, true) => Style::Terminal,
        (false, false) => Style::Lines,
    };
    let progress = Progress::new(seed, style);
    progress.intro();
    progress.phase("starting a simulated CRM and two private Postgres");
    // Stopped by dropping it: what it started is known to `clusters`, or killed when dropped.
    let stage = tokio::select! {
        stage = Stage::set(folder, clusters, seed) => stage?,
        () = stop.cancelled() => return Ok(Played::stopped(Vec::new())),
    };
    let players = Arc::new(Players::new(stage.crm.clone(), stage.ops.clone()));
    let played = tokio::select! {
        played = acts(options.once, seed, &stage, &players, &progress) => Some(played),
        () = show(&progress, &stage, &players) => None,
        () = stop.cancelled() => None,
    };
    let figures = match played {
        None => figures(&stage, &players).await,
        Some(_) => Vec::new(),
    };
    let struck = stage.strike().await;
    let report = match played {
        Some(played) => played?,
        None => return struck.map(|()| Played::stopped(figures)),
    };
    struck?;
    Ok(Played { holds: Some(report.holds()), fields: report.json(), lines: report.words() })
}

/// Seeds, starts the engine, and plays: one act with a verdict, or act after act.
async fn acts(
    once: bool,
    seed_number: u64,
    stage: &Stage,
    players: &Arc<Players>,
    progress: &Progress,
) -> anyhow::Result<Report> {
    progress.phase("seeding both systems");
    seed(&stage.crm, &stage.ops).await?;
    let seeded = last_seqs(&stage.crm, &stage.ops).await?;
    progress.phase("first load: matching and creating what is missing");
    stage.engine.start().await?;
    loaded(stage).await?;
    for act in 0.. {
        progress.phase("people edit both sides; the engine is killed now and then");
        play_act(&Plan::draw(seed_number, act), stage, players, progress).await?;
        if once {
            break;
        }
    }
    verdict(seed_number, stage, players, progress, seeded).await
}

async fn play_act(
    plan: &Plan,
    stage: &Stage,
    players: &Arc<Players>,
    progress: &Progress,
) -> anyhow::Result<()> {
    progress.plan(plan.saves());
    let begun = now();
    let kills = async {
        for kill in &plan.kills {
            pause_until(begun + *kill).await;
            recovery::kill(stage, progress).await?;
        }
        anyhow::Ok(())
    };
    let (played, killed) = tokio::join!(players.play(plan), kills);
    played?;
    killed
}

async fn verdict(
    seed: u64,
    stage: &Stage,
    players: &Players,
    progress: &Progress,
    seeded: Sides<u64>,
) -> anyhow::Result<Report> {
    progress.phase("waiting until all is quiet");
    let quiet = quiet(stage).await?;
    progress.phase("judging both histories and the queue");
    let evidence = gather(stage, players.reads(), seeded, quiet.last).await?;
    stage.keep("evidence.jsonl", &evidence.lines().join("\n"))?;
    let engine = stage.engine.look();
    let faults = quiet.noise.into_iter().chain(engine.fallen).collect();
    Ok(Report {
        seed,
        verdict: judge(&evidence),
        gauges: Gauges::read(&stage.ledger).await?,
        kills: engine.kills,
        recovery: quantiles(stage.engine.recoveries()),
        api_calls: stage.crm.api_calls().await?,
        latency: players.latency.of_all(),
        latency_to: Report::by_side(&players.latency),
        unseen: players.latency.unseen(),
        faults,
        took: progress.took(),
    })
}
