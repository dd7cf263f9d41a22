//! `syncline sweep`

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value as Json, json};
use syncline_core::mapping::language::{Diagnostic, one_of};
use syncline_engine::{SweepPlace, SweepStep, sweep_stream};
use syncline_ledger::{AwaitedThing, Ledger as _, People as _};
use syncline_sdk::SystemName;

use super::desk::{Desk, KnownMapping};
use super::words::plain;
use super::{Exit, Output, Stop};
use crate::installation::read_settings;
use crate::settings::load_mappings;

const EXAMPLES: &str = "\
Examples:
  syncline sweep                 every mapping, as soon as may be
  syncline sweep accounts        one of them
  syncline sweep accounts --wait ends when the pass is over

A sweep compares all records of both sides through the same rules as everything else, and finds
what events missed. One runs by itself every `sweep_every` of the settings (24h) and rests between
its steps; this asks the running engine for a whole pass without rests. Sweeps never use the part
of a daily quota that `quota_reserve` keeps.

Exit code 2 when a pass that is waited for cannot go on: no engine runs, or it waits for a system.
What was asked for stays so, and is done when it can.";

/// How often a pass that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How many looks in a row may find no engine: one that is started anew takes a moment.
const LOOKS_WITHOUT_ENGINE: u32 = 10;

/// How many looks in a row may find that no pass has moved: five minutes, many times as long as
/// any call takes.
const LOOKS_WITHOUT_STEP: u32 = 600;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The mappings; all of them where none is named.
    #[arg(value_name = "MAPPING")]
    mappings: Vec<String>,
    /// Wait until the passes are over.
    #[arg(long)]
    wait: bool,
}

/// A pass that was asked for.
struct Pass {
    mapping: KnownMapping,
    asked: i64,
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let desk = Desk::open(config).await?;
    if arguments.wait && !engine_comes(&desk).await? {
        let message = "no engine runs on this ledger: a sweep would be waited for without end";
        let help = format!("start `{}`, or leave out --wait", desk.command("run"));
        return Err(Stop::Found(Diagnostic::error(message).help(help).into()));
    }
    let mappings = chosen(&desk, config, &arguments.mappings)?;
    let mut passes = Vec::new();
    for mapping in mappings {
        let asked = desk.ledger.ask_sweep(mapping.id).await.context("the ledger")?;
        passes.push(Pass { mapping, asked });
    }
    for pass in &passes {
        output.line(&format!("{}: a sweep is asked for", pass.mapping.name));
    }
    if arguments.wait {
        wait(&desk, &passes, output).await?;
        output.progress("");
        output.line("the sweeps are over");
    } else {
        output.line(&format!(
            "it begins within seconds while `{}` runs; `{}` tells how far it is",
            desk.command("run"),
            desk.command("status")
        ));
    }
    let told =
        passes.iter().map(|pass| json!({ "mapping": pass.mapping.name, "asked": pass.asked }));
    let sweeps: Json = told.collect();
    output.answer("sweep", Map::from_iter([("sweeps".to_owned(), sweeps)]));
    Ok(Exit::Well)
}

/// The mappings that are to be swept: of the files, since nothing runs one that has none.
fn chosen(desk: &Desk, config: &Path, names: &[String]) -> Result<Vec<KnownMapping>, Stop> {
    let settings = read_settings(config)?.value;
    let systems: Vec<SystemName> =
        settings.systems.iter().map(|system| system.name.clone()).collect();
    let specs = load_mappings(&settings.mappings, &systems)?.value;
    let in_files = |name: &str| specs.iter().any(|spec| **spec.name == *name);
    if names.is_empty() {
        let known = desk.mappings.iter().filter(|mapping| in_files(&mapping.name));
        return Ok(known.cloned().collect());
    }
    let named = names.iter().map(|name| {
        let known = desk.named(name)?;
        if in_files(name) {
            return Ok(known.clone());
        }
        let files = specs.iter().map(|spec| &**spec.name);
        let message = format!("no mapping file says `{}` any more: nothing runs it", known.name);
        let help = format!("the files say {}", one_of(files));
        Err(Stop::Found(Diagnostic::error(message).help(help).into()))
    });
    named.collect()
}

