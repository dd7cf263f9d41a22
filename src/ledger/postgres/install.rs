//! Table `install`.

use sqlx::PgConnection;

use super::error::Meaning;
use crate::Result;

/// The installation's id; the candidate becomes it when there is none.
pub(super) async fn id(connection: &mut PgConnection, candidate: &str) -> Result<String> {
    const WHAT: &str = "read the installation's id";
    sqlx::query!("insert into syncline.install (id) values ($1) on conflict do nothing", candidate)
        .execute(&mut *connection)
        .await
        .meaning(WHAT)?;
    sqlx::query_scalar!("select id from syncline.install").fetch_one(connection).await.meaning(WHAT)
}
