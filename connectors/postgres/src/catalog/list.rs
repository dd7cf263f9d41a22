//! The tables of a database.

use sqlx::{PgConnection, Row};
use syncline_sdk::{EntityOutline, Result};

use crate::error::from_sqlx;
use crate::names::entity;

/// Partitions are read through their root. `reltuples` is what the last vacuum or analyze counted,
/// -1 before the first.
const TABLES: &str = "\
    select n.nspname::text, c.relname::text, \
    split_part(obj_description(c.oid, 'pg_class'), E'\\n', 1), \
    has_any_column_privilege(c.oid, 'insert') or has_any_column_privilege(c.oid, 'update'), \
    nullif(c.reltuples, -1)::int8 \
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
    where c.relkind in ('r', 'p') and not c.relispartition \
    and n.nspname <> 'information_schema' and n.nspname !~ '^pg_' \
    and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')";

/// The tables that our user may read, but for our own receipt table.
pub(crate) async fn list(
    conn: &mut PgConnection,
    receipts: Option<&(String, String)>,
) -> Result<Vec<EntityOutline>> {
    let failed = |error| from_sqlx("list entities", "the tables", error);
    let rows = sqlx::query(TABLES).fetch_all(conn).await.map_err(failed)?;
    let mut known = Vec::new();
    for row in rows {
        let place: (String, String) =
            (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        if receipts == Some(&place) {
            continue;
        }
        let label: Option<String> = row.try_get(2).map_err(failed)?;
        let records: Option<i64> = row.try_get(4).map_err(failed)?;
        known.push(EntityOutline {
            entity: entity(&place.0, &place.1),
            label: label.filter(|label| !label.is_empty()).map(Into::into),
            writable: row.try_get(3).map_err(failed)?,
            records: records.and_then(|records| u64::try_from(records).ok()),
        });
    }
    known.sort_by(|a: &EntityOutline, b| a.entity.cmp(&b.entity));
    Ok(known)
}
