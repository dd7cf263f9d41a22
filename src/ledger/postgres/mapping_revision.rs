//! Table `mapping_revision`.

use sqlx::PgConnection;
use syncline_sdk::Instant;

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
