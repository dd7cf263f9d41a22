//! Table `awaited`.

use sqlx::{Connection as _, PgConnection};
use syncline_sdk::{Instant, SystemName};

use super::error::{Meaning, corrupt};
use crate::{Awaited, AwaitedThing, Result};

const KEEP: &str = "keep what is waited for";

/// Replaces all that was kept.
pub(super) async fn keep(connection: &mut PgConnection, awaited: &[Awaited]) -> Result<()> {
    let (kinds, names): (Vec<i16>, Vec<String>) = awaited
        .iter()
        .map(|one| match &one.thing {
            AwaitedThing::System(name) => (0, name.to_string()),
            AwaitedThing::Mapping(name) => (1, name.clone()),
            AwaitedThing::Field(name) => (2, name.clone()),
        })
        .unzip();
    let reasons: Vec<String> = awaited.iter().map(|one| one.reason.clone()).collect();
    let since: Vec<i64> = awaited.iter().map(|one| one.since.micros()).collect();
    let mut transaction = connection.begin().await.meaning(KEEP)?;
    sqlx::query!("delete from syncline.awaited").execute(&mut *transaction).await.meaning(KEEP)?;
    sqlx::query!(
        "insert into syncline.awaited (kind, name, reason, since)
         select * from unnest($1::int2[], $2::text[], $3::text[], $4::int8[])",
        &kinds,
        &names,
        &reasons,
        &since,
    )
    .execute(&mut *transaction)
    .await
    .meaning(KEEP)?;
    transaction.commit().await.meaning(KEEP)
}

/// All of it, systems first.
pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<Awaited>> {
    let rows =
        sqlx::query!("select kind, name, reason, since from syncline.awaited order by kind, name")
            .fetch_all(connection)
            .await
            .meaning("read what is waited for")?;
    let awaited = rows.into_iter().map(|row| {
        let thing = match row.kind {
            0 => AwaitedThing::System(SystemName::new(row.name)),
            1 => AwaitedThing::Mapping(row.name),
            2 => AwaitedThing::Field(row.name),
            kind => return Err(corrupt("awaited", row.name, format!("kind {kind} is not known"))),
        };
        Ok(Awaited { thing, reason: row.reason, since: Instant::from_micros(row.since) })
    });
    awaited.collect()
}
