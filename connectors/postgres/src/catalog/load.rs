//! Reading a table's description from the catalog.

use std::sync::Arc;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use syncline_sdk::{EntityName, Error, ErrorKind, Result};

use super::{Column, Table, Types};
use crate::codec::Kind;
use crate::error::from_sqlx;
use crate::names::{entity, ident, qualified, split};

/// Loads a table.
///
/// # Errors
/// `Schema` when there is no such table, or it is a view or foreign table.
pub(crate) async fn load(conn: &mut PgConnection, wanted: &EntityName) -> Result<Table> {
    let (schema, name) = split(wanted.as_str());
    let failed = |error| from_sqlx("describe", wanted.as_str(), error);
    let class = sqlx::query(CLASS)
        .bind(schema)
        .bind(name)
        .fetch_optional(&mut *conn)
        .await
        .map_err(failed)?;
    let Some(class) = class else {
        return Err(Error::new(
            ErrorKind::Schema,
            "describe",
            format!("there is no table {schema}.{name}"),
        )
        .advise("name it as schema.table, spelled as in the catalog"));
    };
    let oid: i64 = class.try_get(0).map_err(failed)?;
    let relkind: String = class.try_get(1).map_err(failed)?;
    if !matches!(relkind.as_str(), "r" | "p") {
        return Err(refused_kind(schema, name, &relkind));
    }
    let columns = sqlx::query(COLUMNS).bind(oid).fetch_all(&mut *conn).await.map_err(failed)?;
    let indexes = sqlx::query(INDEXES).bind(oid).fetch_all(&mut *conn).await.map_err(failed)?;
    let references =
        sqlx::query(REFERENCES).bind(oid).fetch_all(&mut *conn).await.map_err(failed)?;
    let mut oids = Vec::new();
    for row in &columns {
        oids.push(type_oid(row).map_err(failed)?);
    }
    let types = Types::load(conn, &oids).await?;
    let mut table = Table {
        entity: entity(schema, name),
        schema: schema.to_owned(),
        name: name.to_owned(),
        quoted: qualified(schema, name),
        columns: Vec::new(),
        key: Vec::new(),
        unique: Vec::new(),
        full_identity: false,
        row_security: class.try_get(3).map_err(failed)?,
        readable: class.try_get(4).map_err(failed)?,
        insertable: class.try_get(5).map_err(failed)?,
        deletable: class.try_get(6).map_err(failed)?,
        partitioned_by: class.try_get::<Option<_>, _>(8).map_err(failed)?.unwrap_or_default(),
        problems: Vec::new(),
    };
    for row in &columns {
        table.columns.push(column(row, &types).map_err(failed)?);
    }
    add_references(&mut table, &references).map_err(failed)?;
    let identity: String = class.try_get(2).map_err(failed)?;
    choose_key(&mut table, &identity, &indexes).map_err(failed)?;
    let bad_leaf: Option<String> = class.try_get(7).map_err(failed)?;
    if let Some(leaf) = bad_leaf {
        table.problems.push(format!(
            "its partition {leaf} has no replica identity; give it a primary key, or run \
             `alter table {leaf} replica identity full`"
        ));
    }
    if table.row_security {
        table.problems.push(
            "row security hides rows from this user, so that absence never proves a deletion; \
             use a user with BYPASSRLS"
                .to_owned(),
        );
    }
    Ok(table)
}

fn refused_kind(schema: &str, name: &str, relkind: &str) -> Error {
    let what = match relkind {
        "v" => "a view",
        "m" => "a materialized view",
        "f" => "a foreign table",
        _ => "not a table",
    };
    Error::new(
        ErrorKind::Schema,
        "describe",
        format!("{schema}.{name} is {what}: its changes cannot be captured"),
    )
    .advise("map the table behind it")
}

const CLASS: &str = "\
    select c.oid::int8, c.relkind::text, c.relreplident::text, row_security_active(c.oid), \
    has_any_column_privilege(c.oid, 'select'), has_any_column_privilege(c.oid, 'insert'), \
    has_table_privilege(c.oid, 'delete'), \
    (select l.relname::text from pg_catalog.pg_partition_tree(c.oid) p \
     join pg_catalog.pg_class l on l.oid = p.relid \
     where p.isleaf and l.oid <> c.oid and not (l.relreplident = 'f' or exists ( \
       select 1 from pg_catalog.pg_index i where i.indrelid = l.oid and \
       ((l.relreplident = 'd' and i.indisprimary) or \
        (l.relreplident = 'i' and i.indisreplident)))) limit 1), \
    (select array_agg(distinct a.attname::text) from pg_catalog.pg_partition_tree(c.oid) p \
     join pg_catalog.pg_partitioned_table t on t.partrelid = p.relid \
     join pg_catalog.pg_attribute a on a.attrelid = p.relid \
     and a.attnum = any(t.partattrs::int2[])) \
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
    where n.nspname = $1 and c.relname = $2";

const COLUMNS: &str = "\
    select a.attname::text, a.atttypid::int8, a.atttypmod, \
    a.attnotnull or (t.typtype = 'd' and t.typnotnull), a.attidentity::text, \
    a.attgenerated::text, a.atthasdef or t.typdefault is not null, \
    format_type(a.atttypid, a.atttypmod), coalesce(l.collisdeterministic, true), \
    has_column_privilege(a.attrelid, a.attnum, 'select'), \
    has_column_privilege(a.attrelid, a.attnum, 'insert'), \
    has_column_privilege(a.attrelid, a.attnum, 'update'), \
    coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault) \
    from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid \
    left join pg_catalog.pg_collation l on l.oid = a.attcollation \
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum \
    where a.attrelid = $1::int8::oid and a.attnum > 0 and not a.attisdropped order by a.attnum";

