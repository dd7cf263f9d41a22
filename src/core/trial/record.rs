//! The records of a test as values.

use syncline_sdk::{FieldType, Instant, LinkId, Value};
use uuid::Uuid;

use crate::Side;
use crate::mapping::language::{CaseRecord, CaseValue, Scalar};
use crate::mapping::{MASK, MappedField, Mapping};

/// A value of a test as a field of that type holds it; nothing when it is none.
pub(super) fn value(written: &CaseValue, kind: &FieldType) -> Option<Value> {
    match (written, kind) {
        (CaseValue::Many(items), FieldType::Set { .. } | FieldType::List(_)) => {
            let items = items.iter().map(|item| Value::Text(item.text.clone()));
            Some(Value::List(items.collect()))
        }
        (CaseValue::Many(_), _) => None,
        (CaseValue::One(scalar), _) if scalar.is_null() => Some(Value::Null),
        (CaseValue::One(scalar), kind) => one(scalar, kind),
    }
}

fn one(scalar: &Scalar, kind: &FieldType) -> Option<Value> {
    let text = &*scalar.text;
    match kind {
        FieldType::Bool => text.parse().ok().map(Value::Bool),
        FieldType::Int { .. } => text.parse().ok().map(Value::Int),
        FieldType::Decimal { .. } => text.parse().ok().map(Value::Decimal),
        FieldType::Date => text.parse().ok().map(Value::Date),
        FieldType::Instant { .. } => {
            let stamp: jiff::Timestamp = text.parse().ok()?;
            Some(Value::Instant(Instant::from_micros(stamp.as_microsecond())))
        }
        FieldType::Set { .. } => Some(Value::List([Value::from(text)].into())),
        // The id of a record on either side stands for the pair that it belongs to.
        FieldType::Reference { .. } => {
            let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
            Some(Value::Link(LinkId(id)))
        }
        _ => Some(Value::Text(scalar.text.clone())),
    }
}

/// A whole record of a side, over what was agreed upon of it; a field that nothing is said of is
/// empty.
pub(super) fn whole(
    mapping: &Mapping,
    side: Side,
    record: Option<&CaseRecord>,
    agreed: Option<&CaseRecord>,
) -> Vec<Value> {
    let fields = mapping.sides[side].fields.iter();
    fields
        .map(|field| {
            let said = |record: &CaseRecord| {
                let found = record.fields.iter().find(|(name, _)| ***name == *field.name.as_str());
                found.and_then(|(_, written)| value(written, &field.kind))
            };
            record.and_then(said).or_else(|| agreed.and_then(said)).unwrap_or(Value::Null)
        })
        .collect()
}

/// A value of a field for people.
pub(super) fn told_of(field: &MappedField, value: &Value) -> String {
    if field.sensitive { MASK.to_owned() } else { told(value) }
}

/// A value for people.
pub(super) fn told(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(told).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}
