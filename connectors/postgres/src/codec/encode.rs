//! From values to the text that the server reads.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::civil::{Date, DateTime};
use syncline_sdk::{Instant, Value};

use super::{Kind, array};

/// The text that stands for a value in a column of this kind; nothing for null.
///
/// Values of another kind than the column's own are passed in their plain text form: the server
/// decides whether they fit.
///
/// # Errors
/// Why the value cannot be written at all.
pub(crate) fn encode<'a>(
    kind: &Kind,
    value: &'a Value,
) -> Result<Option<Cow<'a, str>>, &'static str> {
    let text = match value {
        Value::Absent => return Err("the value was not delivered and cannot be written"),
        Value::Link(_) => return Err("a reference must be translated to a native key first"),
        Value::Null => return Ok(None),
        Value::Bool(truth) => Cow::Borrowed(match (kind, truth) {
            (Kind::Bool, true) => "t",
            (Kind::Bool, false) => "f",
            (_, true) => "true",
            (_, false) => "false",
        }),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Decimal(number) => match kind {
            Kind::Int { .. } if number.is_integer() => Cow::Owned(number.canonical()),
            _ => Cow::Borrowed(number.as_str()),
        },
        Value::Text(text) | Value::Json(text) | Value::Raw(text) => Cow::Borrowed(&**text),
        Value::Bytes(bytes) => {
            let mut text = String::with_capacity(2 + 2 * bytes.len());
            text.push_str("\\x");
            for byte in bytes.iter() {
                let _ = write!(text, "{byte:02x}");
            }
            Cow::Owned(text)
        }
        Value::Date(day) => Cow::Owned(date(*day)),
        Value::Time(time) => Cow::Owned(time.to_string()),
        Value::Instant(instant) => Cow::Owned(stamp(kind, *instant)),
        Value::Uuid(uuid) => Cow::Owned(uuid.hyphenated().to_string()),
        Value::List(items) => Cow::Owned(list(kind, items)?),
    };
    if text.contains('\0') {
        return Err("the text holds a NUL character, which Postgres cannot store");
    }
    Ok(Some(text))
}

fn list(kind: &Kind, items: &[Value]) -> Result<String, &'static str> {
    let item_kind = match kind {
        Kind::Array(item) => item,
        other => other,
    };
    let mut literal = String::new();
    for item in items {
        let text = match item {
            // The literal of a list within a list would be a second dimension.
            Value::List(_) => return Err("a list within a list cannot be written"),
            item => encode(item_kind, item)?,
        };
        array::push_item(&mut literal, text.as_deref());
    }
    literal.push_str(if literal.is_empty() { "{}" } else { "}" });
    Ok(literal)
}

/// Year, month and day as the server writes them, and whether the year is before 1.
fn parts(day: Date) -> (String, bool) {
    let before = day.year() < 1;
    let year = if before { 1 - day.year() } else { day.year() };
    (format!("{year:04}-{:02}-{:02}", day.month(), day.day()), before)
}

fn date(day: Date) -> String {
    let (mut text, before) = parts(day);
    if before {
        text.push_str(" BC");
    }
    text
}

fn stamp(kind: &Kind, instant: Instant) -> String {
    let Ok(timestamp) = jiff::Timestamp::from_microsecond(instant.micros()) else {
        // Beyond the years that the seam's instants are made from; the server refuses it.
        return instant.to_string();
    };
    let civil: DateTime = jiff::tz::Offset::UTC.to_datetime(timestamp);
    let (mut text, before) = parts(civil.date());
    let _ = write!(text, " {}", civil.time());
    if !matches!(kind, Kind::Timestamp { .. }) {
        text.push_str("+00");
    }
    if before {
        text.push_str(" BC");
    }
    text
}
