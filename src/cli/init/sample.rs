//! Reading a sample of an entity.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use syncline_sdk::{
    Connector, Context, EntitySchema, FieldName, FieldType, Purpose, ScanRequest, Selection, Value,
};

use super::likeness::plain;
use crate::cli::clock;

/// How long a system may take to answer one question.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most fields that are read: more would make a query too long for some systems.
const FIELDS_MAX: usize = 150;

/// An entity with some of its records.
pub(super) struct Sample {
    pub schema: EntitySchema,
    /// The fields that were read, each with its values, one a record.
    pub columns: Vec<Column>,
    /// How many records were read.
    pub records: usize,
}

/// A field's values.
pub(super) struct Column {
    /// Its place in the schema.
    pub field: usize,
    /// In one form for both sides; nothing where there is none.
    pub values: Vec<Option<String>>,
    /// As the system gave them.
    pub shown: Vec<Value>,
    /// All that differ.
    pub distinct: BTreeSet<String>,
}

impl Column {
    fn new(field: usize, shown: Vec<Value>) -> Self {
        let values: Vec<Option<String>> = shown.iter().map(plain).collect();
        let distinct = values.iter().flatten().cloned().collect();
        Self { field, values, shown, distinct }
    }

    /// How many records have a value.
    pub fn filled(&self) -> usize {
        self.values.iter().flatten().count()
    }
}

/// Reads up to `records_max` records of an entity. Reads only.
///
/// # Errors
/// When the system gives no answer.
pub(super) async fn read(
    connector: &dyn Connector,
    install: &Arc<str>,
    schema: EntitySchema,
    records_max: usize,
) -> syncline_sdk::Result<Sample> {
    let context = || Context {
        install: install.clone(),
        now: clock::now(),
        timeout: TIMEOUT,
        purpose: Purpose::Load,
    };
    let told = |kind: &FieldType| !matches!(kind, FieldType::Bytes | FieldType::Json);
    let fields: Vec<usize> = (0..schema.fields.len())
        .filter(|at| told(&schema.fields[*at].kind))
        .take(FIELDS_MAX)
        .collect();
    let names: Vec<FieldName> = fields.iter().map(|at| schema.fields[*at].name.clone()).collect();
    let selection = Arc::new(Selection {
        entity: schema.entity.clone(),
        fields: names.into(),
        external_id: None,
        marker: None,
        actor: None,
        filter: None,
    });
    let mut shown: Vec<Vec<Value>> = vec![Vec::new(); fields.len()];
    let (mut after, mut records) = (None, 0);
    while records < records_max {
        let page_rows_max = records_max - records;
        let request = ScanRequest { selection: selection.clone(), after, page_rows_max };
        let page = connector.scan(&context(), request).await?;
        for record in page.records {
            records += 1;
            for (column, value) in shown.iter_mut().zip(record.values) {
                column.push(value);
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let columns = fields.into_iter().zip(shown);
    let columns = columns.map(|(field, shown)| Column::new(field, shown)).collect();
    Ok(Sample { schema, columns, records })
}
