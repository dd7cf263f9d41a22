//! Table `alias`.

use sqlx::PgConnection;
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::Alias;
use syncline_sdk::{Key, LinkId};
use uuid::Uuid;

use super::code;
use super::error::{Meaning, corrupt};
use crate::{Result, fold};

/// Keeps old names; a name that is known belongs to the newest link.
pub(super) async fn keep(
    connection: &mut PgConnection,
    aliases: &[Alias],
) -> Result<(), sqlx::Error> {
    let aliases = fold::last(aliases, |alias| (alias.mapping, alias.side, &alias.key));
    let mapping: Vec<i32> = aliases.values().map(|alias| alias.mapping.0).collect();
    let side: Vec<i16> = aliases.values().map(|alias| code::side(alias.side)).collect();
    let key: Vec<String> = aliases.values().map(|alias| alias.key.as_str().to_owned()).collect();
    let link: Vec<Uuid> = aliases.values().map(|alias| alias.link.0).collect();
    let reason: Vec<String> = aliases.values().map(|alias| alias.reason.clone()).collect();
    sqlx::query!(
        "insert into syncline.alias (mapping, side, key, link, reason)
         select * from unnest($1::int4[], $2::int2[], $3::text[], $4::uuid[], $5::text[])
         on conflict (mapping, side, key) do update
         set link = excluded.link, reason = excluded.reason",
        &mapping,
        &side,
        &key,
        &link,
        &reason,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The aliases among names.
pub(super) async fn among(
    connection: &mut PgConnection,
    names: &[(MappingId, Side, Key)],
) -> Result<Vec<Alias>> {
    let mapping: Vec<i32> = names.iter().map(|(mapping, ..)| mapping.0).collect();
    let side: Vec<i16> = names.iter().map(|(_, side, _)| code::side(*side)).collect();
    let key: Vec<String> = names.iter().map(|(.., key)| key.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        "select a.mapping, a.side, a.key, a.link, a.reason
         from unnest($1::int4[], $2::int2[], $3::text[]) as u (mapping, side, key)
         join syncline.alias as a
              on a.mapping = u.mapping and a.side = u.side and a.key = u.key",
        &mapping,
        &side,
        &key,
    )
    .fetch_all(connection)
    .await
    .meaning("load aliases")?;
    rows.into_iter()
        .map(|row| {
            let side = code::to_side(row.side)
                .ok_or_else(|| corrupt("alias", &row.key, format!("side {}", row.side)))?;
            Ok(Alias {
                mapping: MappingId(row.mapping),
                side,
                key: Key::from(row.key),
                link: LinkId(row.link),
                reason: row.reason,
            })
        })
        .collect()
}
