//! Statements that read links.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use syncline_core::Sides;
use syncline_core::encoding::decode_link;
use syncline_core::mapping::MappingId;
use syncline_core::model::Link;
use syncline_sdk::{Key, LinkId};
use uuid::Uuid;

use crate::postgres::code;
use crate::postgres::error::{Meaning, corrupt};
use crate::postgres::keyring::{Keyring, LinkKeys, Name, Place, sealed};
use crate::{LinkCount, Result, state_name};

const WHAT: &str = "load links";

/// A row as it stands.
pub(in crate::postgres) struct LinkRow {
    mapping: i32,
    link: Uuid,
    shard: i16,
    state: i16,
    epoch: i64,
    sync_version: i64,
    left_open: Option<i64>,
    right_open: Option<i64>,
    last_entry: Option<i64>,
    left_key: Option<String>,
    right_key: Option<String>,
    body: Vec<u8>,
}

/// The links of rows, opened where they are sealed.
pub(in crate::postgres) async fn links(
    connection: &mut PgConnection,
    keyring: &Keyring,
    rows: Vec<LinkRow>,
) -> Result<Vec<Link>> {
    let bodies = rows.iter().map(|row| ((row.mapping, row.link), row.body.as_slice()));
    let keys = keyring.of(connection, sealed(bodies)).await?;
    rows.into_iter().map(|row| row.link(&keys)).collect()
}

impl LinkRow {
    fn link(self, keys: &LinkKeys) -> Result<Link> {
        let row = self;
        let body = keys.open((row.mapping, row.link), Place::Link, &row.body)?;
        let body = decode_link(&body)
            .map_err(|error| corrupt("link", row.link, format!("body: {error}")))?;
        let state = code::to_state(row.state, body.merged_into)
            .ok_or_else(|| corrupt("link", row.link, format!("state {}", row.state)))?;
        Ok(Link {
            mapping: MappingId(row.mapping),
            id: LinkId(row.link),
            shard: row.shard,
            state,
            epoch: row.epoch,
            mapping_rev: body.mapping_rev,
            sync_version: row.sync_version,
            keys: Sides { left: row.left_key.map(Key::from), right: row.right_key.map(Key::from) },
            base: body.base,
            pending: body.pending,
            open: Sides {
                left: row.left_open.map(code::to_entry),
                right: row.right_open.map(code::to_entry),
            },
            complement: body.complement,
            field_state: body.field_state,
            versions: body.versions,
            origins: body.origins.0,
            last_entry: row.last_entry.map(code::to_entry),
        })
    }
}

/// All columns of the links that a condition finds.
macro_rules! links {
    ($rest:literal, $($argument:expr),+) => {
        sqlx::query_as!(
            LinkRow,
            "select l.mapping, l.link, l.shard, l.state, l.epoch, l.sync_version, l.left_open,
                    l.right_open, l.last_entry, l.left_key, l.right_key, l.body
             from syncline.link as l " + $rest,
            $($argument),+
        )
    };
}

/// Links by their ids.
pub(in crate::postgres) async fn by_ids(
    connection: &mut PgConnection,
    mappings: &[i32],
    links: &[Uuid],
) -> Result<Vec<LinkRow>> {
    links!(
        "join unnest($1::int4[], $2::uuid[]) as u (mapping, link)
              on l.mapping = u.mapping and l.link = u.link",
        mappings,
        links
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)
}

/// Links by the keys of their left records.
pub(in crate::postgres) async fn by_left_keys(
    connection: &mut PgConnection,
    mappings: &[i32],
    keys: &[String],
) -> Result<Vec<LinkRow>> {
    links!(
        "join unnest($1::int4[], $2::text[]) as u (mapping, key)
              on l.mapping = u.mapping and l.left_key = u.key",
        mappings,
        keys
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)
}

/// Links by the keys of their right records.
pub(in crate::postgres) async fn by_right_keys(
    connection: &mut PgConnection,
    mappings: &[i32],
    keys: &[String],
) -> Result<Vec<LinkRow>> {
    links!(
        "join unnest($1::int4[], $2::text[]) as u (mapping, key)
              on l.mapping = u.mapping and l.right_key = u.key",
        mappings,
        keys
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)
}

