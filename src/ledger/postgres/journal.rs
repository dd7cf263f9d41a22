//! Table `journal`.

use sqlx::PgConnection;
use syncline_core::encoding::{EntryBody, decode, encode_entry};
use syncline_core::mapping::MappingId;
use syncline_core::model::{Entry, EntryId};
use syncline_sdk::{Instant, LinkId};
use uuid::Uuid;

use super::code;
use super::error::{Meaning, corrupt};
use super::keyring::{Keyring, LinkKeys, Name, Place, sealed};
use crate::Result;
use crate::schedules::PrunedPage;

struct EntryRow {
    id: i64,
    at: i64,
    previous: Option<i64>,
    mapping: i32,
    link: Uuid,
    body: Vec<u8>,
}

/// The entries of rows, opened where they are sealed.
async fn entries(
    connection: &mut PgConnection,
    keyring: &Keyring,
    rows: Vec<EntryRow>,
) -> Result<Vec<Entry>> {
    let bodies = rows.iter().map(|row| ((row.mapping, row.link), row.body.as_slice()));
    let keys = keyring.of(connection, sealed(bodies)).await?;
    rows.into_iter().map(|row| row.entry(&keys)).collect()
}

impl EntryRow {
    fn entry(self, keys: &LinkKeys) -> Result<Entry> {
        let row = self;
        let id = code::to_entry(row.id);
        let body = keys.open((row.mapping, row.link), Place::Entry(row.id), &row.body)?;
        let body: EntryBody =
            decode(&body).map_err(|error| corrupt("journal", id, format!("body: {error}")))?;
        Ok(Entry {
            id,
            mapping: MappingId(row.mapping),
            link: LinkId(row.link),
            previous: row.previous.map(code::to_entry),
            at: Instant::from_micros(row.at),
            observed: body.observed,
            decided: body.decided,
            intent: body.intent,
            settled: body.settled,
            revision: body.revision,
        })
    }
}

/// Entries turned into columns.
#[derive(Default)]
pub(super) struct Columns {
    id: Vec<i64>,
    at: Vec<i64>,
    previous: Vec<Option<i64>>,
    mapping: Vec<i32>,
    link: Vec<Uuid>,
    body: Vec<Vec<u8>>,
}

impl Columns {
    /// The columns of entries, in the entries' order, sealed where their link has a key.
    pub(super) fn new(entries: &[Entry], keys: &LinkKeys) -> Result<Self> {
        let mut columns = Self::default();
        for entry in entries {
            let id = code::entry(entry.id)?;
            columns.id.push(id);
            columns.at.push(entry.at.micros());
            columns.previous.push(code::entry_or_null(entry.previous)?);
            columns.mapping.push(entry.mapping.0);
            columns.link.push(entry.link.0);
            let (name, body) = ((entry.mapping.0, entry.link.0), encode_entry(entry));
            columns.body.push(keys.seal(name, Place::Entry(id), body)?);
        }
        Ok(columns)
    }
}

/// Appends entries.
pub(super) async fn append(
    connection: &mut PgConnection,
    entries: &Columns,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into syncline.journal (id, at, previous, mapping, link, body)
         select * from unnest($1::int8[], $2::int8[], $3::int8[], $4::int4[], $5::uuid[],
                              $6::bytea[])",
        &entries.id,
        &entries.at,
        &entries.previous as _,
        &entries.mapping,
        &entries.link,
        &entries.body,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Entries by their ids, in no order.
pub(super) async fn by_ids(
    connection: &mut PgConnection,
    keyring: &Keyring,
    ids: &[i64],
) -> Result<Vec<Entry>> {
    let rows = sqlx::query_as!(
        EntryRow,
        "select j.id, j.at, j.previous, j.mapping, j.link, j.body
         from unnest($1::int8[]) as u (id) join syncline.journal as j on j.id = u.id",
        ids
    )
    .fetch_all(&mut *connection)
    .await
    .meaning("read the journal")?;
    entries(connection, keyring, rows).await
}

/// The chain of a link's entries, newest first.
pub(super) async fn chain(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: MappingId,
    link: LinkId,
    before: Option<EntryId>,
    max: usize,
) -> Result<Vec<Entry>> {
    // An entry names an older one; anything else would walk in a circle.
    let rows = sqlx::query_as!(
        EntryRow,
        r#"with recursive chain as (
               select j.*, 1::int8 as place
               from syncline.link as l
               left join syncline.journal as b
                    on b.id = $4 and b.mapping = l.mapping and b.link = l.link
               join syncline.journal as j
                    on j.id = case when $4::int8 is null then l.last_entry else b.previous end
               where l.mapping = $1 and l.link = $2 and j.mapping = $1 and j.link = $2
               union all
               select j.*, chain.place + 1
               from chain join syncline.journal as j on j.id = chain.previous
               where j.id < chain.id and j.mapping = $1 and j.link = $2 and chain.place < $3
           )
           select id as "id!", at as "at!", previous, mapping as "mapping!", link as "link!",
                  body as "body!"
           from chain where place <= $3 order by place"#,
        mapping.0,
        link.0,
        code::limit(max),
        code::entry_or_null(before)?,
    )
    .fetch_all(&mut *connection)
    .await
    .meaning("walk the journal")?;
    entries(connection, keyring, rows).await
}

