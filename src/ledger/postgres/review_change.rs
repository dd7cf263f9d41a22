//! Table `review`: what commits do to it.

use sqlx::PgConnection;
use syncline_core::encoding::encode;
use syncline_core::model::{Review, ReviewChange, ReviewKey, ReviewStatus};
use uuid::Uuid;

use super::error::Meaning;
use super::keyring::LinkKeys;
use super::{code, review};
use crate::Result;

/// Names of questions as columns.
#[derive(Default)]
struct Keys {
    mapping: Vec<i32>,
    link: Vec<Uuid>,
    unit: Vec<i32>,
    sync_version: Vec<i64>,
}

impl Keys {
    fn push(&mut self, key: &ReviewKey) {
        self.mapping.push(key.mapping.0);
        self.link.push(key.link.0);
        self.unit.push(review::unit(key));
        self.sync_version.push(key.sync_version);
    }
}

/// What questions show, as columns.
#[derive(Default)]
struct Content {
    revision: Vec<i32>,
    status: Vec<i16>,
    kind: Vec<Vec<u8>>,
    left_shown: Vec<Vec<u8>>,
    right_shown: Vec<Vec<u8>>,
    entry: Vec<Option<i64>>,
    asked_at: Vec<i64>,
    answered_at: Vec<Option<i64>>,
    answer: Vec<Option<Vec<u8>>>,
}

impl Content {
    fn add(&mut self, review: &Review, keys: &LinkKeys) -> Result<()> {
        let name = (review.key.mapping.0, review.key.link.0);
        let seal = |column, plain| keys.seal(name, review::place(&review.key, column), plain);
        self.revision.push(review.revision);
        self.status.push(code::status(review.status));
        self.kind.push(seal("kind", encode(&review.kind))?);
        self.left_shown.push(seal("left_shown", encode(&review.shown.left))?);
        self.right_shown.push(seal("right_shown", encode(&review.shown.right))?);
        self.entry.push(code::entry_or_null(review.entry)?);
        self.asked_at.push(review.asked_at);
        self.answered_at.push(review.answer.as_ref().map(|answer| answer.at.micros()));
        let answer = review.answer.as_ref().map(|answer| seal("answer", encode(answer)));
        self.answer.push(answer.transpose()?);
        Ok(())
    }
}

/// The revision and status that questions were read with, as columns.
#[derive(Default)]
struct Read {
    revision: Vec<i32>,
    status: Vec<i16>,
}

impl Read {
    fn add(&mut self, revision: i32, status: ReviewStatus) {
        self.revision.push(revision);
        self.status.push(code::status(status));
    }
}

/// What a commit does to questions, by kind.
#[derive(Default)]
pub(super) struct Changes {
    asks: (Keys, Content),
    shows: (Keys, Content, Read),
    closes: (Keys, Read),
}

impl Changes {
    /// Sorts changes by kind; what is shown is sealed where its link has a key.
    pub(super) fn new(changes: &[ReviewChange], keys: &LinkKeys) -> Result<Self> {
        let mut sorted = Self::default();
        for change in changes {
            match change {
                ReviewChange::Ask(review) => {
                    sorted.asks.0.push(&review.key);
                    sorted.asks.1.add(review, keys)?;
                }
                ReviewChange::Show { review, read_revision, read_status } => {
                    sorted.shows.0.push(&review.key);
                    sorted.shows.1.add(review, keys)?;
                    sorted.shows.2.add(*read_revision, *read_status);
                }
                ReviewChange::Close { key, read_revision, read_status } => {
                    sorted.closes.0.push(key);
                    sorted.closes.1.add(*read_revision, *read_status);
                }
            }
        }
        Ok(sorted)
    }
}

/// Applies changes: closings, then what is shown anew, then new questions. What does not hold is
/// answered in words.
pub(super) async fn change(
    connection: &mut PgConnection,
    changes: &Changes,
) -> Result<Option<String>, sqlx::Error> {
    for (keys, touched, words) in [
        (&changes.closes.0, close(connection, &changes.closes).await?, "answered or closed by now"),
        (&changes.shows.0, show(connection, &changes.shows).await?, "answered or closed by now"),
        (&changes.asks.0, ask(connection, &changes.asks).await?, "asked already"),
    ] {
        if touched != keys.link.len() as u64 {
            let links: Vec<String> = keys.link.iter().map(Uuid::to_string).collect();
            return Ok(Some(format!("a question on link {}: {words}", links.join(", "))));
        }
    }
    Ok(None)
}

