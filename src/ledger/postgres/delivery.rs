//! Table `delivery`.

use std::collections::BTreeSet;

use sqlx::{Connection as _, PgConnection};
use syncline_sdk::{Instant, SystemName};

use super::error::{Meaning, corrupt};
use super::prune::all_of;
use super::{code, delivery_notice, hint};
use crate::{Delivered, Delivery, LedgerError, NewDelivery, Result, Verdict};

const RECORD: &str = "record a delivery";

/// The delivery, its notices and its hints, or nothing.
pub(super) async fn deliver(
    connection: &mut PgConnection,
    delivery: &NewDelivery,
) -> Result<Delivered> {
    let mut transaction = connection.begin().await.meaning(RECORD)?;
    let names: BTreeSet<&str> =
        delivery.notices.iter().map(|notice| notice.id.as_str()).chain(delivery.once()).collect();
    let new = delivery_notice::add(&mut transaction, &delivery.system, &names, delivery.at).await?;
    if delivery.once().is_some_and(|once| !new.contains(once)) {
        transaction.rollback().await.meaning(RECORD)?;
        return Ok(Delivered::Replayed);
    }
    let mut counted = delivery.counted(|notice| new.contains(notice));
    if !counted.hints.is_empty() {
        hint::add(&mut transaction, &counted.hints).await.meaning(RECORD)?;
    }
    counted.delivery.id = insert(&mut transaction, &counted.delivery).await?;
    transaction.commit().await.meaning(RECORD)?;
    Ok(Delivered::Recorded(counted.delivery))
}

async fn insert(connection: &mut PgConnection, delivery: &Delivery) -> Result<i64> {
    sqlx::query_scalar!(
        "insert into syncline.delivery (system, verdict, reason, sender, at, remote, bytes,
                                        notices, hints, repeated, unmapped, alike)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         returning id",
        delivery.system.as_str(),
        delivery.verdict.as_str(),
        delivery.reason,
        delivery.sender,
        delivery.at.micros(),
        delivery.remote,
        delivery.bytes,
        delivery.notices,
        delivery.hints,
        delivery.repeated,
        delivery.unmapped,
        delivery.alike,
    )
    .fetch_one(connection)
    .await
    .meaning(RECORD)
}

/// Deliveries, the latest first.
pub(super) async fn list(
    connection: &mut PgConnection,
    system: Option<&SystemName>,
    max: usize,
) -> Result<Vec<Delivery>> {
    let rows = sqlx::query!(
        "select id, system, verdict, reason, sender, at, remote, bytes, notices, hints, repeated,
                unmapped, alike
         from syncline.delivery
         where $1::text is null or system = $1
         order by id desc
         limit $2",
        system.map(SystemName::as_str),
        code::limit(max),
    )
    .fetch_all(connection)
    .await
    .meaning("list deliveries")?;
    rows.into_iter()
        .map(|row| {
            let known = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == row.verdict);
            let verdict = known
                .ok_or_else(|| corrupt("delivery", row.id, format!("verdict {}", row.verdict)))?;
            Ok::<_, LedgerError>(Delivery {
                id: row.id,
                system: SystemName::from(row.system),
                verdict,
                reason: row.reason,
                sender: row.sender,
                at: Instant::from_micros(row.at),
                remote: row.remote,
                bytes: row.bytes,
                notices: row.notices,
                hints: row.hints,
                repeated: row.repeated,
                unmapped: row.unmapped,
                alike: row.alike,
            })
        })
        .collect()
}

impl NewDelivery {
    fn once(&self) -> Option<&str> {
        self.once.as_deref()
    }
}

/// Removes deliveries from before a time.
pub(super) async fn prune(connection: &mut PgConnection, before: i64) -> Result<u64> {
    all_of!(
        connection,
        "delete from syncline.delivery where ctid = any(array(
             select ctid from syncline.delivery where at < $1 limit $2))",
        before
    )
}
