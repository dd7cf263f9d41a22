//! `syncline conflicts resolve`

use anyhow::{Context as _, anyhow};
use clap::{ArgGroup, Args, ValueEnum};
use serde_json::Map;
use syncline_core::Side;
use syncline_core::mapping::language::Diagnostic;
use syncline_core::model::{Choice, Hint, HintReason, ReviewStatus};
use syncline_ledger::{Answered, NewAnswer, People};
use syncline_sdk::{Key, Value};

use super::offer::offers;
use super::question::{Question, choice_json};
use super::reference::Seen;
use super::show::find;
use super::typed;
use crate::cli::desk::Desk;
use crate::cli::words::plain;
use crate::cli::{Exit, Output, Stop};
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

    /// The records have nothing to do with each other.
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
    let question = find(desk, seen.id).await?;
    if question.review.status != ReviewStatus::Open || question.seen() != seen {
        return Ok(refuse(desk, seen, &question, output));
    }
    let choice = choice(&arguments, &question)?;
    check(desk, &choice, &question)?;
    let by = arguments.by.map_or_else(user, Ok)?;
    let answer = NewAnswer {
        id: seen.id,
        revision: seen.revision,
        choice,
        by,
        at: desk.now,
        hints: hints(&question),
    };
    match desk.ledger.answer(&answer).await.context("the ledger")? {
        Answered::Taken => taken(desk, &question, &answer, output).await,
        Answered::Moved(review) => {
            let moved = Question::new(desk, *review, question.link);
            Ok(refuse(desk, seen, &moved, output))
        }
        Answered::Unknown => Err(anyhow!("question {} is gone", seen.id).into()),
    }
}

fn misfit(message: String, help: String) -> Stop {
    Stop::Found(Diagnostic::error(message).help(help).into())
}

fn choice(arguments: &Arguments, question: &Question) -> Result<Choice, Stop> {
    if let Some(side) = arguments.take {
        return Ok(Choice::Take(match side {
            WhichSide::Left => Side::Left,
            WhichSide::Right => Side::Right,
        }));
    }
    if let Some(key) = &arguments.adopt {
        return Ok(Choice::Adopt(Key::from(key.as_str())));
    }
    if arguments.separate {
        return Ok(Choice::Separate);
    }
    if arguments.retry {
        return Ok(Choice::Retry);
    }
    let left = &question.review.shown.left;
    if question.review.key.unit.is_none() {
        // The check of the answer says what is possible instead.
        return Ok(Choice::Typed(Vec::new()));
    }
    if arguments.null {
        return Ok(Choice::Typed(vec![Value::Null; left.values.len()]));
    }
    let values = typed::read(&arguments.value, left);
    values.map(Choice::Typed).map_err(|message| {
        let fields = question.fields(Side::Left).join(", ");
        misfit(
            message,
            format!("the value is for {fields} of {}", question.mapping.system(Side::Left)),
        )
    })
}

/// Only what the question offers is sent: the engine would refuse the rest, later.
fn check(desk: &Desk, choice: &Choice, question: &Question) -> Result<(), Stop> {
    let offers = offers(question);
    if offers.iter().any(|offer| offer.answer.admits(choice)) {
        return Ok(());
    }
    let given = super::question::choice(choice);
    let given = match choice {
        Choice::Typed(_) => "value",
        _ => &given,
    };
    let possible: Vec<&str> = offers.iter().map(|offer| &*offer.flags).collect();
    let show = desk.command(&format!("conflicts show {}", question.review.id));
    Err(misfit(
        format!("`--{given}` is no answer to question {}: {}", question.seen(), question.what()),
        format!("answer with {}; `{show}` tells what each does", possible.join(", or ")),
    ))
}

/// Both records are read afresh before the answer is folded.
fn hints(question: &Question) -> Vec<Hint> {
    let Some(spec) = &question.mapping.spec else {
        return Vec::new();
    };
    Side::BOTH
        .into_iter()
        .filter_map(|side| {
            Some(Hint {
                system: spec.sides[side].system.value.clone(),
                entity: spec.sides[side].entity.value.clone(),
                key: question.key(side)?.clone(),
                seq: 0,
                due: 0,
                reason: HintReason::Person,
                tries: 0,
            })
        })
        .collect()
}

/// The name of the user of this process.
fn user() -> Result<String, Stop> {
    let set = |name: &&str| ProcessEnvironment.variable(name).filter(|name| !name.is_empty());
    let name = ["USER", "LOGNAME"].iter().find_map(set);
    name.ok_or_else(|| {
        let message = "who answers is not known: neither USER nor LOGNAME is set".to_owned();
        misfit(message, "add --by NAME; it is kept in the journal".to_owned())
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
    let offer = offers.iter().find(|offer| offer.answer.admits(&answer.choice));
    let effect = match (&answer.choice, offer) {
        (Choice::Typed(_), _) => {
            format!("{} goes to both", super::question::choice(&answer.choice))
        }
        (_, Some(offer)) => offer.effect.clone(),
        (choice, None) => super::question::choice(choice),
    };
    output.line(&format!(
        "question {} is answered by {}: {effect}",
        question.seen(),
        plain(&answer.by)
    ));
    if runs {
        output.line("the engine reads both records afresh and acts on it");
    } else {
        let run = desk.command("run");
        output.line(&format!("no engine is running: it acts on it when `{run}` is started"));
    }
    let mut fields = Map::new();
    fields.insert("ok".to_owned(), true.into());
    fields.insert("question".to_owned(), question.seen().to_string().into());
    fields.insert("choice".to_owned(), choice_json(&answer.choice));
    fields.insert("by".to_owned(), answer.by.clone().into());
    fields.insert("engine_runs".to_owned(), runs.into());
    output.answer("conflicts resolve", fields);
    Ok(Exit::Well)
}

/// The answer was not taken: says why, and shows the question as it is now.
fn refuse(desk: &Desk, seen: Seen, question: &Question, output: &Output) -> Exit {
    let now = question.seen();
    let (reason, message, help) = match question.review.status {
        ReviewStatus::Closed => (
            "closed",
            format!("question {now} is closed: it needs no answer any more"),
            format!("`{}` tells what became of it", explain(desk, question)),
        ),
        ReviewStatus::Answered => (
            "answered",
            format!("question {now} is {}", question.status()),
            "the engine asks again if that answer cannot be carried out".to_owned(),
        ),
        ReviewStatus::Open if seen.revision > now.revision => (
            "no_such_revision",
            format!("question {} has no revision {} yet", seen.id, seen.revision),
            format!("look at what it shows, and answer {now}"),
        ),
        ReviewStatus::Open => (
            "moved",
            format!("a value moved since revision {}: nothing was answered", seen.revision),
            format!("look at what it shows now, and answer {now}"),
        ),
    };
    for line in question.lines(desk) {
        output.line(&line);
    }
    output.line("");
    output.findings(&Diagnostic::error(message.as_str()).help(help).into());
    let mut fields = Map::new();
    fields.insert("ok".to_owned(), false.into());
    fields.insert("reason".to_owned(), reason.into());
    fields.insert("error".to_owned(), message.into());
    fields.insert("question".to_owned(), question.json(desk));
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
