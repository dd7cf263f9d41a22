//! Looking at a system: what it is, what it has, what is missing.

use sqlx::{PgConnection, Row};
use syncline_sdk::{Context, Error, Guarantee, Health, Piece, Result, Selection};

use crate::error::from_sqlx;
use crate::names::ident;
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
           and pg_has_role(current_user, r.oid, 'member')), \
         current_setting('max_slot_wal_keep_size')",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(failed)?;
    let version = server_version(&mut conn).await?;
    let level: String = row.try_get(3).map_err(failed)?;
    let replication: bool = row.try_get(4).map_err(failed)?;
    let user: String = row.try_get(1).map_err(failed)?;
    let keep: String = row.try_get(5).map_err(failed)?;
    let mut pieces = vec![
        piece(
            "version",
            version >= VERSION_MIN,
            true,
            if version >= VERSION_MIN {
                "its stream carries all that is needed"
            } else {
                "PostgreSQL 14 or later is needed: upgrade the server"
            },
        ),
        piece(
            "wal_level",
            level == "logical",
            true,
            &match level.as_str() {
                "logical" => "it is logical".to_owned(),
                _ => format!(
                    "it is {level}; capture needs logical: set it in postgresql.conf (a parameter \
                     on managed services) and restart the server"
                ),
            },
        ),
        piece(
            "replication right",
            replication,
            true,
            &if replication {
                "the user may stream changes".to_owned()
            } else {
                format!(
                    "an administrator must run: alter role {} replication (on Amazon RDS: grant \
                     rds_replication to it)",
                    ident(&user)
                )
            },
        ),
        piece(
            "bound of the kept log",
            keep != "-1",
            false,
            &match keep.as_str() {
                "-1" => "max_slot_wal_keep_size is not set, so a stopped sync can fill the \
                         server's disk: set how much log may be kept; when that is exceeded both \
                         sides are compared"
                    .to_owned(),
                keep => format!("max_slot_wal_keep_size is {keep}"),
            },
        ),
    ];
    pieces.push(publication(shared, &mut conn, cx, (version, selections)).await?);
    pieces.push(slot(shared, &mut conn, cx).await?);
    pieces.push(receipts(shared, &mut conn).await?);
    for selection in selections {
        pieces.push(entity(shared, &mut conn, selection).await?);
    }
    let database: String = row.try_get(2).map_err(failed)?;
    Ok(Health {
        version: format!("PostgreSQL {}", row.try_get::<String, _>(0).map_err(failed)?),
        identity: identity(&mut conn).await.unwrap_or(database),
        user,
        // Every version of Postgres compares under the row's lock.
        guarantee: Guarantee::Exact,
        pieces,
    })
}

fn counted(tables: usize) -> String {
    if tables == 1 { "1 table".to_owned() } else { format!("{tables} tables") }
}

fn piece(name: &str, present: bool, required: bool, detail: &str) -> Piece {
    Piece { name: name.to_owned(), present, required, made: false, detail: detail.to_owned() }
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
    // Without the id of the installation the name is not known.
    let found = match cx.install.is_empty() && shared.settings.publication.is_none() {
        true => None,
        false => published(conn, &name, version).await?,
    };
    // A table that cannot be published is a piece of its own.
    let wanted = wanted(shared, conn, selections, version).await.unwrap_or_default();
    let covered = found.as_ref().is_some_and(|(fit, has)| *fit && covers(has, &wanted));
    let forbidden = match covered {
        true => None,
        false => forbidden(conn, &name, found.is_some(), wanted.keys()).await?,
    };
    let what = match &found {
        Some((true, tables)) if covered => {
            format!("{name} publishes what is mapped, {} in all", counted(tables.len()))
        }
        Some((true, _)) => format!("{name} lacks tables or columns of the mappings"),
        Some((false, _)) => format!("{name} does not publish every kind of change by root table"),
        None => "it names what is captured".to_owned(),
    };
    let detail = match &forbidden {
        Some(why) => format!("{what}; `syncline run` cannot mend that: {why}"),
        None => what,
    };
    Ok(Piece {
        name: "publication".to_owned(),
        present: covered,
        required: true,
        made: forbidden.is_none(),
        detail,
    })
}

/// Why we may not make the publication, or change it, and who may.
async fn forbidden(
    conn: &mut PgConnection,
    name: &str,
    there: bool,
    tables: impl Iterator<Item = &(String, String)>,
) -> Result<Option<String>> {
    let failed = |error| from_sqlx("check", "the rights on the publication", error);
    let may: bool = if there {
        sqlx::query_scalar(
            "select pg_has_role(pubowner, 'usage') from pg_catalog.pg_publication \
             where pubname = $1",
        )
        .bind(name)
        .fetch_one(&mut *conn)
        .await
        .map_err(failed)?
    } else {
        sqlx::query_scalar("select has_database_privilege(current_database(), 'create')")
            .fetch_one(&mut *conn)
            .await
            .map_err(failed)?
    };
    if !may {
        return Ok(Some(if there {
            format!("the publication {name} belongs to somebody else, who must change it")
        } else {
            "grant the user the right to create in this database, and the ownership of the \
             tables; or let their owner create the publication and name it as `publication` in \
             the settings"
                .to_owned()
        }));
    }
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        tables.map(|(schema, table)| (schema.as_str(), table.as_str())).unzip();
    let foreign: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from unnest($1::text[], $2::text[]) as w (schema, name) \
         join pg_catalog.pg_namespace n on n.nspname = w.schema \
         join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name \
         where not pg_has_role(c.relowner, 'usage')",
    )
    .bind(schemas)
    .bind(names)
    .fetch_all(conn)
    .await
    .map_err(failed)?;
    Ok((!foreign.is_empty()).then(|| {
        format!(
            "{} belong to somebody else; let their owner create the publication and name it as \
             `publication` in the settings, or make the user a member of the owner's role",
            foreign.join(", ")
        )
    }))
}

