//! Applying a batch of which some write is refused: halves of halves behind savepoints, within
//! one transaction that still commits once, so that the refused writes stand in its receipt and
//! all others are applied.

use std::ops::Range;

use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};
use syncline_sdk::{ErrorKind, Result};

use super::apply::{PieceError, piece, suppressed};
use super::plan::{Group, Plan};
use super::state::State;
use super::statement::Verb;
use crate::codec::Kind;
use crate::error::{database, from_sqlx, is_refusal, refusal};
use crate::names::literal;
use crate::session::Writer;

/// How many times the batch may wait for somebody's lock before the rest is put off: what it has
/// written already is held meanwhile.
const LOCK_WAITS_MAX: u32 = 6;
/// How long each of these waits may take, in milliseconds: together with the number above within
/// the bound for a batch's locks.
const LOCK_WAIT_MS: u32 = 8;

/// Applies what can be applied and sets a state for every write.
///
/// # Errors
/// The session was lost: nothing is applied.
pub(crate) async fn apply(
    writer: &mut Writer,
    plan: &Plan<'_>,
    states: &mut [State],
) -> Result<()> {
    let conn = writer.busy()?;
    run(conn, &format!("set local lock_timeout = {LOCK_WAIT_MS}")).await?;
    let mut lock_waits = 0;
    for group in &plan.groups {
        let mut open: Vec<Range<usize>> = std::iter::once(0..group.writes.len()).collect();
        while let Some(range) = open.pop() {
            if lock_waits >= LOCK_WAITS_MAX {
                set(group, range, states, || State::Busy);
                continue;
            }
            let error = match attempt(conn, group, range.clone(), states).await? {
                None => continue,
                Some(error) => error,
            };
            if locked(&error) {
                lock_waits += 1;
            }
            let alone = range.len() == 1;
            if alone || concerns_all(&error) {
                settle(conn, group, range, states, &error).await?;
            } else {
                let middle = range.start + range.len() / 2;
                open.push(middle..range.end);
                open.push(range.start..middle);
            }
        }
    }
    Ok(())
}

async fn run(conn: &mut PgConnection, text: &str) -> Result<()> {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(text)))
        .await
        .map(|_| ())
        .map_err(|error| from_sqlx("push", "a savepoint", error))
}

/// Applies a run of writes, or leaves everything as it was and says why.
async fn attempt(
    conn: &mut PgConnection,
    group: &Group<'_>,
    range: Range<usize>,
    states: &mut [State],
) -> Result<Option<PieceError>> {
    run(conn, "savepoint piece").await?;
    match piece(conn, group, range, states).await {
        Ok(()) => {
            run(conn, "release savepoint piece").await?;
            Ok(None)
        }
        Err(PieceError::Sql(error)) if !is_refusal(&error) => {
            Err(from_sqlx("push", group.place(), error))
        }
        Err(error) => {
            run(conn, "rollback to savepoint piece; release savepoint piece").await?;
            Ok(Some(error))
        }
    }
}

fn locked(error: &PieceError) -> bool {
    match error {
        PieceError::Sql(error) => database(error)
            .is_some_and(|inner| crate::error::meaning(inner.code()).0 == ErrorKind::Locked),
        PieceError::Suppressed => false,
    }
}

/// Whether the refusal is of the statement, not of one of its rows.
fn concerns_all(error: &PieceError) -> bool {
    let PieceError::Sql(error) = error else {
        return false;
    };
    database(error).is_some_and(|inner| match crate::error::meaning(inner.code()).0 {
        ErrorKind::Schema => true,
        // A policy refuses single rows with the same code as a missing right.
        ErrorKind::Forbidden => !inner.message().contains("row-level security"),
        _ => false,
    })
}

fn set(group: &Group<'_>, range: Range<usize>, states: &mut [State], state: impl Fn() -> State) {
    for at in &group.writes[range] {
        states[*at] = state();
    }
}

async fn settle(
    conn: &mut PgConnection,
    group: &Group<'_>,
    range: Range<usize>,
    states: &mut [State],
    error: &PieceError,
) -> Result<()> {
    if locked(error) {
        set(group, range, states, || State::Busy);
        return Ok(());
    }
    let PieceError::Sql(error) = error else {
        set(group, range, states, || State::Rejected(suppressed(group)));
        return Ok(());
    };
    let field =
        if range.len() == 1 { culprit(conn, group, range.start, error).await? } else { None };
    set(group, range, states, || {
        let mut made = refusal("push", group.place(), error);
        if made.field.is_none() {
            made.field.clone_from(&field);
        }
        State::Rejected(made)
    });
    Ok(())
}

/// Which column a refusal is about, where the server does not say: the columns of the
/// constraint, or the one whose value does not convert by itself.
async fn culprit(
    conn: &mut PgConnection,
    group: &Group<'_>,
    row: usize,
    error: &sqlx::Error,
) -> Result<Option<String>> {
    let Some(inner) = database(error) else {
        return Ok(None);
    };
    if let Some(column) = inner.column() {
        return Ok(Some(column.to_owned()));
    }
    if let Some(constraint) = inner.constraint() {
        return constraint_columns(conn, group, constraint).await;
    }
    if !inner.code().starts_with("22") {
        return Ok(None);
    }
    let keys = match group.shape.verb {
        Verb::Insert => 0,
        Verb::Update => group.layout.table.key.len(),
        Verb::Delete => return Ok(None),
    };
    for (at, column) in group.shape.columns.iter().enumerate() {
        let column = &group.layout.table.columns[*column];
        let Some(Some(text)) = group.texts.get(keys + at).and_then(|texts| texts.get(row)) else {
            continue;
        };
        // A cast cuts what an assignment refuses.
        if let Kind::Text { chars_max: Some(max) } | Kind::Char { chars_max: Some(max) } =
            &column.kind
            && text.chars().count() > usize::try_from(*max).unwrap_or(usize::MAX)
        {
            return Ok(Some(column.name.to_string()));
        }
        run(conn, "savepoint probe").await?;
        let probe = format!("select {}::{}", literal(text), column.native);
        let probed = conn.execute(sqlx::raw_sql(AssertSqlSafe(probe))).await;
        run(conn, "rollback to savepoint probe; release savepoint probe").await?;
        if probed.is_err() {
            return Ok(Some(column.name.to_string()));
        }
    }
    Ok(None)
}

async fn constraint_columns(
    conn: &mut PgConnection,
    group: &Group<'_>,
    constraint: &str,
) -> Result<Option<String>> {
    let row = sqlx::query(
        "select string_agg(a.attname::text, ', ' order by a.attnum) from pg_catalog.pg_attribute a \
         where a.attrelid = $1::regclass and a.attnum > 0 and ( \
           a.attnum = any((select c.conkey from pg_catalog.pg_constraint c \
             where c.conrelid = $1::regclass and c.conname = $2 limit 1)::int2[]) or \
           a.attnum = any((select i.indkey from pg_catalog.pg_index i \
             join pg_catalog.pg_class n on n.oid = i.indexrelid \
             where i.indrelid = $1::regclass and n.relname = $2 limit 1)::int2[]))",
    )
    .bind(&group.layout.table.quoted)
    .bind(constraint)
    .fetch_one(conn)
    .await
    .map_err(|error| from_sqlx("push", group.place(), error))?;
    row.try_get(0).map_err(|error| from_sqlx("push", group.place(), error))
}
