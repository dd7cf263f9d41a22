//! What the parts of one connector share: settings, pools, the catalog as last read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::PgConnection;
use syncline_sdk::{Context, EntityName, ErrorKind, Result, Selection, SystemName};

use crate::PostgresSettings;
use crate::catalog::{self, Table};
use crate::error::from_sqlx;
use crate::feed::Lag;
use crate::layout::Layout;
use crate::names::{Pieces, split};
use crate::receipt::{Home, StreamReceipts};
use crate::session::Pools;
use crate::settings::Target;

pub(crate) struct Shared {
    pub settings: PostgresSettings,
    pub system: SystemName,
    pub target: Target,
    pub pools: Pools,
    pub stream: Arc<StreamReceipts>,
    pub lag: Arc<Lag>,
    tables: Mutex<HashMap<EntityName, Arc<Table>>>,
    layouts: Mutex<Vec<(Selection, Arc<Layout>)>>,
    home: Mutex<Option<Home>>,
    calls: AtomicU64,
}

/// Layouts remembered at most: one for each mapping of this system is in use.
const LAYOUTS_MAX: usize = 256;

impl Shared {
    pub(crate) fn new(settings: PostgresSettings, system: SystemName) -> Result<Self> {
        let target = settings.target()?;
        Ok(Self {
            pools: Pools::new(&settings, &target, &system),
            settings,
            system,
            target,
            stream: Arc::default(),
            lag: Arc::default(),
            tables: Mutex::default(),
            layouts: Mutex::default(),
            home: Mutex::default(),
            calls: AtomicU64::new(0),
        })
    }

    pub(crate) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn pieces(&self, cx: &Context) -> Pieces {
        self.pieces_of(&cx.install)
    }

    /// The names of our pieces for an installation.
    pub(crate) fn pieces_of(&self, install: &str) -> Pieces {
        Pieces::of(&self.settings, &self.system, install)
    }

    /// Whether a table was described: the server lets our role in.
    pub(crate) fn has_answered(&self) -> bool {
        !self.tables.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Reads a table's description anew.
    pub(crate) async fn fresh_table(
        &self,
        conn: &mut PgConnection,
        entity: &EntityName,
    ) -> Result<Arc<Table>> {
        let table = Arc::new(catalog::load(conn, entity).await?);
        let known = &self.tables;
        known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(table.entity.clone(), table.clone());
        Ok(table)
    }

    /// A table's description as last read.
    pub(crate) async fn table(
        &self,
        operation: &'static str,
        entity: &EntityName,
    ) -> Result<Arc<Table>> {
        let (schema, name) = split(entity.as_str());
        let entity = crate::names::entity(schema, name);
        let known = {
            let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
            tables.get(&entity).cloned()
        };
        match known {
            Some(table) => Ok(table),
            None => {
                let mut conn = self.pools.reader(operation).await?;
                self.fresh_table(&mut conn, &entity).await
            }
        }
    }

    /// Forgets a table's description: the catalog was seen to differ from it.
    pub(crate) fn forget_table(&self, entity: &EntityName) {
        let (schema, name) = split(entity.as_str());
        let entity = crate::names::entity(schema, name);
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).remove(&entity);
        self.layouts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(_, layout)| layout.table.entity != entity);
    }

    /// Where a selection stands. The same selection gives the same layout until its table is
    /// seen to have changed.
    pub(crate) async fn layout(
        &self,
        operation: &'static str,
        selection: &Selection,
    ) -> Result<Arc<Layout>> {
        if let Some(layout) = self.known_layout(selection) {
            return Ok(layout);
        }
        let table = self.table(operation, &selection.entity).await?;
        let layout = match Layout::of(operation, table, selection) {
            Ok(layout) if !layout.is_incomplete() => layout,
            Err(error) if error.kind != ErrorKind::Schema => return Err(error),
            _ => {
                // A column may have been added since the table was read.
                let mut conn = self.pools.reader(operation).await?;
                let table = self.fresh_table(&mut conn, &selection.entity).await?;
                Layout::of(operation, table, selection)?
            }
        };
        let layout = Arc::new(layout);
        if layout.is_incomplete() {
            // It may come back at any time.
            return Ok(layout);
        }
        let mut layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        if layouts.len() >= LAYOUTS_MAX {
            layouts.remove(0);
        }
        layouts.push((selection.clone(), layout.clone()));
        Ok(layout)
    }

    fn known_layout(&self, selection: &Selection) -> Option<Arc<Layout>> {
        let layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        layouts.iter().find(|(known, _)| known == selection).map(|(_, layout)| layout.clone())
    }

    /// Whether the external-id field of a selection keeps link ids unique, as far as the table is
    /// known.
    pub(crate) fn has_unique_link_id(&self, selection: &Selection) -> bool {
        let Some(field) = &selection.external_id else {
            return false;
        };
        let (schema, name) = split(selection.entity.as_str());
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.get(&crate::names::entity(schema, name)).is_none_or(|table| {
            table.find(field.as_str()).is_some_and(|at| table.unique.contains(&at))
        })
    }

    /// Where receipts go, if that was found out already.
    pub(crate) fn known_home(&self) -> Option<Home> {
        self.home.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets where receipts go: the next sync makes their table, and finds it.
    pub(crate) fn forget_home(&self) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The receipt table that the settings name, unless they say `none`.
    pub(crate) fn receipt_table(&self) -> Option<(String, String)> {
        let name = self.settings.receipt_table.as_deref().unwrap_or("syncline.receipt");
        (name != "none").then(|| {
            let (schema, table) = split(name);
            (schema.to_owned(), table.to_owned())
        })
    }

    /// Where receipts go: the table if it is there and may be written, else the stream.
    pub(crate) async fn home(&self, operation: &'static str) -> Result<Home> {
        if let Some(home) = self.known_home() {
            return Ok(home);
        }
        self.find_home(operation).await
    }

    /// Finds out anew where receipts go.
    pub(crate) async fn find_home(&self, operation: &'static str) -> Result<Home> {
        let home = match self.receipt_table() {
            None => Home::Stream(self.stream.clone()),
            Some((schema, table)) => {
                let mut conn = self.pools.reader(operation).await?;
                let usable: Option<bool> = sqlx::query_scalar(
                    "select has_schema_privilege(n.oid, 'usage') \
                     and has_table_privilege(c.oid, 'select') \
                     and has_table_privilege(c.oid, 'insert') \
                     from pg_catalog.pg_class c \
                     join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                     where n.nspname = $1 and c.relname = $2",
                )
                .bind(&schema)
                .bind(&table)
                .fetch_optional(&mut *conn)
                .await
                .map_err(|error| from_sqlx(operation, "the receipt table", error))?;
                if usable == Some(true) {
                    Home::table(&schema, &table)
                } else {
                    Home::Stream(self.stream.clone())
                }
            }
        };
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = Some(home.clone());
        Ok(home)
    }
}
