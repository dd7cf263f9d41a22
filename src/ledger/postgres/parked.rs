//! Table `parked`.

use sqlx::PgConnection;
use syncline_core::encoding::{DecodeError, decode, encode};
use syncline_core::mapping::MappingId;
use syncline_core::model::Parked;
use syncline_sdk::{Instant, LinkId};
use uuid::Uuid;

use super::code;
use super::error::{Meaning, corrupt};
use super::keyring::{Keyring, LinkKeys, Name, Place, sealed};
use crate::access::ParkedPlace;
use crate::{Result, fold};

/// Parked records turned into columns.
#[derive(Default)]
pub(super) struct Columns {
    mapping: Vec<i32>,
    link: Vec<Uuid>,
    side: Vec<i16>,
    kind: Vec<String>,
    message: Vec<String>,
    advice: Vec<String>,
    entry: Vec<Option<i64>>,
    at: Vec<i64>,
    sealed: Vec<Option<Vec<u8>>>,
}

impl Columns {
    /// The columns; of a record named twice the last row. Message and advice are sealed where the
    /// link has a key: a system may repeat a value when it refuses it.
    pub(super) fn new(parked: &[Parked], keys: &LinkKeys) -> Result<Self> {
        let mut columns = Self::default();
        for parked in fold::last(parked, |parked| (parked.mapping, parked.link)).values() {
            columns.mapping.push(parked.mapping.0);
            columns.link.push(parked.link.0);
            columns.side.push(code::side(parked.side));
            columns.kind.push(parked.kind.clone());
            let name = (parked.mapping.0, parked.link.0);
            let mut told = (parked.message.clone(), parked.advice.clone());
            let mut sealed = None;
            if keys.has(&name) {
                sealed =
                    Some(keys.seal(name, Place::Parked, encode(&std::mem::take(&mut told)))?);
            }
            columns.sealed.push(sealed);
            columns.message.push(told.0);
            columns.advice.push(told.1);
            columns.entry.push(code::entry_or_null(parked.entry)?);
            columns.at.push(parked.at);
        }
        Ok(columns)
    }
}

