//! Table `lease`.

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
