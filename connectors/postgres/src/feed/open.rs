//! Opening the stream: is it still the one, and can it still give what comes next?

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::PgConnection;
use syncline_sdk::{Context, Error, ErrorKind, Position, Result, Selection};

use super::identity::{Entries, Identity, entries};
use super::reader::Reader;
use super::stream::PgFeed;
use super::transport::{Transport, parse_lsn, show_lsn, slot_query};
use crate::error::{database, from_sqlx};
use crate::names::{Pieces, entity, split};
use crate::shared::Shared;

/// A slot as the server states it.
struct Slot {
    confirmed: u64,
    /// System id, timeline and slot.
    name: String,
}

/// Opens the feed from a place, or from where the slot stands.
pub(crate) async fn open(
    shared: &Arc<Shared>,
    cx: &Context,
    selections: &[&Selection],
    from: Option<&Position>,
) -> Result<PgFeed> {
    let pieces = shared.pieces(cx);
    let place = from.map(|from| parse_lsn(&from.place)).transpose()?;
    let place_or_first = place.unwrap_or(0);
    let lag = shared.lag.clone();
    let mut transport = Transport::open(&shared.target, &pieces, place_or_first, lag).await?;
    let slot = look(&mut transport, &pieces).await?;
    if let (Some(from), Some(place)) = (from, place) {
        compare(&slot, from, place)?;
    }
    let near = transport
        .row("select pg_snapshot_xmax(pg_current_snapshot())::text")
        .await?
        .and_then(|row| row.first()?.parse().ok())
        .ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "open feed", "the server did not state a snapshot")
        })?;
    let mut conn = shared.pools.reader("open feed").await?;
    let now = entries(&mut conn, &pieces.publication).await?;
    drop(conn);
    let read = read_entries(&now, selections, &pieces.publication)?;
    let mut identity = Identity { slot: slot.name, entries: now };
    if let Some(from) = from {
        let before = Identity::parse(&from.stream)?;
        identity = identity.follow(&before, &pieces.publication, read.keys().cloned())?;
    }
    let open = shared.lag.begin(slot.confirmed);
    transport.begin().await?;
    let mut wanted = HashMap::new();
    for selection in selections {
        let (schema, table) = split(selection.entity.as_str());
        wanted.insert((schema.to_owned(), table.to_owned()), Arc::new((*selection).clone()));
    }
    let begins = slot.confirmed.max(place_or_first);
    let reader = Reader::new(identity.text(), wanted, near, begins, shared.stream.clone());
    let publication = pieces.publication;
    Ok(PgFeed {
        shared: shared.clone(),
        transport,
        reader,
        publication,
        read,
        look: false,
        _open: open,
    })
}

/// The entries of what is read.
fn read_entries(now: &Entries, selections: &[&Selection], publication: &str) -> Result<Entries> {
    let mut read = Entries::new();
    for selection in selections {
        let (schema, table) = split(selection.entity.as_str());
        let name = entity(schema, table).to_string();
        let Some(entry) = now.get(&name) else {
            return Err(gap(format!(
                "{name} is not in the publication {publication} (any more): dropping a listed \
                 column with `cascade` takes its table out"
            )));
        };
        read.insert(name, *entry);
    }
    Ok(read)
}

/// Where a stream starts anew. Whatever was to be read before is left out: it is about to be
/// scanned, and may be what the server can no longer decode.
pub(crate) async fn start(shared: &Arc<Shared>, cx: &Context) -> Result<Position> {
    let pieces = shared.pieces(cx);
    let mut transport = Transport::open(&shared.target, &pieces, 0, shared.lag.clone()).await?;
    let mut conn = shared.pools.reader("start feed").await?;
    skip(&mut conn, &pieces.slot).await?;
    shared.stream.begins_anew();
    let slot = look(&mut transport, &pieces).await?;
    let entries = entries(&mut conn, &pieces.publication).await?;
    let stream = Identity { slot: slot.name, entries }.text();
    Ok(Position { stream, place: show_lsn(slot.confirmed).into() })
}

/// Moves a slot to the end of the log. One that a session still reads stays where it is.
async fn skip(conn: &mut PgConnection, slot: &str) -> Result<()> {
    let moved = sqlx::query(
        "select pg_catalog.pg_replication_slot_advance(slot_name, pg_current_wal_lsn())::text \
         from pg_catalog.pg_replication_slots \
         where slot_name = $1 and not active and coalesce(wal_status, '') <> 'lost' \
         and confirmed_flush_lsn < pg_current_wal_lsn()",
    )
    .bind(slot)
    .execute(conn)
    .await;
    match moved {
        Err(error) if database(&error).is_some_and(|inner| inner.code() == "55006") => Ok(()),
        moved => moved.map(drop).map_err(|error| from_sqlx("start feed", slot, error)),
    }
}

async fn look(transport: &mut Transport, pieces: &Pieces) -> Result<Slot> {
    let server = transport.identify().await?;
    let slot = &pieces.slot;
    let Some(row) = transport.row(&slot_query(slot)).await? else {
        return Err(gap(format!("the slot {slot} does not exist (any more)")));
    };
    let [confirmed, status, _, plugin, database] = &row[..] else {
        return Err(Error::new(ErrorKind::Protocol, "open feed", "the slot was not understood"));
    };
    if plugin != "pgoutput" || database.is_empty() {
        return Err(Error::new(
            ErrorKind::Config,
            "open feed",
            format!("the slot {slot} is not a logical slot of pgoutput"),
        )
        .advise("name another slot in the settings"));
    }
    if status == "lost" {
        return Err(gap(format!(
            "the slot {slot} lost the log that it needs: max_slot_wal_keep_size was exceeded"
        )));
    }
    Ok(Slot {
        confirmed: parse_lsn(confirmed)?,
        name: format!("{}/{}/{slot}", server.system, server.timeline),
    })
}

fn compare(slot: &Slot, from: &Position, place: u64) -> Result<()> {
    let before = Identity::parse(&from.stream)?.slot;
    if slot.name != before {
        return Err(gap(format!(
            "the stream is {} now, our position is of {before}: the server was restored, failed \
             over or exchanged",
            slot.name
        )));
    }
    if slot.confirmed > place {
        return Err(gap(format!(
            "the slot was moved to {} by somebody else, ours is {}: changes between are lost",
            show_lsn(slot.confirmed),
            from.place
        )));
    }
    Ok(())
}

pub(super) fn gap(why: String) -> Error {
    Error::new(ErrorKind::Gap, "open feed", why)
        .advise("a full comparison of both sides closes the gap")
}
