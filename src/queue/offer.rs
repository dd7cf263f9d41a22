//! The answers that a question can be given, and what each of them does.

use serde_json::{Value as Json, json};
use syncline_core::Side;
use syncline_core::mapping::{DeleteRule, Direction};
use syncline_core::model::{Choice, ReviewKind};
use syncline_sdk::{Key, Value};

use super::candidate::Candidate;
use super::question::Question;

/// One possible answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Offer {
    /// What is chosen.
    pub answer: Answer,
    /// What it does.
    pub effect: String,
}

/// What is chosen, without the values that a person types.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A side's value or state.
    Take(Side),
    /// A value for each of so many fields.
    Value(usize),
    /// Nothing, in all fields.
    Null,
    /// That record as the partner.
    Adopt(Key),
    /// No partner.
    Separate,
    /// Another try.
    Retry,
}

impl Answer {
    /// Whether a choice is this answer.
    pub fn admits(&self, choice: &Choice) -> bool {
        match (self, choice) {
            (Self::Take(offered), Choice::Take(side)) => offered == side,
            (Self::Adopt(offered), Choice::Adopt(key)) => offered == key,
            (Self::Null, Choice::Typed(typed)) => typed.iter().all(Value::is_null),
            (Self::Value(_), Choice::Typed(typed)) => !typed.iter().all(Value::is_null),
            (Self::Separate, Choice::Separate) | (Self::Retry, Choice::Retry) => true,
            _ => false,
        }
    }

    /// What is posted to give it to a revision of a question.
    pub fn body(&self, revision: i32) -> Json {
        let mut body = self.json();
        body["revision"] = revision.into();
        body
    }

    /// What is chosen, as a member of that; where a value is to be filled in stands null.
    pub fn json(&self) -> Json {
        match self {
            Self::Take(side) => json!({ "take": side }),
            Self::Value(fields) => json!({ "value": vec![Json::Null; *fields] }),
            Self::Null => json!({ "null": true }),
            Self::Adopt(key) => json!({ "adopt": key }),
            Self::Separate => json!({ "separate": true }),
            Self::Retry => json!({ "retry": true }),
        }
    }
}

/// The possible answers to a question, the likeliest first. What is known to be in the way of one
/// leaves it out, unless nothing would be left.
pub fn offers(question: &Question) -> Vec<Offer> {
    let review = &question.review;
    let link = question.link.as_ref();
    let link = link.filter(|link| !question.mapping.is_former(link.mapping_rev));
    let all = match review.key.unit {
        Some(unit) => about_unit(question, unit),
        None => about_pair(question),
    };
    let Some(feasible) = &question.feasible else { return all };
    let possible = |offer: &&Offer| feasible.admits(review, link, &offer.answer);
    let left: Vec<Offer> = all.iter().filter(possible).cloned().collect();
    if left.is_empty() { all } else { left }
}

fn take(side: Side, effect: String) -> Offer {
    Offer { answer: Answer::Take(side), effect }
}

fn separate(effect: impl Into<String>) -> Offer {
    Offer { answer: Answer::Separate, effect: effect.into() }
}

fn retry(effect: impl Into<String>) -> Offer {
    Offer { answer: Answer::Retry, effect: effect.into() }
}

fn about_unit(question: &Question, unit: u16) -> Vec<Offer> {
    let system = |side: Side| question.mapping.system(side);
    let keep = |side: Side| {
        let (here, there) = (system(side), system(side.other()));
        let travels = question.mapping.direction(unit).is_none_or(|way| way.reaches(side.other()));
        take(
            side,
            match travels {
                true => format!("{here}'s value stays and goes to {there}"),
                false => format!("{here}'s value stays, and so does {there}'s"),
            },
        )
    };
    let mut offers = match question.review.kind {
        ReviewKind::NoImage(side, _) => vec![
            retry(format!("the cause is mended: try to write {} again", system(side))),
            keep(side),
            separate("both stay as they are; the next change of either travels again"),
        ],
        ReviewKind::Overwritten(side) => {
            let there = system(side.other());
            vec![
                take(side, format!("the overwritten value comes back, in {there} as well")),
                take(side.other(), "what stands there now stays".to_owned()),
            ]
        }
        ReviewKind::Candidate(side, _) => vec![
            take(side, "the edit goes into this pair, on both sides".to_owned()),
            take(side.other(), "what stands in this pair stays".to_owned()),
        ],
        ReviewKind::Oscillation => {
            let mut offers: Vec<Offer> = Side::BOTH.map(keep).into();
            offers.push(retry("what wrote it back is switched off: let edits travel again"));
            offers
        }
        _ => Side::BOTH.map(keep).into(),
    };
    if let Some(side) = question.alone() {
        offers = about_lone(question, side);
    }
    // A value of one's own is written to both sides; a reference is to a record, not a text.
    let typed =
        question.mapping.direction(unit) == Some(Direction::Both) && !question.mapping.refers(unit);
    if typed {
        let fields = question.review.shown.left.values.len().max(1);
        offers.extend(typed_offers(question, fields));
    }
    offers
}

