//! Making what capture and receipts need: publication, slot, receipt table.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};
use syncline_sdk::{Context, Error, ErrorKind, Result, Selection};

use crate::catalog::Table;
use crate::error::{database, from_sqlx};
use crate::names::{Pieces, ident, literal, qualified};
use crate::receipt;
use crate::shared::Shared;

/// The first version whose publications can be limited to columns.
const COLUMN_LISTS: i32 = 150_000;

/// Tables of a publication, each with its columns, or all of them.
pub(crate) type Published = BTreeMap<(String, String), Option<BTreeSet<String>>>;

pub(crate) async fn prepare(
    shared: &Shared,
    cx: &Context,
    selections: &[&Selection],
) -> Result<()> {
    let pieces = shared.pieces(cx);
    let mut writer = shared.pools.writer("prepare").await?;
    let conn = writer.busy()?;
    let version = server_version(conn).await?;
    require_logical(conn).await?;
    // A vacuum of a table is in the way of publishing it, for longer than a batch would wait.
    wait_for_locks(conn, shared.settings.slot_wait_ms).await?;
    // Everything is looked at before anything is made.
    let wanted = wanted(shared, conn, selections, version).await?;
    publish(conn, &pieces, &wanted, version).await?;
    make_receipts(shared, conn).await?;
    make_slot(conn, &pieces, shared.settings.slot_wait_ms).await?;
    wait_for_locks(conn, shared.settings.lock_wait_ms).await?;
    writer.settle();
    shared.find_home("prepare").await?;
    Ok(())
}

pub(crate) async fn server_version(conn: &mut PgConnection) -> Result<i32> {
    sqlx::query_scalar("select current_setting('server_version_num')::int4")
        .fetch_one(conn)
        .await
        .map_err(|error| from_sqlx("prepare", "the server's version", error))
}

async fn wait_for_locks(conn: &mut PgConnection, wait_ms: u32) -> Result<()> {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(format!("set lock_timeout = {}", wait_ms.max(1)))))
        .await
        .map(|_| ())
        .map_err(|error| from_sqlx("prepare", "the session", error))
}

async fn require_logical(conn: &mut PgConnection) -> Result<()> {
    let level: String = sqlx::query_scalar("select current_setting('wal_level')")
        .fetch_one(conn)
        .await
        .map_err(|error| from_sqlx("prepare", "wal_level", error))?;
    if level == "logical" {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Config,
        "prepare",
        format!("wal_level is {level}: the server does not log what capture needs"),
    )
    .advise("set wal_level = logical and restart the server (a parameter on managed services)"))
}

/// What is to be published.
///
/// # Errors
/// `Schema` for a table whose changes cannot be captured: publishing it would make the
/// application's own updates and deletes fail.
pub(crate) async fn wanted(
    shared: &Shared,
    conn: &mut PgConnection,
    selections: &[&Selection],
    version: i32,
) -> Result<Published> {
    let mut wanted = Published::new();
    for selection in selections {
        let of_entity = |error: Error| error.entity(selection.entity.clone());
        let (place, columns) =
            wanted_of(shared, conn, selection, version).await.map_err(of_entity)?;
        let entry =
            wanted.entry(place).or_insert_with(|| columns.as_ref().map(|_| BTreeSet::new()));
        if let (Some(list), Some(columns)) = (entry, columns) {
            list.extend(columns);
        }
    }
    Ok(wanted)
}

/// A table, by schema and name, and what of it a selection needs; all where it cannot be listed.
async fn wanted_of(
    shared: &Shared,
    conn: &mut PgConnection,
    selection: &Selection,
    version: i32,
) -> Result<((String, String), Option<Vec<String>>)> {
    shared.forget_table(&selection.entity);
    let table = shared.fresh_table(conn, &selection.entity).await?;
    if let Some(problem) = table.problems.first() {
        return Err(Error::new(
            ErrorKind::Schema,
            "prepare",
            format!("{} cannot be captured: {problem}", table.entity),
        ));
    }
    let columns = columns(&table, selection)?;
    // With the whole row as identity, a list that leaves columns out is refused by the server at
    // the application's next update.
    let listed = shared.settings.column_lists && version >= COLUMN_LISTS && !table.full_identity;
    Ok(((table.schema.clone(), table.name.clone()), listed.then_some(columns)))
}

