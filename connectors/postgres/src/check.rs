//! Looking at a system: what it is, what it has, what is missing.

use sqlx::{PgConnection, Row};
use syncline_sdk::{Context, Error, Guarantee, Health, Piece, Result, Selection};

use crate::error::from_sqlx;
use crate::prepare::{covers, published, server_version, wanted};
use crate::receipt::Home;
use crate::shared::Shared;

/// The first version whose stream carries our markers.
const VERSION_MIN: i32 = 140_000;

pub(crate) async fn check(
    shared: &Shared,
    cx: &Context,
    selections: &[&Selection],
) -> Result<Health> {
    let failed = |error| from_sqlx("check", "the server", error);
    let mut conn = shared.pools.reader("check").await?;
    let row = sqlx::query(
        "select current_setting('server_version'), current_user::text, current_database()::text, \
         current_setting('wal_level'), \
         (select rolsuper or rolreplication from pg_catalog.pg_roles where rolname = current_user) \
         or exists (select 1 from pg_catalog.pg_roles r where r.rolname = 'rds_replication' \
           and pg_has_role(current_user, r.oid, 'member'))",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(failed)?;
    let version = server_version(&mut conn).await?;
    let level: String = row.try_get(3).map_err(failed)?;
    let replication: bool = row.try_get(4).map_err(failed)?;
    let mut pieces = vec![
        piece("version", version >= VERSION_MIN, true, "PostgreSQL 14 or later is needed"),
        Piece {
            name: "wal_level".to_owned(),
            present: level == "logical",
            required: true,
            detail: format!("it is {level}; capture needs logical (a restart of the server)"),
        },
        piece(
            "replication right",
            replication,
            true,
            "alter role USER replication (or the role rds_replication on managed services)",
        ),
    ];
    pieces.push(publication(shared, &mut conn, cx, (version, selections)).await?);
    pieces.push(slot(shared, &mut conn, cx).await?);
    pieces.push(receipts(shared).await?);
    for selection in selections {
        pieces.push(entity(shared, &mut conn, selection).await?);
    }
    let database: String = row.try_get(2).map_err(failed)?;
    Ok(Health {
        version: format!("PostgreSQL {}", row.try_get::<String, _>(0).map_err(failed)?),
        identity: identity(&mut conn).await.unwrap_or(database),
        user: row.try_get(1).map_err(failed)?,
        // Every version of Postgres compares under the row's lock.
        guarantee: Guarantee::Exact,
        pieces,
    })
}

fn piece(name: &str, present: bool, required: bool, detail: &str) -> Piece {
    Piece { name: name.to_owned(), present, required, detail: detail.to_owned() }
}

/// The cluster's own id and the database's name.
async fn identity(conn: &mut PgConnection) -> Option<String> {
    sqlx::query_scalar(
        "select system_identifier::text || '/' || current_database() from pg_control_system()",
    )
    .fetch_one(conn)
    .await
    .ok()
}

async fn publication(
    shared: &Shared,
    conn: &mut PgConnection,
    cx: &Context,
    (version, selections): (i32, &[&Selection]),
) -> Result<Piece> {
    let name = shared.pieces(cx).publication;
    let found = published(conn, &name, version).await?;
    // A table that cannot be published is a piece of its own.
    let wanted = wanted(shared, conn, selections, version).await.unwrap_or_default();
    let lacking = found.as_ref().is_some_and(|(_, tables)| !covers(tables, &wanted));
    let detail = match &found {
        Some(_) if lacking => {
            format!("{name} lacks tables or columns of the mappings; the next start adds them")
        }
        Some((true, tables)) => format!("{name} publishes {} tables", tables.len()),
        Some((false, _)) => format!("{name} does not publish every kind of change by root table"),
        None => format!("{name} is made when the first sync starts; it names what is captured"),
    };
    Ok(Piece {
        name: "publication".to_owned(),
        present: matches!(found, Some((true, _))) && !lacking,
        required: true,
        detail,
    })
}

async fn slot(shared: &Shared, conn: &mut PgConnection, cx: &Context) -> Result<Piece> {
    let name = shared.pieces(cx).slot;
    let failed = |error: sqlx::Error| -> Error { from_sqlx("check", "the slot", error) };
    let row = sqlx::query(
        "select coalesce(wal_status, 'unknown'), safe_wal_size, active, \
         pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::int8, \
         current_setting('max_slot_wal_keep_size') \
         from pg_catalog.pg_replication_slots where slot_name = $1",
    )
    .bind(&name)
    .fetch_optional(conn)
    .await
    .map_err(failed)?;
    let Some(row) = row else {
        let detail = format!("{name} is made when the first sync starts; it keeps the log for us");
        return Ok(Piece { name: "slot".to_owned(), present: false, required: true, detail });
    };
    let status: String = row.try_get(0).map_err(failed)?;
    let safe: Option<i64> = row.try_get(1).map_err(failed)?;
    let active: bool = row.try_get(2).map_err(failed)?;
    let behind: Option<i64> = row.try_get(3).map_err(failed)?;
    let keep: String = row.try_get(4).map_err(failed)?;
    let mut detail = format!(
        "{name} is {status}, {}, {} bytes behind",
        if active { "in use" } else { "not in use" },
        behind.unwrap_or(0)
    );
    if let Some(safe) = safe {
        detail.push_str(&format!("; {safe} bytes until it is lost"));
    }
    if keep == "-1" {
        detail.push_str(
            "; max_slot_wal_keep_size is not set, so a stopped sync can fill the server's disk",
        );
    }
    let present = matches!(status.as_str(), "reserved" | "extended");
    Ok(Piece { name: "slot".to_owned(), present, required: true, detail })
}

async fn receipts(shared: &Shared) -> Result<Piece> {
    let home = shared.find_home("check").await?;
    let (present, detail) = match (&home, shared.receipt_table()) {
        (Home::Table { quoted, .. }, _) => (true, format!("{quoted} proves each write")),
        (Home::Stream(_), None) => {
            (true, "switched off: receipts travel in the change stream".to_owned())
        }
        (Home::Stream(_), Some((schema, table))) => (
            false,
            format!(
                "{schema}.{table} is not there or may not be written; with it a lost answer is \
                 settled at once, without it only when the change stream has passed"
            ),
        ),
    };
    Ok(Piece { name: "receipt table".to_owned(), present, required: false, detail })
}

async fn entity(shared: &Shared, conn: &mut PgConnection, selection: &Selection) -> Result<Piece> {
    let name = format!("table {}", selection.entity);
    shared.forget_table(&selection.entity);
    Ok(match shared.fresh_table(conn, &selection.entity).await {
        Ok(table) if table.problems.is_empty() => {
            Piece { name, present: true, required: true, detail: "can be captured".to_owned() }
        }
        Ok(table) => {
            Piece { name, present: false, required: true, detail: table.problems.join("; ") }
        }
        Err(error) if error.kind == syncline_sdk::ErrorKind::Schema => {
            Piece { name, present: false, required: true, detail: error.to_string() }
        }
        Err(error) => return Err(error),
    })
}
