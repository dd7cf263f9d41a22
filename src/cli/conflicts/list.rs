//! `syncline conflicts list`

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value as Json};
use syncline_core::Side;
use syncline_core::model::ReviewStatus;
use syncline_ledger::{People, ReviewQuery};

use super::flags;
use crate::cli::desk::Desk;
use crate::cli::words::{age, count, short, table};
use crate::cli::{Exit, Output, Stop};
use crate::queue::question::Question;
use crate::queue::questions::with_links;

const EXAMPLES: &str = "\
Examples:
  syncline conflicts list                      what waits for a person, oldest first
  syncline conflicts list --mapping accounts   of one mapping
  syncline conflicts list --all --limit 500    answered and closed ones too
  syncline conflicts list --json | jq -r '.questions[].question'";

/// The most characters of a value in a list; `show` has all of them.
const VALUE_CHARS_MAX: usize = 40;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only the questions of one mapping.
    #[arg(long, value_name = "NAME")]
    mapping: Option<String>,

    /// Closed questions too.
    #[arg(long)]
    all: bool,

    /// The most questions that are listed.
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,

    /// Only questions with a larger number: the next page.
    #[arg(long, value_name = "ID", default_value_t = 0)]
    after: i64,
}

pub(super) async fn run(desk: &Desk, arguments: Arguments, output: &Output) -> Result<Exit, Stop> {
    let mapping = match &arguments.mapping {
        Some(name) => Some(desk.named(name)?.id),
        None => None,
    };
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let mut query = ReviewQuery { mapping, status: None, after: arguments.after, max: limit + 1 };
    let mut reviews = desk.ledger.reviews(&query).await.context("the ledger")?;
    if arguments.all {
        query.status = Some(ReviewStatus::Closed);
        reviews.extend(desk.ledger.reviews(&query).await.context("the ledger")?);
        reviews.sort_by_key(|review| review.id);
    }
    let more = reviews.len() > limit;
    reviews.truncate(limit);
    let questions = with_links(desk, reviews).await?;
    say(desk, &arguments, &questions, more, output);
    let mut fields = Map::new();
    let listed: Json = questions.iter().map(|question| flags::json(desk, question)).collect();
    fields.insert("questions".to_owned(), listed);
    fields.insert("more".to_owned(), more.into());
    output.answer("conflicts list", fields);
    Ok(Exit::Well)
}

fn say(desk: &Desk, arguments: &Arguments, questions: &[Question], more: bool, output: &Output) {
    if questions.is_empty() {
        output.line("nothing waits for a person");
        return;
    }
    let header = ["QUESTION", "MAPPING", "ABOUT", "WHAT", "LEFT", "RIGHT", "LAST AGREED", "AGE"];
    let mut rows = table(&header);
    for question in questions {
        let cell = |side: Side| {
            let (value, who) = question.cell(side, desk.now);
            format!("{}\n  {who}", short(&value, VALUE_CHARS_MAX))
        };
        let mut what = question.what();
        if question.review.status != ReviewStatus::Open {
            what = format!("{what}\n({})", question.status());
        }
        if question.rests().is_some() {
            what = format!("{what}\n(its mapping is in no file: nobody acts on an answer)");
        }
        let base: Vec<String> =
            question.base().lines().map(|line| short(line, VALUE_CHARS_MAX)).collect();
        rows.add_row([
            question.seen().to_string(),
            question.mapping.name.clone(),
            question.unit(),
            what,
            cell(Side::Left),
            cell(Side::Right),
            base.join("\n"),
            age(desk.now, question.review.asked_at),
        ]);
    }
    output.line(&rows.trim_fmt());
    output.line("");
    let listed = i64::try_from(questions.len()).unwrap_or(i64::MAX);
    output.line(&format!(
        "{}; `{}` tells everything about one",
        count(listed, "question"),
        desk.command("conflicts show ID")
    ));
    if let (true, Some(last)) = (more, questions.last()) {
        let mut next = format!("conflicts list --after {}", last.review.id);
        if arguments.all {
            next.push_str(" --all");
        }
        if let Some(mapping) = &arguments.mapping {
            next = format!("{next} --mapping {mapping}");
        }
        output.line(&format!("there are more: `{}`", desk.command(&next)));
    }
}