/// Whether an engine runs. One that is busy may renew its lease late, and one that is started
/// anew takes a moment.
async fn engine_comes(desk: &Desk) -> Result<bool, Stop> {
    for _ in 1..LOOKS_WITHOUT_ENGINE {
        if desk.engine_runs().await? {
            return Ok(true);
        }
        look_again().await;
    }
    desk.engine_runs().await
}

/// Why a pass cannot go on for now; nothing when it can.
async fn held_up(desk: &Desk, mapping: &KnownMapping) -> Result<Option<String>, Stop> {
    let reads = |name: &SystemName| {
        let spec = mapping.spec.as_ref();
        spec.is_some_and(|spec| spec.sides.iter().any(|(_, side)| *side.system == *name))
    };
    let awaited = desk.ledger.awaited().await.context("the ledger")?;
    let reasons = awaited.into_iter().filter_map(|awaited| {
        let (kind, name) = match &awaited.thing {
            AwaitedThing::System(name) if reads(name) => ("system", name.as_str()),
            AwaitedThing::Mapping(name) if *name == mapping.name => ("mapping", name.as_str()),
            _ => return None,
        };
        Some(format!("{kind} {} is waited for: {}", plain(name), plain(&awaited.reason)))
    });
    Ok(reasons.into_iter().next())
}

fn given_up(desk: &Desk, mapping: &KnownMapping, why: &str) -> Stop {
    let message = format!("the sweep of {} is not over: {why}", mapping.name);
    let help = format!(
        "it stays asked for and goes on when it can; `{}` tells how far it is",
        desk.command("status")
    );
    Stop::Found(Diagnostic::error(message).help(help).into())
}

/// Waits until every pass is over that answers what was asked, or one cannot go on.
async fn wait(desk: &Desk, passes: &[Pass], output: &Output) -> Result<(), Stop> {
    let (mut without_engine, mut without_step) = (0, 0);
    let mut last: Vec<Option<SweepPlace>> = Vec::new();
    loop {
        let positions = desk.ledger.positions().await.context("the ledger")?;
        let place = |mapping: &KnownMapping| -> Option<SweepPlace> {
            let stream = sweep_stream(&mapping.name);
            let known = positions.iter().find(|known| known.stream == stream);
            known.and_then(|known| known.place.parse().ok())
        };
        let over = |pass: &&Pass| {
            place(&pass.mapping).is_some_and(|place| place.is_over() && place.asked >= pass.asked)
        };
        let Some(pass) = passes.iter().find(|pass| !over(pass)) else { return Ok(()) };
        let at = place(&pass.mapping).map_or("begins", |place| match place.next {
            SweepStep::Scan(side, _) => side.as_str(),
            SweepStep::Links(_) => "links",
            SweepStep::Done => "begins",
        });
        output.progress(&format!("{}: {at}", pass.mapping.name));
        let places: Vec<_> = passes.iter().map(|pass| place(&pass.mapping)).collect();
        without_step = if places == last { without_step + 1 } else { 0 };
        last = places;
        without_engine = if desk.engine_runs().await? { 0 } else { without_engine + 1 };
        let why = if without_engine >= LOOKS_WITHOUT_ENGINE {
            Some("the engine has stopped".to_owned())
        } else if without_step >= LOOKS_WITHOUT_STEP {
            let why =
                "it has not moved for minutes: a system gives no answer, or its quota is kept";
            Some(why.to_owned())
        } else {
            held_up(desk, &pass.mapping).await?
        };
        if let Some(why) = why {
            output.progress("");
            return Err(given_up(desk, &pass.mapping, &why));
        }
        look_again().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the pace of looking at a pass that runs elsewhere")]
async fn look_again() {
    tokio::time::sleep(LOOK).await;
}
