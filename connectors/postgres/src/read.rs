//! Scans, and look-ups by key.

use std::borrow::Cow;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, AssertSqlSafe, PgConnection, Row};
use syncline_sdk::{
    Absence, Cursor, Error, ErrorKind, Instant, Key, Page, Precision, Record, Result, ScanRequest,
    Version,
};

use crate::error::from_sqlx;
use crate::filter::condition;
use crate::layout::{Layout, text};
use crate::version::Snapshot;

/// The most rows of one page, whatever was asked for: bounds the memory of an answer.
const PAGE_ROWS_MAX: usize = 10_000;
/// The most names of one look-up statement.
pub(crate) const LOOKUP_MAX: usize = 1_000;

/// What every read starts with: its own snapshot and the server's clock. A single statement
/// reads under the very snapshot that it states.
pub(crate) const STAMP: &str = "(select pg_current_snapshot()::text), \
    (select (extract(epoch from clock_timestamp()) * 1000000)::int8)";

/// What the stamp says.
pub(crate) struct Stamp {
    pub version: Version,
    pub time: Instant,
}

impl Stamp {
    pub(crate) fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        let snapshot = text(row, 0)?.and_then(Snapshot::parse);
        let snapshot = snapshot.ok_or_else(|| sqlx::Error::Decode("not a snapshot".into()))?;
        Ok(Self {
            version: snapshot.read(),
            time: Instant::from_micros(row.try_get(1)?).truncate(Precision::Micro),
        })
    }
}

/// One page of a table in key order.
pub(crate) async fn scan(
    conn: &mut PgConnection,
    layout: &Layout,
    request: &ScanRequest,
) -> Result<Page> {
    let operation = "scan";
    let table = &layout.table;
    if table.key.is_empty() {
        return Err(Error::new(
            ErrorKind::Schema,
            operation,
            format!("{} has no unique columns to read it by", table.entity),
        )
        .advise("add a primary key"));
    }
    let mut conditions = Vec::new();
    if let Some(filter) = &request.selection.filter {
        conditions.push(condition(operation, table, filter)?);
    }
    let names: Vec<String> =
        table.key_columns().map(|column| format!("t.{}", column.ident)).collect();
    let mut arguments = PgArguments::default();
    if let Some(Cursor(after)) = &request.after {
        let key = Key::new(after.clone());
        let texts = table.key_texts(&key).ok_or_else(|| {
            Error::new(ErrorKind::Protocol, operation, "the cursor is not of this table")
        })?;
        let mut places = Vec::new();
        for (column, text) in table.key_columns().zip(&texts) {
            arguments.add(&**text).map_err(|error| bound(operation, error))?;
            places.push(column.value_of(&format!("${}::text", places.len() + 1)));
        }
        conditions.push(format!("({}) > ({})", names.join(", "), places.join(", ")));
    }
    let rows_max = request.page_rows_max.clamp(1, PAGE_ROWS_MAX);
    let shown: Vec<String> = layout.key_texts("t").into_iter().chain(layout.texts("t")).collect();
    let filter = if conditions.is_empty() {
        String::new()
    } else {
        format!(" where {}", conditions.join(" and "))
    };
    let sql = format!(
        "select {STAMP}, {} from {} t{filter} order by {} limit {rows_max}",
        shown.join(", "),
        table.quoted,
        names.join(", "),
    );
    let failed = |error| from_sqlx(operation, table.entity.as_str(), error);
    let rows =
        sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(conn).await.map_err(failed)?;
    let mut page = Page::default();
    if let Some(first) = rows.first() {
        let stamp = Stamp::read(first).map_err(failed)?;
        page.server_time = Some(stamp.time);
        page.records.reserve(rows.len());
        for row in &rows {
            page.records.push(layout.row(row, 2, stamp.version.clone()).map_err(failed)?);
        }
    }
    if rows.len() == rows_max {
        page.next = page.records.last().map(|record| Cursor(record.key.as_str().into()));
    }
    Ok(page)
}

/// A record found by its key, and the transaction id that its row carries.
pub(crate) struct Found {
    pub record: Record,
    pub row_xid: u32,
}

/// What a look-up by key found.
#[derive(Default)]
pub(crate) struct Lookup {
    pub found: Vec<Found>,
    pub missing: Vec<Key>,
    pub time: Option<Instant>,
}