/// A required piece that the first sync makes.
fn unmade(name: &str, detail: &str) -> Piece {
    Piece { made: true, ..piece(name, false, true, detail) }
}

async fn slot(shared: &Shared, conn: &mut PgConnection, cx: &Context) -> Result<Piece> {
    let name = shared.pieces(cx).slot;
    let failed = |error: sqlx::Error| -> Error { from_sqlx("check", "the slot", error) };
    if cx.install.is_empty() && shared.settings.slot.is_none() {
        return Ok(unmade("slot", "it keeps the log for us"));
    }
    let row = sqlx::query(
        "select coalesce(wal_status, 'unknown'), safe_wal_size, active, \
         pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::int8, \
         coalesce(nullif(database, current_database())::text, '') \
         from pg_catalog.pg_replication_slots where slot_name = $1",
    )
    .bind(&name)
    .fetch_optional(conn)
    .await
    .map_err(failed)?;
    let Some(row) = row else {
        return Ok(unmade("slot", &format!("{name} keeps the log for us")));
    };
    let status: String = row.try_get(0).map_err(failed)?;
    let safe: Option<i64> = row.try_get(1).map_err(failed)?;
    let active: bool = row.try_get(2).map_err(failed)?;
    let behind: Option<i64> = row.try_get(3).map_err(failed)?;
    let elsewhere: String = row.try_get(4).map_err(failed)?;
    if !elsewhere.is_empty() {
        let detail =
            format!("{name} is of the database {elsewhere}: name another `slot` in the settings");
        return Ok(piece("slot", false, true, &detail));
    }
    let mut detail = format!(
        "{name} is {status}, {}, {} bytes behind",
        if active { "in use" } else { "not in use" },
        behind.unwrap_or(0)
    );
    if let Some(safe) = safe {
        detail.push_str(&format!("; {safe} bytes until it is lost"));
    }
    if status == "lost" {
        detail.push_str("; it is made anew, and both sides are compared to close the gap");
    }
    let present = matches!(status.as_str(), "reserved" | "extended");
    let made = status == "lost";
    Ok(Piece { name: "slot".to_owned(), present, required: true, made, detail })
}

async fn receipts(shared: &Shared, conn: &mut PgConnection) -> Result<Piece> {
    let home = shared.find_home("check").await?;
    let (present, made, detail) = match (&home, shared.receipt_table()) {
        (Home::Table { quoted, .. }, _) => (true, false, format!("{quoted} proves each write")),
        (Home::Stream(_), None) => {
            (true, false, "switched off: receipts travel in the change stream".to_owned())
        }
        (Home::Stream(_), Some((schema, table))) => {
            let buys = "with it a lost answer is settled at once, without it only when the change \
                        stream has passed";
            match may_make(conn, &schema, &table).await? {
                true => {
                    // Mappings are bound before it is made, some of which cannot do without it.
                    shared.forget_home();
                    (false, true, format!("{schema}.{table}: {buys}"))
                }
                false => (
                    false,
                    false,
                    format!("{schema}.{table} is not there, or the user may not write it: {buys}"),
                ),
            }
        }
    };
    Ok(Piece { name: "receipt table".to_owned(), present, required: false, made, detail })
}

/// Whether the receipt table is missing and we have the rights to make it.
async fn may_make(conn: &mut PgConnection, schema: &str, table: &str) -> Result<bool> {
    sqlx::query_scalar(
        "select not exists (select 1 from pg_catalog.pg_class c \
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
           where n.nspname = $1 and c.relname = $2) \
         and coalesce( \
           (select has_schema_privilege(oid, 'create') from pg_catalog.pg_namespace \
            where nspname = $1), \
           has_database_privilege(current_database(), 'create'))",
    )
    .bind(schema)
    .bind(table)
    .fetch_one(conn)
    .await
    .map_err(|error| from_sqlx("check", "the receipt table", error))
}

async fn entity(shared: &Shared, conn: &mut PgConnection, selection: &Selection) -> Result<Piece> {
    let name = format!("table {}", selection.entity);
    shared.forget_table(&selection.entity);
    Ok(match shared.fresh_table(conn, &selection.entity).await {
        Ok(table) if table.problems.is_empty() => Piece {
            name,
            present: true,
            required: true,
            made: false,
            detail: "can be captured".to_owned(),
        },
        Ok(table) => Piece {
            name,
            present: false,
            required: true,
            made: false,
            detail: table.problems.join("; "),
        },
        Err(error) if error.kind == syncline_sdk::ErrorKind::Schema => {
            Piece { name, present: false, required: true, made: false, detail: error.to_string() }
        }
        Err(error) => return Err(error),
    })
}
