//! From JSON to a stored value, by the type of the field.

use jiff::civil;
use serde_json::Value as Raw;

use super::{SaveError, normalise};
use crate::org::ids::Id;
use crate::org::settings::Settings;
use crate::org::value::Value;
use crate::schema::{FieldDef, FieldType};

/// Reads a value for a field and normalises it as the service does on save.
pub(crate) fn read(field: &FieldDef, raw: &Raw, settings: &Settings) -> Result<Value, SaveError> {
    match (field.ty, raw) {
        (FieldType::Boolean, Raw::Null) => null_boolean(field, settings),
        (_, Raw::Null) => Ok(Value::Null),
        (ty, Raw::String(text)) if ty.is_text() => {
            Ok(Value::text(&normalise::text(field, text, settings)))
        }
        (_, Raw::String(text)) if normalise::trimmed(text).is_empty() => Ok(Value::Null),
        (_, Raw::String(text)) => from_text(field, normalise::trimmed(text), settings),
        (FieldType::Boolean, Raw::Bool(value)) => Ok(Value::Bool(*value)),
        (FieldType::Int, Raw::Number(number)) => number
            .as_i64()
            .or_else(|| number.as_f64().and_then(whole))
            .map(Value::Int)
            .ok_or_else(|| mismatch(field, raw)),
        (ty, Raw::Number(number)) if ty.is_decimal() => number
            .as_f64()
            .map(|value| Value::Double(normalise::fifteen_digits(value)))
            .ok_or_else(|| mismatch(field, raw)),
        _ => Err(mismatch(field, raw)),
    }
}

fn from_text(field: &FieldDef, text: &str, settings: &Settings) -> Result<Value, SaveError> {
    let bad = || mismatch(field, &Raw::from(text));
    match field.ty {
        FieldType::Id | FieldType::Reference => reference(field, text),
        FieldType::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(bad()),
        },
        FieldType::Int => text.parse().map(Value::Int).map_err(|_| bad()),
        FieldType::Double | FieldType::Currency | FieldType::Percent => {
            let number: f64 = text.parse().map_err(|_| bad())?;
            if !number.is_finite() {
                return Err(bad());
            }
            Ok(Value::Double(normalise::fifteen_digits(number)))
        }
        FieldType::Date => date(text).map(Value::Date).ok_or_else(bad),
        FieldType::DateTime => datetime(text, settings).map(Value::DateTime).ok_or_else(bad),
        FieldType::Time => time(text).map(Value::Time).ok_or_else(bad),
        _ => Err(bad()),
    }
}

/// A boolean is never null.
fn null_boolean(field: &FieldDef, settings: &Settings) -> Result<Value, SaveError> {
    if settings.null_boolean_is_false {
        Ok(Value::Bool(false))
    } else {
        Err(mismatch(field, &Raw::Null))
    }
}

/// Both id forms are taken, 18 characters are stored; a malformed one is `MALFORMED_ID`
/// (recorded text).
fn reference(field: &FieldDef, text: &str) -> Result<Value, SaveError> {
    Id::parse(text).map(Value::Id).ok_or_else(|| {
        let message = format!("{}: id value of incorrect type: {text}", field.label);
        SaveError::new("MALFORMED_ID", message).on(&field.name)
    })
}

/// `2026-11-21`; a zone behind it is taken, as the official samples show.
pub(crate) fn date(text: &str) -> Option<civil::Date> {
    let plain = text.get(..10)?;
    let rest = text.get(10..)?;
    (rest.is_empty() || rest == "Z" || rest.starts_with('T')).then(|| plain.parse().ok())?
}

/// ISO 8601 with `Z` or an offset; a date alone is midnight UTC.
pub(crate) fn datetime(text: &str, settings: &Settings) -> Option<i64> {
    if text.len() == 10 {
        let at = text.parse::<civil::Date>().ok()?.at(0, 0, 0, 0);
        return Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second());
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(normalise::whole_second(at, settings));
    }
    if !settings.naive_datetime_is_utc {
        return None;
    }
    let at = text.parse::<civil::DateTime>().ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(normalise::whole_second(at, settings))
}

/// `12:34:56.000Z`.
pub(crate) fn time(text: &str) -> Option<u32> {
    let plain = text.strip_suffix('Z').unwrap_or(text);
    let at: civil::Time = plain.parse().ok()?;
    let unit = |value: i8| u32::try_from(value).unwrap_or(0);
    let milli = u32::try_from(at.millisecond()).unwrap_or(0);
    Some(((unit(at.hour()) * 60 + unit(at.minute())) * 60 + unit(at.second())) * 1000 + milli)
}

fn whole(number: f64) -> Option<i64> {
    if number.fract() == 0.0 { format!("{number:.0}").parse().ok() } else { None }
}

/// The service's parser names the type it wanted and the token it met.
fn mismatch(field: &FieldDef, raw: &Raw) -> SaveError {
    let (token, shown) = match raw {
        Raw::Null => ("VALUE_NULL", String::from("null")),
        Raw::Bool(true) => ("VALUE_TRUE", String::from("true")),
        Raw::Bool(false) => ("VALUE_FALSE", String::from("false")),
        Raw::Number(number) if number.is_f64() => ("VALUE_NUMBER_FLOAT", number.to_string()),
        Raw::Number(number) => ("VALUE_NUMBER_INT", number.to_string()),
        Raw::String(text) => ("VALUE_STRING", text.clone()),
        Raw::Array(_) => ("START_ARRAY", String::from("[")),
        Raw::Object(_) => ("START_OBJECT", String::from("{")),
    };
    SaveError::new(
        "JSON_PARSER_ERROR",
        format!(
            "Cannot deserialize instance of {} from {token} value {shown} or request may be \
             missing a required field at [line:1, column:1]",
            field.ty.name()
        ),
    )
    .on(&field.name)
}
