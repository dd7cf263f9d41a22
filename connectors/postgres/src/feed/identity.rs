//! What a stream is: a slot of a server, and since when each table has been in its publication.
//!
//! A table that is taken out of the publication and put back looks the same afterwards, and what
//! changed in between was never sent. Its entry in the catalog is another one, though: entries
//! get a new object id whenever a table, its columns or the publication itself are put anew. So
//! the ids are a part of the stream's name, and a place in a stream knows what it covers.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::{PgConnection, Row};
use syncline_sdk::{Error, ErrorKind, Result};

use crate::error::from_sqlx;

/// The tables of a publication (`schema.table`), each with the id of its entry.
pub(super) type Entries = BTreeMap<String, i64>;

/// What a stream is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    /// System id, timeline and slot.
    pub slot: String,
    /// What the stream has carried without a break.
    pub entries: Entries,
}

impl Identity {
    /// The identity that a position names. One that names no tables covers none.
    ///
    /// # Errors
    /// `Gap` when it is not in our form: it belongs to another stream.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let Some((slot, entries)) = text.split_once(' ') else {
            return Ok(Self { slot: text.to_owned(), entries: Entries::new() });
        };
        match serde_json::from_str(entries) {
            Ok(entries) => Ok(Self { slot: slot.to_owned(), entries }),
            Err(_) => Err(super::open::gap(format!("our position is of another stream: {text}"))),
        }
    }

    /// The text for positions.
    pub(super) fn text(&self) -> Arc<str> {
        let entries: serde_json::Map<String, serde_json::Value> =
            self.entries.iter().map(|(table, entry)| (table.clone(), (*entry).into())).collect();
        format!("{} {}", self.slot, serde_json::Value::Object(entries)).into()
    }

    /// The identity of the stream that goes on from `before` and is read for these tables. What
    /// nobody reads now keeps its old entry, so that a break shows when it is read again.
    ///
    /// # Errors
    /// `Gap` when a table was not streamed all the time.
    pub(super) fn follow(
        self,
        before: &Self,
        publication: &str,
        tables: impl IntoIterator<Item = String>,
    ) -> Result<Self> {
        let mut entries = self.entries.clone();
        entries.extend(before.entries.clone());
        for table in tables {
            let Some(now) = self.entries.get(&table) else { continue };
            if before.entries.get(&table).is_some_and(|entry| entry != now) {
                return Err(broken(&table, publication));
            }
            entries.insert(table, *now);
        }
        Ok(Self { slot: self.slot, entries })
    }
}

/// The gap of a table that was out of the publication for a while.
pub(super) fn broken(table: &str, publication: &str) -> Error {
    super::open::gap(format!(
        "{table} was not in the publication {publication} all the time, or not with the same \
         columns: changes made meanwhile were not sent"
    ))
}

/// The entries of a publication as it is now.
pub(super) async fn entries(conn: &mut PgConnection, publication: &str) -> Result<Entries> {
    let failed = |error| from_sqlx("open feed", "the publication", error);
    let rows = sqlx::query(
        "select n.nspname || '.' || c.relname, r.oid::int8 \
         from pg_catalog.pg_publication_rel r \
         join pg_catalog.pg_publication p on p.oid = r.prpubid \
         join pg_catalog.pg_class c on c.oid = r.prrelid \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace where p.pubname = $1",
    )
    .bind(publication)
    .fetch_all(conn)
    .await
    .map_err(failed)?;
    let entry = |row: &sqlx::postgres::PgRow| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(entry).collect::<Result<_, sqlx::Error>>().map_err(failed)
}

/// Whether a table that is read has left the publication since the feed was opened.
///
/// # Errors
/// `Gap` when one has; the server's own errors.
pub(super) async fn look(
    conn: &mut PgConnection,
    publication: &str,
    opened: &Entries,
) -> Result<()> {
    let now = entries(conn, publication).await?;
    match opened.iter().find(|(table, entry)| now.get(*table) != Some(*entry)) {
        Some((table, _)) => Err(broken(table, publication)),
        None => Ok(()),
    }
}

/// Refuses an answer that is about another slot.
///
/// # Errors
/// `Gap` when it is.
pub(super) fn same_slot(stream: &str, position: &str) -> Result<()> {
    let slot = |text: &str| Identity::parse(text).map(|identity| identity.slot);
    if slot(stream)? == slot(position)? {
        return Ok(());
    }
    let stream = slot(position)?;
    Err(Error::new(ErrorKind::Gap, "ack", format!("the position is of the stream {stream}")))
}
