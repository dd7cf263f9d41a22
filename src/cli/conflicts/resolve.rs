//! `syncline conflicts resolve`

use clap::{ArgGroup, Args, ValueEnum};
use serde_json::Map;
use syncline_core::Side;
use syncline_core::mapping::language::Diagnostic;
use syncline_core::model::{Choice, ReviewStatus};
use syncline_ledger::NewAnswer;

use super::flags;
use crate::cli::desk::Desk;
use crate::cli::words::plain;
use crate::cli::{Exit, Output, Stop};
use crate::queue::answering::{Given, Misfit, Wanted, give, refusal, values_are_for};
use crate::queue::offer::offers;
use crate::queue::question::Question;
use crate::queue::reference::Seen;
use crate::settings::{Environment, ProcessEnvironment};

const EXAMPLES: &str = "\
Examples:
  syncline conflicts resolve 17@2 --take left           the left value stays and goes to the right
  syncline conflicts resolve 17@2 --value '+1 555 0100' another value, for both
  syncline conflicts resolve 18@1 --adopt 001xx0000AAA  that record is the partner
  syncline conflicts resolve 18@1 --separate            none is: the records go their own ways
  syncline conflicts resolve 19@1 --retry --by jane     the cause was mended: try again

`syncline conflicts show ID` lists the answers that a question can be given and what each does.

Exit code 0 when the answer was taken; 1 when there is no such question; 2 when it was not taken:
the question shows newer values by now (they are shown), was answered or closed, or this answer
does not fit it.";

/// A side, on a command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum WhichSide {
    /// The left side.
    Left,
    /// The right side.
    Right,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("choice").required(true)
    .args(["take", "value", "null", "adopt", "separate", "retry"]))]
pub(super) struct Arguments {
    /// The question and the revision that you saw: 17@2.
    #[arg(value_name = "ID@REV")]
    question: Seen,

    /// Take this side's value, or, where a record was deleted, its state.
    #[arg(long, value_name = "SIDE")]
    take: Option<WhichSide>,

    /// Take this value, as the left side would write it; once for each field of the unit.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    value: Vec<String>,

    /// Take nothing: the fields become empty on both sides.
    #[arg(long)]
    null: bool,

    /// The record with this key is the partner.
    #[arg(long, value_name = "KEY")]
    adopt: Option<String>,

    /// The records have nothing to do with each other; or, of a value that a side cannot store,
    /// both stay as they are.
    #[arg(long)]
    separate: bool,

    /// The cause was mended: try again.
    #[arg(long)]
    retry: bool,

