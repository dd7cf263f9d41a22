//! Values of a record as values of an expression, and back.

use std::sync::Arc;

use cel::Value as Cel;
use syncline_sdk::{Decimal, Value};

use super::MEMBERS_MAX;

/// A value as an expression sees it. Decimals, dates, times, instants and ids are texts there, as
/// they are written; numbers with digits behind the point are reckoned with by functions.
pub(super) fn to_expression(value: &Value) -> Result<Cel, String> {
    Ok(match value {
        Value::Null => Cel::Null,
        Value::Bool(truth) => Cel::Bool(*truth),
        Value::Int(number) => Cel::Int(*number),
        Value::Decimal(number) => text(number.canonical()),
        Value::Text(value) => text(value.to_string()),
        Value::Bytes(bytes) => Cel::Bytes(Arc::new(bytes.to_vec())),
        Value::List(items) => {
            if items.len() > MEMBERS_MAX {
                return Err(format!("a list of more than {MEMBERS_MAX} members"));
            }
            let items: Result<Vec<Cel>, String> = items.iter().map(to_expression).collect();
            Cel::List(Arc::new(items?))
        }
        Value::Absent => return Err("a value that was not delivered".to_owned()),
        other => text(other.to_string()),
    })
}

fn text(value: String) -> Cel {
    Cel::String(Arc::new(value))
}

/// A result as a value. What is text there becomes what the field holds when it is written.
pub(super) fn from_expression(value: Cel) -> Result<Value, String> {
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(truth) => Value::Bool(truth),
        Cel::Int(number) => Value::Int(number),
        Cel::UInt(number) => decimal(&number.to_string())?,
        Cel::Float(number) if number.is_finite() => decimal(&number.to_string())?,
        Cel::Float(number) => return Err(format!("{number} is no value of a field")),
        Cel::String(text) => Value::Text(text.as_str().into()),
        Cel::Bytes(bytes) => Value::Bytes(bytes.as_slice().into()),
        Cel::List(items) => {
            let items: Result<Vec<Value>, String> =
                items.iter().cloned().map(from_expression).collect();
            Value::List(items?.into())
        }
        other => return Err(format!("a {} is no value of a field", other.type_of())),
    })
}

fn decimal(text: &str) -> Result<Value, String> {
    text.parse::<Decimal>().map(Value::Decimal).map_err(|error| error.to_string())
}

/// How many bytes a value has about.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) | Value::Raw(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(weight).sum::<usize>() + items.len(),
        _ => 16,
    }
}
