//! The image of a value on the other side.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use syncline_sdk::{Decimal, FieldType, Instant, Normalizer, Precision, Value};

use super::{MASK, MappedField, Pair};
use crate::Side;

/// Why a value has no image on the other side. Such a value is held or parked, never cut and
/// never made null (protocol M6).
#[derive(Clone, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoImage {
    /// The value was not delivered.
    Absent,
    /// The target field may not be null.
    NotNullable,
    /// The value table does not have it.
    NotInTable(String),
    /// The target's list of values does not have it.
    NotInList(String),
    /// It is longer than the target allows.
    TooLong {
        /// Its length in characters.
        chars: u32,
        /// The most that the target takes.
        chars_max: u32,
    },
    /// It is outside the target's range.
    OutOfRange(String),
    /// It would lose digits, time of day or the like.
    WouldLose(String),
    /// The target's type cannot express it at all.
    WrongType {
        /// The kind of value.
        from: String,
        /// The type of the target.
        to: String,
    },
    /// The expression that makes it has no value for it: why.
    Expression(String),
    /// It refers to a record that is not linked yet.
    NoParent(String),
}

impl NoImage {
    /// The same without any value in it, for those who are not shown it. How long it is stays.
    #[must_use]
    pub fn masked(&self) -> Self {
        let masked = || MASK.to_owned();
        match self {
            Self::NotInTable(_) => Self::NotInTable(masked()),
            Self::NotInList(_) => Self::NotInList(masked()),
            Self::OutOfRange(_) => Self::OutOfRange(masked()),
            Self::WouldLose(_) => Self::WouldLose(masked()),
            Self::Expression(_) => Self::Expression(masked()),
            Self::NoParent(_) => Self::NoParent(masked()),
            Self::Absent | Self::NotNullable | Self::TooLong { .. } | Self::WrongType { .. } => {
                self.clone()
            }
        }
    }
}

impl fmt::Display for NoImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("the value was not delivered"),
            Self::NotNullable => f.write_str("the field may not be null"),
            Self::NotInTable(value) => {
                write!(f, "the value table has no entry for {}", quoted(value))
            }
            Self::NotInList(value) => {
                write!(f, "{} is not one of the field's values", quoted(value))
            }
            Self::TooLong { chars, chars_max } => {
                write!(f, "it has {chars} characters and the field takes {chars_max}")
            }
            Self::OutOfRange(value) => write!(f, "{value} is outside the field's range"),
            Self::WouldLose(what) => write!(f, "the field would lose {what}"),
            Self::WrongType { from, to } => write!(f, "a {from} cannot be stored as {to}"),
            Self::Expression(why) => f.write_str(why),
            Self::NoParent(key) => write!(f, "the record {key} it refers to is not linked"),
        }
    }
}

fn quoted(value: &str) -> String {
    if value == MASK { MASK.to_owned() } else { format!("{value:?}") }
}

impl Pair {
    /// What is sent to a side for a value of the other, in the pair's normal form and before the
    /// side normalises it. `now` is what the side holds: where it holds more than the other, that
    /// is kept. The words of a table and a default are sent as the mapping has them.
    ///
    /// # Errors
    /// [`NoImage`] when the target cannot hold the value.
    pub fn put(
        &self,
        to: Side,
        value: &Value,
        now: &Value,
        target: &MappedField,
    ) -> Result<Value, NoImage> {
        let value = self.normal(value.clone());
        let value = match &self.view {
            Some((coarse, view)) if value.is_present() && *coarse == to => view.of(&value)?,
            Some((_, view)) if value.is_present() => view.put(&value, &self.normal(now.clone()))?,
            _ => value,
        };
        let value = match (&self.values, value) {
            (_, Value::Absent) => return Err(NoImage::Absent),
            (Some(table), value) => match table.translate(to, &value, &self.normalize) {
                Some(word) => word.clone(),
                None if value.is_null() => value,
                // What is written where the other side has nothing stands for nothing.
                None if self.default[to.other()].as_ref() == Some(&value) => Value::Null,
                None => return Err(NoImage::NotInTable(value.to_string())),
            },
            (None, value) => value,
        };
        let value = match &self.default[to] {
            Some(default) if value.is_null() => default.clone(),
            _ => value,
        };
        if self.reference.is_some() {
            return reference(value, target);
        }
        convert(value, target)
    }
    /// The image that a side is expected to store for a value of the other.
    ///
    /// # Errors
    /// [`NoImage`] when the target cannot hold the value.
    pub fn image(
        &self,
        to: Side,
        value: &Value,
        now: &Value,
        target: &MappedField,
    ) -> Result<Value, NoImage> {
        let sent = self.put(to, value, now, target)?;
        Ok(Normalizer::apply_all(&target.normalizers, sent))
    }
}

