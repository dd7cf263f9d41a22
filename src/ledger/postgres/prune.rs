//! What is removed once it is old: the one place for it. (Receipts with their batches and the
//! numbers of commits go elsewhere: by what the protocol still needs, not by a setting.)

use sqlx::PgConnection;

use super::code;
use super::error::Meaning;
use crate::Result;
use crate::schedules::{KeptFrom, Pruned, PrunedPage};

const WHAT: &str = "remove what is old";

/// How many rows one statement removes: short, so that it holds nobody up.
const ROWS_MAX: i64 = 2_000;

/// One page of the journal, in the order of its numbers.
pub(super) async fn journal(
    connection: &mut PgConnection,
    before: i64,
    after: Option<i64>,
    max: usize,
) -> Result<PrunedPage> {
    let row = sqlx::query!(
        r#"with page as (
               select id, at, mapping, link from syncline.journal
               where id > $1 order by id limit $2
           ), gone as (
               delete from syncline.journal as j using page as p
               where j.id = p.id and p.at < $3
                 and not exists (select from syncline.link as l
                                 where l.mapping = p.mapping and l.link = p.link
                                   and p.id >= least(l.left_open, l.right_open))
                 and not exists (select from syncline.review as r
                                 where r.mapping = p.mapping and r.link = p.link
                                   and r.status <> 2)
                 and not exists (select from syncline.parked as k
                                 where k.mapping = p.mapping and k.link = p.link)
               returning 1
           )
           select (select count(*) from gone) as "removed!",
                  (select max(id) from page) as last,
                  coalesce((select bool_or(at >= $3) from page), false) as "young!""#,
        after.unwrap_or(-1),
        code::limit(max),
        before,
    )
    .fetch_one(connection)
    .await
    .meaning("remove old entries of the journal")?;
    Ok(PrunedPage {
        removed: u64::try_from(row.removed).unwrap_or(0),
        last: row.last,
        young: row.young,
    })
}

/// Repeats a statement that removes up to so many rows until there are no more; gives how many.
macro_rules! all_of {
    ($connection:expr, $statement:literal, $before:expr) => {{
        let mut removed = 0;
        loop {
            let gone = sqlx::query!($statement, $before, ROWS_MAX)
                .execute(&mut *$connection)
                .await
                .meaning(WHAT)?
                .rows_affected();
            removed += gone;
            if gone < ROWS_MAX.unsigned_abs() {
                break removed;
            }
        }
    }};
}

/// What else is old.
pub(super) async fn rest(connection: &mut PgConnection, kept: &KeptFrom) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    if let Some(from) = kept.journal {
        pruned.questions = all_of!(
            connection,
            "delete from syncline.review where ctid = any(array(
                 select ctid from syncline.review
                 where status = 2 and greatest(asked_at, answered_at) < $1 limit $2))",
            from
        );
        pruned.gaps = all_of!(
            connection,
            "delete from syncline.gap where ctid = any(array(
                 select ctid from syncline.gap where closed_at < $1 limit $2))",
            from
        );
        pruned.batches = all_of!(
            connection,
            "delete from syncline.batch where ctid = any(array(
                 select ctid from syncline.batch where state <> 0 and die_after < $1 limit $2))",
            from
        );
    }
    if let Some(from) = kept.deliveries {
        pruned.deliveries = all_of!(
            connection,
            "delete from syncline.delivery where ctid = any(array(
                 select ctid from syncline.delivery where at < $1 limit $2))",
            from
        );
    }
    if let Some(from) = kept.reports {
        pruned.reports = all_of!(
            connection,
            "delete from syncline.report where ctid = any(array(
                 select ctid from syncline.report where until_at < $1 limit $2))",
            from
        );
    }
    pruned.deliveries += all_of!(
        connection,
        "delete from syncline.delivery_notice where ctid = any(array(
             select ctid from syncline.delivery_notice where at < $1 limit $2))",
        kept.notices
    );
    pruned.requests = all_of!(
        connection,
        "delete from syncline.api_request where ctid = any(array(
             select ctid from syncline.api_request where at < $1 limit $2))",
        kept.requests
    );
    Ok(pruned)
}
