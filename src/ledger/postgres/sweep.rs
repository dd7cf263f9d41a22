//! Table `sweep`.

use sqlx::PgConnection;
use syncline_core::mapping::MappingId;

use super::error::Meaning;
use crate::Result;

/// Asks for one more; gives how many were asked for by now.
pub(super) async fn ask(connection: &mut PgConnection, mapping: MappingId) -> Result<i64> {
    let row = sqlx::query!(
        "insert into syncline.sweep (mapping, asked) values ($1, 1)
         on conflict (mapping) do update set asked = sweep.asked + 1
         returning asked",
        mapping.0,
    )
    .fetch_one(connection)
    .await
    .meaning("ask for a sweep")?;
    Ok(row.asked)
}

/// How many were asked for, a mapping.
pub(super) async fn asked(connection: &mut PgConnection) -> Result<Vec<(MappingId, i64)>> {
    let rows = sqlx::query!("select mapping, asked from syncline.sweep order by mapping")
        .fetch_all(connection)
        .await
        .meaning("read what sweeps were asked for")?;
    Ok(rows.into_iter().map(|row| (MappingId(row.mapping), row.asked)).collect())
}
