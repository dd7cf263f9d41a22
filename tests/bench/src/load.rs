//! The first load of 100,000 records: matching, and creates.

use std::time::Duration;

use anyhow::ensure;

use crate::Settings;
use crate::clock::now;
use crate::figures::loads_done;
use crate::people::{PEOPLE, People, SYSTEMS};
use crate::process;
use crate::report::{Measured, Target};
use crate::stage::Stage;

const LIMIT: Duration = Duration::from_secs(60);

/// Loads two equal tables, then one into an empty one.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<Vec<Measured>> {
    let count = if settings.quick { 10_000 } else { 100_000 };
    let mut measured = Vec::new();
    let mut stage = Stage::new(&["west", "east"]).await?;
    let people = People { count, table: "people" };
    people.make(&stage.pool(1).await?, 0, true).await?;
    people.make(&stage.pool(2).await?, 1_000_000, true).await?;
    let load = load(&mut stage, people, PEOPLE).await?;
    measured.push(
        Measured::new("first load, both sides filled: records matched", load.per_second, "per s")
            .beside(Target::AtLeast(5_000.0)),
    );
    measured.push(Measured::new("first load, matched: CPU a record, all", load.cpu_us, "µs"));
    let people = People { count, table: "newcomers" };
    people.make(&stage.pool(1).await?, 0, true).await?;
    people.make(&stage.pool(2).await?, 1_000_000, false).await?;
    let mapping = PEOPLE.replace("people", "newcomers");
    let load = self::load(&mut stage, people, &mapping).await?;
    measured.push(
        Measured::new("first load, one side empty: records created", load.per_second, "per s")
            .beside(Target::AtLeast(5_000.0)),
    );
    measured.push(Measured::new("first load, created: CPU a record, all", load.cpu_us, "µs"));
    measured.push(Measured::new("first load: peak memory of the engine", load.peak, "MB"));
    Ok(measured)
}

/// How a load went.
pub(crate) struct Load {
    pub per_second: f64,
    cpu_us: f64,
    peak: f64,
}

/// Starts the engine with a mapping and waits until both sides are loaded and equal.
pub(crate) async fn load(stage: &mut Stage, people: People, mapping: &str) -> anyhow::Result<Load> {
    let (ledger, west, east) = (stage.pool(0).await?, stage.pool(1).await?, stage.pool(2).await?);
    let seconds =
        |stage: &Stage| -> anyhow::Result<f64> { (0..3).map(|at| stage.cluster_seconds(at)).sum() };
    let before = seconds(stage)?;
    let start = now();
    stage.start_engine(SYSTEMS, "1s", &[(people.table, mapping)])?;
    let done = async || {
        if loads_done(&ledger, people.table).await? < 2 {
            return Ok(false);
        }
        if people.rows(&west).await? != people.rows(&east).await? {
            return Ok(false);
        }
        Ok(people.digest(&west).await? == people.digest(&east).await?)
    };
    stage.until("the first load", LIMIT, done).await?;
    let taken = start.elapsed().as_secs_f64();
    let engine = stage.engine()?;
    let cpu = seconds(stage)? - before + process::seconds(engine)?;
    let (count, _) = people.digest(&east).await?;
    ensure!(count == people.count, "{count} records on the other side, not {}", people.count);
    #[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
    let records = people.count as f64;
    Ok(Load {
        per_second: records / taken,
        cpu_us: cpu / records * 1e6,
        peak: process::peak_megabytes(engine)?,
    })
}
