//! Two Postgres databases in two clusters, edited by people on both sides all the time, and kept
//! in agreement by the engine.

use std::time::Duration;

use anyhow::ensure;
use sqlx::PgPool;

use crate::Settings;
use crate::clock::{ms, now, pause};
use crate::figures::Figures;
use crate::load::load;
use crate::people::{Editor, PEOPLE, People};
use crate::process;
use crate::report::{Measured, Target};
use crate::stage::Stage;

/// How many edits may be on their way before people pause: what is measured is a steady state.
const BACKLOG_MAX: i64 = 20_000;
/// How many edits one call of the generator makes on one side.
const CHUNK: i64 = 2_000;
/// How long the engine may take to finish when people have stopped.
const DRAIN: Duration = Duration::from_secs(60);

/// Measures 1, 20 and 100 rows a transaction, one after the other on the same records.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<Vec<Measured>> {
    let count = if settings.quick { 20_000 } else { 50_000 };
    let mut stage = Stage::new(&["west", "east"]).await?;
    let people = People { count, table: "people" };
    for (at, base) in [(1, 0), (2, 1_000_000)] {
        let pool = stage.pool(at).await?;
        people.make(&pool, base, true).await?;
        people.generator(&pool, base).await?;
    }
    load(&mut stage, people, PEOPLE).await?;
    let mut run = Run {
        ledger: stage.pool(0).await?,
        sides: [stage.pool(1).await?, stage.pool(2).await?],
        editors: [
            Editor::open(&stage.url(1), people, 0).await?,
            Editor::open(&stage.url(2), people, 1).await?,
        ],
        people,
        stage,
    };
    let mut measured = Vec::new();
    for size in [1, 20, 100] {
        measured.extend(run.measure(settings, size).await?);
    }
    let peak = process::peak_megabytes(run.stage.engine()?)?;
    measured.push(
        Measured::new("sustained: peak memory of the engine", peak, "MB")
            .beside(Target::AtMost(150.0)),
    );
    Ok(measured)
}

struct Run {
    stage: Stage,
    ledger: PgPool,
    sides: [PgPool; 2],
    editors: [Editor; 2],
    people: People,
}

/// What was used up to an instant.
#[derive(Clone, Copy, Debug)]
struct Account {
    at: std::time::Instant,
    writes: i64,
    /// The ledger's cluster, both operational clusters without people's sessions, the engine, and
    /// the generator: people's sessions with this process.
    seconds: [f64; 4],
}

const PARTS: [&str; 4] = ["ledger's Postgres", "operational Postgres", "engine", "people"];

impl Run {
    async fn measure(&mut self, settings: &Settings, size: i64) -> anyhow::Result<Vec<Measured>> {
        let (warm, steady) = if settings.quick { (1, 5) } else { (3, 15) };
        let figures = Figures::read(&self.ledger).await?;
        let edits_before: i64 = self.editors.iter().map(Editor::edits).sum();
        let start = now();
        let stop = start + Duration::from_secs(warm + steady);
        let (from, to) = self.play(size, start + Duration::from_secs(warm), stop).await?;
        self.drain().await?;
        let done = Figures::read(&self.ledger).await?;
        let edits = self.editors.iter().map(Editor::edits).sum::<i64>() - edits_before;
        let writes = done.get("writes") - figures.get("writes");
        let time = (to.at - from.at).as_secs_f64();
        let changes = float(to.writes - from.writes);
        let what = |what: &str| format!("sustained, {size} a transaction: {what}");
        let mut measured = vec![
            Measured::new(what("changes, both directions"), changes / time, "per s")
                .beside(Target::AtLeast(10_000.0)),
        ];
        let used: Vec<f64> = (0..4).map(|part| to.seconds[part] - from.seconds[part]).collect();
        let all: f64 = used.iter().sum();
        measured.push(Measured::new(what("changes a CPU second, all"), changes / all, "per s"));
        for (part, used) in PARTS.iter().zip(&used) {
            let name = what(&format!("CPU a change, {part}"));
            measured.push(Measured::new(name, used / changes * 1e6, "µs"));
        }
        measured.push(
            Measured::new(what("sync writes an edit"), float(writes) / float(edits), "")
                .beside(Target::AtMost(1.0)),
        );
        measured.push(Measured::new(what("load average"), process::load_average(), ""));
        Ok(measured)
    }

