//! Settling writes whose answer was lost: receipts, and the fence that makes their absence
//! final (protocol I5, I7).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};
use syncline_sdk::{
    BatchId, Context, Current, Key, Result, Settlement, UnknownWrite, Value, WriteOp,
};

use crate::error::{database, from_sqlx};
use crate::layout::Layout;
use crate::matching::by_links;
use crate::names::literal;
use crate::read::by_keys;
use crate::receipt::{Home, Receipt, Seen, StreamReceipts, session_name};

/// How long the server may take to end a session of ours, in milliseconds.
const END_WAIT_MS: u32 = 2_000;

/// What became of a batch.
pub(crate) enum Found {
    /// Its receipt, or the cancellation that stands in its place.
    Receipt(Receipt),
    /// The stream that would have told was lost.
    Lost,
}

/// Finds out what became of batches. What is not in the answer is decided later: by the stream,
/// or by a copy that is between its receipt and its commit.
pub(crate) async fn receipts(
    conn: &mut PgConnection,
    home: &Home,
    cx: &Context,
    unknown: &[UnknownWrite],
) -> Result<HashMap<String, Found>> {
    let mut markers: Vec<String> =
        unknown.iter().map(|write| cx.batch_marker(write.batch)).collect();
    markers.sort_unstable();
    markers.dedup();
    match home {
        Home::Table { quoted, .. } => {
            let mut found = home.find(conn, &markers).await?;
            for marker in markers
                .iter()
                .filter(|marker| !found.contains_key(*marker))
                .cloned()
                .collect::<Vec<_>>()
            {
                if cancel(conn, quoted, &marker).await? {
                    found.insert(marker, Receipt { cancelled: true, ..Receipt::default() });
                } else {
                    // A copy won in this very moment, or is about to.
                    found.extend(home.find(conn, &[marker]).await?);
                }
            }
            Ok(found.into_iter().map(|(marker, of)| (marker, Found::Receipt(of))).collect())
        }
        Home::Stream(stream) => {
            let mut found = HashMap::new();
            let unseen: HashSet<String> = unknown
                .iter()
                .filter(|write| write.unseen)
                .map(|write| cx.batch_marker(write.batch))
                .collect();
            for marker in markers {
                match stream.of(&marker) {
                    Seen::Committed(receipt) => {
                        found.insert(marker, Found::Receipt(receipt));
                    }
                    _ if unseen.contains(&marker) => {
                        found.insert(marker, Found::Lost);
                    }
                    Seen::Fenced => {
                        let cancelled = Receipt { cancelled: true, ..Receipt::default() };
                        found.insert(marker, Found::Receipt(cancelled));
                    }
                    Seen::Lost => {
                        found.insert(marker, Found::Lost);
                    }
                    Seen::Waiting => {}
                    Seen::Nothing => fence(conn, stream, &marker).await?,
                }
            }
            Ok(found)
        }
    }
}

/// Inserts a cancelling receipt; false when a copy of the batch holds the place.
async fn cancel(conn: &mut PgConnection, quoted: &str, marker: &str) -> Result<bool> {
    let sql = format!(
        "insert into {quoted} (batch, xid, snapshot, cancelled) \
         values ($1, pg_current_xact_id(), pg_current_snapshot(), true) \
         on conflict (batch) do nothing"
    );
    match sqlx::query(AssertSqlSafe(sql)).bind(marker).execute(conn).await {
        Ok(done) => Ok(done.rows_affected() == 1),
        // A copy is between its receipt and its commit: it will have answered by the next look.
        Err(error) if database(&error).is_some_and(|inner| inner.code() == "55P03") => Ok(false),
        Err(error) => Err(from_sqlx("settle", "the receipt table", error)),
    }
}

