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
use super::prune::all_of;
use crate::{LedgerError, NewAnswer, Result, ReviewQuery};

const WHAT: &str = "read questions";

/// The unit's number of a question about the whole pair.
const PAIR: i32 = -1;

/// The unit of a question as a number.
pub(super) fn unit(key: &ReviewKey) -> i32 {
    key.unit.map_or(PAIR, i32::from)
}

struct ReviewRow {
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

impl TryFrom<ReviewRow> for Review {
    type Error = LedgerError;

    fn try_from(row: ReviewRow) -> Result<Self> {
        fn read<T: Encoded>(id: i64, column: &str, bytes: &[u8]) -> Result<T> {
            decode(bytes)
                .map_err(|error: DecodeError| corrupt("review", id, format!("{column}: {error}")))
        }
        let id = row.id;
        let unit = match row.unit {
            PAIR => None,
            unit => Some(
                u16::try_from(unit).map_err(|_| corrupt("review", id, format!("unit {unit}")))?,
            ),
        };
        Ok(Self {
            key: ReviewKey {
                mapping: MappingId(row.mapping),
                link: LinkId(row.link),
                unit,
                sync_version: row.sync_version,
            },
            id,
            revision: row.revision,
            kind: read(id, "kind", &row.kind)?,
            shown: Sides {
                left: read(id, "left_shown", &row.left_shown)?,
                right: read(id, "right_shown", &row.right_shown)?,
            },
            status: code::to_status(row.status)
                .ok_or_else(|| corrupt("review", id, format!("status {}", row.status)))?,
            answer: row.answer.map(|bytes| read(id, "answer", &bytes)).transpose()?,
            entry: row.entry.map(code::to_entry),
            asked_at: row.asked_at,
        })
    }
}

fn from_rows(rows: std::result::Result<Vec<ReviewRow>, sqlx::Error>) -> Result<Vec<Review>> {
    rows.meaning(WHAT)?.into_iter().map(Review::try_from).collect()
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
    mappings: &[i32],
    links: &[Uuid],
) -> Result<Vec<Review>> {
    from_rows(
        reviews!(
            "join unnest($1::int4[], $2::uuid[]) as u (mapping, link)
                  on r.mapping = u.mapping and r.link = u.link
             where r.status <> 2",
            mappings,
            links
        )
        .fetch_all(connection)
        .await,
    )
}

/// Answered questions, oldest answer first.
pub(super) async fn answered(connection: &mut PgConnection, max: usize) -> Result<Vec<Review>> {
    from_rows(
        reviews!(
            "where r.status = 1 and r.status <> 2 order by r.answered_at, r.id limit $1",
            code::limit(max)
        )
        .fetch_all(connection)
        .await,
    )
}

/// One question.
pub(super) async fn by_id(connection: &mut PgConnection, id: i64) -> Result<Option<Review>> {
    let row = reviews!("where r.id = $1", id).fetch_optional(connection).await.meaning(WHAT)?;
    row.map(Review::try_from).transpose()
}

/// Questions, by number.
pub(super) async fn list(
    connection: &mut PgConnection,
    query: &ReviewQuery,
) -> Result<Vec<Review>> {
    from_rows(
        reviews!(
            "where r.id > $1 and ($2::int4 is null or r.mapping = $2)
               and (case when $3::int2 is null then r.status <> 2 else r.status = $3 end)
             order by r.id limit $4",
            query.after,
            query.mapping.map(|mapping| mapping.0),
            query.status.map(code::status),
            code::limit(query.max)
        )
        .fetch_all(connection)
        .await,
    )
}

/// Takes an answer to the revision that was seen, if the question waits for one.
pub(super) async fn answer(connection: &mut PgConnection, answer: &NewAnswer) -> Result<bool> {
    let given = Answer { choice: answer.choice.clone(), by: answer.by.clone(), at: answer.at };
    let done = sqlx::query!(
        "update syncline.review set status = $1, answer = $2, answered_at = $3
         where id = $4 and revision = $5 and status = $6",
        code::status(ReviewStatus::Answered),
        encode(&given),
        answer.at.micros(),
        answer.id,
        answer.revision,
        code::status(ReviewStatus::Open),
    )
    .execute(connection)
    .await
    .meaning("answer a question")?;
    Ok(done.rows_affected() == 1)
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
