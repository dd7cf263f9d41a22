//! Table `batch`.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use syncline_core::encoding::{decode_ids, encode_ids};
use syncline_core::model::{Batch, BatchChange, BatchState};
use syncline_sdk::{BatchId, Instant, SystemName};

use super::error::{Meaning, corrupt};
use super::keyring::Keyring;
use super::prune::all_of;
use super::{code, journal};
use crate::{OpenBatch, Result};

/// What a commit does to batches, by kind.
#[derive(Default)]
pub(super) struct Changes {
    sends: Vec<(i64, Batch)>,
    asserts: Ids,
    resends: Resends,
    closes: Closes,
    audits: Vec<i64>,
}

#[derive(Default)]
struct Ids {
    id: Vec<i64>,
    attempts: Vec<i32>,
}

#[derive(Default)]
struct Resends {
    read: Ids,
    epoch: Vec<i64>,
    last_sent: Vec<i64>,
    die_after: Vec<i64>,
}

#[derive(Default)]
struct Closes {
    id: Vec<i64>,
    state: Vec<i16>,
    attempts: Vec<Option<i32>>,
}

impl Changes {
    /// Sorts changes by kind.
    pub(super) fn new(changes: &[BatchChange]) -> Result<Self> {
        let mut sorted = Self::default();
        for change in changes {
            match change {
                BatchChange::Send(batch) => {
                    sorted.sends.push((code::batch(batch.id)?, batch.clone()));
                }
                BatchChange::Assert { id, attempts } => {
                    sorted.asserts.id.push(code::batch(*id)?);
                    sorted.asserts.attempts.push(*attempts);
                }
                BatchChange::Resend { id, read_attempts, epoch, last_sent, die_after } => {
                    sorted.resends.read.id.push(code::batch(*id)?);
                    sorted.resends.read.attempts.push(*read_attempts);
                    sorted.resends.epoch.push(*epoch);
                    sorted.resends.last_sent.push(*last_sent);
                    sorted.resends.die_after.push(*die_after);
                }
                BatchChange::Close { id, state, attempts } => {
                    sorted.closes.id.push(code::batch(*id)?);
                    sorted.closes.state.push(code::batch_state(*state));
                    sorted.closes.attempts.push(*attempts);
                }
                BatchChange::Audit(id) => sorted.audits.push(code::batch(*id)?),
            }
        }
        Ok(sorted)
    }
}

// A batch is looked up by its id. Saying that it is open as `state = 0` would offer the index of
// open batches instead, full of entries of batches settled since the last vacuum: hence
// `state < 1`, which means the same.

/// Applies changes: first sends, then assertions, then further sends, then closings, then audits.
/// What does not hold is answered in words.
pub(super) async fn change(
    connection: &mut PgConnection,
    changes: &Changes,
) -> Result<Option<String>, sqlx::Error> {
    for (id, batch) in &changes.sends {
        send(connection, *id, batch).await?;
    }
    for (ids, touched) in [
        (&changes.asserts.id, assert(connection, &changes.asserts).await?),
        (&changes.resends.read.id, resend(connection, &changes.resends).await?),
        (&changes.closes.id, close(connection, &changes.closes).await?),
    ] {
        if touched != ids.len() as u64 {
            let ids: Vec<String> = ids.iter().map(|id| code::to_batch(*id).to_string()).collect();
            let ids = ids.join(", ");
            return Ok(Some(format!("batch {ids}: settled by now, or sent again")));
        }
    }
    audit(connection, &changes.audits).await?;
    Ok(None)
}

/// One that is not there any more, or was audited before, stays as it is.
async fn audit(connection: &mut PgConnection, ids: &[i64]) -> Result<(), sqlx::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!("update syncline.batch set state = 2 where id = any($1) and state = 1", ids)
        .execute(connection)
        .await
        .map(drop)
}

async fn send(connection: &mut PgConnection, id: i64, batch: &Batch) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into syncline.batch
             (id, system, intents, epoch, state, first_sent, last_sent, die_after, attempts)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id,
        batch.system.as_str(),
        encode_ids(&batch.intents),
        batch.epoch,
        code::batch_state(batch.state),
        batch.first_sent,
        batch.last_sent,
        batch.die_after,
        batch.attempts,
    )
    .execute(connection)
    .await
    .map(drop)
}

async fn assert(connection: &mut PgConnection, asserts: &Ids) -> Result<u64, sqlx::Error> {
    if asserts.id.is_empty() {
        return Ok(0);
    }
    sqlx::query!(
        "select b.id
         from unnest($1::int8[], $2::int4[]) as u (id, attempts)
         join syncline.batch as b on b.id = u.id and b.attempts = u.attempts and b.state < 1
         for share of b",
        &asserts.id,
        &asserts.attempts,
    )
    .fetch_all(connection)
    .await
    .map(|rows| rows.len() as u64)
}