/// The columns that a selection names, and those of the key.
fn columns(table: &Table, selection: &Selection) -> Result<Vec<String>> {
    let mut places = table.key.clone();
    // A column that is gone is read as absent: its table goes on without it.
    places.extend(selection.fields.iter().filter_map(|field| table.find(field.as_str())));
    let own = selection.external_id.iter().chain(&selection.marker).chain(&selection.actor);
    for field in own {
        places.push(table.place("prepare", field)?);
    }
    for field in selection.filter.iter().flat_map(syncline_sdk::Filter::fields) {
        places.push(table.place("prepare", field)?);
    }
    Ok(places
        .into_iter()
        .map(|at| &table.columns[at])
        // Generated columns are not in the stream and may not be listed.
        .filter(|column| !column.generated)
        .map(|column| column.name.to_string())
        .collect())
}

/// The publication as it is, if it is there.
pub(crate) async fn published(
    conn: &mut PgConnection,
    publication: &str,
    version: i32,
) -> Result<Option<(bool, Published)>> {
    let failed = |error| from_sqlx("prepare", "the publication", error);
    let head = sqlx::query(
        "select oid::int8, pubviaroot and pubinsert and pubupdate and pubdelete and pubtruncate \
         and not puballtables from pg_catalog.pg_publication where pubname = $1",
    )
    .bind(publication)
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed)?;
    let Some(head) = head else {
        return Ok(None);
    };
    let list = if version >= COLUMN_LISTS {
        "(select array_agg(a.attname::text) from pg_catalog.pg_attribute a \
          where a.attrelid = r.prrelid and a.attnum = any(r.prattrs::int2[]))"
    } else {
        "null::text[]"
    };
    let sql = format!(
        "select n.nspname::text, c.relname::text, {list} from pg_catalog.pg_publication_rel r \
         join pg_catalog.pg_class c on c.oid = r.prrelid \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace where r.prpubid = $1::int8::oid"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(head.try_get::<i64, _>(0).map_err(failed)?)
        .fetch_all(conn)
        .await
        .map_err(failed)?;
    let mut tables = Published::new();
    for row in &rows {
        let place = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        let list: Option<Vec<String>> = row.try_get(2).map_err(failed)?;
        tables.insert(place, list.map(BTreeSet::from_iter));
    }
    Ok(Some((head.try_get(1).map_err(failed)?, tables)))
}

/// Whether a publication gives at least what is wanted.
pub(crate) fn covers(published: &Published, wanted: &Published) -> bool {
    wanted.iter().all(|(table, columns)| match (published.get(table), columns) {
        (Some(None), _) => true,
        (Some(Some(has)), Some(needs)) => needs.is_subset(has),
        (Some(Some(_)) | None, _) => false,
    })
}

async fn publish(
    conn: &mut PgConnection,
    pieces: &Pieces,
    wanted: &Published,
    version: i32,
) -> Result<()> {
    let known = published(conn, &pieces.publication, version).await?;
    let tables: Vec<String> = wanted
        .iter()
        .map(|((schema, table), columns)| {
            let list = columns.as_ref().map(|columns| {
                let names: Vec<String> = columns.iter().map(|name| ident(name)).collect();
                format!(" ({})", names.join(", "))
            });
            format!("{}{}", qualified(schema, table), list.unwrap_or_default())
        })
        .collect();
    let name = ident(&pieces.publication);
    let options = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";
    let sql = match &known {
        Some((true, tables)) if tables == wanted => return Ok(()),
        Some(_) if tables.is_empty() => return Ok(()),
        Some((true, _)) => format!("alter publication {name} set table {}", tables.join(", ")),
        // What it left out was not streamed: made anew, its entries tell so.
        Some((false, _)) => format!(
            "begin; drop publication {name}; \
             create publication {name} for table {} with ({options}); commit",
            tables.join(", ")
        ),
        None if tables.is_empty() => format!("create publication {name} with ({options})"),
        None => {
            format!("create publication {name} for table {} with ({options})", tables.join(", "))
        }
    };
    match conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let forbidden = database(&error).is_some_and(|inner| inner.code() == "42501");
            roll_back(conn).await?;
            match known {
                // Made by an administrator, and enough.
                Some((true, tables)) if forbidden && covers(&tables, wanted) => Ok(()),
                _ => Err(from_sqlx("prepare", &pieces.publication, error).advise(format!(
                    "let the owner of the tables run: create publication {name} for table {} with \
                     ({options})",
                    tables.join(", ")
                ))),
            }
        }
    }
}