/// Looks records up by key. A key that can name no row of the table is simply not found.
pub(crate) async fn by_keys(
    conn: &mut PgConnection,
    layout: &Layout,
    keys: &[Key],
) -> Result<Lookup> {
    let mut lookup = Lookup::default();
    let sql = keys_statement(layout);
    for chunk in keys.chunks(LOOKUP_MAX) {
        chunk_by_keys(conn, layout, (&sql, chunk), &mut lookup).await?;
    }
    Ok(lookup)
}

/// Answers stamp, place of the key, row's transaction, key and fields.
fn keys_statement(layout: &Layout) -> String {
    let table = &layout.table;
    let shown: Vec<String> = layout.key_texts("t").into_iter().chain(layout.texts("t")).collect();
    let joined: Vec<String> = table
        .key_columns()
        .enumerate()
        .map(|(at, column)| column.equals("t", &format!("i.k{at}")))
        .collect();
    format!(
        "select {STAMP}, i.o, t.xmin::text, {} from {} join {} t on {}",
        shown.join(", "),
        unnest("k", joined.len(), 1, true),
        table.quoted,
        joined.join(" and "),
    )
}

async fn chunk_by_keys(
    conn: &mut PgConnection,
    layout: &Layout,
    (sql, chunk): (&str, &[Key]),
    lookup: &mut Lookup,
) -> Result<()> {
    let operation = "fetch";
    let table = &layout.table;
    let failed = |error| from_sqlx(operation, table.entity.as_str(), error);
    let mut wanted: Vec<&Key> = Vec::with_capacity(chunk.len());
    let mut columns: Vec<Vec<Cow<'_, str>>> = vec![Vec::new(); table.key.len()];
    for key in chunk {
        match table.key_texts(key).filter(|texts| !texts.is_empty()) {
            Some(texts) => {
                wanted.push(key);
                for (column, text) in columns.iter_mut().zip(texts) {
                    column.push(text);
                }
            }
            None => lookup.missing.push(key.clone()),
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let mut arguments = PgArguments::default();
    for column in &columns {
        arguments.add(&column[..]).map_err(|error| bound(operation, error))?;
    }
    let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
    let stamp = rows.first().map(Stamp::read).transpose().map_err(failed)?;
    let mut seen = vec![false; wanted.len()];
    for row in &rows {
        let Some(stamp) = &stamp else {
            break;
        };
        lookup.time = Some(stamp.time);
        let place: i64 = row.try_get(2).map_err(failed)?;
        if let Some(seen) = usize::try_from(place - 1).ok().and_then(|at| seen.get_mut(at)) {
            *seen = true;
        }
        let row_xid = text(row, 3).map_err(failed)?.and_then(|text| text.parse().ok());
        lookup.found.push(Found {
            record: layout.row(row, 4, stamp.version.clone()).map_err(failed)?,
            row_xid: row_xid.unwrap_or(0),
        });
    }
    let unseen = wanted.into_iter().zip(seen).filter(|(_, seen)| !seen);
    lookup.missing.extend(unseen.map(|(key, _)| key.clone()));
    Ok(())
}

/// Why a key that no row carries is absent: a deletion only when nothing hides rows from this
/// user (protocol O7).
pub(crate) fn absence(layout: &Layout) -> Absence {
    if layout.table.readable && !layout.table.row_security {
        Absence::Deleted { by: None, at: None, image: None }
    } else {
        Absence::NotVisible
    }
}

/// `unnest` over text arrays, the columns named `prefix0`, `prefix1` and so on, with the place
/// `o` at the end where wanted.
pub(crate) fn unnest(prefix: &str, columns: usize, first: usize, places: bool) -> String {
    let arrays: Vec<String> = (0..columns).map(|at| format!("${}::text[]", first + at)).collect();
    let mut names: Vec<String> = (0..columns).map(|at| format!("{prefix}{at}")).collect();
    if places {
        names.push("o".to_owned());
    }
    let ordinality = if places { " with ordinality" } else { "" };
    format!("unnest({}){ordinality} as i({})", arrays.join(", "), names.join(", "))
}

/// An argument that could not be bound.
pub(crate) fn bound(
    operation: &'static str,
    error: Box<dyn std::error::Error + Send + Sync>,
) -> Error {
    Error::new(ErrorKind::Protocol, operation, "an argument could not be encoded").caused_by(error)
}
