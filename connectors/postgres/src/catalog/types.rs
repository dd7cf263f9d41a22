//! Types of the catalog, resolved through domains and arrays.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{PgConnection, Row};
use syncline_sdk::Result;

use crate::codec::Kind;
use crate::error::from_sqlx;

/// Domains over domains and arrays of them end somewhere; this is far beyond what anybody has.
const DEPTH_MAX: usize = 16;

struct TypeRow {
    /// The name to cast a text to, without a length: a cast to `varchar(5)` would cut the value
    /// where an assignment refuses it.
    name: String,
    short: String,
    class: String,
    category: String,
    base: u32,
    base_typmod: i32,
    item: u32,
    delimiter: String,
    labels: Vec<Arc<str>>,
}

/// The types that were looked up, by oid.
#[derive(Default)]
pub(crate) struct Types(HashMap<u32, TypeRow>);

impl Types {
    /// Looks up types and all that they are made of.
    pub(crate) async fn load(conn: &mut PgConnection, oids: &[u32]) -> Result<Self> {
        let mut types = Self::default();
        types.add(conn, oids).await?;
        Ok(types)
    }

    /// Looks up what is not known yet.
    pub(crate) async fn add(&mut self, conn: &mut PgConnection, oids: &[u32]) -> Result<()> {
        let mut wanted: Vec<i64> = self.unknown(oids.iter().copied());
        for _ in 0..DEPTH_MAX {
            if wanted.is_empty() {
                break;
            }
            let rows = sqlx::query(
                "select t.oid::int8, t.typtype::text, t.typcategory::text, t.typbasetype::int8, \
                 t.typtypmod, t.typelem::int8, t.typdelim::text, t.typname::text, \
                 format_type(t.oid, -1), \
                 (select array_agg(e.enumlabel::text order by e.enumsortorder) \
                  from pg_catalog.pg_enum e where e.enumtypid = t.oid) \
                 from pg_catalog.pg_type t where t.oid = any($1::int8[]::oid[])",
            )
            .bind(&wanted)
            .fetch_all(&mut *conn)
            .await
            .map_err(|error| from_sqlx("describe", "the type catalog", error))?;
            let mut next = Vec::new();
            for row in &rows {
                let (oid, found) = TypeRow::read(row)
                    .map_err(|error| from_sqlx("describe", "the type catalog", error))?;
                next.extend([found.base, found.item]);
                self.0.insert(oid, found);
            }
            wanted = self.unknown(next.into_iter().filter(|oid| *oid != 0));
        }
        Ok(())
    }

    fn unknown(&self, oids: impl Iterator<Item = u32>) -> Vec<i64> {
        let mut wanted: Vec<i64> =
            oids.filter(|oid| !self.0.contains_key(oid)).map(i64::from).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// How values of a column of this type are read and written.
    pub(crate) fn kind(&self, oid: u32, typmod: i32) -> Kind {
        self.kind_within(oid, typmod, DEPTH_MAX)
    }

    fn kind_within(&self, oid: u32, typmod: i32, depth: usize) -> Kind {
        if let Some(kind) = Kind::of_builtin(oid, typmod) {
            return kind;
        }
        let Some(found) = self.0.get(&oid).filter(|_| depth > 0) else {
            return Kind::Raw;
        };
        match found.class.as_str() {
            "d" => self.kind_within(found.base, found.base_typmod, depth - 1),
            "e" => Kind::Enum(found.labels.clone()),
            _ if found.category == "A" && found.item != 0 && found.delimiter == "," => {
                Kind::Array(Box::new(self.kind_within(found.item, typmod, depth - 1)))
            }
            // Text to whoever reads and writes it; only its equality differs.
            _ if found.short == "citext" => Kind::Text { chars_max: None },
            _ => Kind::Raw,
        }
    }

    /// The name of the type below all domains, to cast a text to.
    pub(crate) fn cast_name(&self, oid: u32) -> String {
        let mut oid = oid;
        for _ in 0..DEPTH_MAX {
            match self.0.get(&oid) {
                Some(found) if found.class == "d" => oid = found.base,
                Some(found) => return found.name.clone(),
                None => break,
            }
        }
        "text".to_owned()
    }

    /// Whether the type below all domains compares without regard to case.
    pub(crate) fn folds_case(&self, oid: u32) -> bool {
        let mut oid = oid;
        for _ in 0..DEPTH_MAX {
            match self.0.get(&oid) {
                Some(found) if found.class == "d" => oid = found.base,
                Some(found) => return found.short == "citext",
                None => break,
            }
        }
        false
    }
}

impl TypeRow {
    fn read(row: &sqlx::postgres::PgRow) -> Result<(u32, Self), sqlx::Error> {
        let oid = |at: usize| -> Result<u32, sqlx::Error> {
            u32::try_from(row.try_get::<i64, _>(at)?)
                .map_err(|error| sqlx::Error::Decode(error.into()))
        };
        let labels: Option<Vec<String>> = row.try_get(9)?;
        let read = Self {
            name: row.try_get(8)?,
            short: row.try_get(7)?,
            class: row.try_get(1)?,
            category: row.try_get(2)?,
            base: oid(3)?,
            base_typmod: row.try_get(4)?,
            item: oid(5)?,
            delimiter: row.try_get(6)?,
            labels: labels.unwrap_or_default().into_iter().map(Arc::from).collect(),
        };
        Ok((oid(0)?, read))
    }
}
