//! Table `awaits`.

use sqlx::PgConnection;
use syncline_core::model::{Awaits, Hint, RecordName};
use syncline_sdk::{EntityName, Key, SystemName};

use crate::fold;

/// Names of records, a column a part.
fn columns<'a>(names: impl Iterator<Item = &'a RecordName>) -> [Vec<String>; 3] {
    let mut columns: [Vec<String>; 3] = Default::default();
    for (system, entity, key) in names {
        let parts = [system.as_str(), entity.as_str(), key.as_str()];
        columns.iter_mut().zip(parts).for_each(|(column, part)| column.push(part.to_owned()));
    }
    columns
}

/// Records wait no longer.
pub(super) async fn remove(
    connection: &mut PgConnection,
    children: &[RecordName],
) -> Result<(), sqlx::Error> {
    let [system, entity, key] = columns(children.iter());
    sqlx::query!(
        "delete from syncline.awaits as a
         using unnest($1::text[], $2::text[], $3::text[]) as u (system, entity, key)
         where a.child_system = u.system and a.child_entity = u.entity and a.child_key = u.key",
        &system,
        &entity,
        &key,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Records wait from now on.
pub(super) async fn add(
    connection: &mut PgConnection,
    awaits: &[Awaits],
) -> Result<(), sqlx::Error> {
    let [system, entity, key] = columns(awaits.iter().map(|one| &one.parent));
    let [child_system, child_entity, child_key] = columns(awaits.iter().map(|one| &one.child));
    sqlx::query!(
        "insert into syncline.awaits
             (system, entity, key, child_system, child_entity, child_key)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
                              $6::text[])
         on conflict do nothing",
        &system,
        &entity,
        &key,
        &child_system,
        &child_entity,
        &child_key,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Ends the waiting for records that have arrived: hints at those that waited.
pub(super) async fn wake(
    connection: &mut PgConnection,
    arrived: &[RecordName],
) -> Result<Vec<Hint>, sqlx::Error> {
    let [system, entity, key] = columns(arrived.iter());
    let rows = sqlx::query!(
        "delete from syncline.awaits as a
         using unnest($1::text[], $2::text[], $3::text[]) as u (system, entity, key)
         where a.system = u.system and a.entity = u.entity and a.key = u.key
         returning a.child_system, a.child_entity, a.child_key",
        &system,
        &entity,
        &key,
    )
    .fetch_all(connection)
    .await?;
    let child =
        |system, entity, key| (SystemName::from(system), EntityName::from(entity), Key::from(key));
    let woken =
        rows.into_iter().map(|row| child(row.child_system, row.child_entity, row.child_key));
    Ok(woken.map(fold::woken).collect())
}
