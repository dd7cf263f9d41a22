//! `syncline replay`

use std::path::Path;

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use serde_json::Map;
use syncline_core::mapping::language::Diagnostic;
use syncline_engine::limits;
use syncline_ledger::{Access as _, LinkQuery};
use syncline_sdk::{Key, LinkId};

use super::desk::{Desk, KnownMapping};
use super::words::{count, plain};
use super::{Exit, Output, Stop};

const EXAMPLES: &str = "\
Examples:
  syncline replay accounts --left 001xx000003DGb1AAG   try this record again
  syncline replay accounts --all                       everything of the mapping that is set aside

A record that a system refused is set aside: `syncline status` lists such records with the reason
and the remedy. What was mended in a set-up is noticed within a minute or so. What was mended
elsewhere, so that a refused value would be taken now, is not: it is tried again when you ask.
Refused once more, it is set aside once more. Many are tried again 500 at a time, a few thousand a
minute.

Exit code 2 when the record is not set aside.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("record").required(true).args(["left", "right", "link", "all"]))]
pub(super) struct Arguments {
    /// The mapping.
    #[arg(value_name = "MAPPING")]
    mapping: String,

    /// The key of the left record.
    #[arg(long, value_name = "KEY")]
    left: Option<String>,

    /// The key of the right record.
    #[arg(long, value_name = "KEY")]
    right: Option<String>,

    /// The id of the link.
    #[arg(long, value_name = "ID")]
    link: Option<LinkId>,

    /// Everything of the mapping that is set aside.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let desk = Desk::open(config).await?;
    let mapping = desk.named(&arguments.mapping)?;
    if arguments.all {
        let asked = desk.ledger.ask_all_again(mapping.id, desk.now).await.context("the ledger")?;
        return tell(&desk, &mapping.name, asked, None, output).await;
    }
    let link = one(&desk, mapping, &arguments).await?;
    if !desk.ledger.ask_again(mapping.id, link, desk.now).await.context("the ledger")? {
        let help = format!("`{}` lists what is, with the remedy", desk.command("status"));
        return Err(found("the record is not set aside".to_owned(), help));
    }
    tell(&desk, &mapping.name, 1, Some(link), output).await
}

async fn tell(
    desk: &Desk,
    mapping: &str,
    asked: u64,
    link: Option<LinkId>,
    output: &Output,
) -> Result<Exit, Stop> {
    let runs = desk.engine_runs().await?;
    let records = count(i64::try_from(asked).unwrap_or(i64::MAX), "record");
    output.line(&match (asked == 0, runs) {
        (true, _) => format!("nothing of {mapping} is set aside"),
        (false, true) => format!("to be tried again {}: {records}", within(asked)),
        (false, false) => {
            let run = desk.command("run");
            format!("no engine is running; to be tried again when `{run}` is started: {records}")
        }
    });
    let mut fields = Map::new();
    fields.insert("mapping".to_owned(), mapping.into());
    fields.insert("records".to_owned(), asked.into());
    fields.insert("link".to_owned(), link.map(|link| link.to_string()).into());
    fields.insert("engine_runs".to_owned(), runs.into());
    output.answer("replay", fields);
    Ok(Exit::Well)
}

/// In what time so many records are tried again, where the systems answer.
fn within(records: u64) -> String {
    let at_once = u64::try_from(limits::RETRIES_MAX).unwrap_or(u64::MAX);
    let goes = records.div_ceil(at_once);
    let minutes = 1 + goes.saturating_sub(1) * limits::RETRIED_SEEN.as_secs() / 60;
    if minutes == 1 { "within a minute".to_owned() } else { format!("within {minutes} minutes") }
}

fn found(message: String, help: String) -> Stop {
    Stop::Found(Diagnostic::error(message).help(help).into())
}

/// The link that is meant.
async fn one(desk: &Desk, mapping: &KnownMapping, arguments: &Arguments) -> Result<LinkId, Stop> {
    if let Some(link) = arguments.link {
        return Ok(link);
    }
    let mut query = LinkQuery { mapping: mapping.id, ..LinkQuery::default() };
    query.keys.left.extend(arguments.left.as_deref().map(Key::from));
    query.keys.right.extend(arguments.right.as_deref().map(Key::from));
    let link = desk.load(&[query]).await?.links.pop();
    link.map(|link| link.id).ok_or_else(|| {
        let key = arguments.left.as_ref().or(arguments.right.as_ref());
        let key = key.map_or_else(String::new, |key| plain(key));
        let message = format!("the ledger knows no record {key} of mapping `{}`", mapping.name);
        found(message, "write the key in the full form that the system uses".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn the_time_grows_with_the_records() {
        assert_eq!(within(1), "within a minute");
        assert_eq!(within(500), "within a minute");
        assert_eq!(within(10_000), "within 2 minutes");
        assert_eq!(within(100_000), "within 17 minutes");
    }
}
