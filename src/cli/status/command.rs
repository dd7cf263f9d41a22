//! The command: the report, in lines and as JSON.

use std::path::Path;

use clap::Args;

use super::{lines, report};
use crate::cli::desk::{Desk, command};
use crate::cli::{Exit, Output, Stop};

const EXAMPLES: &str = "\
Examples:
  syncline status                        how everything stands
  syncline status --limit 200            with up to 200 parked records and gaps
  syncline status --json | jq .engine

All of it comes from the ledger, so it works while the engine and the systems are down. Exit code
0 whenever the ledger answers; for a health check use `syncline health`.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The most parked records and gaps that are told.
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

pub(in crate::cli) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let Some(desk) = Desk::find(config).await? else {
        let run = command(config, "run");
        output.line(&format!("nothing has run with these settings yet: start `{run}`"));
        output.answer("status", report::nothing());
        return Ok(Exit::Well);
    };
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let report = report::Report::read(&desk, limit).await?;
    for line in lines::lines(&desk, &report) {
        output.line(&line);
    }
    output.answer("status", report.json(&desk));
    Ok(Exit::Well)
}
