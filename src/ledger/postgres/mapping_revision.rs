//! Table `mapping_revision`.

use sqlx::PgConnection;
use syncline_sdk::Instant;

use super::error::Meaning;
use crate::Result;

/// Keeps the text of a new revision.
pub(super) async fn add(
    connection: &mut PgConnection,
    mapping: i32,
    revision: i32,
    source: &str,
    at: Instant,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into syncline.mapping_revision (mapping, revision, source, made_at)
         values ($1, $2, $3, $4)",
        mapping,
        revision,
        source,
        at.micros(),
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The texts of a mapping, by revision.
pub(super) async fn all(connection: &mut PgConnection, mapping: i32) -> Result<Vec<(i32, String)>> {
    let rows = sqlx::query!(
        "select revision, source from syncline.mapping_revision
         where mapping = $1 order by revision",
        mapping,
    )
    .fetch_all(connection)
    .await
    .meaning("read the revisions of a mapping")?;
    Ok(rows.into_iter().map(|row| (row.revision, row.source)).collect())
}