async fn resend(connection: &mut PgConnection, resends: &Resends) -> Result<u64, sqlx::Error> {
    if resends.read.id.is_empty() {
        return Ok(0);
    }
    sqlx::query!(
        "update syncline.batch as b
         set attempts = b.attempts + 1, epoch = u.epoch, last_sent = u.last_sent,
             die_after = u.die_after
         from unnest($1::int8[], $2::int4[], $3::int8[], $4::int8[], $5::int8[])
              as u (id, attempts, epoch, last_sent, die_after)
         where b.id = u.id and b.attempts = u.attempts and b.state < 1",
        &resends.read.id,
        &resends.read.attempts,
        &resends.epoch,
        &resends.last_sent,
        &resends.die_after,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
}

async fn close(connection: &mut PgConnection, closes: &Closes) -> Result<u64, sqlx::Error> {
    if closes.id.is_empty() {
        return Ok(0);
    }
    sqlx::query!(
        "update syncline.batch as b set state = u.state
         from unnest($1::int8[], $2::int2[], $3::int4[]) as u (id, state, attempts)
         where b.id = u.id and b.state < 1 and (u.attempts is null or b.attempts = u.attempts)",
        &closes.id,
        &closes.state,
        &closes.attempts as _,
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
}

/// A row of the table.
struct BatchRow {
    id: i64,
    system: String,
    intents: Vec<u8>,
    epoch: i64,
    state: i16,
    first_sent: i64,
    last_sent: i64,
    die_after: i64,
    attempts: i32,
}

/// The open batches, oldest first, with the entries of their intents.
pub(super) async fn open(
    connection: &mut PgConnection,
    keyring: &Keyring,
    max: usize,
) -> Result<Vec<OpenBatch>> {
    let rows = sqlx::query_as!(
        BatchRow,
        "select id, system, intents, epoch, state, first_sent, last_sent, die_after, attempts
         from syncline.batch where state = 0 order by id limit $1",
        code::limit(max)
    )
    .fetch_all(&mut *connection)
    .await
    .meaning("load open batches")?;
    with_entries(connection, keyring, rows).await
}

/// The settled batches of a system that were not audited, and of which no copy can be applied any
/// more, oldest first, with the entries of their intents.
pub(super) async fn unaudited(
    connection: &mut PgConnection,
    keyring: &Keyring,
    system: &SystemName,
    dead_before: Instant,
    after: Option<BatchId>,
    max: usize,
) -> Result<Vec<OpenBatch>> {
    let after = after.map_or(Ok(i64::MIN), code::batch)?;
    let rows = sqlx::query_as!(
        BatchRow,
        "select id, system, intents, epoch, state, first_sent, last_sent, die_after, attempts
         from syncline.batch
         where system = $1 and state = 1 and die_after < $2 and id > $3 order by id limit $4",
        system.as_str(),
        dead_before.micros(),
        after,
        code::limit(max)
    )
    .fetch_all(&mut *connection)
    .await
    .meaning("load settled batches")?;
    with_entries(connection, keyring, rows).await
}

async fn with_entries(
    connection: &mut PgConnection,
    keyring: &Keyring,
    rows: Vec<BatchRow>,
) -> Result<Vec<OpenBatch>> {
    let mut batches = Vec::with_capacity(rows.len());
    for row in rows {
        let id = code::to_batch(row.id);
        let bad = |reason: String| corrupt("batch", id, reason);
        batches.push(Batch {
            id,
            system: SystemName::from(row.system),
            intents: decode_ids(&row.intents).map_err(|error| bad(format!("intents: {error}")))?,
            epoch: row.epoch,
            state: code::to_batch_state(row.state)
                .ok_or_else(|| bad(format!("state {}", row.state)))?,
            first_sent: row.first_sent,
            last_sent: row.last_sent,
            die_after: row.die_after,
            attempts: row.attempts,
        });
    }
    let intents = batches.iter().flat_map(|batch| &batch.intents);
    let ids: Vec<i64> = intents.map(|id| code::entry(*id)).collect::<Result<_>>()?;
    let entries: BTreeMap<_, _> = journal::by_ids(connection, keyring, &ids)
        .await?
        .into_iter()
        .map(|entry| (entry.id, entry))
        .collect();
    let its_entries = |batch: Batch| OpenBatch {
        entries: batch.intents.iter().filter_map(|id| entries.get(id).cloned()).collect(),
        batch,
    };
    Ok(batches.into_iter().map(its_entries).collect())
}

/// The batches of a system that stand in a state and of which no copy can be applied any more,
/// oldest first.
pub(super) async fn spent(
    connection: &mut PgConnection,
    system: &SystemName,
    state: BatchState,
    dead_before: Instant,
    max: usize,
) -> Result<Vec<BatchId>> {
    let ids = sqlx::query_scalar!(
        "select id from syncline.batch
         where system = $1 and state = $2 and die_after < $3 order by id limit $4",
        system.as_str(),
        code::batch_state(state),
        dead_before.micros(),
        code::limit(max)
    )
    .fetch_all(connection)
    .await
    .meaning("look for spent batches")?;
    Ok(ids.into_iter().map(code::to_batch).collect())
}

/// Removes settled batches.
pub(super) async fn remove(connection: &mut PgConnection, batches: &[BatchId]) -> Result<()> {
    let ids: Vec<i64> = batches.iter().map(|id| code::batch(*id)).collect::<Result<_>>()?;
    sqlx::query!("delete from syncline.batch where id = any($1) and state <> 0", &ids)
        .execute(connection)
        .await
        .map(drop)
        .meaning("remove batches")
}

/// Removes settled batches of which no copy could be applied since a time: those of systems
/// that are not configured any more, whose receipts nobody forgets.
pub(super) async fn prune(connection: &mut PgConnection, before: i64) -> Result<u64> {
    all_of!(
        connection,
        "delete from syncline.batch where ctid = any(array(
             select ctid from syncline.batch where state <> 0 and die_after < $1 limit $2))",
        before
    )
}
