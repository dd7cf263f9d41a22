//! Table `claim`.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use syncline_core::mapping::MappingId;
use syncline_core::model::Claim;
use syncline_sdk::LinkId;
use uuid::Uuid;

use super::error::Meaning;
use crate::Result;

fn columns(claims: &BTreeSet<&Claim>) -> (Vec<i32>, Vec<String>, Vec<Uuid>) {
    (
        claims.iter().map(|claim| claim.mapping.0).collect(),
        claims.iter().map(|claim| claim.key.clone()).collect(),
        claims.iter().map(|claim| claim.link.0).collect(),
    )
}

/// Claims business keys. Answers whether all are the claimants' now; one key claimed for two
/// links at once is an error of the statement.
pub(super) async fn take(
    connection: &mut PgConnection,
    claims: &[Claim],
) -> Result<bool, sqlx::Error> {
    let claims: BTreeSet<&Claim> = claims.iter().collect();
    let (mapping, key, link) = columns(&claims);
    let done = sqlx::query!(
        "insert into syncline.claim as c (mapping, key, link)
         select * from unnest($1::int4[], $2::text[], $3::uuid[])
         on conflict (mapping, key) do update set link = excluded.link
         where c.link = excluded.link",
        &mapping,
        &key,
        &link,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == claims.len() as u64)
}

/// Releases business keys where they belong to the link named.
pub(super) async fn release(
    connection: &mut PgConnection,
    claims: &[Claim],
) -> Result<(), sqlx::Error> {
    let (mapping, key, link) = columns(&claims.iter().collect());
    sqlx::query!(
        "delete from syncline.claim as c
         using unnest($1::int4[], $2::text[], $3::uuid[]) as u (mapping, key, link)
         where c.mapping = u.mapping and c.key = u.key and c.link = u.link",
        &mapping,
        &key,
        &link,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The claims among business keys.
pub(super) async fn among(
    connection: &mut PgConnection,
    mappings: &[i32],
    keys: &[String],
) -> Result<Vec<Claim>> {
    let rows = sqlx::query!(
        "select distinct c.mapping, c.key, c.link
         from unnest($1::int4[], $2::text[]) as u (mapping, key)
         join syncline.claim as c on c.mapping = u.mapping and c.key = u.key",
        mappings,
        keys,
    )
    .fetch_all(connection)
    .await
    .meaning("load claims")?;
    Ok(rows
        .into_iter()
        .map(|row| Claim { mapping: MappingId(row.mapping), key: row.key, link: LinkId(row.link) })
        .collect())
}
