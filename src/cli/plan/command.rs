//! The command: the rehearsal, in lines and as JSON.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use syncline_core::machine::{Limits, Mappings};
use syncline_core::mapping::language::Diagnostics;
use syncline_engine::driver::{RandomIds, SystemClock};
use syncline_engine::{Parts, rehearse};
use syncline_ledger::{Ledger, Overlay};

use super::telling::Telling;
use super::{findings, json, lines};
use crate::cli::output::findings_json;
use crate::cli::{Exit, Installation, Kept, Output, Stop, bind_all, reach, with_kept};
use crate::service::{check_same_records, find_ledger};

const EXAMPLES: &str = "\
Examples:
  syncline plan                    what `syncline run` would do now, before the first run or after
  syncline plan --samples 0        the counts alone
  syncline plan --json | jq '.mappings[].creates'

Reads both systems whole and decides with the rules of `syncline run`; nothing is written to the
systems or to the ledger. Deletions, renamed filters and changed mappings show as what they would
lead to. What waits for a person already, or is set aside, is counted and not planned; a value that
a system gives a new record by itself comes back as an edit, of which no plan can tell. Exit code 0
when a run would change nothing and ask nobody, 2 when it would, or when that cannot be told of
every record: one that changed within the last second, or waits for another or for an answer.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The most examples that are told of a kind.
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u8).range(0..=5))]
    samples: u8,

    /// Show the values of sensitive fields too.
    #[arg(long)]
    reveal: bool,
}

pub(in crate::cli) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let mut installation = Installation::open(config)?;
    let (kept, mut found) = with_kept(&mut installation).await;
    let found_ledger = find_ledger(&installation.settings).await?;
    // One that no sync has run with may have tables of another release, or none.
    let ledger = found_ledger.filter(|found| found.install.is_some());
    let ledger = ledger.map(|found| Arc::new(found.ledger));
    if let Some(ledger) = &ledger {
        check_same_records(ledger, &installation.specs).await?;
    }
    let mappings = bind(&installation, &kept, &mut found).await;
    if found.has_errors() {
        return Err(found.into());
    }
    let mappings: Mappings = mappings.into_iter().map(|one| (one.id, Arc::new(one))).collect();
    let below = ledger.map(|ledger| ledger as Arc<dyn Ledger>);
    let parts = Parts {
        ledger: Arc::new(Overlay::new(below)),
        install: installation.install.clone(),
        owner: "plan".to_owned(),
        mappings: mappings.clone(),
        connectors: installation.connectors.clone(),
        away: BTreeMap::new(),
        clock: Arc::new(SystemClock),
        ids: Box::new(RandomIds),
        limits: Limits::default(),
    };
    let mut read = 0;
    let plan = rehearse(parts, |id, side, records| {
        read += records;
        let mapping = &mappings[&id];
        let system = &mapping.sides[side].system;
        output.progress(&format!("{}: reading {system} ... {read} records so far", mapping.name));
    })
    .await;
    output.progress("");
    if plan.is_err() {
        output.findings(&found);
    }
    let plan = plan.context("the plan was not made")?;
    let samples = usize::from(arguments.samples);
    let telling = Telling { samples, reveal: arguments.reveal };
    for line in lines::lines(&mappings, &plan, telling) {
        output.line(&line);
    }
    output.remarks(&findings::lines(&found));
    let mut fields = findings_json(&found);
    fields.extend(json::fields(&mappings, &plan, telling));
    output.answer("plan", fields);
    Ok(if plan.is_quiet() { Exit::Well } else { Exit::Found })
}

/// The mappings as the systems are now, with the numbers that the ledger gave them.
async fn bind(
    installation: &Installation,
    kept: &Kept,
    found: &mut Diagnostics,
) -> Vec<syncline_core::mapping::Mapping> {
    let reached = reach(installation).await;
    let bound = bind_all(installation, &reached, kept).await;
    found.extend(reached.found);
    let mut mappings = Vec::new();
    for one in bound {
        match one.mapping {
            Ok(checked) => {
                found.extend(checked.warnings);
                mappings.push(checked.value);
            }
            Err(errors) => found.extend(errors),
        }
    }
    mappings
}
