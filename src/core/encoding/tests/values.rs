//! Values of every kind.

use proptest::prelude::*;
use syncline_sdk::{Decimal, Instant, LinkId, Precision, Value};
use uuid::Uuid;

pub(super) fn any() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Absent),
        Just(Value::Null),
        Just(Value::from("")),
        any_of(Value::Bool),
        any_of(Value::Int),
        (-70i64..70).prop_map(Value::Int),
        decimal().prop_map(Value::Decimal),
        ".{0,8}".prop_map(|text| Value::text(text.as_str())),
        "[a-zß]{100,200}".prop_map(|text| Value::text(text.as_str())),
        prop::collection::vec(proptest::prelude::any::<u8>(), 0..20)
            .prop_map(|bytes| Value::Bytes(bytes.into())),
        (-9999i16..=9999, 1i8..=12, 1i8..=28)
            .prop_map(|(year, month, day)| Value::Date(jiff::civil::date(year, month, day))),
        (0i8..24, 0i8..60, 0i8..60, 0i32..1_000_000_000)
            .prop_map(|(h, m, s, n)| Value::Time(jiff::civil::time(h, m, s, n))),
        instant().prop_map(Value::Instant),
        uuid().prop_map(Value::Uuid),
        ".{0,8}".prop_map(|text| Value::Json(text.into())),
        uuid().prop_map(|id| Value::Link(LinkId(id))),
        ".{0,8}".prop_map(|text| Value::Raw(text.into())),
    ];
    leaf.prop_recursive(4, 20, 5, |item| {
        prop::collection::vec(item, 0..5).prop_map(|items| Value::List(items.into()))
    })
}

fn any_of<T: Arbitrary + Clone + 'static>(
    make: impl Fn(T) -> Value + 'static,
) -> impl Strategy<Value = Value> {
    proptest::prelude::any::<T>().prop_map(make)
}

fn decimal() -> impl Strategy<Value = Decimal> {
    let text =
        prop_oneof!["-?[0-9]{1,30}(\\.[0-9]{1,20})?", "NaN|-?Infinity", "[0-9]{1,3}e-?[0-9]"];
    text.prop_map(|text: String| text.parse().unwrap())
}

pub(super) fn instant() -> impl Strategy<Value = Instant> {
    let precision =
        prop_oneof![Just(Precision::Second), Just(Precision::Milli), Just(Precision::Micro)];
    let micros = i64::MIN / 2..i64::MAX / 2;
    (micros, precision).prop_map(|(micros, precision)| Instant::new(micros, precision))
}

pub(super) fn uuid() -> impl Strategy<Value = Uuid> {
    proptest::prelude::any::<u128>().prop_map(Uuid::from_u128)
}
