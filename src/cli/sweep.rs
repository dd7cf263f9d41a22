//! `syncline sweep`

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value as Json, json};
use syncline_core::mapping::language::Diagnostic;
use syncline_engine::{SweepPlace, SweepStep, sweep_stream};
use syncline_ledger::{Ledger as _, People as _};

use super::desk::{Desk, KnownMapping};
use super::{Exit, Output, Stop};

const EXAMPLES: &str = "\
Examples:
  syncline sweep                 every mapping, as soon as may be
  syncline sweep accounts        one of them
  syncline sweep accounts --wait ends when the pass is over

A sweep compares all records of both sides through the same rules as everything else, and finds
what events missed. One runs by itself every `sweep_every` of the settings (24h) and rests between
its steps; this asks the running engine for a whole pass without rests. Sweeps never use the part
of a daily quota that `quota_reserve` keeps.";

/// How often a pass that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(500);

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
    if arguments.wait && !desk.engine_runs().await? {
        let message = "no engine runs on this ledger: a sweep would be waited for without end";
        let help = format!("start `{}`, or leave out --wait", desk.command("run"));
        return Err(Stop::Found(Diagnostic::error(message).help(help).into()));
    }
    let mappings: Vec<KnownMapping> = match arguments.mappings.as_slice() {
        [] => desk.mappings.clone(),
        names => {
            let named = names.iter().map(|name| desk.named(name).cloned());
            named.collect::<Result<_, _>>()?
        }
    };
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

/// Waits until every pass is over that answers what was asked.
async fn wait(desk: &Desk, passes: &[Pass], output: &Output) -> Result<(), Stop> {
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
        look_again().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the pace of looking at a pass that runs elsewhere")]
async fn look_again() {
    tokio::time::sleep(LOOK).await;
}
