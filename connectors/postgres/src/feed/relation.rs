//! Relations of the stream: where the selected fields stand in a row as it arrives.

use std::sync::Arc;

use syncline_sdk::{Error, ErrorKind, Result, Selection};

use super::reader::Reader;
use crate::catalog::Types;
use crate::codec::Kind;
use crate::shared::Shared;

/// A column as the stream announces it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ColumnMessage {
    pub name: Arc<str>,
    pub type_oid: u32,
    pub typmod: i32,
    pub in_identity: bool,
}

/// A relation as the stream announces it; again after each change of its definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RelationMessage {
    pub oid: u32,
    pub schema: Arc<str>,
    pub name: Arc<str>,
    pub columns: Vec<ColumnMessage>,
}

/// A selected relation.
pub(crate) struct Relation {
    pub message: RelationMessage,
    pub selection: Arc<Selection>,
    /// The key columns in key order, and whether their texts are padded.
    pub key: Vec<(usize, bool)>,
    /// Those of them that a row keeps when it moves to another partition; none where nothing does.
    pub kept_key: Vec<(usize, bool)>,
    /// Where each selected field stands; nothing for one that is not published any more.
    pub fields: Vec<Option<(usize, Kind)>>,
    pub actor: Option<usize>,
    /// Whether old rows come whole.
    pub full_old_rows: bool,
}

/// Looks up what the message does not say: kinds of types, order of the key columns. The catalog
/// may be newer than the message; a column that it does not know any more is read all the same.
pub(crate) async fn resolve(
    shared: &Shared,
    reader: &Reader,
    message: RelationMessage,
) -> Result<Option<Relation>> {
    let Some(selection) = reader.selection(&message) else {
        return Ok(None);
    };
    let oids: Vec<u32> = message.columns.iter().map(|column| column.type_oid).collect();
    let mut conn = shared.pools.reader("read feed").await?;
    let types = Types::load(&mut conn, &oids).await?;
    shared.forget_table(&selection.entity);
    let table = match shared.fresh_table(&mut conn, &selection.entity).await {
        Ok(table) => Some(table),
        // Dropped since: its last changes are still read, by the columns of its identity.
        Err(error) if error.kind == ErrorKind::Schema => None,
        Err(error) => return Err(error),
    };
    let place = |name: &str| message.columns.iter().position(|column| *column.name == *name);
    let kind = |at: usize| {
        let column = &message.columns[at];
        types.kind(column.type_oid, column.typmod)
    };
    let key: Option<Vec<usize>> = table
        .as_ref()
        .and_then(|table| table.key_columns().map(|column| place(&column.name)).collect());
    let key = key.filter(|key| !key.is_empty()).unwrap_or_else(|| {
        let identity = message.columns.iter().enumerate().filter(|(_, column)| column.in_identity);
        identity.map(|(at, _)| at).collect()
    });
    if key.is_empty() {
        return Err(Error::new(
            ErrorKind::Schema,
            "read feed",
            format!("{} has no key any more", selection.entity),
        )
        .advise("give the table a primary key again"));
    }
    let key: Vec<(usize, bool)> =
        key.iter().map(|at| (*at, matches!(kind(*at), Kind::Char { .. }))).collect();
    let moves_by = table.as_ref().map(|table| &table.partitioned_by[..]).unwrap_or_default();
    let kept =
        |(at, _): &&(usize, bool)| !moves_by.contains(&message.columns[*at].name.to_string());
    let kept_key = key.iter().filter(|_| !moves_by.is_empty()).filter(kept).copied().collect();
    Ok(Some(Relation {
        key,
        kept_key,
        fields: selection
            .fields
            .iter()
            .map(|field| place(field.as_str()).map(|at| (at, kind(at))))
            .collect(),
        actor: selection.actor.as_ref().and_then(|field| place(field.as_str())),
        full_old_rows: table.is_some_and(|table| table.full_identity),
        selection,
        message,
    }))
}
