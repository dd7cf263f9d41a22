//! Table `gap`.

use sqlx::PgConnection;
use syncline_core::model::Gap;

use super::code;
use super::error::Meaning;
use super::prune::all_of;
use crate::{Result, fold};

/// Keeps gaps; one that is closed stays closed.
pub(super) async fn keep(connection: &mut PgConnection, gaps: &[Gap]) -> Result<(), sqlx::Error> {
    let gaps = fold::gaps(gaps);
    let stream: Vec<String> = gaps.values().map(|gap| gap.stream.clone()).collect();
    let noticed: Vec<i64> = gaps.values().map(|gap| gap.noticed_at).collect();
    let reason: Vec<String> = gaps.values().map(|gap| gap.reason.clone()).collect();
    let closed: Vec<Option<i64>> = gaps.values().map(|gap| gap.closed_at).collect();
    sqlx::query!(
        "insert into syncline.gap as g (stream, noticed_at, reason, closed_at)
         select * from unnest($1::text[], $2::int8[], $3::text[], $4::int8[])
         on conflict (stream, noticed_at) do update
         set closed_at = coalesce(g.closed_at, excluded.closed_at)",
        &stream,
        &noticed,
        &reason,
        &closed as _,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The gaps that are not closed.
pub(super) async fn open(connection: &mut PgConnection) -> Result<Vec<Gap>> {
    sqlx::query_as!(
        Gap,
        "select stream, reason, noticed_at, closed_at from syncline.gap
         where closed_at is null order by stream, noticed_at"
    )
    .fetch_all(connection)
    .await
    .meaning("load gaps")
}

/// All gaps, the latest first.
pub(super) async fn all(connection: &mut PgConnection, max: usize) -> Result<Vec<Gap>> {
    sqlx::query_as!(
        Gap,
        "select stream, reason, noticed_at, closed_at from syncline.gap
         order by noticed_at desc, stream desc limit $1",
        code::limit(max)
    )
    .fetch_all(connection)
    .await
    .meaning("load gaps")
}

/// Removes gaps that were closed before a time.
pub(super) async fn prune(connection: &mut PgConnection, before: i64) -> Result<u64> {
    all_of!(
        connection,
        "delete from syncline.gap where ctid = any(array(
             select ctid from syncline.gap where closed_at < $1 limit $2))",
        before
    )
}
