//! Table `review`.

use sqlx::PgConnection;
use syncline_core::Sides;
use syncline_core::encoding::{DecodeError, Encoded, decode, encode};
use syncline_core::mapping::MappingId;
use syncline_core::model::{Answer, Review, ReviewKey, ReviewStatus};
use syncline_sdk::LinkId;
use uuid::Uuid;

use super::code;
use super::error::{Meaning, corrupt};
use super::keyring::{Keyring, LinkKeys, Name, Place, is_sealed, sealed};
use super::prune::all_of;
use crate::{NewAnswer, Result, ReviewQuery};

const WHAT: &str = "read questions";

/// The unit's number of a question about the whole pair.
const PAIR: i32 = -1;

/// The unit of a question as a number.
pub(super) fn unit(key: &ReviewKey) -> i32 {
    key.unit.map_or(PAIR, i32::from)
}

/// A row as it stands, sealed or not.
pub(super) struct ReviewRow {
    id: i64,
    mapping: i32,
    link: Uuid,
    unit: i32,
    sync_version: i64,
    revision: i32,
    status: i16,
    kind: Vec<u8>,
    left_shown: Vec<u8>,
    right_shown: Vec<u8>,
    entry: Option<i64>,
    asked_at: i64,
    answer: Option<Vec<u8>>,
}

/// Where a column of a question is sealed for.
pub(super) fn place(key: &ReviewKey, column: &'static str) -> Place {
    Place::Review(column, unit(key), key.sync_version)
}

impl ReviewRow {
    /// Its link.
    pub(super) fn name(&self) -> Name {
        (self.mapping, self.link)
    }

    fn read<T: Encoded>(&self, keys: &LinkKeys, column: &'static str, bytes: &[u8]) -> Result<T> {
        let place = Place::Review(column, self.unit, self.sync_version);
        let bytes = keys.open(self.name(), place, bytes)?;
        let bad = |error| corrupt("review", self.id, format!("{column}: {error}"));
        decode(&bytes).map_err(|error: DecodeError| bad(error))
    }

    /// Its number.
    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// Whether its columns are sealed.
    pub(super) fn is_sealed(&self) -> bool {
        is_sealed(&self.left_shown)
    }

    /// The question.
    pub(super) fn review(&self, keys: &LinkKeys) -> Result<Review> {
        let row = self;
        let id = row.id;
        let unit = match row.unit {
            PAIR => None,
            unit => Some(
                u16::try_from(unit).map_err(|_| corrupt("review", id, format!("unit {unit}")))?,
            ),
        };
        Ok(Review {
            key: ReviewKey {
                mapping: MappingId(row.mapping),
                link: LinkId(row.link),
                unit,
                sync_version: row.sync_version,
            },
            id,
            revision: row.revision,
            kind: row.read(keys, "kind", &row.kind)?,
            shown: Sides {
                left: row.read(keys, "left_shown", &row.left_shown)?,
                right: row.read(keys, "right_shown", &row.right_shown)?,
            },
            status: code::to_status(row.status)
                .ok_or_else(|| corrupt("review", id, format!("status {}", row.status)))?,
            answer: (row.answer.as_ref())
                .map(|bytes| row.read(keys, "answer", bytes))
                .transpose()?,
            entry: row.entry.map(code::to_entry),
            asked_at: row.asked_at,
        })
    }
}

/// The questions of rows, opened where they are sealed.
async fn reviews(
    connection: &mut PgConnection,
    keyring: &Keyring,
    rows: Vec<ReviewRow>,
) -> Result<Vec<Review>> {
    // All columns of a question are sealed, or none is; an answer by the same rule.
    let shown = rows.iter().map(|row| (row.name(), row.left_shown.as_slice()));
    let keys = keyring.of(connection, sealed(shown)).await?;
    rows.iter().map(|row| row.review(&keys)).collect()
}

/// All columns of the questions that a condition finds.
macro_rules! reviews {
    ($rest:literal, $($argument:expr),+) => {
        sqlx::query_as!(
            ReviewRow,
            "select r.id, r.mapping, r.link, r.unit, r.sync_version, r.revision, r.status, r.kind,
                    r.left_shown, r.right_shown, r.entry, r.asked_at, r.answer
             from syncline.review as r " + $rest,
            $($argument),+
        )
    };
}

