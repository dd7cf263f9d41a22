//! Table `counter`.

use std::ops::Range;

use sqlx::PgConnection;

use super::error::Meaning;
use crate::Result;

/// Commit numbers that are never given again.
pub(super) async fn reserve(connection: &mut PgConnection, count: i64) -> Result<Range<i64>> {
    let last = sqlx::query_scalar!(
        "update syncline.counter set last_commit = last_commit + $1 returning last_commit",
        count.max(0)
    )
    .fetch_one(connection)
    .await
    .meaning("reserve commit numbers")?;
    Ok(last - count.max(0) + 1..last + 1)
}
