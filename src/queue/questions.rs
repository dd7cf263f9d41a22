//! Questions, found in the ledger.

use anyhow::Context as _;
use syncline_core::model::Review;
use syncline_ledger::{LinkQuery, People as _};

use super::desk::Desk;
use super::question::Question;
use crate::stop::Stop;

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
    let link = desk.ledger.link(review.key.link).await;
    let link = link.context("the ledger")?;
    Ok(Question::new(desk, review, link))
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
    let question = |review: Review| {
        let link = links.iter().find(|link| link.id == review.key.link).cloned();
        Question::new(desk, review, link)
    };
    Ok(reviews.into_iter().map(question).collect())
}