/// The questions of links that are not closed.
pub(super) async fn of_links(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mappings: &[i32],
    links: &[Uuid],
) -> Result<Vec<Review>> {
    let rows = reviews!(
        "join unnest($1::int4[], $2::uuid[]) as u (mapping, link)
                  on r.mapping = u.mapping and r.link = u.link
             where r.status <> 2",
        mappings,
        links
    )
    .fetch_all(&mut *connection)
    .await
    .meaning(WHAT)?;
    reviews(connection, keyring, rows).await
}

/// Answered questions, oldest answer first.
pub(super) async fn answered(
    connection: &mut PgConnection,
    keyring: &Keyring,
    max: usize,
) -> Result<Vec<Review>> {
    let rows = reviews!(
        "where r.status = 1 and r.status <> 2 order by r.answered_at, r.id limit $1",
        code::limit(max)
    )
    .fetch_all(&mut *connection)
    .await
    .meaning(WHAT)?;
    reviews(connection, keyring, rows).await
}

/// One question.
pub(super) async fn by_id(
    connection: &mut PgConnection,
    keyring: &Keyring,
    id: i64,
) -> Result<Option<Review>> {
    let row = reviews!("where r.id = $1", id).fetch_optional(&mut *connection).await;
    Ok(reviews(connection, keyring, row.meaning(WHAT)?.into_iter().collect()).await?.pop())
}

/// Questions, by number.
pub(super) async fn list(
    connection: &mut PgConnection,
    keyring: &Keyring,
    query: &ReviewQuery,
) -> Result<Vec<Review>> {
    let rows = reviews!(
        "where r.id > $1 and ($2::int4 is null or r.mapping = $2)
               and (case when $3::int2 is null then r.status <> 2 else r.status = $3 end)
             order by r.id limit $4",
        query.after,
        query.mapping.map(|mapping| mapping.0),
        query.status.map(code::status),
        code::limit(query.max)
    )
    .fetch_all(&mut *connection)
    .await
    .meaning(WHAT)?;
    reviews(connection, keyring, rows).await
}

/// The rows of a mapping, by number.
pub(super) async fn page(
    connection: &mut PgConnection,
    mapping: MappingId,
    after: i64,
    max: usize,
) -> Result<Vec<ReviewRow>> {
    reviews!(
        "where r.mapping = $1 and r.id > $2 order by r.id limit $3",
        mapping.0,
        after,
        code::limit(max)
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)
}

/// Takes an answer to the revision that was seen, if the question waits for one.
pub(super) async fn answer(
    connection: &mut PgConnection,
    keyring: &Keyring,
    answer: &NewAnswer,
) -> Result<bool> {
    let given = Answer { choice: answer.choice.clone(), by: answer.by.clone(), at: answer.at };
    let (given, sealed) = kept(connection, keyring, answer.id, encode(&given)).await?;
    let done = sqlx::query!(
        "update syncline.review set status = $1, answer = $2, answered_at = $3
         where id = $4 and revision = $5 and status = $6
           and (get_byte(left_shown, 0) = 129) = $7",
        code::status(ReviewStatus::Answered),
        given,
        answer.at.micros(),
        answer.id,
        answer.revision,
        code::status(ReviewStatus::Open),
        sealed,
    )
    .execute(connection)
    .await
    .meaning("answer a question")?;
    Ok(done.rows_affected() == 1)
}

/// An answer as it is kept with its question: sealed where that is; and whether it is.
async fn kept(
    connection: &mut PgConnection,
    keyring: &Keyring,
    id: i64,
    given: Vec<u8>,
) -> Result<(Vec<u8>, bool)> {
    let row = reviews!("where r.id = $1", id).fetch_optional(&mut *connection).await;
    let Some(row) = row.meaning(WHAT)?.filter(ReviewRow::is_sealed) else {
        return Ok((given, false));
    };
    let keys = keyring.of(connection, [row.name()].into()).await?;
    // What is shown proves that the key is there.
    let shown = Place::Review("left_shown", row.unit, row.sync_version);
    keys.open(row.name(), shown, &row.left_shown)?;
    let place = Place::Review("answer", row.unit, row.sync_version);
    Ok((keys.seal(row.name(), place, given)?, true))
}

/// Removes questions that were closed, and asked and answered before a time.
pub(super) async fn prune(connection: &mut PgConnection, before: i64) -> Result<u64> {
    all_of!(
        connection,
        "delete from syncline.review where ctid = any(array(
             select ctid from syncline.review
             where status = 2 and greatest(asked_at, answered_at) < $1 limit $2))",
        before
    )
}