fn reference(value: Value, target: &MappedField) -> Result<Value, NoImage> {
    match value {
        Value::Link(_) => Ok(value),
        Value::Null if target.nullable => Ok(Value::Null),
        Value::Null => Err(NoImage::NotNullable),
        other => Err(NoImage::NoParent(other.to_string())),
    }
}

/// A value as a field of another type holds it, exactly or not at all.
///
/// # Errors
/// [`NoImage`] when the field cannot hold the value.
pub fn convert(value: Value, target: &MappedField) -> Result<Value, NoImage> {
    if value.is_null() {
        let stored = Normalizer::apply_all(&target.normalizers, Value::Null);
        let fits = target.nullable || !stored.is_null();
        return if fits { Ok(Value::Null) } else { Err(NoImage::NotNullable) };
    }
    to_type(value, &target.kind, &target.normalizers)
}

fn to_type(value: Value, kind: &FieldType, normalizers: &[Normalizer]) -> Result<Value, NoImage> {
    let wrong = |value: &Value| NoImage::WrongType {
        from: value.kind().to_owned(),
        to: type_name(kind).to_owned(),
    };
    match (kind, value) {
        (FieldType::Bool, Value::Text(text)) => match &*text.to_lowercase() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(NoImage::NotInList(text.to_string())),
        },
        (FieldType::Bool, value @ Value::Bool(_))
        | (FieldType::Bytes, value @ Value::Bytes(_))
        | (FieldType::Time, value @ Value::Time(_))
        | (FieldType::Date, value @ Value::Date(_))
        | (FieldType::Uuid, value @ Value::Uuid(_))
        | (FieldType::Json, value @ Value::Json(_))
        | (FieldType::Raw, value @ Value::Raw(_)) => Ok(value),
        (FieldType::Int { min, max }, value) => to_int(value, *min, *max),
        (FieldType::Decimal { precision, scale }, value) => {
            to_decimal(value, *precision, *scale, normalizers)
        }
        (FieldType::Text { chars_max }, value) => to_text(value, *chars_max, normalizers),
        (FieldType::Enum { values, restricted }, value) => {
            to_member(value, values, *restricted, normalizers)
        }
        (FieldType::Set { values, restricted }, Value::List(items)) => items
            .iter()
            .map(|item| to_member(item.clone(), values, *restricted, normalizers))
            .collect::<Result<Vec<_>, _>>()
            .map(|items| Value::List(items.into())),
        (FieldType::List(inner), Value::List(items)) => items
            .iter()
            .map(|item| match item {
                Value::Null => Ok(Value::Null),
                item => to_type(item.clone(), inner, normalizers),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(|items| Value::List(items.into())),
        (FieldType::Instant { precision }, value) => to_instant(value, *precision, normalizers),
        (FieldType::Date, Value::Text(text)) => {
            moment(&text).map(Value::Date).ok_or_else(|| NoImage::OutOfRange(format!("{text:?}")))
        }
        (FieldType::Time, Value::Text(text)) => {
            moment(&text).map(Value::Time).ok_or_else(|| NoImage::OutOfRange(format!("{text:?}")))
        }
        (FieldType::Uuid, Value::Text(text)) => uuid::Uuid::parse_str(&text)
            .map(Value::Uuid)
            .map_err(|_| NoImage::OutOfRange(format!("{text:?}"))),
        (
            FieldType::Reference { .. },
            value @ (Value::Text(_) | Value::Int(_) | Value::Uuid(_)),
        ) => Ok(value),
        (_, value) => Err(wrong(&value)),
    }
}

/// A day or a time of day, whole: of a text that has both, neither would be all of it.
fn moment<T: std::str::FromStr>(text: &str) -> Option<T> {
    let has_both = text.contains(':') && text.trim_start_matches('-').contains('-');
    if has_both { None } else { text.parse().ok() }
}

fn to_int(value: Value, min: i64, max: i64) -> Result<Value, NoImage> {
    let number = match &value {
        Value::Int(number) => *number,
        Value::Decimal(decimal) if !decimal.is_integer() => {
            return Err(NoImage::WouldLose("the digits after the point".to_owned()));
        }
        Value::Decimal(decimal) => {
            decimal.canonical().parse().map_err(|_| NoImage::OutOfRange(decimal.to_string()))?
        }
        Value::Text(text) => {
            text.trim().parse().map_err(|_| NoImage::OutOfRange(format!("{text:?}")))?
        }
        other => {
            return Err(NoImage::WrongType { from: other.kind().to_owned(), to: "integer".into() });
        }
    };
    if (min..=max).contains(&number) {
        Ok(Value::Int(number))
    } else {
        Err(NoImage::OutOfRange(number.to_string()))
    }
}

fn to_decimal(
    value: Value,
    precision: Option<u32>,
    scale: Option<u32>,
    normalizers: &[Normalizer],
) -> Result<Value, NoImage> {
    let decimal = match value {
        Value::Decimal(decimal) => decimal,
        Value::Int(number) => Decimal::from(number),
        Value::Text(text) => {
            text.trim().parse().map_err(|_| NoImage::OutOfRange(format!("{text:?}")))?
        }
        other => {
            return Err(NoImage::WrongType { from: other.kind().to_owned(), to: "decimal".into() });
        }
    };
    if !decimal.is_finite() && (precision.is_some() || !normalizers.is_empty()) {
        return Err(NoImage::OutOfRange(decimal.to_string()));
    }
    let (scale_max, digits) = (scale.unwrap_or(u32::MAX), decimal.integer_digits());
    if decimal.scale() > scale_max as usize {
        return Err(NoImage::WouldLose(format!("digits of {decimal}")));
    }
    if let Some(precision) = precision {
        let integer_max = precision.saturating_sub(scale.unwrap_or(0)) as usize;
        if digits > integer_max {
            return Err(NoImage::OutOfRange(decimal.to_string()));
        }
    }
    let significant = normalizers.iter().find_map(|step| match step {
        Normalizer::SignificantDigits(digits) => Some(usize::from(*digits)),
        _ => None,
    });
    if significant.is_some_and(|digits| decimal.round_significant(digits) != decimal) {
        return Err(NoImage::WouldLose(format!("digits of {decimal}")));
    }
    Ok(Value::Decimal(decimal))
}

fn to_text(
    value: Value,
    chars_max: Option<u32>,
    normalizers: &[Normalizer],
) -> Result<Value, NoImage> {
    let text: Arc<str> = match value {
        Value::Text(text) => text,
        Value::List(_) | Value::Bytes(_) | Value::Link(_) | Value::Absent => {
            return Err(NoImage::WrongType { from: value.kind().to_owned(), to: "text".into() });
        }
        other => other.to_string().into(),
    };
    if let Some(chars_max) = chars_max {
        let stored = Normalizer::apply_all(normalizers, Value::Text(text.clone()));
        let length = stored.as_text().map_or(0, |stored| stored.chars().count());
        let chars = u32::try_from(length).unwrap_or(u32::MAX);
        if chars > chars_max {
            return Err(NoImage::TooLong { chars, chars_max });
        }
    }
    Ok(Value::Text(text))
}

fn to_member(
    value: Value,
    values: &[Arc<str>],
    restricted: bool,
    normalizers: &[Normalizer],
) -> Result<Value, NoImage> {
    let Value::Text(text) = to_text(value, None, normalizers)? else {
        return Err(NoImage::Absent);
    };
    let stored = Normalizer::apply_all(normalizers, Value::Text(text.clone()));
    let known = stored.as_text().is_none_or(|stored| values.iter().any(|known| **known == *stored));
    if restricted && !known {
        return Err(NoImage::NotInList(text.to_string()));
    }
    Ok(Value::Text(text))
}

/// A finer instant is cut only where the side declares that it cuts: then the cut image is an
/// agreed image and the finer original stays on its own side (protocol N6).
fn to_instant(
    value: Value,
    precision: Precision,
    normalizers: &[Normalizer],
) -> Result<Value, NoImage> {
    let instant = match value {
        Value::Instant(instant) => instant,
        Value::Date(date) => date
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map(|zoned| Instant::from_micros(zoned.timestamp().as_microsecond()))
            .map_err(|_| NoImage::OutOfRange(date.to_string()))?,
        Value::Text(text) => text
            .parse::<jiff::Timestamp>()
            .map(|timestamp| Instant::from_micros(timestamp.as_microsecond()))
            .map_err(|_| NoImage::OutOfRange(format!("{text:?}")))?,
        other => {
            return Err(NoImage::WrongType { from: other.kind().to_owned(), to: "instant".into() });
        }
    };
    let declared = normalizers.iter().any(|step| matches!(step, Normalizer::Truncate(_)));
    if !declared && instant.truncate(precision) != instant {
        return Err(NoImage::WouldLose(format!("the fraction of {instant}")));
    }
    Ok(Value::Instant(instant))
}

fn type_name(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Bool => "boolean",
        FieldType::Int { .. } => "integer",
        FieldType::Decimal { .. } => "decimal",
        FieldType::Text { .. } => "text",
        FieldType::Enum { .. } => "picklist",
        FieldType::Set { .. } => "multi-select",
        FieldType::Bytes => "bytes",
        FieldType::Date => "date",
        FieldType::Time => "time",
        FieldType::Instant { .. } => "instant",
        FieldType::Uuid => "uuid",
        FieldType::Json => "json",
        FieldType::List(_) => "list",
        FieldType::Reference { .. } => "reference",
        FieldType::Raw => "raw",
    }
}
