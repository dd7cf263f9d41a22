use proptest::prelude::*;
use syncline_sdk::Normalizer;

use super::*;

fn read(wire: Wire, json: &str) -> Value {
    decode(wire, &RawValue::from_string(json.to_owned()).unwrap())
}

fn written(wire: Wire, value: &Value) -> String {
    encode(wire, value).unwrap().unwrap().get().to_owned()
}

#[test]
fn recorded_forms_are_read() {
    let at = Value::Instant(Instant::from_micros(1_795_248_000_000_000));
    for text in [
        "2026-11-21T08:00:00.000+0000",
        "2026-11-21T08:00:00Z",
        "2026-11-21T08:00:00.999Z",
        "2026-11-21T09:00:00+01:00",
    ] {
        assert_eq!(read(Wire::Instant, &format!("{text:?}")), at, "{text}");
    }
    assert_eq!(read(Wire::Number, "5.0"), Value::Decimal("5".parse().unwrap()));
    assert_eq!(read(Wire::Number, "1.5E10"), Value::Decimal("15000000000".parse().unwrap()));
    assert_eq!(
        read(Wire::Number, "0.1000000000000000055511151231257827"),
        Value::Decimal("0.1000000000000000055511151231257827".parse().unwrap())
    );
    assert_eq!(read(Wire::Int, "7.0"), Value::Int(7));
    assert_eq!(read(Wire::Set, "\"A;B\""), Value::List(vec!["A".into(), "B".into()].into()));
    assert_eq!(read(Wire::Date, "\"2026-11-21\"").to_string(), "2026-11-21");
    assert_eq!(read(Wire::Time, "\"12:34:56.000Z\"").to_string(), "12:34:56");
    assert_eq!(read(Wire::Lines, "\"a\\r\\nb\""), Value::from("a\nb"));
    assert_eq!(read(Wire::Id, "\"a001a000002zhZK\""), Value::from("a001a000002zhZKAAY"));
    assert_eq!(read(Wire::Opaque, "{\"city\":\"x\"}"), Value::Absent);
    assert_eq!(read(Wire::Text, "null"), Value::Null);
    assert_eq!(read(Wire::Date, "\"soon\""), Value::Raw("\"soon\"".into()));
}

#[test]
fn values_are_written_in_their_form() {
    let at = Value::Instant(Instant::from_micros(1_795_248_000_999_999));
    assert_eq!(written(Wire::Instant, &at), "\"2026-11-21T08:00:00.000Z\"");
    assert_eq!(written(Wire::Bool, &Value::Null), "false");
    assert_eq!(written(Wire::Text, &Value::Null), "null");
    assert_eq!(written(Wire::Set, &Value::List(Arc::from([]))), "null");
    assert!(encode(Wire::Text, &Value::Absent).unwrap().is_none());
    let number = |text: &str| Value::Decimal(text.parse().unwrap());
    assert_eq!(written(Wire::Number, &number("123456789.012345")), "123456789.012345");
    assert_eq!(written(Wire::Number, &number("86319.63014144775355")), "86319.6301414478");
    assert_eq!(written(Wire::Number, &Value::Int(i64::MAX)), "9223372036854780000");
    assert_eq!(written(Wire::Int, &Value::Int(i64::MAX)), i64::MAX.to_string());
}

#[test]
fn misfits_are_refused_here() {
    for (wire, value) in [
        (Wire::Date, Value::from("tomorrow")),
        (Wire::Number, Value::from("12")),
        (Wire::Number, Value::Decimal("NaN".parse().unwrap())),
        (Wire::Id, Value::from("42")),
        (Wire::Set, Value::List(vec!["a;b".into()].into())),
        (Wire::Int, Value::Decimal("1.5".parse().unwrap())),
        (Wire::Opaque, Value::from("x")),
        (Wire::Bool, Value::from("true")),
    ] {
        assert!(encode(wire, &value).is_err(), "{wire:?} {value:?}");
    }
}

fn decimals() -> impl Strategy<Value = Value> {
    "-?[0-9]{1,30}(\\.[0-9]{1,20})?".prop_map(|text| Value::Decimal(text.parse().unwrap()))
}

proptest! {
    #[test]
    fn numbers_survive_to_15_digits(value in decimals()) {
        let Value::Decimal(sent) = &value else { unreachable!() };
        let kept = Value::Decimal(sent.round_significant(DIGITS));
        let json = written(Wire::Number, &value);
        prop_assert_eq!(read(Wire::Number, &json), kept.clone());
        // A double in between changes nothing.
        let double: f64 = json.parse().unwrap();
        let back = read(Wire::Number, &format!("{double:?}"));
        prop_assert_eq!(Normalizer::SignificantDigits(15).apply(back), kept);
    }
    #[test]
    fn texts_survive(text in ".*") {
        let value = Value::from(text);
        prop_assert_eq!(read(Wire::Text, &written(Wire::Text, &value)), value);
    }
    #[test]
    fn instants_survive_to_the_second(seconds in -8_000_000_000_i64..64_000_000_000) {
        let value = Value::Instant(Instant::new(seconds * 1_000_000, Precision::Second));
        prop_assert_eq!(read(Wire::Instant, &written(Wire::Instant, &value)), value);
    }
    #[test]
    fn sets_survive(members in proptest::collection::vec("[^;]{1,8}", 1..5)) {
        let value = Value::List(members.into_iter().map(Value::from).collect());
        prop_assert_eq!(read(Wire::Set, &written(Wire::Set, &value)), value);
    }
    #[test]
    fn writing_what_was_read_changes_nothing(text in "[ -~]{0,20}\r?\n?[ -~]{0,20}") {
        let once = read(Wire::Lines, &written(Wire::Lines, &Value::from(text)));
        prop_assert_eq!(read(Wire::Lines, &written(Wire::Lines, &once)), once);
    }
}
