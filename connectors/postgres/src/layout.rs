//! Where the values of a selection stand in a table, and rows of text as records.

use std::sync::Arc;

use sqlx::postgres::PgRow;
use sqlx::{Row, ValueRef};
use syncline_sdk::{Actor, ActorKind, Key, LinkId, Record, Result, Selection, Value, Version};

use crate::catalog::{Column, Table};

/// A selection over a table.
pub(crate) struct Layout {
    pub table: Arc<Table>,
    /// Nothing for a column that is gone, or hidden from us: it is read as absent (protocol 1.10).
    pub fields: Vec<Option<usize>>,
    pub external_id: Option<usize>,
    pub marker: Option<usize>,
    pub actor: Option<usize>,
}

impl Layout {
    /// Finds the columns of a selection.
    ///
    /// # Errors
    /// `Schema`, naming the field of ours, or that tells who changed a row, that is not there.
    pub(crate) fn of(
        operation: &'static str,
        table: Arc<Table>,
        selection: &Selection,
    ) -> Result<Self> {
        let optional = |field: &Option<syncline_sdk::FieldName>| {
            field.as_ref().map(|field| table.place(operation, field)).transpose()
        };
        Ok(Self {
            fields: selection.fields.iter().map(|field| table.find(field.as_str())).collect(),
            external_id: optional(&selection.external_id)?,
            marker: optional(&selection.marker)?,
            actor: optional(&selection.actor)?,
            table,
        })
    }

    /// Whether a field has no column by now.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.fields.contains(&None)
    }

    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.fields
            .iter()
            .flatten()
            .chain(&self.external_id)
            .chain(&self.marker)
            .chain(&self.actor)
            .filter_map(|at| self.table.columns.get(*at))
    }

    /// The text expressions of everything but the key, in the order of [`Self::record`].
    pub(crate) fn texts(&self, alias: &str) -> Vec<String> {
        self.columns().map(|column| column.text_of(alias)).collect()
    }

    /// The text expressions of the selected fields alone.
    pub(crate) fn field_texts(&self, alias: &str) -> Vec<String> {
        let columns = self.fields.iter().flatten().filter_map(|at| self.table.columns.get(*at));
        columns.map(|column| column.text_of(alias)).collect()
    }

    /// The values of the selected fields from a row, the first standing at `at`.
    pub(crate) fn values(&self, row: &PgRow, at: usize) -> Result<Vec<Value>, sqlx::Error> {
        let mut values = Vec::with_capacity(self.fields.len());
        let mut place = at;
        for field in &self.fields {
            let Some(column) = field.and_then(|at| self.table.columns.get(at)) else {
                values.push(Value::Absent);
                continue;
            };
            values.push(column.decode(text(row, place)?));
            place += 1;
        }
        Ok(values)
    }

    /// The text expressions of the key columns.
    pub(crate) fn key_texts(&self, alias: &str) -> Vec<String> {
        self.table.key_columns().map(|column| column.text_of(alias)).collect()
    }

    /// A record from its key and the texts of [`Self::texts`].
    pub(crate) fn record<'a>(
        &self,
        key: Key,
        version: Version,
        mut texts: impl Iterator<Item = Option<&'a str>>,
    ) -> Record {
        let values: Vec<Value> = self
            .fields
            .iter()
            .map(|at| {
                let Some(column) = at.and_then(|at| self.table.columns.get(at)) else {
                    return Value::Absent;
                };
                texts.next().map_or(Value::Absent, |text| column.decode(text))
            })
            .collect();
        let mut next = |wanted: Option<usize>| wanted.and_then(|_| texts.next().flatten());
        let external_id: Option<LinkId> =
            next(self.external_id).and_then(|text| text.trim_end().parse().ok());
        let marker = next(self.marker).map(Arc::from);
        let actor = next(self.actor).map(Arc::from);
        Record {
            key,
            version,
            values,
            external_id,
            marker,
            actor: Actor { id: actor, kind: ActorKind::Unknown },
            changed_at: None,
            closed: true,
        }
    }

    /// The key of a row whose key columns start at `at`.
    pub(crate) fn key(&self, row: &PgRow, at: usize) -> Result<Key, sqlx::Error> {
        let mut texts = Vec::with_capacity(self.table.key.len());
        for place in at..at + self.table.key.len() {
            texts.push(text(row, place)?.unwrap_or_default());
        }
        Ok(self.table.key_of(texts.into_iter()))
    }

    /// The record of a row whose key columns start at `at`, the rest following.
    pub(crate) fn row(
        &self,
        row: &PgRow,
        at: usize,
        version: Version,
    ) -> Result<Record, sqlx::Error> {
        let key = self.key(row, at)?;
        let first = at + self.table.key.len();
        let count = self.columns().count();
        let mut texts = Vec::with_capacity(count);
        for place in first..first + count {
            texts.push(text(row, place)?);
        }
        Ok(self.record(key, version, texts.into_iter()))
    }
}

/// The text of a column, without a check of its type: text and its like have one form.
pub(crate) fn text(row: &PgRow, at: usize) -> Result<Option<&str>, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(None);
    }
    value.as_str().map(Some).map_err(sqlx::Error::Decode)
}