async fn close(
    connection: &mut PgConnection,
    (keys, read): &(Keys, Read),
) -> Result<u64, sqlx::Error> {
    if keys.link.is_empty() {
        return Ok(0);
    }
    sqlx::query!(
        "update syncline.review as r set status = 2
         from unnest($1::int4[], $2::uuid[], $3::int4[], $4::int8[], $5::int4[], $6::int2[])
              as u (mapping, link, unit, sync_version, revision, status)
         where r.mapping = u.mapping and r.link = u.link and r.unit = u.unit
           and r.sync_version = u.sync_version and r.revision = u.revision
           and r.status = u.status",
        &keys.mapping,
        &keys.link,
        &keys.unit,
        &keys.sync_version,
        &read.revision,
        &read.status,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
}

async fn show(
    connection: &mut PgConnection,
    (keys, content, read): &(Keys, Content, Read),
) -> Result<u64, sqlx::Error> {
    if keys.link.is_empty() {
        return Ok(0);
    }
    sqlx::query!(
        "update syncline.review as r
         set revision = u.revision, status = u.status, kind = u.kind,
             left_shown = u.left_shown, right_shown = u.right_shown, entry = u.entry,
             answered_at = u.answered_at, answer = u.answer
         from unnest($1::int4[], $2::uuid[], $3::int4[], $4::int8[],
                     $5::int4[], $6::int2[], $7::bytea[], $8::bytea[], $9::bytea[], $10::int8[],
                     $11::int8[], $12::bytea[], $13::int4[], $14::int2[])
              as u (mapping, link, unit, sync_version, revision, status, kind, left_shown,
                    right_shown, entry, answered_at, answer, read_revision, read_status)
         where r.mapping = u.mapping and r.link = u.link and r.unit = u.unit
           and r.sync_version = u.sync_version and r.revision = u.read_revision
           and r.status = u.read_status",
        &keys.mapping,
        &keys.link,
        &keys.unit,
        &keys.sync_version,
        &content.revision,
        &content.status,
        &content.kind,
        &content.left_shown,
        &content.right_shown,
        &content.entry as _,
        &content.answered_at as _,
        &content.answer as _,
        &read.revision,
        &read.status,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
}

/// New questions. One that was closed on the same base is opened again under its old number; its
/// revision tells it from what was shown before.
async fn ask(
    connection: &mut PgConnection,
    (keys, content): &(Keys, Content),
) -> Result<u64, sqlx::Error> {
    if keys.link.is_empty() {
        return Ok(0);
    }
    sqlx::query!(
        "insert into syncline.review as r
             (mapping, link, unit, sync_version, revision, status, kind, left_shown, right_shown,
              entry, asked_at, answered_at, answer)
         select * from unnest($1::int4[], $2::uuid[], $3::int4[], $4::int8[], $5::int4[],
                              $6::int2[], $7::bytea[], $8::bytea[], $9::bytea[], $10::int8[],
                              $11::int8[], $12::int8[], $13::bytea[])
         on conflict (mapping, link, unit, sync_version) do update
         set revision = greatest(excluded.revision, r.revision + 1), status = excluded.status,
             kind = excluded.kind, left_shown = excluded.left_shown,
             right_shown = excluded.right_shown, entry = excluded.entry,
             asked_at = excluded.asked_at, answered_at = excluded.answered_at,
             answer = excluded.answer
         where r.status = 2",
        &keys.mapping,
        &keys.link,
        &keys.unit,
        &keys.sync_version,
        &content.revision,
        &content.status,
        &content.kind,
        &content.left_shown,
        &content.right_shown,
        &content.entry as _,
        &content.asked_at,
        &content.answered_at as _,
        &content.answer as _,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
}

/// Replaces what rows say by the same, sealed, where they are as they were read.
pub(super) async fn replace_contents(
    connection: &mut PgConnection,
    read: &[review::ReviewRow],
    keys: &LinkKeys,
) -> Result<u64> {
    let (mut names, mut content) = (Keys::default(), Content::default());
    for row in read {
        let read = row.review(keys)?;
        names.push(&read.key);
        content.add(&read, keys)?;
    }
    sqlx::query!(
        "update syncline.review as r
         set kind = u.kind, left_shown = u.left_shown, right_shown = u.right_shown,
             answer = u.answer
         from unnest($1::int4[], $2::uuid[], $3::int4[], $4::int8[], $5::int4[], $6::int2[],
                     $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[])
              as u (mapping, link, unit, sync_version, revision, status, kind, left_shown,
                    right_shown, answer)
         where r.mapping = u.mapping and r.link = u.link and r.unit = u.unit
           and r.sync_version = u.sync_version and r.revision = u.revision
           and r.status = u.status",
        &names.mapping,
        &names.link,
        &names.unit,
        &names.sync_version,
        &content.revision,
        &content.status,
        &content.kind,
        &content.left_shown,
        &content.right_shown,
        &content.answer as _,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
    .meaning("encrypt questions")
}
