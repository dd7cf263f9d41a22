//! Table `link_key`.

use std::collections::BTreeSet;

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::error::Meaning;
use super::keyring::{Keyring, Name};
use super::link;
use crate::Result;

/// How many links are forgotten in one transaction.
const PAGE_MAX: usize = 500;

fn columns<'a>(names: impl Iterator<Item = &'a Name>) -> (Vec<i32>, Vec<Uuid>) {
    names.copied().unzip()
}

/// The sealed keys of links; those that have none are left out.
pub(super) async fn among(
    connection: &mut PgConnection,
    names: &BTreeSet<Name>,
) -> Result<Vec<(Name, Vec<u8>)>> {
    let (mappings, links) = columns(names.iter());
    let rows = sqlx::query!(
        "select k.mapping, k.link, k.sealed
         from unnest($1::int4[], $2::uuid[]) as u (mapping, link)
         join syncline.link_key as k on k.mapping = u.mapping and k.link = u.link",
        &mappings,
        &links,
    )
    .fetch_all(connection)
    .await
    .meaning("load the keys of links")?;
    Ok(rows.into_iter().map(|row| ((row.mapping, row.link), row.sealed)).collect())
}

/// One of the keys: of the latest link of a mapping, whose ids rise with time.
pub(super) async fn one(connection: &mut PgConnection) -> Result<Option<(Name, Vec<u8>)>> {
    let row = sqlx::query!(
        "select mapping, link, sealed from syncline.link_key
         order by mapping desc, link desc limit 1"
    )
    .fetch_optional(connection)
    .await
    .meaning("look at the keys of links")?;
    Ok(row.map(|row| ((row.mapping, row.link), row.sealed)))
}

/// Keeps new keys. One that another has made meanwhile is a unique violation.
pub(super) async fn keep(
    connection: &mut PgConnection,
    made: &[(Name, Vec<u8>)],
) -> Result<(), sqlx::Error> {
    let (mappings, links) = columns(made.iter().map(|(name, _)| name));
    let sealed: Vec<Vec<u8>> = made.iter().map(|(_, sealed)| sealed.clone()).collect();
    sqlx::query!(
        "insert into syncline.link_key (mapping, link, sealed)
         select * from unnest($1::int4[], $2::uuid[], $3::bytea[])",
        &mappings,
        &links,
        &sealed,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Forgets the keys of links that are over and of which nothing but the link is left, after the
/// values in that: what they open, in whatever copy of this database, is lost with them.
pub(super) async fn prune(connection: &mut PgConnection, keyring: &Keyring) -> Result<u64> {
    const WHAT: &str = "forget keys of links";
    let mut removed = 0;
    let mut after = (i32::MIN, Uuid::nil());
    loop {
        let mut work = connection.begin().await.meaning(WHAT)?;
        let over = link::forgotten(&mut work, keyring, after, PAGE_MAX).await?;
        let erased = link::erase(&mut work, &over).await?;
        let (mappings, links) = columns(erased.iter());
        removed += sqlx::query!(
            "delete from syncline.link_key as k
             using unnest($1::int4[], $2::uuid[]) as u (mapping, link)
             where k.mapping = u.mapping and k.link = u.link",
            &mappings,
            &links,
        )
        .execute(&mut *work)
        .await
        .meaning(WHAT)?
        .rows_affected();
        work.commit().await.meaning(WHAT)?;
        match over.last().filter(|_| over.len() == PAGE_MAX) {
            Some(last) => after = (last.mapping.0, last.id.0),
            None => return Ok(removed),
        }
    }
}
