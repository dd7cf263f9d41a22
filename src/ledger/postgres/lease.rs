//! Tables `lease` and `counter`.

use std::ops::Range;

use sqlx::PgConnection;
use syncline_core::model::Fence;
use syncline_sdk::Instant;

use super::error::Meaning;
use crate::{Owner, Ownership, Result};

const OWN: &str = "take the lease";

/// Takes, renews or is refused the ownership.
pub(super) async fn own(
    connection: &mut PgConnection,
    owner: &str,
    now: Instant,
    until: Instant,
) -> Result<Ownership> {
    let epoch = sqlx::query_scalar!(
        "insert into syncline.lease as l (owner, epoch, until) values ($1, 1, $2)
         on conflict (one) do update
         set owner = excluded.owner, until = excluded.until,
             epoch = l.epoch + (case when l.owner = excluded.owner then 0 else 1 end)
         where l.owner = excluded.owner or l.until <= $3
         returning epoch",
        owner,
        until.micros(),
        now.micros(),
    )
    .fetch_optional(&mut *connection)
    .await
    .meaning(OWN)?;
    if let Some(epoch) = epoch {
        return Ok(Ownership::Owned(Fence { epoch }));
    }
    let until = sqlx::query_scalar!("select until from syncline.lease")
        .fetch_one(connection)
        .await
        .meaning(OWN)?;
    Ok(Ownership::Taken { until })
}

/// Who owns the shards.
pub(super) async fn owner(connection: &mut PgConnection) -> Result<Option<Owner>> {
    sqlx::query_as!(Owner, "select owner, epoch, until from syncline.lease")
        .fetch_optional(connection)
        .await
        .meaning("read the lease")
}

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
