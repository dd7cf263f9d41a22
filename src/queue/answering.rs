//! Giving an answer: what the command line and the JSON API have in common.

use anyhow::Context as _;
use syncline_core::Side;
use syncline_core::model::{Choice, Hint, HintReason, ReviewStatus};
use syncline_ledger::{Answered, NewAnswer, People as _};
use syncline_sdk::{Key, Value};

use super::desk::Desk;
use super::offer::offers;
use super::question::Question;
use super::questions::{Missing, find, look_up_candidates};
use super::reference::Seen;
use super::typed;
use crate::stop::Stop;

/// What a person wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A side's value or state.
    Take(Side),
    /// A value, as the left side would write it: a text for each field.
    Values(Vec<String>),
    /// Nothing, in all fields.
    Null,
    /// The record with this key as the partner.
    Adopt(String),
    /// No partner.
    Separate,
    /// Another try.
    Retry,
}

/// What became of it.
pub enum Given {
    /// It was taken; the engine will fold it.
    Taken(Box<Question>, NewAnswer),
    /// It was not: the question is not as it was seen, but like this.
    Moved(Box<Question>),
    /// It was not: the question does not take this.
    Misfit(Box<Question>, Misfit),
}

/// Why a question does not take an answer.
pub enum Misfit {
    /// It offers others.
    NotOffered,
    /// The values are none of its fields', in words.
    Values(String),
    /// Nobody would act on any, in words.
    Rests(String),
}

/// Gives an answer to a question in the revision that was seen.
///
/// # Errors
/// When there is no such question, or the ledger does not answer.
pub async fn give(desk: &Desk, seen: Seen, wanted: &Wanted, by: String) -> Result<Given, Stop> {
    let question = find(desk, seen.id).await?;
    if question.review.status != ReviewStatus::Open || question.seen() != seen {
        return Ok(moved(question, seen, wanted, &by));
    }
    if let Some(why) = question.rests() {
        return Ok(Given::Misfit(Box::new(question), Misfit::Rests(why)));
    }
    let choice = match choice(wanted, &question) {
        Ok(choice) => choice,
        Err(why) => return Ok(Given::Misfit(Box::new(question), Misfit::Values(why))),
    };
    // Only what the question offers is sent: the engine would refuse the rest, later.
    if !offers(&question).iter().any(|offer| offer.answer.admits(&choice)) {
        return Ok(Given::Misfit(Box::new(question), Misfit::NotOffered));
    }
    if let Err(why) = held(&question, &choice) {
        return Ok(Given::Misfit(Box::new(question), Misfit::Values(why)));
    }
    let answer = NewAnswer {
        id: seen.id,
        revision: seen.revision,
        choice,
        by,
        at: desk.now,
        hints: hints(&question),
    };
    match desk.ledger.answer(&answer).await.context("the ledger")? {
        Answered::Taken => Ok(Given::Taken(Box::new(question), answer)),
        Answered::Moved(review) => {
            let (link, feasible) = (question.link, question.feasible);
            let mut question = Question { feasible, ..Question::new(desk, *review, link) };
            look_up_candidates(desk, std::slice::from_mut(&mut question)).await?;
            Ok(moved(question, seen, wanted, &answer.by))
        }
        Answered::Unknown => {
            Err(Missing { id: seen.id, list: desk.command("conflicts list --all") }.into())
        }
    }
}

/// Whether both sides can hold what was typed, as far as is known: the engine would ask again. A
/// link of former rules is not judged by the present ones.
fn held(question: &Question, choice: &Choice) -> Result<(), String> {
    let (Choice::Typed(values), Some(unit), Some(feasible), Some(link)) =
        (choice, question.review.key.unit, &question.feasible, &question.link)
    else {
        return Ok(());
    };
    if question.mapping.is_former(link.mapping_rev) {
        return Ok(());
    }
    feasible.holds(link, unit, values).map_err(|(side, why)| {
        let masked = question.mapping.masks_unit(Some(unit));
        let why = if masked { why.masked() } else { why };
        format!("{} cannot hold this value: {why}", question.mapping.system(side))
    })
}

/// What became of an answer to a question that does not wait for it. One that is there already,
/// by the same person and to the same revision, was given before: who asks twice because the
/// first reply was lost is told that it was taken.
fn moved(question: Question, seen: Seen, wanted: &Wanted, by: &str) -> Given {
    let given = question.review.answer.as_ref().filter(|given| {
        question.seen() == seen
            && given.by == by
            && choice(wanted, &question).is_ok_and(|choice| choice == given.choice)
    });
    let given = given.map(|given| NewAnswer {
        id: seen.id,
        revision: seen.revision,
        choice: given.choice.clone(),
        by: given.by.clone(),
        at: given.at,
        hints: Vec::new(),
    });
    match given {
        Some(given) => Given::Taken(Box::new(question), given),
        None => Given::Moved(Box::new(question)),
    }
}

/// What is chosen, or why the values are none.
fn choice(wanted: &Wanted, question: &Question) -> Result<Choice, String> {
    let left = &question.review.shown.left;
    let about_pair = question.review.key.unit.is_none();
    Ok(match wanted {
        Wanted::Take(side) => Choice::Take(*side),
        Wanted::Adopt(key) => Choice::Adopt(Key::from(key.as_str())),
        Wanted::Separate => Choice::Separate,
        Wanted::Retry => Choice::Retry,
        // The check of the answer says what is possible instead.
        Wanted::Values(_) | Wanted::Null if about_pair => Choice::Typed(Vec::new()),
        Wanted::Null => Choice::Typed(vec![Value::Null; left.values.len()]),
        Wanted::Values(texts) => {
            let masked = question.mapping.masks_unit(question.review.key.unit);
            Choice::Typed(typed::read(texts, left, masked)?)
        }
    })
}

/// What the values of an answer are for.
pub fn values_are_for(question: &Question) -> String {
    let fields = question.fields(Side::Left).join(", ");
    format!("the value is for {fields} of {}", question.mapping.system(Side::Left))
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

/// Why an answer was not taken: a word for machines, and what to say and to do.
pub fn refusal(seen: Seen, question: &Question) -> (&'static str, String, String) {
    let now = question.seen();
    match question.review.status {
        ReviewStatus::Closed => (
            "closed",
            format!("question {now} is closed: it needs no answer any more"),
            "the journal of its link tells what became of it".to_owned(),
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
    }
}
