//! Rows of the stream: values and keys from the texts of a tuple.

use pg_walstream::{ColumnData, TupleData};
use syncline_sdk::{Error, Key, Result, Value};

use super::reader::protocol;
use super::relation::Relation;
use crate::codec::{Kind, decode};

/// The value of a column: absent when it lies out of line and was not touched, unless the old
/// row brought it along.
pub(crate) fn value(new: &TupleData, old: Option<&TupleData>, at: usize, kind: &Kind) -> Value {
    let Some(data) = new.get_column(at) else {
        return Value::Absent;
    };
    if data.is_unchanged() {
        return match old.and_then(|old| old.get_column(at)) {
            Some(old_data) if !old_data.is_unchanged() => shown(old_data, kind),
            _ => Value::Absent,
        };
    }
    shown(data, kind)
}

fn shown(data: &ColumnData, kind: &Kind) -> Value {
    if data.is_null() {
        return Value::Null;
    }
    // Bytes that are no UTF-8 (a database without encoding) cannot be a value of ours: what is
    // not delivered says nothing, and other fields and records go on.
    data.as_str().map_or(Value::Absent, |text| decode(kind, &text))
}

/// The key of a row.
pub(crate) fn key(relation: &Relation, row: &TupleData, old: Option<&TupleData>) -> Result<Key> {
    name(relation, &relation.key, row, old)
}

/// The part of a row's key that it keeps when it moves to another partition; nothing where rows of
/// the relation do not move, or keep nothing.
pub(crate) fn kept_key(relation: &Relation, row: &TupleData) -> Result<Option<Key>> {
    if relation.kept_key.is_empty() {
        return Ok(None);
    }
    name(relation, &relation.kept_key, row, None).map(Some)
}

fn name(
    relation: &Relation,
    columns: &[(usize, bool)],
    row: &TupleData,
    old: Option<&TupleData>,
) -> Result<Key> {
    let text = |at: usize, padded: bool| {
        let data = row.get_column(at).filter(|data| data.is_text());
        let data = data.or_else(|| old.and_then(|old| old.get_column(at)));
        let text = data
            .filter(|data| data.is_text())
            .and_then(|data| std::str::from_utf8(data.as_bytes()).ok());
        let text = text.ok_or_else(|| {
            protocol(&format!("a row of {} came without its key", relation.selection.entity))
        })?;
        Ok::<_, Error>(if padded { text.trim_end_matches(' ') } else { text })
    };
    match *columns {
        [(at, padded)] => Ok(Key::new(text(at, padded)?)),
        ref several => {
            let mut texts = Vec::with_capacity(several.len());
            for (at, padded) in several {
                texts.push(text(*at, *padded)?);
            }
            Ok(Key::new(serde_json::Value::from_iter(texts).to_string()))
        }
    }
}
