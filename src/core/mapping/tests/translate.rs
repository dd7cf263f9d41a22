//! Values on their way to the other side: exact, or not at all.

use proptest::prelude::*;
use syncline_sdk::{Decimal, FieldType, Instant, Normalizer, Precision, Value};

use crate::mapping::{MappedField, MappingId, NoImage, Pair, ValueTable, convert};
use crate::{Side, Sides};

fn field(kind: FieldType) -> MappedField {
    MappedField {
        name: "f".into(),
        kind,
        nullable: true,
        creatable: true,
        updatable: true,
        normalizers: Vec::new(),
        sensitive: false,
        filled: false,
    }
}

fn text(max: u32) -> MappedField {
    field(FieldType::Text { chars_max: Some(max) })
}

fn decimal(digits: &str) -> Value {
    Value::Decimal(digits.parse().unwrap())
}

fn number(precision: u32, scale: u32) -> MappedField {
    field(FieldType::Decimal { precision: Some(precision), scale: Some(scale) })
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason_and_never_cut() {
    let int = field(FieldType::Int { min: -10, max: 10 });
    let list = field(FieldType::Enum { values: vec!["a".into()], restricted: true });
    let seconds = field(FieldType::Instant { precision: Precision::Second });
    let cases = [
        ("abcd".into(), text(3), "it has 4 characters and the field takes 3"),
        ("äöüß".into(), text(3), "it has 4 characters and the field takes 3"),
        (11.into(), int.clone(), "11 is outside the field's range"),
        (decimal("1.5"), int.clone(), "the field would lose the digits after the point"),
        ("ten".into(), int.clone(), "\"ten\" is outside the field's range"),
        (true.into(), int, "a boolean cannot be stored as integer"),
        (decimal("1.234"), number(5, 2), "the field would lose digits of 1.234"),
        (decimal("1234"), number(5, 2), "1234 is outside the field's range"),
        (decimal("NaN"), number(5, 2), "NaN is outside the field's range"),
        ("b".into(), list, "\"b\" is not one of the field's values"),
        (
            Value::Instant(Instant::from_micros(1_500_000)),
            seconds,
            "the field would lose the fraction of 1970-01-01T00:00:01.5Z",
        ),
        ("maybe".into(), field(FieldType::Bool), "\"maybe\" is not one of the field's values"),
        ("x".into(), field(FieldType::Json), "a text cannot be stored as json"),
        ("noon".into(), field(FieldType::Time), "\"noon\" is outside the field's range"),
        (
            "2024-05-31T22:30:00".into(),
            field(FieldType::Time),
            "\"2024-05-31T22:30:00\" is outside the field's range",
        ),
        (
            "2024-05-31T22:30:00".into(),
            field(FieldType::Date),
            "\"2024-05-31T22:30:00\" is outside the field's range",
        ),
    ];
    for (value, target, reason) in cases {
        let refused = convert(value.clone(), &target).unwrap_err();
        assert_eq!(refused.to_string(), reason, "{value:?} into {:?}", target.kind);
    }
}

#[test]
fn values_change_their_kind_only_where_nothing_is_lost() {
    let int = field(FieldType::Int { min: -10, max: 10 });
    let cases = [
        (decimal("7.00"), int.clone(), Value::Int(7)),
        (" 7 ".into(), int, Value::Int(7)),
        (7.into(), number(5, 2), Value::Decimal(Decimal::from(7))),
        (decimal("1.50"), text(4), "1.50".into()),
        (true.into(), text(5), "true".into()),
        ("TRUE".into(), field(FieldType::Bool), true.into()),
        ("2024-05-31".into(), field(FieldType::Date), Value::Date("2024-05-31".parse().unwrap())),
        ("23:13:20".into(), field(FieldType::Time), Value::Time("23:13:20".parse().unwrap())),
        ("09:30".into(), field(FieldType::Time), Value::Time("09:30:00".parse().unwrap())),
    ];
    for (value, target, stored) in cases {
        assert_eq!(convert(value.clone(), &target).unwrap(), stored, "{value:?}");
    }
}

#[test]
fn null_goes_only_where_null_or_its_image_may_be() {
    let required = |normalizers| MappedField { nullable: false, normalizers, ..text(9) };
    assert_eq!(convert(Value::Null, &text(9)), Ok(Value::Null));
    assert_eq!(convert(Value::Null, &required(Vec::new())), Err(NoImage::NotNullable));
    let filled = required(vec![Normalizer::NullToEmpty]);
    assert_eq!(convert(Value::Null, &filled), Ok(Value::Null));
}

#[test]
fn a_declared_cut_is_the_agreed_image() {
    let mut seconds = field(FieldType::Instant { precision: Precision::Second });
    seconds.normalizers = vec![Normalizer::Truncate(Precision::Second)];
    let pair = Pair::plain(0, 0);
    let fine = Value::Instant(Instant::from_micros(1_500_000));
    let stored = pair.image(Side::Left, &fine, &Value::Absent, &seconds).unwrap();
    assert_eq!(stored, Value::Instant(Instant::from_micros(1_000_000)));
    let mut trimmed = text(3);
    trimmed.normalizers = vec![Normalizer::Trim];
    assert_eq!(
        pair.image(Side::Left, &"  abc  ".into(), &Value::Absent, &trimmed),
        Ok("abc".into())
    );
}

#[test]
fn tables_translate_and_refuse_what_they_do_not_have() {
    let table = ValueTable { pairs: vec![("Banking".into(), "BNK".into())] };
    let pair = Pair { values: Some(table), ..Pair::plain(0, 0) };
    assert_eq!(
        pair.put(Side::Right, &"Banking".into(), &Value::Absent, &text(3)),
        Ok("BNK".into())
    );
    assert_eq!(pair.put(Side::Left, &"BNK".into(), &Value::Absent, &text(9)), Ok("Banking".into()));
    let missing = Err(NoImage::NotInTable("Energy".into()));
    assert_eq!(pair.put(Side::Right, &"Energy".into(), &Value::Absent, &text(9)), missing);
    assert_eq!(pair.put(Side::Right, &Value::Null, &Value::Absent, &text(9)), Ok(Value::Null));
    assert_eq!(
        pair.put(Side::Right, &Value::Absent, &Value::Absent, &text(9)),
        Err(NoImage::Absent)
    );
}

#[test]
fn a_default_that_no_table_has_stands_for_nothing_on_its_way_back() {
    let table = ValueTable { pairs: vec![("Mr.".into(), "mr".into())] };
    let default = Sides { left: None, right: Some("none".into()) };
    let pair = Pair { values: Some(table), default, ..Pair::plain(0, 0) };
    let put = |to: Side, value: Value| pair.put(to, &value, &Value::Absent, &text(9));
    assert_eq!(put(Side::Right, Value::Null), Ok("none".into()));
    assert_eq!(put(Side::Left, "none".into()), Ok(Value::Null));
    assert_eq!(put(Side::Left, "mr".into()), Ok("Mr.".into()));
    assert_eq!(put(Side::Left, "ms".into()), Err(NoImage::NotInTable("ms".into())));
    assert_eq!(put(Side::Right, "none".into()), Err(NoImage::NotInTable("none".into())));
}

#[test]
fn a_reference_travels_as_a_link_only() {
    let pair = Pair { reference: Some(MappingId(1)), ..Pair::plain(0, 0) };
    let target = field(FieldType::Uuid);
    let link = Value::Link(syncline_sdk::LinkId(uuid::Uuid::nil()));
    assert_eq!(pair.put(Side::Right, &link, &Value::Absent, &target), Ok(link.clone()));
    let native = pair.put(Side::Right, &"001A".into(), &Value::Absent, &target);
    assert_eq!(native, Err(NoImage::NoParent("001A".into())));
    assert_eq!(pair.put(Side::Right, &Value::Null, &Value::Absent, &target), Ok(Value::Null));
}

proptest! {
    #[test]
    fn a_number_that_goes_there_comes_back(whole in -99_999_i64..99_999, cents in 0..100_u32) {
        let value = decimal(&format!("{whole}.{cents:02}"));
        let there = convert(value.clone(), &number(7, 2)).unwrap();
        prop_assert_eq!(&there, &value);
        let shown = convert(there, &text(20)).unwrap();
        prop_assert_eq!(convert(shown, &number(7, 2)).unwrap(), value);
    }

    #[test]
    fn text_is_stored_whole_or_refused(value in "\\PC{0,12}", max in 0..12_u32) {
        let chars = u32::try_from(value.chars().count()).unwrap();
        match convert(value.as_str().into(), &text(max)) {
            Ok(stored) => prop_assert!(chars <= max && stored == Value::from(value)),
            Err(refused) => {
                prop_assert_eq!(refused, NoImage::TooLong { chars, chars_max: max });
                prop_assert!(chars > max);
            }
        }
    }

    #[test]
    fn a_refusal_depends_on_the_value_alone(number in any::<i64>()) {
        let target = field(FieldType::Int { min: -100, max: 100 });
        let once = convert(number.into(), &target);
        prop_assert_eq!(once.is_ok(), (-100..=100).contains(&number));
        prop_assert_eq!(once, convert(number.into(), &target));
    }
}
