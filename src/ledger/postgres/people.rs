//! What people ask.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use syncline_core::mapping::MappingId;
use syncline_core::model::{Figure, Gap, Hint, Link, Review, Tally};
use syncline_sdk::LinkId;

use super::error::Meaning;
use super::keyring::Keyring;
use super::session::call;
use super::{Postgres, awaited, figure, gap, hint, lease, link, review, sweep, tally};
use crate::{Answered, Awaited, LinkCount, NewAnswer, Owner, People, Result, ReviewQuery, Waiting};

#[async_trait]
impl People for Postgres {
    async fn reviews(&self, query: &ReviewQuery) -> Result<Vec<Review>> {
        call!(self, "list questions", |connection| review::list(connection, &self.keyring, query))
    }

    async fn review(&self, id: i64) -> Result<Option<Review>> {
        call!(self, "read a question", |connection| review::by_id(connection, &self.keyring, id))
    }

    async fn answer(&self, answer: &NewAnswer) -> Result<Answered> {
        call!(self, "answer a question", |connection| take_answer(
            connection,
            &self.keyring,
            answer
        ))
    }

    async fn hint(&self, hints: &[Hint]) -> Result<()> {
        call!(self, "add hints", |connection| async {
            hint::add(connection, hints).await.meaning("add hints")
        })
    }

    async fn all_gaps(&self, max: usize) -> Result<Vec<Gap>> {
        call!(self, "list gaps", |connection| gap::all(connection, max))
    }

    async fn figures(&self) -> Result<BTreeMap<Figure, i64>> {
        call!(self, "read figures", |connection| figure::all(connection))
    }

    async fn tallies(&self) -> Result<Vec<(Tally, i64)>> {
        call!(self, "read the counts of mappings", |connection| tally::all(connection))
    }

    async fn link_counts(&self) -> Result<Vec<LinkCount>> {
        call!(self, "count links", |connection| link::counts(connection))
    }

    async fn waiting(&self) -> Result<Vec<Waiting>> {
        call!(self, "count hints", |connection| hint::waiting(connection))
    }

    async fn owner(&self) -> Result<Option<Owner>> {
        call!(self, "read the lease", |connection| lease::owner(connection))
    }

    async fn awaited(&self) -> Result<Vec<Awaited>> {
        call!(self, "read what is waited for", |connection| awaited::all(connection))
    }

    async fn ask_sweep(&self, mapping: MappingId) -> Result<i64> {
        call!(self, "ask for a sweep", |connection| sweep::ask(connection, mapping))
    }

    async fn link(&self, link: LinkId) -> Result<Option<Link>> {
        call!(self, "find a link", |connection| link::by_link(connection, &self.keyring, link))
    }
}

/// The answer and its hints, or neither.
async fn take_answer(
    connection: &mut PgConnection,
    keyring: &Keyring,
    answer: &NewAnswer,
) -> Result<Answered> {
    const WHAT: &str = "answer a question";
    let mut transaction = connection.begin().await.meaning(WHAT)?;
    if !review::answer(&mut transaction, keyring, answer).await? {
        transaction.rollback().await.meaning(WHAT)?;
        return Ok(review::by_id(connection, keyring, answer.id)
            .await?
            .map_or(Answered::Unknown, |review| Answered::Moved(Box::new(review))));
    }
    if !answer.hints.is_empty() {
        hint::add(&mut transaction, &answer.hints).await.meaning(WHAT)?;
    }
    transaction.commit().await.meaning(WHAT)?;
    Ok(Answered::Taken)
}
