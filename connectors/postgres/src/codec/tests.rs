//! Exactness of the codec; the server's own part is tested against a cluster.

use proptest::prelude::*;
use syncline_sdk::{Precision, Value};

use super::*;

const MICRO: Kind = Kind::TimestampTz { precision: Precision::Micro };

fn text_of(kind: &Kind, value: &Value) -> Option<String> {
    encode(kind, value).unwrap().map(std::borrow::Cow::into_owned)
}

fn numeric() -> Kind {
    Kind::Numeric { precision: None, scale: None }
}

/// The text comes back exactly, and the value is of the kind that is meant.
fn check(kind: &Kind, text: &str, name: &str) {
    let value = decode(kind, text);
    assert_eq!(value.kind(), name, "{text}");
    assert_eq!(text_of(kind, &value).as_deref(), Some(text));
}

#[test]
fn each_type_comes_back_as_the_text_it_was() {
    let int = Kind::Int { min: i64::MIN, max: i64::MAX };
    let plain = Kind::Timestamp { precision: Precision::Micro };
    check(&Kind::Bool, "t", "boolean");
    check(&int, "-9223372036854775808", "integer");
    check(&Kind::Float, "1.5", "decimal");
    check(&numeric(), "NaN", "decimal");
    check(&numeric(), &format!("{}.{}", "9".repeat(500), "1".repeat(500)), "decimal");
    check(&Kind::Bytes, "\\x00ff10", "bytes");
    check(&Kind::Bytes, "\\x", "bytes");
    check(&Kind::Date, "2024-02-29", "date");
    check(&Kind::Date, "0044-03-15 BC", "date");
    check(&Kind::Date, "infinity", "raw");
    check(&Kind::Date, "12024-02-29", "raw");
    check(&Kind::Time, "23:59:59.000001", "time");
    check(&Kind::Time, "24:00:00", "raw");
    check(&MICRO, "2024-01-02 03:04:05.12+00", "instant");
    check(&MICRO, "0044-03-15 01:00:00+00 BC", "instant");
    check(&MICRO, "-infinity", "raw");
    check(&plain, "1999-12-31 23:59:59.999999", "instant");
    check(&plain, "0001-01-01 00:00:00 BC", "instant");
    check(&Kind::Uuid, "018f0000-0000-7000-8000-0000000000ff", "uuid");
    check(&Kind::Json, "{\"a\":  1}", "json");
    check(&Kind::Raw, "1 mon 2 days", "raw");
}

#[test]
fn floats_and_padding_are_read_as_what_they_mean() {
    assert_eq!(decode(&Kind::Float, "1e+20"), decode(&numeric(), "100000000000000000000"));
    assert_eq!(decode(&Kind::Char { chars_max: Some(5) }, "ab   "), Value::from("ab"));
    assert_eq!(decode(&Kind::Text { chars_max: None }, ""), Value::from(""));
}

#[test]
fn arrays_of_one_dimension_are_lists() {
    let texts = Kind::Array(Box::new(Kind::Text { chars_max: None }));
    let value = decode(&texts, r#"{a,"b, \"c\\",NULL,"NULL",""}"#);
    let wanted: Vec<Value> =
        vec!["a".into(), "b, \"c\\".into(), Value::Null, "NULL".into(), "".into()];
    assert_eq!(value, Value::List(wanted.into()));
    assert_eq!(decode(&texts, "{}"), Value::List(Vec::new().into()));
    for raw in ["{{a},{b}}", "[0:1]={a,b}", "{a", "a}", "{\"a\"b}"] {
        assert_eq!(decode(&texts, raw).kind(), "raw", "{raw}");
    }
}

#[test]
fn what_cannot_be_written_says_why() {
    let text = Kind::Text { chars_max: None };
    assert!(encode(&text, &Value::Absent).is_err());
    assert!(encode(&text, &Value::from("a\0b")).unwrap_err().contains("NUL"));
    assert_eq!(encode(&text, &Value::Null).unwrap(), None);
}

proptest! {
    #[test]
    fn lists_of_any_text_come_back(items in proptest::collection::vec(
        proptest::option::of("[^\0]{0,12}"), 0..6))
    {
        let kind = Kind::Array(Box::new(Kind::Text { chars_max: None }));
        let list: Vec<Value> =
            items.into_iter().map(|item| item.map_or(Value::Null, Value::from)).collect();
        let value = Value::List(list.into());
        let text = text_of(&kind, &value).unwrap();
        prop_assert_eq!(decode(&kind, &text), value);
    }

    #[test]
    fn instants_come_back(micros in -62_167_219_200_000_000_i64..253_402_207_200_000_000) {
        let value = Value::Instant(syncline_sdk::Instant::from_micros(micros));
        let text = text_of(&MICRO, &value).unwrap();
        prop_assert_eq!(decode(&MICRO, &text), value);
    }

    #[test]
    fn bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let value = Value::Bytes(bytes.into());
        let text = text_of(&Kind::Bytes, &value).unwrap();
        prop_assert_eq!(decode(&Kind::Bytes, &text), value);
    }

    #[test]
    fn no_text_breaks_the_decoder(text in ".{0,40}") {
        let item = Box::new(Kind::Date);
        for kind in [Kind::Bool, Kind::Date, Kind::Time, MICRO, Kind::Bytes, Kind::Uuid,
            Kind::Float, numeric(), Kind::Array(item)]
        {
            let value = decode(&kind, &text);
            prop_assert!(value.is_present());
        }
    }
}
