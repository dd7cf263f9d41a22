//! Values as Salesforce writes them, and ours as it reads them. Numbers never pass through a
//! floating-point type: their digits are taken from the text.

use std::sync::Arc;

use serde_json::value::RawValue;
use syncline_sdk::{Decimal, Instant, Precision, Value};

use crate::id::id18;

/// The significant decimal digits that every double gives back.
pub(crate) const DIGITS: usize = 15;

/// How a field travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wire {
    /// A record id of its own or of another record: 18 characters everywhere.
    Id,
    /// Text.
    Text,
    /// Text of several lines. Forms store CRLF, callers mostly LF: read and written as LF, so
    /// that a form saved without a change is no edit.
    Lines,
    /// True or false, never null.
    Bool,
    /// A whole number.
    Int,
    /// A decimal.
    Number,
    /// A calendar day.
    Date,
    /// A time of day.
    Time,
    /// A point in time, whole seconds.
    Instant,
    /// Members of a multi-select, joined by semicolons.
    Set,
    /// An address or a place on the map: read as the JSON document that Salesforce shows, never
    /// written but by its parts.
    Compound,
    /// What we do not carry: base64 (a URL in JSON), and the like.
    Opaque,
    /// A field read through a relation: told by its JSON form.
    Related,
    /// The name of a record type: read through the relation, written as its id.
    RecordType,
}

/// Reads a field. What is not of its form comes as raw text rather than being lost.
pub(crate) fn decode(wire: Wire, raw: &RawValue) -> Value {
    let raw = raw.get();
    if raw == "null" {
        return Value::Null;
    }
    let read = match wire {
        Wire::Opaque => return Value::Absent,
        Wire::Compound => return Value::Json(raw.into()),
        Wire::Bool => raw.parse().ok().map(Value::Bool),
        Wire::Int => raw.parse().ok().map(Value::Int).or_else(|| whole(raw)),
        Wire::Number => raw.parse().ok().map(Value::Decimal),
        Wire::Related => related(raw),
        _ => serde_json::from_str::<String>(raw).ok().and_then(|text| decode_text(wire, text)),
    };
    read.unwrap_or_else(|| Value::Raw(raw.into()))
}

fn decode_text(wire: Wire, text: String) -> Option<Value> {
    Some(match wire {
        Wire::Id => Value::text(id18(&text).unwrap_or(text)),
        Wire::Lines if text.contains('\r') => line_feeds(&text).into(),
        Wire::Text | Wire::Lines | Wire::RecordType => text.into(),
        Wire::Date => Value::Date(text.trim_end_matches('Z').parse().ok()?),
        Wire::Time => Value::Time(text.trim_end_matches('Z').parse().ok()?),
        Wire::Instant => Value::Instant(instant(&text)?),
        Wire::Set if text.is_empty() => Value::Null,
        Wire::Set => Value::List(text.split(';').map(Value::from).collect()),
        _ => return None,
    })
}

/// A whole number that came with a fraction of zeros or an exponent.
fn whole(raw: &str) -> Option<Value> {
    let decimal: Decimal = raw.parse().ok()?;
    decimal.canonical().parse().ok().map(Value::Int)
}

fn related(raw: &str) -> Option<Value> {
    match raw.as_bytes().first()? {
        b't' | b'f' => raw.parse().ok().map(Value::Bool),
        b'"' => serde_json::from_str::<String>(raw).ok().map(Value::from),
        b'-' | b'0'..=b'9' => {
            let number = raw.parse().ok().map(Value::Int);
            number.or_else(|| raw.parse().ok().map(Value::Decimal))
        }
        _ => None,
    }
}

/// A date-time: `2026-11-21T08:00:00.000+0000`, without a colon in the offset (recorded replies
/// of the REST API), or the usual forms with `Z` or `+00:00`.
pub(crate) fn instant(text: &str) -> Option<Instant> {
    let timestamp: jiff::Timestamp = match text.strip_suffix("+0000") {
        Some(utc) => format!("{utc}Z").parse().ok()?,
        None => text.parse().ok()?,
    };
    Some(Instant::new(timestamp.as_microsecond(), Precision::Second))
}

/// Why a value cannot be written to a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error("a value of kind {0} does not fit a field of type {1}")]
    Kind(&'static str, &'static str),
    #[error("{0:?} is not a record id of 15 or 18 characters")]
    Id(String),
    #[error("{0} is not a finite number")]
    Finite(String),
    #[error("a member of a multi-select may not hold a semicolon: {0:?}")]
    Member(String),
    #[error("the date lies outside the years that can be written")]
    Range,
}