/// The whole journal, newest first, before an entry.
pub(super) async fn page(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: Option<MappingId>,
    before: Option<EntryId>,
    max: usize,
) -> Result<Vec<Entry>> {
    const WHAT: &str = "read the journal";
    let before = code::entry_or_null(before)?.unwrap_or(i64::MAX);
    // Two statements, since plans are made without looking at the parameters: one that may be
    // about all mappings would walk through the entries of all to find those of one.
    let rows = match mapping {
        Some(mapping) => {
            let found = sqlx::query_as!(
                EntryRow,
                "select j.id, j.at, j.previous, j.mapping, j.link, j.body
                 from syncline.journal as j
                 where j.mapping = $1 and j.id < $2
                 order by j.mapping desc, j.id desc limit $3",
                mapping.0,
                before,
                code::limit(max),
            );
            found.fetch_all(&mut *connection).await.meaning(WHAT)?
        }
        None => {
            let found = sqlx::query_as!(
                EntryRow,
                "select j.id, j.at, j.previous, j.mapping, j.link, j.body
                 from syncline.journal as j
                 where j.id < $1
                 order by j.id desc limit $2",
                before,
                code::limit(max),
            );
            found.fetch_all(&mut *connection).await.meaning(WHAT)?
        }
    };
    entries(connection, keyring, rows).await
}

/// A body as it stands, sealed or not.
pub(super) struct BodyRow {
    pub(super) name: Name,
    pub(super) id: i64,
    pub(super) body: Vec<u8>,
}

/// The bodies of a mapping's entries, oldest first.
pub(super) async fn bodies(
    connection: &mut PgConnection,
    mapping: MappingId,
    after: Option<i64>,
    max: usize,
) -> Result<Vec<BodyRow>> {
    let rows = sqlx::query!(
        "select j.id, j.mapping, j.link, j.body from syncline.journal as j
         where j.mapping = $1 and j.id > $2 order by j.mapping, j.id limit $3",
        mapping.0,
        after.unwrap_or(-1),
        code::limit(max),
    )
    .fetch_all(connection)
    .await
    .meaning("read the journal")?;
    let row = |(name, id, body)| BodyRow { name, id, body };
    Ok(rows.into_iter().map(|of| row(((of.mapping, of.link), of.id, of.body))).collect())
}

/// Replaces bodies by others that say the same.
pub(super) async fn replace_bodies(
    connection: &mut PgConnection,
    ids: &[i64],
    bodies: &[Vec<u8>],
) -> Result<u64> {
    sqlx::query!(
        "update syncline.journal as j set body = u.body
         from unnest($1::int8[], $2::bytea[]) as u (id, body) where j.id = u.id",
        ids,
        bodies,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
    .meaning("encrypt the journal")
}

/// Looks through one page, in the order of its numbers, and removes what is old and not needed.
pub(super) async fn prune(
    connection: &mut PgConnection,
    before: i64,
    after: Option<i64>,
    max: usize,
) -> Result<PrunedPage> {
    let row = sqlx::query!(
        r#"with page as (
               select id, at, mapping, link from syncline.journal
               where id > $1 order by id limit $2
           ), gone as (
               delete from syncline.journal as j using page as p
               where j.id = p.id and p.at < $3
                 and not exists (select from syncline.link as l
                                 where l.mapping = p.mapping and l.link = p.link
                                   and p.id >= least(l.left_open, l.right_open))
                 and not exists (select from syncline.review as r
                                 where r.mapping = p.mapping and r.link = p.link
                                   and r.status <> 2)
                 and not exists (select from syncline.parked as k
                                 where k.mapping = p.mapping and k.link = p.link)
               returning 1
           )
           select (select count(*) from gone) as "removed!",
                  (select max(id) from page) as last,
                  coalesce((select bool_or(at >= $3) from page), false) as "young!""#,
        after.unwrap_or(-1),
        code::limit(max),
        before,
    )
    .fetch_one(connection)
    .await
    .meaning("remove old entries of the journal")?;
    Ok(PrunedPage {
        removed: u64::try_from(row.removed).unwrap_or(0),
        last: row.last,
        young: row.young,
    })
}