    /// Who answers; the name of this user when not given.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

pub(super) async fn run(desk: &Desk, arguments: Arguments, output: &Output) -> Result<Exit, Stop> {
    let seen = arguments.question;
    let wanted = wanted(&arguments);
    let by = arguments.by.map_or_else(user, Ok)?;
    match give(desk, seen, &wanted, by).await? {
        Given::Taken(question, answer) => taken(desk, &question, &answer, output).await,
        Given::Moved(question) => Ok(refuse(desk, seen, &question, output)),
        Given::Misfit(question, why) => Err(misfit(desk, &wanted, &question, why)),
    }
}

/// The answer does not fit the question.
fn misfit(desk: &Desk, wanted: &Wanted, question: &Question, why: Misfit) -> Stop {
    let show = desk.command(&format!("conflicts show {}", question.review.id));
    match why {
        Misfit::Values(why) => return Stop::found(why, values_are_for(question)),
        Misfit::Rests(why) => return Stop::found(why, format!("`{show}` tells what it shows")),
        Misfit::NotOffered => {}
    }
    let given = match wanted {
        Wanted::Take(side) => format!("take {side}"),
        Wanted::Values(_) => "value".to_owned(),
        Wanted::Null => "null".to_owned(),
        Wanted::Adopt(key) => format!("adopt {}", plain(key)),
        Wanted::Separate => "separate".to_owned(),
        Wanted::Retry => "retry".to_owned(),
    };
    let possible: Vec<String> =
        offers(question).iter().map(|offer| flags::flags(&offer.answer)).collect();
    Stop::found(
        format!("`--{given}` is no answer to question {}: {}", question.seen(), question.what()),
        format!("answer with {}; `{show}` tells what each does", possible.join(", or ")),
    )
}

fn wanted(arguments: &Arguments) -> Wanted {
    if let Some(side) = arguments.take {
        return Wanted::Take(match side {
            WhichSide::Left => Side::Left,
            WhichSide::Right => Side::Right,
        });
    }
    match &arguments.adopt {
        Some(key) => Wanted::Adopt(key.clone()),
        None if arguments.separate => Wanted::Separate,
        None if arguments.retry => Wanted::Retry,
        None if arguments.null => Wanted::Null,
        None => Wanted::Values(arguments.value.clone()),
    }
}

/// The name of the user of this process.
fn user() -> Result<String, Stop> {
    let set = |name: &&str| ProcessEnvironment.variable(name).filter(|name| !name.is_empty());
    let name = ["USER", "LOGNAME"].iter().find_map(set);
    name.ok_or_else(|| {
        let message = "who answers is not known: neither USER nor LOGNAME is set".to_owned();
        Stop::found(message, "add --by NAME; it is kept in the journal")
    })
}

async fn taken(
    desk: &Desk,
    question: &Question,
    answer: &NewAnswer,
    output: &Output,
) -> Result<Exit, Stop> {
    let runs = desk.engine_runs().await?;
    let offers = offers(question);
    let unit = question.review.key.unit;
    let offer = offers.iter().find(|offer| offer.answer.admits(&answer.choice));
    let effect = match (&answer.choice, offer) {
        (Choice::Typed(_), _) => {
            format!("{} goes to both", question.mapping.choice(unit, &answer.choice))
        }
        (_, Some(offer)) => offer.effect.clone(),
        (choice, None) => question.mapping.choice(unit, choice),
    };
    output.line(&format!(
        "question {} is answered by {}: {effect}",
        question.seen(),
        plain(&answer.by)
    ));
    if question.review.status == ReviewStatus::Closed {
        output.line("the engine has acted on it");
    } else if runs {
        output.line("the engine reads both records afresh and acts on it");
    } else {
        let run = desk.command("run");
        output.line(&format!("no engine is running: it acts on it when `{run}` is started"));
    }
    let mut fields = Map::new();
    fields.insert("ok".to_owned(), true.into());
    fields.insert("question".to_owned(), question.seen().to_string().into());
    fields.insert("choice".to_owned(), question.mapping.choice_json(unit, &answer.choice));
    fields.insert("by".to_owned(), answer.by.clone().into());
    fields.insert("engine_runs".to_owned(), runs.into());
    output.answer("conflicts resolve", fields);
    Ok(Exit::Well)
}

/// The answer was not taken: says why, and shows the question as it is now.
fn refuse(desk: &Desk, seen: Seen, question: &Question, output: &Output) -> Exit {
    let (reason, message, mut help) = refusal(seen, question);
    if question.review.status == ReviewStatus::Closed {
        help = format!("`{}` tells what became of it", explain(desk, question));
    }
    for line in flags::lines(desk, question) {
        output.line(&line);
    }
    output.line("");
    output.findings(&Diagnostic::error(message.as_str()).help(help).into());
    let mut fields = Map::new();
    fields.insert("ok".to_owned(), false.into());
    fields.insert("reason".to_owned(), reason.into());
    fields.insert("error".to_owned(), message.into());
    fields.insert("question".to_owned(), flags::json(desk, question));
    output.answer("conflicts resolve", fields);
    Exit::Found
}

fn explain(desk: &Desk, question: &Question) -> String {
    let (mapping, link) = (&question.mapping.name, question.review.key.link);
    let mut arguments = format!("explain {mapping} --link {link}");
    if let Some(unit) = question.review.key.unit {
        let mut fields =
            Side::BOTH.into_iter().flat_map(|side| question.mapping.unit_fields(side, unit));
        if let Some(field) = fields.next() {
            arguments = format!("{arguments} --field {}", field.as_str());
        }
    }
    desk.command(&arguments)
}