/// Links of a mapping in the order of their ids.
pub(in crate::postgres) async fn page(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: MappingId,
    after: Option<LinkId>,
    max: usize,
) -> Result<Vec<Link>> {
    let rows = match after {
        Some(after) => {
            links!(
                "where l.mapping = $1 and l.link > $2 order by l.link limit $3",
                mapping.0,
                after.0,
                code::limit(max)
            )
            .fetch_all(&mut *connection)
            .await
        }
        None => {
            links!("where l.mapping = $1 order by l.link limit $2", mapping.0, code::limit(max))
                .fetch_all(&mut *connection)
                .await
        }
    };
    links(connection, keyring, rows.meaning(WHAT)?).await
}

/// A body as it stands, sealed or not.
pub(in crate::postgres) struct BodyRow {
    pub(in crate::postgres) name: Name,
    pub(in crate::postgres) body: Vec<u8>,
}

/// The bodies of a mapping's links, in the order of their ids.
pub(in crate::postgres) async fn bodies(
    connection: &mut PgConnection,
    mapping: MappingId,
    after: Option<Uuid>,
    max: usize,
) -> Result<Vec<BodyRow>> {
    let rows = sqlx::query!(
        "select l.mapping, l.link, l.body from syncline.link as l
         where l.mapping = $1 and l.link > $2 order by l.link limit $3",
        mapping.0,
        after.unwrap_or(Uuid::nil()),
        code::limit(max)
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)?;
    let row = |(mapping, link, body)| BodyRow { name: (mapping, link), body };
    Ok(rows.into_iter().map(|of| row((of.mapping, of.link, of.body))).collect())
}

/// Links that are over and of which a key is kept, though nothing else: their journal is gone,
/// and nothing waits for anybody. In the order of their names, behind one.
pub(in crate::postgres) async fn forgotten(
    connection: &mut PgConnection,
    keyring: &Keyring,
    after: Name,
    max: usize,
) -> Result<Vec<Link>> {
    let rows = links!(
        "join syncline.link_key as k on k.mapping = l.mapping and k.link = l.link
         where (l.mapping, l.link) > ($1, $2) and l.state in (6, 8, 9)
           and l.left_open is null and l.right_open is null
           and not exists (select from syncline.journal as j where j.id = l.last_entry)
           and not exists (select from syncline.review as r
                           where r.mapping = l.mapping and r.link = l.link)
           and not exists (select from syncline.parked as p
                           where p.mapping = l.mapping and p.link = l.link)
         order by l.mapping, l.link limit $3",
        after.0,
        after.1,
        code::limit(max)
    )
    .fetch_all(&mut *connection)
    .await
    .meaning(WHAT)?;
    links(connection, keyring, rows).await
}

/// A link of any mapping.
pub(in crate::postgres) async fn by_link(
    connection: &mut PgConnection,
    keyring: &Keyring,
    link: LinkId,
) -> Result<Option<Link>> {
    // There is no index on the id alone; the mappings that links have are found by skipping
    // from one to the next in the index that leads with them.
    let row = links!(
        "where l.link = $1 and l.mapping in (
             with recursive known (mapping) as (
                 select min(mapping) from syncline.link
                 union all
                 select (select min(n.mapping) from syncline.link n
                         where n.mapping > known.mapping)
                 from known where known.mapping is not null
             )
             select mapping from known where mapping is not null)
         order by l.left_key is null and l.right_key is null
         limit 1",
        link.0
    )
    .fetch_optional(&mut *connection)
    .await
    .meaning(WHAT)?;
    Ok(links(connection, keyring, row.into_iter().collect()).await?.pop())
}

/// How many links stand where.
pub(in crate::postgres) async fn counts(connection: &mut PgConnection) -> Result<Vec<LinkCount>> {
    let rows = sqlx::query!(
        r#"select mapping, state, count(*) as "count!" from syncline.link group by 1, 2"#
    )
    .fetch_all(connection)
    .await
    .meaning("count links")?;
    let mut counts = BTreeMap::new();
    for row in rows {
        // Into which link merged records went does not matter to a count.
        let state = code::to_state(row.state, Some(LinkId(Uuid::nil())))
            .ok_or_else(|| corrupt("link", row.mapping, format!("state {}", row.state)))?;
        *counts.entry((MappingId(row.mapping), state_name(state))).or_insert(0) += row.count;
    }
    Ok(counts
        .into_iter()
        .map(|((mapping, state), count)| LinkCount { mapping, state, count })
        .collect())
}
