//! Table `delivery_notice`.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use syncline_sdk::{Instant, SystemName};

use super::error::Meaning;
use super::prune::all_of;
use crate::Result;

/// Remembers notices; gives those that had not come before. Two at once that name the same wait
/// for each other, in the same order.
pub(super) async fn add(
    connection: &mut PgConnection,
    system: &SystemName,
    notices: &BTreeSet<&str>,
    at: Instant,
) -> Result<BTreeSet<String>> {
    if notices.is_empty() {
        return Ok(BTreeSet::new());
    }
    let names: Vec<String> = notices.iter().map(|notice| (*notice).to_owned()).collect();
    let new = sqlx::query_scalar!(
        "insert into syncline.delivery_notice (system, notice, at)
         select $1, notice, $3 from unnest($2::text[]) as u (notice)
         on conflict do nothing
         returning notice",
        system.as_str(),
        &names,
        at.micros(),
    )
    .fetch_all(connection)
    .await
    .meaning("remember notices")?;
    Ok(new.into_iter().collect())
}

/// Removes notices that were taken before a time.
pub(super) async fn prune(connection: &mut PgConnection, before: i64) -> Result<u64> {
    all_of!(
        connection,
        "delete from syncline.delivery_notice where ctid = any(array(
             select ctid from syncline.delivery_notice where at < $1 limit $2))",
        before
    )
}
