//! The command: the report, in lines and as JSON.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::Map;
use syncline_ledger::LinkCount;
use syncline_ledger::postgres::Postgres;

use super::lines;
use crate::cli::desk::{Desk, command};
use crate::cli::{Exit, Output, Stop, signals, told};
use crate::installation::read_settings;
use crate::queue::removed::Files;
use crate::queue::report;
use crate::queue::report::Report;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  syncline status                        how everything stands
  syncline status --watch                the same every two seconds, until Ctrl-C
  syncline status --watch 10 --json      one object a line, every ten seconds
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

    /// Tell it again and again, every so many seconds (2), until stopped.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    watch: Option<u64>,

    /// Show what systems said of records with sensitive fields too: it may repeat their values.
    #[arg(long)]
    reveal: bool,
}

/// How often all links are counted while somebody watches, seconds: every one is read for it.
const COUNTED_EVERY_S: u64 = 60;

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
    let desk = desk.revealing(arguments.reveal);
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let settings = read_settings(config)?.value;
    let files = Files::of(&settings);
    if let Some(seconds) = arguments.watch {
        let ledger = desk.ledger.looking();
        let (files, reveal) = (files.as_ref(), arguments.reveal);
        let watched =
            Watched { ledger: &ledger, config, settings: &settings, limit, files, reveal };
        let watching = watched.watch(seconds, output);
        return tokio::select! {
            stopped = watching => Err(stopped),
            ended = signals::ended() => Ok(ended.map(|()| Exit::Well)?),
        };
    }
    let report = Report::read(&desk, limit, None, files.as_ref()).await?;
    for line in lines::lines(&desk, &report, &settings) {
        output.line(&line);
    }
    output.answer("status", report.json(&desk));
    Ok(Exit::Well)
}

/// What is watched.
struct Watched<'a> {
    ledger: &'a Postgres,
    config: &'a Path,
    settings: &'a Settings,
    limit: usize,
    files: Option<&'a Files>,
    reveal: bool,
}

impl Watched<'_> {
    /// Tells it again and again. A ledger that gives no answer for a while is told of, and asked
    /// again.
    async fn watch(&self, seconds: u64, output: &Output) -> Stop {
        let mut counted: Option<(u64, Vec<LinkCount>)> = None;
        loop {
            counted = counted.filter(|(age, _)| *age < COUNTED_EVERY_S);
            let age = counted.as_ref().map_or(0, |(age, _)| *age);
            match self.look(counted.as_ref().map(|(_, links)| links.clone())).await {
                Ok((desk, report)) => {
                    output.screen(&lines::lines(&desk, &report, self.settings));
                    output.answer("status", report.json(&desk));
                    counted = Some((age + seconds, report.links));
                }
                Err(Stop::Failed(error)) => {
                    let error = told(&*error);
                    output.screen(&[format!("the ledger gives no answer: {error}")]);
                    output.answer("status", Map::from_iter([("error".to_owned(), error.into())]));
                }
                Err(stop) => return stop,
            }
            wait(Duration::from_secs(seconds)).await;
        }
    }

    async fn look(&self, links: Option<Vec<LinkCount>>) -> Result<(Desk, Report), Stop> {
        let desk = Desk::at(self.ledger, self.config).await?.revealing(self.reveal);
        let report = Report::read(&desk, self.limit, links, self.files).await?;
        Ok((desk, report))
    }
}

#[expect(clippy::disallowed_methods, reason = "who watches looks again by time")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}
