//! Table `token`.

use sqlx::PgConnection;
use syncline_sdk::SystemName;

use super::error::Meaning;
use crate::Result;

/// Whether there is such a table.
pub(super) async fn has_table(connection: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar!(r#"select to_regclass('syncline.token') is not null as "there!""#)
        .fetch_one(connection)
        .await
        .meaning("look for the ledger's tables")
}

/// A sealed login.
pub(super) async fn find(
    connection: &mut PgConnection,
    system: &SystemName,
    name: &str,
) -> Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "select sealed from syncline.token where system = $1 and name = $2",
        system.as_str(),
        name,
    )
    .fetch_optional(connection)
    .await
    .meaning("read a stored login")
}

/// Replaces a sealed login.
pub(super) async fn keep(
    connection: &mut PgConnection,
    system: &SystemName,
    name: &str,
    sealed: &[u8],
) -> Result<()> {
    sqlx::query!(
        "insert into syncline.token (system, name, sealed) values ($1, $2, $3)
         on conflict (system, name) do update set sealed = excluded.sealed, kept_at = now()",
        system.as_str(),
        name,
        sealed,
    )
    .execute(connection)
    .await
    .meaning("keep a login")?;
    Ok(())
}
