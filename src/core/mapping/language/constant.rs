//! Constants of a file as values of a field.

use std::sync::Arc;

use syncline_sdk::{Comparison, Decimal, FieldSchema, FieldType, Instant, Value};

use super::Literal;
use super::suggestion::nearest;
use super::tree::{Scalar, Style};
use crate::mapping::{MappedField, convert};

/// Why a constant is none of a field's values, and what to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unfit {
    pub message: String,
    pub help: String,
}

fn unfit<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Unfit> {
    Err(Unfit { message: message.into(), help: help.into() })
}

/// The value that a literal of a condition has in comparison with a field.
pub(super) fn compared(
    literal: &Literal,
    comparison: Comparison,
    field: &FieldSchema,
) -> Result<Value, Unfit> {
    let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    if *literal == Literal::Null {
        return if equality {
            Ok(Value::Null)
        } else {
            unfit("nothing is greater or less than null", "write `is null` or `is not null`")
        };
    }
    let what = format!("`{}` is {}", field.name, describe(field));
    match &field.kind {
        FieldType::Set { .. }
        | FieldType::List(_)
        | FieldType::Bytes
        | FieldType::Json
        | FieldType::Raw => {
            return unfit(
                format!("{what}, which cannot be compared with a constant"),
                "write `is null` or `is not null`, or filter by another field",
            );
        }
        FieldType::Text { .. }
        | FieldType::Enum { .. }
        | FieldType::Bool
        | FieldType::Uuid
        | FieldType::Reference { .. }
            if !equality =>
        {
            return unfit(
                format!("{what}, which has no order that both sides agree on"),
                "compare with = or !=, or with in (...)",
            );
        }
        _ => {}
    }
    match literal {
        Literal::Null => Ok(Value::Null),
        Literal::Bool(truth) if field.kind == FieldType::Bool => Ok(Value::Bool(*truth)),
        Literal::Number(number) if is_number(&field.kind) => number_value(number, field),
        Literal::Text(text) if !is_number(&field.kind) && field.kind != FieldType::Bool => {
            text_value(text, field)
        }
        Literal::Moment(text) if is_moment(&field.kind) => text_value(text, field),
        literal => unfit(format!("{what}, and `{literal}` is not"), example(&field.kind)),
    }
}

/// The value that a scalar of a value table has in a field, which can hold it.
pub(super) fn entry(scalar: &Scalar, field: &FieldSchema) -> Result<Value, Unfit> {
    let value = typed(scalar, field)?;
    if !value.is_null()
        && let Err(why) = convert(value.clone(), &MappedField::of(field))
    {
        let what = format!("`{}` cannot hold `{}`: {why}", field.name, scalar.text);
        return unfit(what, "write a value that the field takes");
    }
    Ok(value)
}

fn typed(scalar: &Scalar, field: &FieldSchema) -> Result<Value, Unfit> {
    if scalar.is_null() {
        return if field.nullable {
            Ok(Value::Null)
        } else {
            unfit(
                format!("`{}` cannot be null", field.name),
                "write the text null in quotes if that is meant",
            )
        };
    }
    let what = format!("`{}` is {}", field.name, describe(field));
    match &field.kind {
        FieldType::Bool => match (&*scalar.text, scalar.style) {
            ("true", Style::Plain) => Ok(Value::Bool(true)),
            ("false", Style::Plain) => Ok(Value::Bool(false)),
            _ => unfit(format!("{what}, and `{}` is not", scalar.text), "write true or false"),
        },
        kind if is_number(kind) => match scalar.text.parse::<Decimal>() {
            Ok(number) => number_value(&number, field),
            Err(_) => {
                unfit(format!("{what}, and `{}` is not", scalar.text), "write a number as -12.5")
            }
        },
        FieldType::Set { .. }
        | FieldType::List(_)
        | FieldType::Bytes
        | FieldType::Json
        | FieldType::Raw
        | FieldType::Reference { .. } => {
            unfit(format!("{what}, which has no value table"), "remove `values`")
        }
        _ => text_value(&scalar.text, field),
    }
}

