//! Opening the stream: is it still the one, and can it still give what comes next?

use std::collections::HashMap;
use std::sync::Arc;

use syncline_sdk::{Context, Error, ErrorKind, Position, Result, Selection};

use super::reader::Reader;
use super::stream::PgFeed;
use super::transport::{Transport, parse_lsn, show_lsn, slot_query};
use crate::names::{Pieces, split};
use crate::prepare::{published, server_version};
use crate::shared::Shared;

/// A slot as the server states it.
struct Slot {
    confirmed: u64,
    stream: Arc<str>,
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
    let mut transport = Transport::open(&shared.target, &pieces, place.unwrap_or(0)).await?;
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
    let version = server_version(&mut conn).await?;
    let published = published(&mut conn, &pieces.publication, version).await?;
    drop(conn);
    let tables = published.map(|(_, tables)| tables).unwrap_or_default();
    for selection in selections {
        let (schema, table) = split(selection.entity.as_str());
        if !tables.contains_key(&(schema.to_owned(), table.to_owned())) {
            return Err(gap(format!(
                "{schema}.{table} is not in the publication {} (any more): dropping a listed \
                 column with `cascade` takes its table out",
                pieces.publication
            )));
        }
    }
    transport.begin().await?;
    let mut wanted = HashMap::new();
    for selection in selections {
        let (schema, table) = split(selection.entity.as_str());
        wanted.insert((schema.to_owned(), table.to_owned()), Arc::new((*selection).clone()));
    }
    let reader = Reader::new(slot.stream, wanted, near, shared.stream.clone());
    Ok(PgFeed { shared: shared.clone(), transport, reader })
}

/// Where the slot stands.
pub(crate) async fn start(shared: &Arc<Shared>, cx: &Context) -> Result<Position> {
    let pieces = shared.pieces(cx);
    let mut transport = Transport::open(&shared.target, &pieces, 0).await?;
    let slot = look(&mut transport, &pieces).await?;
    Ok(Position { stream: slot.stream, place: show_lsn(slot.confirmed).into() })
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
        stream: format!("{}/{}/{slot}", server.system, server.timeline).into(),
    })
}

fn compare(slot: &Slot, from: &Position, place: u64) -> Result<()> {
    if slot.stream != from.stream {
        return Err(gap(format!(
            "the stream is {} now, our position is of {}: the server was restored, failed over or \
             exchanged",
            slot.stream, from.stream
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

fn gap(why: String) -> Error {
    Error::new(ErrorKind::Gap, "open feed", why)
        .advise("a full comparison of both sides closes the gap")
}