/// What holds back a record that has no partner yet: a value of the other side there is none.
fn about_lone(question: &Question, side: Side) -> Vec<Offer> {
    let there = question.mapping.system(side.other());
    vec![
        retry(format!("the cause is mended: try to write {there} again")),
        separate(format!(
            "the new record in {there} is made without it; the next change of either travels again"
        )),
    ]
}

/// A value of one's own, or none, for so many fields.
fn typed_offers(question: &Question, fields: usize) -> [Offer; 2] {
    let system = |side: Side| question.mapping.system(side);
    let left = system(Side::Left);
    let (both, empty) = match question.alone() {
        Some(side) => {
            let (here, there) = (system(side), system(side.other()));
            (
                format!("{here}, and with it to the new record in {there}"),
                format!("in {here}, and with it in the new record in {there}"),
            )
        }
        None => ("both".to_owned(), "on both sides".to_owned()),
    };
    let value = format!("a value of your own, as {left} writes it, goes to {both}");
    let empty = match fields {
        1 => format!("the field becomes empty {empty}"),
        _ => format!("the fields become empty {empty}"),
    };
    [
        Offer { answer: Answer::Value(fields), effect: value },
        Offer { answer: Answer::Null, effect: empty },
    ]
}

fn about_pair(question: &Question) -> Vec<Offer> {
    let system = |side: Side| question.mapping.system(side);
    let alone = "the link ends: both records stay as they are and go their own ways";
    match &question.review.kind {
        ReviewKind::DeleteUpdate(gone)
        | ReviewKind::Delete(gone)
        | ReviewKind::SuspectedDelete(gone) => {
            let (gone, stays) = (*gone, gone.other());
            let (lost, kept) = (system(gone), system(stays));
            let mut offers = vec![
                take(stays, format!("the record lives: {lost} gets it back from {kept}")),
                take(
                    gone,
                    format!(
                        "the deletion stands: the record is deleted in {kept} too, its values \
                             stay in the journal"
                    ),
                ),
                separate(format!("the link ends: the record in {kept} stays and goes its own way")),
            ];
            let propagated = question
                .mapping
                .spec
                .as_ref()
                .is_some_and(|spec| spec.delete.value[gone] == DeleteRule::Propagate);
            // Only a delete that was refused becomes this question under that rule.
            if matches!(question.review.kind, ReviewKind::Delete(_)) && propagated {
                let effect = format!("the cause of the refusal is mended: delete in {kept} again");
                offers.push(retry(effect));
            }
            offers
        }
        ReviewKind::Leave(left) => vec![
            separate(alone),
            take(*left, format!("the record is deleted in {}", system(left.other()))),
        ],
        ReviewKind::Ambiguous(_) => {
            let side = question.other_side();
            // Who has a partner is not given another one.
            let free = |of: &&Candidate| of.partner.is_none() && !of.apart;
            let free = question.candidates.iter().filter(free);
            let mut offers: Vec<Offer> = free
                .map(|of| {
                    let record = question.mapping.record(side, Some(&of.key));
                    let effect = format!("{record} is the partner");
                    Offer { answer: Answer::Adopt(of.key.clone()), effect }
                })
                .collect();
            let creates =
                question.mapping.spec.as_ref().is_some_and(|spec| spec.create.value[side]);
            offers.push(separate(if creates {
                format!("none of them: a new record is made in {}", system(side))
            } else {
                "none of them: the record stays without a partner".to_owned()
            }));
            offers.push(retry("the duplicates are mended: look for the partner again"));
            offers
        }
        ReviewKind::Merged(side, partner) => merged(question, *side, partner.as_ref()),
        // A question about a unit that lost it: the engine asks those about units only.
        _ => vec![separate(alone)],
    }
}

/// What may become of the partner of a record that was merged into another one. Which of two
/// partners has the better values is for people: they are edited in the one that stays.
fn merged(question: &Question, side: Side, partner: Option<&Key>) -> Vec<Offer> {
    let record = |key| question.mapping.record(side.other(), key);
    let left = record(question.key(side.other()));
    let creates = question.mapping.spec.as_ref().is_some_and(|spec| spec.create.value[side]);
    let stays = partner.map(|key| Offer {
        answer: Answer::Adopt(key.clone()),
        effect: format!(
            "{} stays the partner; {left} stays as well, without one, and goes its own way",
            record(Some(key))
        ),
    });
    let system = question.mapping.system(side);
    let apart = separate(match creates {
        true => format!("{left} is no duplicate: a new record is made of it in {system}"),
        false => format!("{left} stays, without a partner in {system}"),
    });
    // Where nothing is made, the one is the other.
    let apart = (creates || stays.is_none()).then_some(apart);
    let carried = question.mapping.spec.as_ref().map(|spec| spec.delete.value[side]);
    let agreed = question.review.shown[side].base.iter().any(Value::is_present);
    let gone = (agreed && carried.is_some_and(|rule| rule != DeleteRule::Keep))
        .then(|| take(side, format!("{left} is deleted as well, its values stay in the journal")));
    stays.into_iter().chain(gone).chain(apart).collect()
}
