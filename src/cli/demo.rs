//! `syncline demo`

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;

use super::{Exit, Output, Stop};
use crate::demo::{self, DemoOptions};

const EXAMPLES: &str = "\
Examples:
  syncline demo                  watch it; Ctrl-C ends it
  syncline demo --once           play one act to its end, and judge what came of it
  syncline demo --once --json    the same, answered as one line of JSON
  syncline demo --once --seed 7  what people do, drawn as it was the last time

It needs no account and no settings: a simulated CRM, a private Postgres for the ledger and
another for the operational database, all of them ended and removed when it ends. The exit code of
--once is 0 only if no edit was lost, duplicated or invented and both sides agree.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Play one act to its end, wait until all is quiet, and judge it from both histories.
    #[arg(long)]
    once: bool,
    /// Draw what people do from this number; each time anew when it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Keep settings, logs and databases in this folder, which must be new or empty.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments, output: &Output) -> Result<Exit, Stop> {
    let options = DemoOptions {
        once: arguments.once,
        seed: arguments.seed,
        dir: arguments.dir,
        terminal: std::io::stdout().is_terminal(),
        json: output.is_json(),
    };
    let played = demo::run(options).await?;
    for line in &played.lines {
        output.line(line);
    }
    if played.holds.is_some() {
        output.answer("demo", played.fields);
    }
    // Without `--once` it is ended by those who watch it.
    Ok(if played.holds.unwrap_or(!arguments.once) { Exit::Well } else { Exit::Failed })
}
