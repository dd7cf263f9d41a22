//! The end of a batch: receipt and commit in one round trip.

use sqlx::{AssertSqlSafe, Executor};
use syncline_sdk::Error;

use crate::error::{database, from_sqlx, is_refusal};
use crate::layout::text;
use crate::names::literal;
use crate::receipt::{Home, Receipt};
use crate::session::Writer;
use crate::version::Snapshot;

/// How a batch ended.
pub(crate) enum Closed {
    /// It was committed by this transaction; the snapshot was taken while it held its rows.
    Committed { xid: u64, snapshot: Snapshot },
    /// Another copy or a cancellation was there before: this copy was rolled back.
    Duplicate(Receipt),
    /// It was rolled back for another reason.
    Refused(sqlx::Error),
    /// It may have been committed.
    Unknown(Error),
}

/// Writes the receipt and commits.
pub(crate) async fn close(
    writer: &mut Writer,
    home: &Home,
    marker: &str,
    receipt: &Receipt,
) -> Closed {
    let sql = statement(home, marker, receipt);
    let conn = match writer.busy() {
        Ok(conn) => conn,
        // Nothing was sent on a session that is not there.
        Err(_) => return Closed::Refused(sqlx::Error::WorkerCrashed),
    };
    match conn.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await {
        Ok(rows) => {
            writer.settle();
            let parsed = rows.iter().find_map(|row| {
                let xid = text(row, 0).ok()??.parse().ok()?;
                let snapshot = Snapshot::parse(text(row, 1).ok()??)?;
                Some(Closed::Committed { xid, snapshot })
            });
            parsed.unwrap_or_else(|| {
                Closed::Unknown(Error::new(
                    syncline_sdk::ErrorKind::Protocol,
                    "push",
                    "the commit was answered without its snapshot",
                ))
            })
        }
        Err(error) if is_refusal(&error) => {
            writer.roll_back().await;
            let duplicate = database(&error).is_some_and(|inner| {
                inner.code() == "23505" && home.is_named(inner.schema(), inner.table())
            });
            if !duplicate {
                return Closed::Refused(error);
            }
            let Ok(conn) = writer.busy() else {
                return Closed::Refused(error);
            };
            match home.find(conn, &[marker.to_owned()]).await {
                Ok(mut found) => {
                    writer.settle();
                    match found.remove(marker) {
                        Some(receipt) => Closed::Duplicate(receipt),
                        None => Closed::Refused(error),
                    }
                }
                Err(error) => Closed::Unknown(error),
            }
        }
        // Asked to commit and never told: the engine settles it.
        Err(error) => Closed::Unknown(from_sqlx("push", "the commit", error)),
    }
}

fn statement(home: &Home, marker: &str, receipt: &Receipt) -> String {
    let mut sql = String::from("set constraints all immediate; ");
    match home {
        Home::Table { quoted, .. } => {
            sql.push_str(&format!(
                "insert into {quoted} (batch, xid, snapshot, refused, keys) values ({}, \
                 pg_current_xact_id(), pg_current_snapshot(), {}, {}) \
                 returning xid::text, snapshot::text",
                literal(marker),
                literal(&receipt.refused_json()),
                literal(&receipt.keys_json()),
            ));
        }
        Home::Stream(_) => {
            sql.push_str(&format!(
                "select pg_current_xact_id()::text, pg_current_snapshot()::text, \
                 pg_catalog.pg_logical_emit_message(true, 'syncline.receipt', {})::text",
                literal(&receipt.message(marker)),
            ));
        }
    }
    sql.push_str("; commit");
    sql
}