/// Unique indexes without conditions or expressions, the primary key first.
const INDEXES: &str = "\
    select i.indisprimary, i.indisreplident, i.indimmediate, \
    (select array_agg(a.attname::text order by k.place) \
     from unnest(i.indkey::int2[]) with ordinality as k(attnum, place) \
     join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum \
     where k.place <= i.indnkeyatts) \
    from pg_catalog.pg_index i where i.indrelid = $1::int8::oid and i.indisunique and i.indisvalid \
    and i.indpred is null and i.indexprs is null order by i.indisprimary desc, i.indexrelid";

/// Foreign keys of one column that point to the one-column primary key of a table.
const REFERENCES: &str = "\
    select a.attname::text, n.nspname::text, c.relname::text \
    from pg_catalog.pg_constraint f \
    join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1] \
    join pg_catalog.pg_class c on c.oid = f.confrelid \
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
    where f.conrelid = $1::int8::oid and f.contype = 'f' and f.conparentid = 0 \
    and cardinality(f.conkey) = 1 and exists ( \
      select 1 from pg_catalog.pg_index i where i.indrelid = f.confrelid and i.indisprimary \
      and i.indnkeyatts = 1 and i.indkey[0] = f.confkey[1])";

fn type_oid(row: &PgRow) -> Result<u32, sqlx::Error> {
    u32::try_from(row.try_get::<i64, _>(1)?).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn column(row: &PgRow, types: &Types) -> Result<Column, sqlx::Error> {
    let name: String = row.try_get(0)?;
    let oid = type_oid(row)?;
    let kind = types.kind(oid, row.try_get(2)?);
    let native: String = row.try_get(7)?;
    let generated: String = row.try_get(5)?;
    let deterministic: bool = row.try_get(8)?;
    Ok(Column {
        ident: ident(&name),
        exact_text: deterministic && !types.folds_case(oid),
        cast: types.cast_name(oid),
        native: Arc::from(native),
        not_null: row.try_get(3)?,
        identity: row.try_get(4)?,
        generated: !generated.is_empty(),
        has_default: row.try_get(6)?,
        expression: row.try_get(12)?,
        readable: row.try_get(9)?,
        insertable: row.try_get(10)?,
        updatable: row.try_get(11)?,
        refers_to: None,
        name: Arc::from(name),
        kind,
    })
}

fn add_references(table: &mut Table, rows: &[PgRow]) -> Result<(), sqlx::Error> {
    for row in rows {
        let (name, schema, target): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if let Some(column) = table.columns.iter_mut().find(|column| *column.name == *name) {
            column.refers_to = Some(entity(&schema, &target));
        }
    }
    Ok(())
}

/// Chooses the columns that name a row in the stream as well as in queries.
fn choose_key(table: &mut Table, identity: &str, rows: &[PgRow]) -> Result<(), sqlx::Error> {
    let mut found = Vec::new();
    for row in rows {
        let names: Vec<String> = row.try_get::<Option<_>, _>(3)?.unwrap_or_default();
        let places: Vec<usize> = names
            .iter()
            .filter_map(|name| table.columns.iter().position(|column| *column.name == **name))
            .collect();
        if let [single] = places[..] {
            table.unique.push(single);
        }
        let (primary, chosen, immediate): (bool, bool, bool) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let filled = places.iter().all(|at| table.columns[*at].not_null);
        found.push((primary, chosen, immediate && filled, places));
    }
    let primary = found.iter().find(|index| index.0);
    let any = || found.iter().find(|index| index.2);
    let key = match identity {
        "i" => found.iter().find(|index| index.1),
        "f" => primary.or_else(any),
        _ => primary,
    };
    table.full_identity = identity == "f";
    table.key = key.map(|index| index.3.clone()).unwrap_or_default();
    let quoted = &table.quoted;
    if table.key.is_empty() {
        // Still readable by any unique columns, if only to be compared and described.
        table.key = any().map(|index| index.3.clone()).unwrap_or_default();
        table.problems.push(format!(
            "it has no primary key that its changes could be captured by; add one, or name a \
             unique index of not-null columns with `alter table {quoted} replica identity using \
             index INDEX`"
        ));
    } else if identity == "n" {
        table.problems.push(format!(
            "its replica identity is `nothing`: publishing it would make the application's own \
             updates fail; run `alter table {quoted} replica identity default`"
        ));
    }
    let hidden: Vec<&str> = table
        .key
        .iter()
        .filter_map(|at| table.columns.get(*at))
        .filter(|column| !column.readable)
        .map(|column| &*column.name)
        .collect();
    if !hidden.is_empty() {
        let list = hidden.join(", ");
        table.problems.push(format!("this user may not read its key columns {list}; grant select"));
    }
    // An expression such as a float in a key has no exact text in every version.
    if table.key_columns().any(|column| matches!(column.kind, Kind::Array(_))) {
        table.problems.push("its key holds an array, which cannot name a record".to_owned());
    }
    Ok(())
}
