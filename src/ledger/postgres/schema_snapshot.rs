//! Table `schema_snapshot`.

use sqlx::PgConnection;
use syncline_sdk::{EntityName, Instant, SystemName};

use super::error::Meaning;
use crate::{Result, Snapshot};

/// What was kept last.
pub(super) async fn find(
    connection: &mut PgConnection,
    system: &SystemName,
    entity: &EntityName,
) -> Result<Option<Snapshot>> {
    let row = sqlx::query!(
        "select fingerprint, taken_at from syncline.schema_snapshot
         where system = $1 and entity = $2",
        system.as_str(),
        entity.as_str(),
    )
    .fetch_optional(connection)
    .await
    .meaning("read a schema snapshot")?;
    Ok(row.map(|row| Snapshot {
        fingerprint: row.fingerprint,
        at: Instant::from_micros(row.taken_at),
    }))
}

/// Replaces what was kept.
pub(super) async fn keep(
    connection: &mut PgConnection,
    system: &SystemName,
    entity: &EntityName,
    snapshot: &Snapshot,
) -> Result<()> {
    sqlx::query!(
        "insert into syncline.schema_snapshot (system, entity, fingerprint, taken_at)
         values ($1, $2, $3, $4)
         on conflict (system, entity) do update
         set fingerprint = excluded.fingerprint, taken_at = excluded.taken_at",
        system.as_str(),
        entity.as_str(),
        snapshot.fingerprint,
        snapshot.at.micros(),
    )
    .execute(connection)
    .await
    .meaning("keep a schema snapshot")?;
    Ok(())
}
