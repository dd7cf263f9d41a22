//! Conditions on captured records.

use proptest::prelude::*;
use syncline_sdk::{Comparison, FieldName, Filter, Value};

use crate::mapping::passes;

fn compare(comparison: Comparison, value: Value) -> Filter {
    Filter::Compare { field: "f".into(), comparison, value }
}

fn holds(filter: &Filter, value: &Value) -> bool {
    passes(filter, |name: &FieldName| (name.as_str() == "f").then_some(value))
}

#[test]
fn null_differs_from_every_value_and_has_no_order() {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let null = Value::Null;
    assert!(holds(&compare(NotEqual, "x".into()), &null));
    assert!(!holds(&compare(Equal, "x".into()), &null));
    assert!(holds(&compare(Equal, Value::Null), &null));
    assert!(!holds(&compare(NotEqual, Value::Null), &null));
    for comparison in [Less, LessOrEqual, Greater, GreaterOrEqual] {
        assert!(!holds(&compare(comparison, 5.into()), &null), "{comparison:?}");
    }
    let list = Filter::In { field: "f".into(), values: vec![1.into(), 2.into()] };
    assert!(!holds(&list, &null));
    assert!(holds(&Filter::Not(Box::new(list)), &null));
}

#[test]
fn numbers_compare_by_value_whatever_their_kind() {
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    assert!(holds(&compare(Comparison::Equal, decimal("5.00")), &5.into()));
    assert!(holds(&compare(Comparison::Less, 6.into()), &decimal("5.99")));
    assert!(holds(&compare(Comparison::Greater, 6.into()), &decimal("6.01")));
    assert!(!holds(&compare(Comparison::Less, "9".into()), &5.into()), "kinds that do not compare");
}

#[test]
fn a_record_never_leaves_because_a_field_could_not_be_read() {
    let equal = compare(Comparison::Equal, 5.into());
    let other = compare(Comparison::Equal, 6.into());
    assert!(holds(&equal, &Value::Absent));
    assert!(holds(&Filter::Not(Box::new(equal.clone())), &Value::Absent));
    assert!(holds(&Filter::And(vec![equal.clone(), other.clone()]), &Value::Absent));
    assert!(passes(&equal, |_: &FieldName| None::<&Value>));
    // What is known still decides.
    let value = Value::from(6);
    let known = |name: &FieldName| (name.as_str() == "f").then_some(&value);
    let unknown =
        Filter::Compare { field: "g".into(), comparison: Comparison::Equal, value: 1.into() };
    assert!(!passes(&Filter::And(vec![unknown.clone(), equal.clone()]), known));
    assert!(passes(&Filter::Or(vec![unknown.clone(), equal]), known));
    assert!(passes(&Filter::Or(vec![unknown, other]), known));
}

#[test]
fn empty_joins_are_the_neutral_ones() {
    assert!(holds(&Filter::And(Vec::new()), &1.into()));
    assert!(!holds(&Filter::Or(Vec::new()), &1.into()));
}

proptest! {
    #[test]
    fn comparisons_of_present_values_are_consistent(a in any::<i64>(), b in any::<i64>()) {
        let test = |comparison| holds(&compare(comparison, b.into()), &a.into());
        prop_assert_eq!(test(Comparison::Equal), a == b);
        prop_assert_eq!(test(Comparison::NotEqual), a != b);
        prop_assert_eq!(test(Comparison::Less), a < b);
        prop_assert_eq!(test(Comparison::LessOrEqual), a <= b);
        prop_assert_eq!(test(Comparison::Greater), a > b);
        prop_assert_eq!(test(Comparison::GreaterOrEqual), a >= b);
    }

    #[test]
    fn not_of_a_known_verdict_is_its_opposite(a in any::<i8>(), b in any::<i8>()) {
        let filter = compare(Comparison::LessOrEqual, i64::from(b).into());
        let value = Value::from(i64::from(a));
        let verdict = holds(&filter, &value);
        prop_assert_eq!(holds(&Filter::Not(Box::new(filter)), &value), !verdict);
    }
}
