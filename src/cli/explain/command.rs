//! The command: what it is asked, and the answer in lines and as JSON.

use std::path::Path;

use clap::{ArgGroup, Args};
use serde_json::{Map, Value as Json};
use syncline_sdk::LinkId;

use super::history::{History, entries};
use super::pair::{find, unit_of};
use crate::cli::desk::Desk;
use crate::cli::{Exit, Output, Stop};
use crate::queue::{entry, link};

const EXAMPLES: &str = "\
Examples:
  syncline explain accounts --left 001xx000003DGb1AAG
  syncline explain accounts --right 4711 --field Phone
  syncline explain accounts --link 0198f3a2-5c1e-7d00-a111-4f7a9c2e5b10 --limit 200
  syncline explain accounts --right 4711 --json | jq '.entries[0]'

First how the pair stands: what was last agreed, what differs from it, what is under way or waits.
Then the journal of the pair, newest entry first: what was observed (by whom, when, from what to
what), what was decided and why, what was written, what became of it. A pair that moved between
mappings is found by its records in each of them, with all of its journal.

Exit code 1 when the ledger has no such pair.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("record").required(true).args(["left", "right", "link"]))]
pub(in crate::cli) struct Arguments {
    /// The mapping.
    #[arg(value_name = "MAPPING")]
    pub(super) mapping: String,

    /// The key of the left record.
    #[arg(long, value_name = "KEY")]
    pub(super) left: Option<String>,

    /// The key of the right record.
    #[arg(long, value_name = "KEY")]
    pub(super) right: Option<String>,

    /// The id of the link.
    #[arg(long, value_name = "ID")]
    pub(super) link: Option<LinkId>,

    /// Only what is about one field, by its name on either side.
    #[arg(long, value_name = "NAME")]
    pub(super) field: Option<String>,

    /// The most journal entries that are told.
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) limit: u32,

    /// Show the values of sensitive fields too.
    #[arg(long)]
    pub(super) reveal: bool,
}

pub(in crate::cli) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let desk = Desk::open(config).await?.revealing(arguments.reveal);
    let mapping = desk.named(&arguments.mapping)?.clone();
    if let Some(name) = &arguments.field {
        unit_of(&mapping, name)?;
    }
    let pair = find(&desk, &mapping, &arguments).await?;
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let History { entries, more, removed } =
        entries(&desk, arguments.field.as_deref(), &pair.link, limit).await?;
    for line in link::lines(&desk, &pair) {
        output.line(&line);
    }
    for entry in &entries {
        output.line("");
        let of = desk.mapping(entry.mapping);
        let mut lines = entry::lines(&of, entry);
        if let Some(head) = lines.first_mut().filter(|_| of.id != pair.link.mapping) {
            head.push_str(&format!(", in mapping {}", of.name));
        }
        for line in lines {
            output.line(&line);
        }
    }
    if entries.is_empty() {
        output.line("");
        output.line("the journal has no entry about it");
    }
    if removed && !more {
        output.line("");
        output.line("older entries were removed: `retention.journal` says how long they are kept");
    }
    if more {
        output.line("");
        output.line(&format!("older entries are not shown: raise --limit {limit}"));
    }
    let mut fields = Map::new();
    fields.extend(link::json(&pair));
    let told: Json = entries.iter().map(|of| entry::json(&desk.mapping(of.mapping), of)).collect();
    fields.insert("entries".to_owned(), told);
    fields.insert("more".to_owned(), more.into());
    fields.insert("removed".to_owned(), removed.into());
    output.answer("explain", fields);
    Ok(Exit::Well)
}