/// The value of a field that a file gives: a default or a constant.
pub(super) fn given(scalar: &Scalar, field: &FieldSchema) -> Result<Value, Unfit> {
    match &field.kind {
        FieldType::Set { .. }
        | FieldType::List(_)
        | FieldType::Bytes
        | FieldType::Json
        | FieldType::Raw
        | FieldType::Reference { .. } => unfit(
            format!("`{}` is {}, which a file cannot give", field.name, describe(field)),
            "give a text, a number, a date, true or false to a field of that type",
        ),
        _ => entry(scalar, field),
    }
}

fn is_number(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Int { .. } | FieldType::Decimal { .. })
}

fn is_moment(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Date | FieldType::Instant { .. })
}

fn number_value(number: &Decimal, field: &FieldSchema) -> Result<Value, Unfit> {
    let FieldType::Int { min, max } = field.kind else {
        return Ok(Value::Decimal(number.clone()));
    };
    let whole = number.is_integer().then(|| number.canonical().parse::<i64>().ok()).flatten();
    match whole.filter(|whole| (min..=max).contains(whole)) {
        Some(whole) => Ok(Value::Int(whole)),
        None => unfit(
            format!("`{}` never holds {number}", field.name),
            format!("it holds whole numbers from {min} to {max}"),
        ),
    }
}

fn text_value(text: &Arc<str>, field: &FieldSchema) -> Result<Value, Unfit> {
    let value = match &field.kind {
        FieldType::Text { .. } | FieldType::Reference { .. } => Some(Value::Text(Arc::clone(text))),
        FieldType::Enum { values, restricted } => {
            if *restricted && !values.contains(text) {
                let help = match nearest(text, values.iter().map(|value| &**value)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        let values: Vec<&str> = values.iter().map(|value| &**value).collect();
                        format!("its values are {}", super::fit::named(&values))
                    }
                };
                return unfit(format!("`{}` has no value `{text}`", field.name), help);
            }
            Some(Value::Text(Arc::clone(text)))
        }
        FieldType::Date => text.parse().ok().map(Value::Date),
        FieldType::Time => text.parse().ok().map(Value::Time),
        FieldType::Uuid => uuid::Uuid::parse_str(text).ok().map(Value::Uuid),
        FieldType::Instant { .. } => instant(text).map(Value::Instant),
        _ => None,
    };
    match value {
        Some(value) => Ok(value),
        None => unfit(
            format!("`{}` is {}, and `{text}` is not", field.name, describe(field)),
            example(&field.kind),
        ),
    }
}

fn instant(text: &str) -> Option<Instant> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    Some(Instant::from_micros(timestamp.as_microsecond()))
}

fn example(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Bool => "write true or false, without quotes",
        FieldType::Int { .. } | FieldType::Decimal { .. } => "write a number, without quotes",
        FieldType::Date => "write a date as 2024-05-31",
        FieldType::Time => "write a time of day as '12:30:00'",
        FieldType::Instant { .. } => "write an instant as 2024-05-31T12:00:00Z",
        FieldType::Uuid => "write a UUID as '0190a2f0-5d6a-7c3e-8f00-0123456789ab'",
        _ => "write text in quotes, as 'text'",
    }
}

/// The type of a field for messages, with its article and its name on its side.
pub(super) fn describe(field: &FieldSchema) -> String {
    let word = match &field.kind {
        FieldType::Bool => "a boolean",
        FieldType::Int { .. } => "a whole number",
        FieldType::Decimal { .. } => "a decimal",
        FieldType::Text { .. } => "text",
        FieldType::Enum { .. } => "a picklist",
        FieldType::Set { .. } => "a multi-select",
        FieldType::Bytes => "bytes",
        FieldType::Date => "a date",
        FieldType::Time => "a time of day",
        FieldType::Instant { .. } => "an instant",
        FieldType::Uuid => "a UUID",
        FieldType::Json => "a JSON document",
        FieldType::List(_) => "a list",
        FieldType::Reference { .. } => "a reference",
        FieldType::Raw => "of a native type",
    };
    format!("{word} ({})", field.native)
}