async fn roll_back(conn: &mut PgConnection) -> Result<()> {
    conn.execute(sqlx::raw_sql("rollback"))
        .await
        .map(|_| ())
        .map_err(|error| from_sqlx("prepare", "the session", error))
}

async fn make_receipts(shared: &Shared, conn: &mut PgConnection) -> Result<()> {
    let Some((schema, table)) = shared.receipt_table() else {
        return Ok(());
    };
    // Looked up in the catalog: the schema may be one that we may not use.
    let there: bool = sqlx::query_scalar(
        "select exists (select 1 from pg_catalog.pg_class c \
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
           where n.nspname = $1 and c.relname = $2)",
    )
    .bind(&schema)
    .bind(&table)
    .fetch_one(&mut *conn)
    .await
    .map_err(|error| from_sqlx("prepare", "the receipt table", error))?;
    if there {
        return Ok(());
    }
    let sql = receipt::create(&schema, &table);
    match conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await {
        Ok(_) => Ok(()),
        // Without the right the receipts go into the stream; a check says so.
        Err(error) if database(&error).is_some_and(|inner| inner.code() == "42501") => Ok(()),
        Err(error) => Err(from_sqlx("prepare", "the receipt table", error)),
    }
}

async fn make_slot(conn: &mut PgConnection, pieces: &Pieces, wait_ms: u32) -> Result<()> {
    let failed = |error| from_sqlx("prepare", &pieces.slot, error);
    let known = sqlx::query(
        "select coalesce(plugin::text, ''), coalesce(database::text, ''), \
         current_database()::text, coalesce(wal_status, '') \
         from pg_catalog.pg_replication_slots where slot_name = $1",
    )
    .bind(&pieces.slot)
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed)?;
    if let Some(known) = known {
        let texts: Vec<String> =
            (0..4).map(|at| known.try_get(at)).collect::<Result<_, _>>().map_err(failed)?;
        if texts[0] != "pgoutput" || texts[1] != texts[2] {
            return Err(Error::new(
                ErrorKind::Config,
                "prepare",
                format!("a slot {} exists that is of another plugin or database", pieces.slot),
            )
            .advise("name another `slot` in the settings"));
        }
        if texts[3] != "lost" {
            return Ok(());
        }
        // It can never be read again. Positions in it are found to be of the past.
        let drop = sqlx::query("select pg_catalog.pg_drop_replication_slot($1)::text");
        drop.bind(&pieces.slot).execute(&mut *conn).await.map_err(failed)?;
    }
    let sql = format!(
        "begin; set local statement_timeout = {wait_ms}; set local lock_timeout = 0; \
         select pg_create_logical_replication_slot({}, 'pgoutput')::text; commit",
        literal(&pieces.slot)
    );
    let Err(error) = conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await else {
        return Ok(());
    };
    roll_back(conn).await?;
    if database(&error).is_some_and(|inner| inner.code() == "57014") {
        return Err(blocked(conn, wait_ms).await?.caused_by(error));
    }
    Err(failed(error))
}

/// The making of a slot waits for every running write transaction of the cluster: says which.
async fn blocked(conn: &mut PgConnection, wait_ms: u32) -> Result<Error> {
    let rows: Vec<String> = sqlx::query_scalar(
        "select * from (select format('pid %s (%s, %s, writing since %s)', pid, usename, \
           coalesce(nullif(application_name, ''), 'no name'), xact_start::text) \
         from pg_catalog.pg_stat_activity \
         where backend_xid is not null and pid <> pg_backend_pid() order by xact_start limit 5) a \
         union all select format('prepared transaction %L', gid) \
         from pg_catalog.pg_prepared_xacts",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| from_sqlx("prepare", "the sessions", error))?;
    let who = if rows.is_empty() { "none is left now".to_owned() } else { rows.join("; ") };
    Ok(Error::new(
        ErrorKind::Unavailable,
        "prepare",
        format!("the slot was not made within {wait_ms} ms: it waits for running writes: {who}"),
    )
    .advise("end these transactions, or raise `slot_wait_ms`, and start again"))
}
