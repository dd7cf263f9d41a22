//! `syncline conflicts show`

use clap::Args;
use serde_json::Map;

use super::flags;
use crate::cli::desk::Desk;
use crate::cli::{Exit, Output, Stop};
use crate::queue::questions::find;
use crate::queue::reference::number;

const EXAMPLES: &str = "\
Examples:
  syncline conflicts show 17            both sides, the last agreed values, the possible answers
  syncline conflicts show 17 --reveal   the values of sensitive fields too
  syncline conflicts show 17 --json

Exit code 1 when there is no such question.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The number of the question.
    #[arg(value_name = "ID", value_parser = number)]
    id: i64,
}

pub(crate) async fn run(desk: &Desk, arguments: &Arguments, output: &Output) -> Result<Exit, Stop> {
    let question = find(desk, arguments.id).await?;
    for line in flags::lines(desk, &question) {
        output.line(&line);
    }
    let mut fields = Map::new();
    fields.insert("question".to_owned(), flags::json(desk, &question));
    output.answer("conflicts show", fields);
    Ok(Exit::Well)
}
