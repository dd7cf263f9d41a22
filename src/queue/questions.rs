//! Questions, found in the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use syncline_core::model::{Entry, Review, ReviewStatus, Verdict};
use syncline_ledger::{Access as _, LinkQuery, People as _};

use super::candidate::Candidate;
use super::desk::Desk;
use super::feasible::Feasible;
use super::question::Question;
use crate::stop::Stop;

/// How far back in a pair's journal it is looked for what became of an answer.
const ENTRIES_MAX: usize = 50;

/// There is no such question.
#[derive(Debug, thiserror::Error)]
#[error("there is no question {id}: `{list}` names all")]
pub struct Missing {
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
pub async fn find(desk: &Desk, id: i64) -> Result<Question, Stop> {
    let review = desk.ledger.review(id).await.context("the ledger")?;
    let Some(review) = review else {
        let list = desk.command("conflicts list --all");
        return Err(Missing { id, list }.into());
    };
    // A pair that moved has a link of that id in each mapping that it was in.
    let query = LinkQuery {
        mapping: review.key.mapping,
        links: vec![review.key.link],
        ..LinkQuery::default()
    };
    let link = desk.load(&[query]).await?.links.pop();
    let mut question = Question::new(desk, review, link);
    look_up_candidates(desk, std::slice::from_mut(&mut question)).await?;
    question.undone = undone(desk, &question).await?;
    question.feasible = Feasible::of(desk, &question.mapping).await?.map(Arc::new);
    Ok(question)
}

/// Why the last answer to a question was not carried out: the journal has it, near its end.
async fn undone(desk: &Desk, question: &Question) -> Result<Option<String>, Stop> {
    let review = &question.review;
    if review.status != ReviewStatus::Open || review.revision == 1 {
        return Ok(None);
    }
    let (mapping, link) = (review.key.mapping, review.key.link);
    let entries = desk.ledger.journal_of(mapping, link, None, ENTRIES_MAX).await;
    let entries = entries.context("the ledger")?;
    let about = |entry: &Entry, unit: Option<u16>| match unit {
        Some(unit) => question.mapping.by(entry.revision).unit(unit) == question.unit(),
        None => review.key.unit.is_none(),
    };
    let told = entries.iter().flat_map(|entry| entry.decided.iter().map(move |one| (entry, one)));
    let mut told = told.filter(|(entry, decided)| about(entry, decided.unit));
    Ok(told.find_map(|(entry, decided)| {
        // The reason repeats what was typed.
        let rules = question.mapping.by(entry.revision);
        match rules.verdict(decided.unit, &decided.verdict) {
            Verdict::AnswerNotApplied(why) => Some(why),
            _ => None,
        }
    }))
}

/// Questions with their links.
pub async fn with_links(desk: &Desk, reviews: Vec<Review>) -> Result<Vec<Question>, Stop> {
    let mut queries: Vec<LinkQuery> = Vec::new();
    for review in &reviews {
        let mapping = review.key.mapping;
        match queries.iter_mut().find(|query| query.mapping == mapping) {
            Some(query) => query.links.push(review.key.link),
            None => queries.push(LinkQuery {
                mapping,
                links: vec![review.key.link],
                ..LinkQuery::default()
            }),
        }
    }
    let links = desk.load(&queries).await?.links;
    let mut feasible = BTreeMap::new();
    for LinkQuery { mapping, .. } in &queries {
        let found = Feasible::of(desk, &desk.mapping(*mapping)).await?;
        feasible.insert(*mapping, found.map(Arc::new));
    }
    let question = |review: Review| {
        let link = links
            .iter()
            .find(|link| (link.mapping, link.id) == (review.key.mapping, review.key.link));
        let link = link.cloned();
        let feasible = feasible.get(&review.key.mapping).cloned().flatten();
        Question { feasible, ..Question::new(desk, review, link) }
    };
    let mut questions: Vec<Question> = reviews.into_iter().map(question).collect();
    look_up_candidates(desk, &mut questions).await?;
    Ok(questions)
}

/// Gives questions what the ledger knows of the records that they ask to choose from.
pub async fn look_up_candidates(desk: &Desk, questions: &mut [Question]) -> Result<(), Stop> {
    let mut queries: Vec<LinkQuery> = Vec::new();
    for question in questions.iter() {
        let (mapping, side) = (question.review.key.mapping, question.candidate_side());
        let keys = question.candidate_keys();
        if keys.is_empty() {
            continue;
        }
        let at = queries.iter().position(|query| query.mapping == mapping);
        let at = at.unwrap_or_else(|| {
            queries.push(LinkQuery { mapping, ..LinkQuery::default() });
            queries.len() - 1
        });
        queries[at].keys[side].extend(keys.iter().cloned());
    }
    if queries.is_empty() {
        return Ok(());
    }
    let links = desk.load(&queries).await?.links;
    for question in questions {
        let (mapping, side) = (question.review.key.mapping, question.candidate_side());
        let of: Vec<_> = links.iter().filter(|link| link.mapping == mapping).cloned().collect();
        let keys = question.candidate_keys().iter();
        question.candidates = keys.map(|key| Candidate::new(key, side, &of)).collect();
    }
    Ok(())
}
