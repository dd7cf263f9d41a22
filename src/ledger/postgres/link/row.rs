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
use crate::{LedgerError, LinkCount, Result, state_name};

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

impl TryFrom<LinkRow> for Link {
    type Error = LedgerError;

    fn try_from(row: LinkRow) -> Result<Self> {
        let body = decode_link(&row.body)
            .map_err(|error| corrupt("link", row.link, format!("body: {error}")))?;
        let state = code::to_state(row.state, body.merged_into)
            .ok_or_else(|| corrupt("link", row.link, format!("state {}", row.state)))?;
        Ok(Self {
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
            .fetch_all(connection)
            .await
        }
        None => {
            links!("where l.mapping = $1 order by l.link limit $2", mapping.0, code::limit(max))
                .fetch_all(connection)
                .await
        }
    };
    rows.meaning(WHAT)?.into_iter().map(Link::try_from).collect()
}

/// A link of any mapping.
pub(in crate::postgres) async fn by_link(
    connection: &mut PgConnection,
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
         limit 1",
        link.0
    )
    .fetch_optional(connection)
    .await
    .meaning(WHAT)?;
    row.map(Link::try_from).transpose()
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
