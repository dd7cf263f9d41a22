//! Table `report`.

use sqlx::PgConnection;

use super::code;
use super::error::Meaning;
use super::prune::all_of;
use crate::Result;
use crate::schedules::{KeptReport, NewReport};

struct ReportRow {
    id: i64,
    from_at: i64,
    until_at: i64,
    totals: String,
    body: String,
}

impl From<ReportRow> for KeptReport {
    fn from(row: ReportRow) -> Self {
        let ReportRow { id, from_at, until_at, totals, body } = row;
        Self { id, report: NewReport { from_at, until_at, totals, body } }
    }
}

/// Keeps a report.
pub(super) async fn keep(connection: &mut PgConnection, report: &NewReport) -> Result<()> {
    sqlx::query!(
        "insert into syncline.report (from_at, until_at, totals, body) values ($1, $2, $3, $4)",
        report.from_at,
        report.until_at,
        report.totals,
        report.body,
    )
    .execute(connection)
    .await
    .map(drop)
    .meaning("keep a report")
}

/// Reports, the latest first.
pub(super) async fn list(
    connection: &mut PgConnection,
    before: Option<i64>,
    max: usize,
) -> Result<Vec<KeptReport>> {
    let rows = sqlx::query_as!(
        ReportRow,
        "select id, from_at, until_at, totals, body from syncline.report
         where id < $1 order by id desc limit $2",
        before.unwrap_or(i64::MAX),
        code::limit(max),
    )
    .fetch_all(connection)
    .await
    .meaning("list reports")?;
    Ok(rows.into_iter().map(KeptReport::from).collect())
}

/// The latest report that ends at a time or before it.
pub(super) async fn until(connection: &mut PgConnection, at: i64) -> Result<Option<KeptReport>> {
    let row = sqlx::query_as!(
        ReportRow,
        "select id, from_at, until_at, totals, body from syncline.report
         where until_at <= $1 order by until_at desc, id desc limit 1",
        at,
    )
    .fetch_optional(connection)
    .await
    .meaning("look for a report")?;
    Ok(row.map(KeptReport::from))
}

/// Removes reports that end before a time.
pub(super) async fn prune(connection: &mut PgConnection, before: i64) -> Result<u64> {
    all_of!(
        connection,
        "delete from syncline.report where ctid = any(array(
             select ctid from syncline.report where until_at < $1 limit $2))",
        before
    )
}
