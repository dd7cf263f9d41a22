//! Encrypting what is kept in clear of a mapping whose fields are sensitive by now. What a row
//! says stays the same, so a row that changes meanwhile is left to its change, or to the next try.

use std::collections::BTreeSet;

use sqlx::{Connection as _, PgConnection};
use syncline_core::mapping::MappingId;

use super::error::Meaning;
use super::keyring::{Keyring, LinkKeys, Name, Place, is_sealed};
use super::{code, journal, link, link_key, parked, review, review_change};
use crate::{Encrypting, Result};

const WHAT: &str = "encrypt what is kept of sensitive fields";

/// Rows of one page.
struct Page {
    /// The place behind its last row; nothing when no row follows.
    next: Option<Encrypting>,
    /// How many rows were in clear.
    clear: usize,
    /// How many of them are encrypted now.
    touched: u64,
}

impl Page {
    /// From where to go on: from the same place while something of the page changed under it.
    fn then(self, from: Encrypting, rest: Option<Encrypting>) -> Option<Encrypting> {
        if self.touched < self.clear as u64 { Some(from) } else { self.next.or(rest) }
    }
}

/// One page of one table.
pub(super) async fn encrypt(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: MappingId,
    from: Encrypting,
    max: usize,
) -> Result<Option<Encrypting>> {
    let mut work = connection.begin().await.meaning(WHAT)?;
    let (page, rest) = match from {
        Encrypting::Links(after) => {
            let after = after.map(|link| link.0);
            let page = links(&mut work, keyring, mapping, after, max).await?;
            (page, Some(Encrypting::Journal(None)))
        }
        Encrypting::Journal(after) => {
            let after = code::entry_or_null(after)?;
            let page = entries(&mut work, keyring, mapping, after, max).await?;
            (page, Some(Encrypting::Questions(0)))
        }
        Encrypting::Questions(after) => {
            let page = questions(&mut work, keyring, mapping, after, max).await?;
            (page, Some(Encrypting::Parked(None)))
        }
        Encrypting::Parked(after) => {
            let after = after.map(|link| link.0);
            (records(&mut work, keyring, mapping, after, max).await?, None)
        }
    };
    work.commit().await.meaning(WHAT)?;
    Ok(page.then(from, rest))
}

/// The keys of links, made and kept where there are none.
async fn keys(
    connection: &mut PgConnection,
    keyring: &Keyring,
    names: BTreeSet<Name>,
) -> Result<LinkKeys> {
    let keys = keyring.with_new(connection, names).await?;
    if !keys.made.is_empty() {
        link_key::keep(connection, &keys.made).await.meaning(WHAT)?;
    }
    Ok(keys)
}

async fn links(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: MappingId,
    after: Option<uuid::Uuid>,
    max: usize,
) -> Result<Page> {
    let rows = link::bodies(connection, mapping, after, max).await?;
    let last = rows.last().filter(|_| rows.len() == max);
    let next = last.map(|row| Encrypting::Links(Some(syncline_sdk::LinkId(row.name.1))));
    let clear: Vec<_> = rows.into_iter().filter(|row| !is_sealed(&row.body)).collect();
    let keys = keys(connection, keyring, clear.iter().map(|row| row.name).collect()).await?;
    let mut sealed = Vec::with_capacity(clear.len());
    for row in &clear {
        sealed.push(keys.seal(row.name, Place::Link, row.body.clone())?);
    }
    let touched = link::replace_bodies(connection, &clear, &sealed).await?;
    Ok(Page { next, clear: clear.len(), touched })
}

async fn entries(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: MappingId,
    after: Option<i64>,
    max: usize,
) -> Result<Page> {
    let rows = journal::bodies(connection, mapping, after, max).await?;
    let last = rows.last().filter(|_| rows.len() == max);
    let next = last.map(|row| Encrypting::Journal(Some(code::to_entry(row.id))));
    let clear: Vec<_> = rows.into_iter().filter(|row| !is_sealed(&row.body)).collect();
    let keys = keys(connection, keyring, clear.iter().map(|row| row.name).collect()).await?;
    let (mut ids, mut sealed) = (Vec::new(), Vec::new());
    for row in &clear {
        ids.push(row.id);
        sealed.push(keys.seal(row.name, Place::Entry(row.id), row.body.clone())?);
    }
    let touched = journal::replace_bodies(connection, &ids, &sealed).await?;
    // Entries never change; one that is gone is old.
    Ok(Page { next, clear: 0, touched })
}

async fn questions(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: MappingId,
    after: i64,
    max: usize,
) -> Result<Page> {
    let rows = review::page(connection, mapping, after, max).await?;
    let last = rows.last().filter(|_| rows.len() == max);
    let next = last.map(|row| Encrypting::Questions(row.id()));
    let clear: Vec<_> = rows.into_iter().filter(|row| !row.is_sealed()).collect();
    let keys = keys(connection, keyring, clear.iter().map(review::ReviewRow::name).collect());
    let keys = keys.await?;
    let touched = review_change::replace_contents(connection, &clear, &keys).await?;
    Ok(Page { next, clear: clear.len(), touched })
}

async fn records(
    connection: &mut PgConnection,
    keyring: &Keyring,
    mapping: MappingId,
    after: Option<uuid::Uuid>,
    max: usize,
) -> Result<Page> {
    let clear = parked::in_clear(connection, mapping, after, max).await?;
    let last = clear.last().filter(|_| clear.len() == max);
    let next = last.map(|parked| Encrypting::Parked(Some(parked.link)));
    let names = clear.iter().map(|parked| (parked.mapping.0, parked.link.0)).collect();
    let keys = keys(connection, keyring, names).await?;
    let touched = parked::seal(connection, &clear, &keys).await?;
    Ok(Page { next, clear: clear.len(), touched })
}