/// Ends our own sessions that may still send the batch, then marks the place in the stream
/// behind which it cannot come any more.
async fn fence(conn: &mut PgConnection, stream: &StreamReceipts, marker: &str) -> Result<()> {
    let failed = |error| from_sqlx("settle", "the fence", error);
    let rows = sqlx::query(
        "select pg_terminate_backend(pid, $1) from pg_catalog.pg_stat_activity \
         where application_name = $2 and usename = current_user and pid <> pg_backend_pid()",
    )
    .bind(i64::from(END_WAIT_MS))
    .bind(session_name(marker))
    .fetch_all(&mut *conn)
    .await
    .map_err(failed)?;
    for row in &rows {
        if !row.try_get::<bool, _>(0).map_err(failed)? {
            // It has not ended yet: no fence before it has.
            return Ok(());
        }
    }
    stream.expect(marker);
    let sql = format!(
        "select pg_catalog.pg_logical_emit_message(true, 'syncline.fence', {})::text",
        literal(marker)
    );
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(|_| ()).map_err(failed)
}

/// The settlement of one write.
pub(crate) async fn settlement(
    conn: &mut PgConnection,
    layout: Option<Arc<Layout>>,
    write: &UnknownWrite,
    found: Option<&Found>,
) -> Result<Settlement> {
    let receipt = match found {
        Some(Found::Receipt(receipt)) => receipt,
        Some(Found::Lost) => {
            let current = match layout {
                Some(layout) => current(conn, &layout, write).await?,
                None => Current::Unread,
            };
            return Ok(Settlement::Undecided { current });
        }
        None => return Ok(Settlement::Awaited),
    };
    let ordinal = write.write.ordinal;
    if receipt.cancelled || receipt.refused.contains_key(&ordinal) {
        return Ok(Settlement::NotApplied);
    }
    let key = receipt.keys.get(&ordinal).cloned();
    let stored = match (layout, receipt.xid) {
        (Some(layout), Some(xid)) => stored(conn, &layout, write, key.as_ref(), xid).await?,
        _ => None,
    };
    Ok(Settlement::Applied { version: receipt.version.clone(), stored, key })
}

/// The record that a write is about, as it is now: by its key or, of a create, by its link id.
async fn current(
    conn: &mut PgConnection,
    layout: &Layout,
    write: &UnknownWrite,
) -> Result<Current> {
    let record = match write.write.op.key() {
        Some(key) => {
            let found = by_keys(conn, layout, std::slice::from_ref(key)).await?.found;
            found.into_iter().next().map(|row| row.record)
        }
        None if layout.external_id.is_some() => {
            let found = by_links(conn, layout, &[write.write.link]).await?.records;
            found.into_iter().next()
        }
        None => None,
    };
    Ok(record.map_or(Current::Unread, |record| Current::Record(Box::new(record))))
}

/// The record as the write stored it, where the row still carries the receipt's transaction:
/// then nobody has written it since (protocol N3).
async fn stored(
    conn: &mut PgConnection,
    layout: &Layout,
    write: &UnknownWrite,
    created: Option<&Key>,
    xid: u64,
) -> Result<Option<Vec<Value>>> {
    let key = match &write.write.op {
        WriteOp::Update { key, .. } => key,
        WriteOp::Insert { .. } => match created {
            Some(key) => key,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let found = by_keys(conn, layout, std::slice::from_ref(key)).await?.found;
    let ours = found.into_iter().find(|row| u64::from(row.row_xid) == xid & 0xffff_ffff);
    Ok(ours.map(|row| row.record.values))
}

/// Forgets the receipts of batches.
pub(crate) async fn forget(
    conn: &mut PgConnection,
    home: &Home,
    cx: &Context,
    batches: &[BatchId],
) -> Result<()> {
    let markers: Vec<String> = batches.iter().map(|batch| cx.batch_marker(*batch)).collect();
    match home {
        Home::Table { quoted, .. } => {
            let sql = format!("delete from {quoted} where batch = any($1)");
            sqlx::query(AssertSqlSafe(sql))
                .bind(&markers)
                .execute(conn)
                .await
                .map(|_| ())
                .map_err(|error| from_sqlx("forget", "the receipt table", error))
        }
        Home::Stream(stream) => {
            markers.iter().for_each(|marker| stream.forget(marker));
            Ok(())
        }
    }
}