/// Writes a value to a field; nothing for one that is absent, which is never written.
pub(crate) fn encode(wire: Wire, value: &Value) -> Result<Option<Box<RawValue>>, EncodeError> {
    let misfit = || EncodeError::Kind(value.kind(), name(wire));
    let json = match (wire, value) {
        (_, Value::Absent) => return Ok(None),
        (Wire::Opaque | Wire::Related | Wire::Compound | Wire::RecordType, _) => {
            return Err(misfit());
        }
        // A checkbox is never null; left out or cleared it is false.
        (Wire::Bool, Value::Null) => "false".to_owned(),
        (_, Value::Null) => "null".to_owned(),
        (Wire::Bool, Value::Bool(truth)) => truth.to_string(),
        (Wire::Int, Value::Int(number)) => number.to_string(),
        (Wire::Number, Value::Int(number)) => significant(&Decimal::from(*number)),
        (Wire::Number, Value::Decimal(decimal)) if decimal.is_finite() => significant(decimal),
        (Wire::Int, Value::Decimal(decimal)) if decimal.is_integer() => decimal.canonical(),
        (Wire::Number, Value::Decimal(decimal)) => {
            return Err(EncodeError::Finite(decimal.to_string()));
        }
        (Wire::Id, Value::Text(text)) => {
            let id = id18(text).ok_or_else(|| EncodeError::Id(text.to_string()))?;
            string(&id)
        }
        (Wire::Lines, Value::Text(text)) => string(&line_feeds(text)),
        (Wire::Text | Wire::Lines, Value::Text(text) | Value::Json(text)) => string(text),
        (Wire::Text, Value::Uuid(uuid)) => string(&uuid.to_string()),
        (Wire::Date, Value::Date(date)) => string(&date.to_string()),
        (Wire::Time, Value::Time(time)) => string(&time_text(*time)),
        (Wire::Instant, Value::Instant(instant)) => {
            string(&instant_text(*instant).ok_or(EncodeError::Range)?)
        }
        (Wire::Set, Value::List(items)) if items.is_empty() => "null".to_owned(),
        (Wire::Set, Value::List(items)) => {
            let members = members(items);
            string(&members.ok_or_else(|| EncodeError::Member(value.to_string()))?)
        }
        _ => return Err(misfit()),
    };
    RawValue::from_string(json).map(Some).map_err(|_| misfit())
}

/// A number in at most 15 significant digits. Salesforce keeps doubles: what is longer it rounds
/// by the double next to it, which nobody can foretell by digits; 15 digits come back as sent.
fn significant(decimal: &Decimal) -> String {
    decimal.round_significant(DIGITS).canonical()
}

/// The members of a multi-select as one text; nothing when one cannot be a member.
pub(crate) fn members(items: &Arc<[Value]>) -> Option<String> {
    let texts: Option<Vec<&str>> = items
        .iter()
        .map(|item| item.as_text().filter(|text| !text.contains(';') && !text.is_empty()))
        .collect();
    Some(texts?.join(";"))
}

/// A point in time as it is written: whole seconds, always with `Z` (one without a zone may be
/// refused); nothing outside the years that can be written.
pub(crate) fn instant_text(instant: Instant) -> Option<String> {
    let seconds = instant.micros().div_euclid(1_000_000);
    let timestamp = jiff::Timestamp::from_second(seconds).ok()?;
    let year = timestamp.to_zoned(jiff::tz::TimeZone::UTC).year();
    (1..=9_999).contains(&year).then(|| timestamp.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
}

/// A time of day as it is written: milliseconds, with `Z`.
pub(crate) fn time_text(time: jiff::civil::Time) -> String {
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{hour:02}:{minute:02}:{second:02}.{:03}Z", time.millisecond())
}

fn line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A JSON string.
pub(crate) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn name(wire: Wire) -> &'static str {
    match wire {
        Wire::Id => "id",
        Wire::Text | Wire::Lines => "text",
        Wire::Bool => "checkbox",
        Wire::Int => "whole number",
        Wire::Number => "number",
        Wire::Date => "date",
        Wire::Time => "time",
        Wire::Instant => "date/time",
        Wire::Set => "multi-select",
        Wire::Compound => "read-only compound",
        Wire::Opaque => "file",
        Wire::Related => "related record",
        Wire::RecordType => "record type",
    }
}

#[cfg(test)]
mod tests;
