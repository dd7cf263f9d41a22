//! From the server's text to values.

use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use syncline_sdk::{Instant, Precision, Value};
use uuid::Uuid;

use super::{Kind, array};

/// The value of a text that the server gave for a column of this kind. A text that the seam
/// does not model (an infinite date, a year beyond 9999, several dimensions) comes as `Raw`, so
/// nothing is ever lost or refused here.
pub(crate) fn decode(kind: &Kind, text: &str) -> Value {
    model(kind, text).unwrap_or_else(|| Value::Raw(text.into()))
}

fn model(kind: &Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::Bool => Value::Bool(match text {
            "t" | "true" => true,
            "f" | "false" => false,
            _ => return None,
        }),
        Kind::Int { .. } => Value::Int(text.parse().ok()?),
        Kind::Float | Kind::Numeric { .. } => Value::Decimal(text.parse().ok()?),
        Kind::Text { .. } | Kind::Enum(_) => Value::Text(text.into()),
        Kind::Char { .. } => Value::Text(text.trim_end_matches(' ').into()),
        Kind::Bytes => Value::Bytes(bytes(text)?),
        Kind::Date => Value::Date(date(text)?),
        Kind::Time => Value::Time(time(text)?),
        Kind::Timestamp { precision } => Value::Instant(instant(text, *precision)?),
        Kind::TimestampTz { precision } => {
            // The session is pinned to UTC.
            let (stamp, era) = match text.strip_suffix(" BC") {
                Some(stamp) => (stamp, " BC"),
                None => (text, ""),
            };
            let stamp = stamp.strip_suffix("+00")?;
            if era.is_empty() {
                Value::Instant(instant(stamp, *precision)?)
            } else {
                Value::Instant(instant(&format!("{stamp}{era}"), *precision)?)
            }
        }
        Kind::Uuid => Value::Uuid(Uuid::try_parse(text).ok()?),
        Kind::Json | Kind::Jsonb => Value::Json(text.into()),
        Kind::Array(item) => {
            let items = array::items(text)?;
            let list: Arc<[Value]> = items
                .into_iter()
                .map(|text| text.map_or(Value::Null, |text| decode(item, &text)))
                .collect();
            Value::List(list)
        }
        Kind::Raw => return None,
    })
}

fn bytes(text: &str) -> Option<Arc<[u8]>> {
    let hex = text.strip_prefix("\\x")?.as_bytes();
    if hex.len() % 2 != 0 {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    hex.chunks_exact(2).map(|pair| Some((digit(pair[0])? << 4) | digit(pair[1])?)).collect()
}

/// So many decimal digits as a number.
fn digits(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0_u32, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

fn small(text: &[u8]) -> Option<i8> {
    i8::try_from(digits(text)?).ok()
}

/// `2024-05-06`, with ` BC` behind for the years before 1.
fn date(text: &str) -> Option<Date> {
    let (text, bc) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let bytes = text.as_bytes();
    // Years beyond 9999 have more digits and are not modelled.
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = i16::try_from(digits(&bytes[..4])?).ok()?;
    let year = if bc { 1 - year } else { year };
    Date::new(year, small(&bytes[5..7])?, small(&bytes[8..])?).ok()
}

/// `12:30:01.25`; 24:00:00 is not modelled.
fn time(text: &str) -> Option<Time> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[2] != b':' || bytes[5] != b':' {
        return None;
    }
    let nanos = match bytes.get(8) {
        None => 0,
        Some(b'.') => {
            let fraction = &bytes[9..];
            let power = u32::try_from(9_usize.checked_sub(fraction.len())?).ok()?;
            i32::try_from(digits(fraction)? * 10_u32.pow(power)).ok()?
        }
        Some(_) => return None,
    };
    Time::new(small(&bytes[..2])?, small(&bytes[3..5])?, small(&bytes[6..8])?, nanos).ok()
}

fn instant(text: &str, precision: Precision) -> Option<Instant> {
    let (stamp, bc) = match text.strip_suffix(" BC") {
        Some(stamp) => (stamp, true),
        None => (text, false),
    };
    let (day, clock) = stamp.split_once(' ')?;
    let day = date(day)?;
    let day = if bc { Date::new(1 - day.year(), day.month(), day.day()).ok()? } else { day };
    let stamp = DateTime::from_parts(day, time(clock)?);
    let micros = Offset::UTC.to_timestamp(stamp).ok()?.as_microsecond();
    // A finer stored value than the column says would be cut: keep what was given.
    let exact = Instant::new(micros, precision);
    Some(if exact.micros() == micros { exact } else { Instant::from_micros(micros) })
}
