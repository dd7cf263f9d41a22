//! `syncline conflicts show`

use anyhow::Context as _;
use clap::Args;
use serde_json::Map;
use syncline_ledger::People;

use super::flags;
use super::question::Question;
use super::reference::number;
use crate::cli::desk::Desk;
use crate::cli::{Exit, Output, Stop};

const EXAMPLES: &str = "\
Examples:
  syncline conflicts show 17          both sides, the last agreed values, the possible answers
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

/// There is no such question.
#[derive(Debug, thiserror::Error)]
#[error("there is no question {id}: `{list}` names all")]
pub(crate) struct Missing {
    pub id: i64,
    /// The command that lists those that there are.
    pub list: String,
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Self {
        Self::Failed(missing.into())
    }
}

/// The question with that number.
pub(crate) async fn find(desk: &Desk, id: i64) -> Result<Question, Stop> {
    let review = desk.ledger.review(id).await.context("the ledger")?;
    let Some(review) = review else {
        let list = desk.command("conflicts list --all");
        return Err(Missing { id, list }.into());
    };
    let link = desk.ledger.link(review.key.link).await;
    let link = link.context("the ledger")?;
    Ok(Question::new(desk, review, link))
}
