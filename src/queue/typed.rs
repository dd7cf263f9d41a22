//! Values that a person types.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use syncline_core::mapping::MASK;
use syncline_core::model::Shown;
use syncline_sdk::{Decimal, Instant, LinkId, Value};

/// Reads what was typed for the fields of a unit as the left side would store it. The field's
/// kind is that of the value it shows or showed; where all are empty the text stays a text, and
/// the engine, which knows the type, reads it. The refusal of one that is `masked` does not repeat
/// it.
pub fn read(texts: &[String], left: &Shown, masked: bool) -> Result<Vec<Value>, String> {
    let fields = left.values.len();
    if texts.len() != fields {
        return Err(format!(
            "the unit has {fields} fields and {} values are given: give one for each",
            texts.len()
        ));
    }
    let like = |at: usize| {
        let base = left.base.get(at);
        let shown = [left.values.get(at), base].into_iter().flatten();
        shown.into_iter().find(|value| value.is_present() && !value.is_null())
    };
    texts.iter().enumerate().map(|(at, text)| one(text, like(at), masked)).collect()
}

/// One text as a value of the same kind as another.
fn one(text: &str, like: Option<&Value>, masked: bool) -> Result<Value, String> {
    let trimmed = text.trim();
    let not = |what: &str, example: &str| {
        let told = if masked { MASK.to_owned() } else { format!("{text:?}") };
        format!("{told} is not {what}, which the field holds: write it as {example}")
    };

    match like {
        None | Some(Value::Text(_) | Value::Absent | Value::Null) => Ok(Value::from(text)),
        Some(Value::Raw(_)) => Ok(Value::Raw(text.into())),
        Some(Value::Bool(_)) => match trimmed {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        }
        .ok_or_else(|| not("a boolean", "true or false")),
        Some(Value::Int(_)) => trimmed
            .parse()
            .map(Value::Int)
            .or_else(|_| trimmed.parse().map(Value::Decimal))
            .map_err(|_| not("a number", "42")),
        Some(Value::Decimal(_)) => {
            trimmed.parse::<Decimal>().map(Value::Decimal).map_err(|_| not("a number", "12.50"))
        }
        Some(Value::Date(_)) => {
            trimmed.parse::<Date>().map(Value::Date).map_err(|_| not("a day", "2026-02-28"))
        }
        Some(Value::Time(_)) => {
            trimmed.parse::<Time>().map(Value::Time).map_err(|_| not("a time of day", "13:45:00"))
        }
        Some(Value::Instant(_)) => trimmed
            .parse::<jiff::Timestamp>()
            .map(|at| Value::Instant(Instant::from_micros(at.as_microsecond())))
            .map_err(|_| not("a point in time", "2026-02-28T13:45:00Z")),
        Some(Value::Uuid(_)) => uuid::Uuid::parse_str(trimmed)
            .map(Value::Uuid)
            .map_err(|_| not("a UUID", "00112233-4455-6677-8899-aabbccddeeff")),
        Some(Value::Json(_)) => serde_json::from_str::<&serde_json::value::RawValue>(text)
            .map(|_| Value::Json(text.into()))
            .map_err(|_| not("a JSON document", r#"{"a":1}"#)),
        Some(Value::Bytes(_)) => {
            bytes(trimmed).map(Value::Bytes).ok_or_else(|| not("a string of bytes", r"\x00ff"))
        }
        Some(Value::Link(_)) => trimmed
            .parse::<LinkId>()
            .map(Value::Link)
            .map_err(|_| not("a link", "00112233-4455-6677-8899-aabbccddeeff")),
        Some(Value::List(items)) => list(text, items, masked),
    }
}

/// The members of a list, with `;` between them.
fn list(text: &str, like: &[Value], masked: bool) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(Value::List(Arc::from([])));
    }
    let like = like.iter().find(|item| !item.is_null());
    let items = text.split(';').map(|item| one(item, like, masked));
    Ok(Value::List(items.collect::<Result<Vec<_>, _>>()?.into()))
}

/// Bytes as `\x00ff`.
fn bytes(text: &str) -> Option<Arc<[u8]>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let byte = |pair: &[u8; 2]| {
        let pair = std::str::from_utf8(pair).ok()?;
        let hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        hex.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
    };
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, like: Value) -> Result<Value, String> {
        one(text, Some(&like), false)
    }

    #[test]
    fn a_text_is_read_as_the_field_holds_it() {
        assert_eq!(typed(" 7 ", Value::Int(1)), Ok(Value::Int(7)));
        assert_eq!(typed(" 7 ", Value::from("x")), Ok(Value::from(" 7 ")));
        assert_eq!(typed("true", Value::Bool(false)), Ok(Value::Bool(true)));
        let decimal = Value::Decimal("1.50".parse().unwrap());
        assert_eq!(typed("1.50", decimal.clone()), Ok(decimal.clone()));
        assert_eq!(typed("1.50", Value::Int(1)), Ok(decimal));
        assert_eq!(
            typed("\\x00fF", Value::Bytes(Arc::from([]))),
            Ok(Value::Bytes(Arc::from([0, 255])))
        );
        let list = |items: &[i64]| Value::List(items.iter().copied().map(Value::Int).collect());
        assert_eq!(typed("1;2", list(&[9])), Ok(list(&[1, 2])));
        assert_eq!(typed("", list(&[9])), Ok(list(&[])));
        let json = r#"{"a": 1}"#;
        assert_eq!(typed(json, Value::Json("[]".into())), Ok(Value::Json(json.into())));
        assert_eq!(one("5", None, true), Ok(Value::from("5")));
    }

    #[test]
    fn a_text_that_is_none_is_refused_with_an_example() {
        let day = Value::Date("2026-01-02".parse().unwrap());
        let refused = typed("tomorrow", day).unwrap_err();
        assert_eq!(
            refused,
            "\"tomorrow\" is not a day, which the field holds: write it as 2026-02-28"
        );
        let day = Value::Date("2026-01-02".parse().unwrap());
        let masked = one("tomorrow", Some(&day), true).unwrap_err();
        assert_eq!(masked, "(masked) is not a day, which the field holds: write it as 2026-02-28");
        for (text, like) in [
            ("yes", Value::Bool(true)),
            ("1,5", Value::Int(1)),
            ("{", Value::Json("{}".into())),
            ("\\x0", Value::Bytes(Arc::from([]))),
            ("\\x+1", Value::Bytes(Arc::from([]))),
        ] {
            assert!(typed(text, like).is_err(), "{text}");
        }
    }

    #[test]
    fn each_field_of_a_unit_gets_a_value() {
        let left = Shown {
            values: vec![Value::Null, Value::from("b")],
            base: vec![Value::Int(3), Value::Absent],
            ..Shown::default()
        };
        let texts =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let values = read(&texts(&["4", "5"]), &left, true);
        assert_eq!(values, Ok(vec![Value::Int(4), Value::from("5")]));
        assert!(read(&texts(&["4"]), &left, false).unwrap_err().contains("2 fields"));
    }
}