/// Sets records aside; what was known of one is replaced.
pub(super) async fn set_aside(
    connection: &mut PgConnection,
    parked: &Columns,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into syncline.parked
             (mapping, link, side, kind, message, advice, entry, at, sealed)
         select * from unnest($1::int4[], $2::uuid[], $3::int2[], $4::text[], $5::text[],
                              $6::text[], $7::int8[], $8::int8[], $9::bytea[])
         on conflict (mapping, link) do update
         set side = excluded.side, kind = excluded.kind, message = excluded.message,
             advice = excluded.advice, entry = excluded.entry, at = excluded.at,
             sealed = excluded.sealed",
        &parked.mapping,
        &parked.link,
        &parked.side,
        &parked.kind,
        &parked.message,
        &parked.advice,
        &parked.entry as _,
        &parked.at,
        &parked.sealed as _,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Takes records back.
pub(super) async fn take_back(
    connection: &mut PgConnection,
    names: &[(MappingId, LinkId)],
) -> Result<(), sqlx::Error> {
    let mapping: Vec<i32> = names.iter().map(|(mapping, _)| mapping.0).collect();
    let link: Vec<Uuid> = names.iter().map(|(_, link)| link.0).collect();
    sqlx::query!(
        "delete from syncline.parked as p using unnest($1::int4[], $2::uuid[]) as u (mapping, link)
         where p.mapping = u.mapping and p.link = u.link",
        &mapping,
        &link,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Parked records: those that a person asked for again, then the latest first.
pub(super) async fn list(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: Option<MappingId>,
    max: usize,
) -> Result<Vec<Parked>> {
    let rows = sqlx::query_as!(
        ParkedRow,
        "select mapping, link, side, kind, message, advice, entry, at, asked_at, sealed
         from syncline.parked
         where $1::int4 is null or mapping = $1
         order by coalesce(asked_at > at, false) desc, at desc, mapping, link
         limit $2",
        mapping.map(|mapping| mapping.0),
        code::limit(max),
    )
    .fetch_all(&mut *connection)
    .await
    .meaning("list parked records")?;
    records(connection, keyring, rows).await
}

struct ParkedRow {
    mapping: i32,
    link: Uuid,
    side: i16,
    kind: String,
    message: String,
    advice: String,
    entry: Option<i64>,
    at: i64,
    asked_at: Option<i64>,
    sealed: Option<Vec<u8>>,
}

/// The records of rows, opened where they are sealed.
async fn records(
    connection: &mut PgConnection,
    keyring: &Keyring,
    rows: Vec<ParkedRow>,
) -> Result<Vec<Parked>> {
    let told = rows.iter().filter_map(|row| Some((row.name(), row.sealed.as_deref()?)));
    let keys = keyring.of(connection, sealed(told)).await?;
    rows.into_iter().map(|row| row.parked(&keys)).collect()
}

impl ParkedRow {
    fn name(&self) -> Name {
        (self.mapping, self.link)
    }

    fn parked(self, keys: &LinkKeys) -> Result<Parked> {
        let mut row = self;
        if let Some(sealed) = &row.sealed {
            let told = keys.open(row.name(), Place::Parked, sealed)?;
            let bad = |error| corrupt("parked", row.link, format!("sealed: {error}"));
            (row.message, row.advice) = decode(&told).map_err(|error: DecodeError| bad(error))?;
        }
        let side = code::to_side(row.side)
            .ok_or_else(|| corrupt("parked", row.link, format!("side {}", row.side)))?;
        Ok(Parked {
            mapping: MappingId(row.mapping),
            link: LinkId(row.link),
            side,
            kind: row.kind,
            message: row.message,
            advice: row.advice,
            entry: row.entry.map(code::to_entry),
            at: row.at,
            asked_again: row.asked_at.is_some_and(|asked| asked > row.at),
        })
    }
}

/// Parked records, the latest first, behind a place.
pub(super) async fn page(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: Option<MappingId>,
    after: Option<ParkedPlace>,
    max: usize,
) -> Result<Vec<Parked>> {
    let rows = sqlx::query_as!(
        ParkedRow,
        "select mapping, link, side, kind, message, advice, entry, at, asked_at, sealed
         from syncline.parked
         where ($1::int4 is null or mapping = $1)
           and ($2::int8 is null or (-at, mapping, link) > (-$2::int8, $3::int4, $4::uuid))
         order by at desc, mapping, link
         limit $5",
        mapping.map(|mapping| mapping.0),
        after.map(|place| place.at),
        after.map(|place| place.mapping.0),
        after.map(|place| place.link.0),
        code::limit(max),
    )
    .fetch_all(&mut *connection)
    .await
    .meaning("list parked records")?;
    records(connection, keyring, rows).await
}

/// What was set aside of some links.
pub(super) async fn of(
    connection: &mut PgConnection,
    keyring: &Keyring,
    links: &[(MappingId, LinkId)],
) -> Result<Vec<Parked>> {
    let mapping: Vec<i32> = links.iter().map(|(mapping, _)| mapping.0).collect();
    let link: Vec<Uuid> = links.iter().map(|(_, link)| link.0).collect();
    let rows = sqlx::query_as!(
        ParkedRow,
        "select p.mapping, p.link, p.side, p.kind, p.message, p.advice, p.entry, p.at, p.asked_at,
                p.sealed
         from unnest($1::int4[], $2::uuid[]) as u (mapping, link)
         join syncline.parked as p on p.mapping = u.mapping and p.link = u.link",
        &mapping,
        &link,
    )
    .fetch_all(&mut *connection)
    .await
    .meaning("read parked records")?;
    records(connection, keyring, rows).await
}

/// Parked records of a mapping that are kept in clear, in the order of their links.
pub(super) async fn in_clear(
    connection: &mut PgConnection,
    mapping: MappingId,
    after: Option<Uuid>,
    max: usize,
) -> Result<Vec<Parked>> {
    let rows = sqlx::query_as!(
        ParkedRow,
        "select mapping, link, side, kind, message, advice, entry, at, asked_at, sealed
         from syncline.parked
         where mapping = $1 and link > $2 and sealed is null
         order by mapping, link limit $3",
        mapping.0,
        after.unwrap_or(Uuid::nil()),
        code::limit(max),
    )
    .fetch_all(connection)
    .await
    .meaning("list parked records")?;
    let keys = LinkKeys::default();
    rows.into_iter().map(|row| row.parked(&keys)).collect()
}

/// Seals records that are kept in clear, where they are as they were read.
pub(super) async fn seal(
    connection: &mut PgConnection,
    parked: &[Parked],
    keys: &LinkKeys,
) -> Result<u64> {
    let columns = Columns::new(parked, keys)?;
    sqlx::query!(
        "update syncline.parked as p
         set message = u.message, advice = u.advice, sealed = u.sealed
         from unnest($1::int4[], $2::uuid[], $3::int8[], $4::text[], $5::text[], $6::bytea[])
              as u (mapping, link, at, message, advice, sealed)
         where p.mapping = u.mapping and p.link = u.link and p.at = u.at and p.sealed is null",
        &columns.mapping,
        &columns.link,
        &columns.at,
        &columns.message,
        &columns.advice,
        &columns.sealed as _,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
    .meaning("encrypt parked records")
}

/// Notes that a person asks for a record again.
pub(super) async fn ask_again(
    connection: &mut PgConnection,
    mapping: MappingId,
    link: LinkId,
    at: Instant,
) -> Result<bool> {
    let done = sqlx::query!(
        "update syncline.parked set asked_at = greatest($3, at + 1)
         where mapping = $1 and link = $2",
        mapping.0,
        link.0,
        at.micros(),
    )
    .execute(connection)
    .await
    .meaning("ask for a parked record again")?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a person asks for all records of a mapping again.
pub(super) async fn ask_all_again(
    connection: &mut PgConnection,
    mapping: MappingId,
    at: Instant,
) -> Result<u64> {
    let done = sqlx::query!(
        "update syncline.parked set asked_at = greatest($2, at + 1) where mapping = $1",
        mapping.0,
        at.micros(),
    )
    .execute(connection)
    .await
    .meaning("ask for parked records again")?;
    Ok(done.rows_affected())
}
