//! Table `install`.

use sqlx::PgConnection;

use super::error::Meaning;
use crate::Result;

/// The installation's id, if it has one: nothing on a database without our tables.
pub(super) async fn find(connection: &mut PgConnection) -> Result<Option<String>> {
    const WHAT: &str = "look for the installation's id";
    let there =
        sqlx::query_scalar!(r#"select to_regclass('syncline.install') is not null as "there!""#)
            .fetch_one(&mut *connection)
            .await
            .meaning(WHAT)?;
    if !there {
        return Ok(None);
    }
    sqlx::query_scalar!("select id from syncline.install")
        .fetch_optional(connection)
        .await
        .meaning(WHAT)
}

/// The installation's id; the candidate becomes it when there is none.
pub(super) async fn id(connection: &mut PgConnection, candidate: &str) -> Result<String> {
    const WHAT: &str = "read the installation's id";
    sqlx::query!("insert into syncline.install (id) values ($1) on conflict do nothing", candidate)
        .execute(&mut *connection)
        .await
        .meaning(WHAT)?;
    sqlx::query_scalar!("select id from syncline.install").fetch_one(connection).await.meaning(WHAT)
}

/// When the installation was made, microseconds UTC.
pub(super) async fn made_at(connection: &mut PgConnection) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"select (extract(epoch from made_at) * 1000000)::int8 as "at!" from syncline.install"#
    )
    .fetch_optional(connection)
    .await
    .meaning("look when the ledger was made")
}