    /// Plays edits on both sides until `stop`; gives the accounts at `from` and at the end.
    async fn play(
        &mut self,
        size: i64,
        from: std::time::Instant,
        stop: std::time::Instant,
    ) -> anyhow::Result<(Account, Account)> {
        let backends = [self.editors[0].backend, self.editors[1].backend];
        let made = [&self.editors[0], &self.editors[1]].map(Editor::edits);
        let base = Figures::read(&self.ledger).await?.get("writes");
        let progress = tokio::sync::watch::Sender::new(0_i64);
        let [west, east] = &mut self.editors;
        let players = async {
            tokio::try_join!(
                player(west, size, stop, made[0], progress.subscribe()),
                player(east, size, stop, made[1], progress.subscribe()),
            )
        };
        let (stage, ledger) = (&mut self.stage, &self.ledger);
        let watching = async {
            let mut first = None;
            loop {
                stage.engine_runs()?;
                let writes = Figures::read(ledger).await?.get("writes");
                progress.send_replace(writes - base);
                let at = now();
                if first.is_none() && at >= from {
                    first = Some(account(stage, backends, writes)?);
                }
                if let (Some(first), true) = (first, at >= stop) {
                    return Ok((first, account(stage, backends, writes)?));
                }
                pause(ms(50)).await;
            }
        };
        let (_, accounts) = tokio::try_join!(players, watching)?;
        Ok(accounts)
    }

    /// Waits until nothing moves and both sides are equal; fails when an edit was lost.
    async fn drain(&mut self) -> anyhow::Result<()> {
        let (people, sides, ledger) = (self.people, &self.sides, &self.ledger);
        let last = std::cell::RefCell::new(Figures::default());
        let equal = async || {
            let figures = Figures::read(ledger).await?;
            if *last.borrow() != figures {
                *last.borrow_mut() = figures;
                pause(ms(300)).await;
                return Ok(false);
            }
            Ok(people.digest(&sides[0]).await? == people.digest(&sides[1]).await?)
        };
        self.stage.until("both sides equal after the edits", DRAIN, equal).await?;
        for (side, editor) in self.sides.iter().zip(&self.editors) {
            people.no_edit_is_lost(side, editor.parity(), editor.own).await?;
        }
        let reviews: i64 =
            sqlx::query_scalar("select count(*) from syncline.review where status <> 2")
                .fetch_one(&self.ledger)
                .await?;
        ensure!(reviews == 0, "{reviews} questions to people, where the mapping decides all");
        Ok(())
    }
}

/// One side's people: they edit as fast as they may, and pause while too much is on its way.
async fn player(
    editor: &mut Editor,
    size: i64,
    stop: std::time::Instant,
    before: i64,
    mut progress: tokio::sync::watch::Receiver<i64>,
) -> anyhow::Result<()> {
    while now() < stop {
        // Half of what was written came from this side.
        let on_the_way = editor.edits() - before - *progress.borrow_and_update() / 2;
        if on_the_way > BACKLOG_MAX / 2 {
            if progress.changed().await.is_err() {
                break;
            }
            continue;
        }
        editor.edit(CHUNK, size).await?;
    }
    Ok(())
}

fn account(stage: &Stage, people: [i32; 2], writes: i64) -> anyhow::Result<Account> {
    let sessions = process::seconds(people[0])? + process::seconds(people[1])?;
    let seconds = [
        stage.cluster_seconds(0)?,
        stage.cluster_seconds(1)? + stage.cluster_seconds(2)? - sessions,
        process::seconds(stage.engine()?)?,
        process::own_seconds()? + sessions,
    ];
    Ok(Account { at: now(), writes, seconds })
}

#[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
fn float(count: i64) -> f64 {
    count as f64
}
