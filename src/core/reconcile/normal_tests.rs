//! Pairs with a normal form: what is compared, what is written, and what is left as it is.

use syncline_sdk::{FieldType, Normalizer, Value};

use super::tests::{link_of, mapping_of};
use super::{UnitPlan, agrees, both_written, decide_unit};
use crate::mapping::{Direction, Initial, Mapping, Pair, Policy, Unit, ValueTable};
use crate::model::Link;
use crate::{Side, Sides};

const TEXT: FieldType = FieldType::Text { chars_max: None };

fn mapping(direction: Direction, conflict: Policy) -> Mapping {
    let normalize = vec![Normalizer::Trim, Normalizer::Lowercase, Normalizer::EmptyToNull];
    let pair = Pair { normalize, ..Pair::plain(0, 0) };
    let unit = Unit { direction, conflict, ..Unit::of("f", pair) };
    mapping_of(vec![TEXT], vec![TEXT], vec![unit])
}

fn values() -> [Value; 6] {
    [Value::Null, "".into(), "a".into(), "A".into(), " a ".into(), "B".into()]
}

fn link(base: Option<[&Value; 2]>, now: [&Value; 2]) -> Link {
    let one = |value: &Value| vec![value.clone()];
    link_of(base.map(|base| base.map(one)), now.map(one))
}

fn normal(mapping: &Mapping, value: &Value) -> Value {
    mapping.units[0].pairs[0].normal(value.clone())
}

/// Every pair that was just matched, and every pair that agreed on values of one normal form and
/// shows others now.
fn every_case(mut check: impl FnMut(&Link, [&Value; 2])) {
    let values = values();
    for left in &values {
        for right in &values {
            check(&link(None, [left, right]), [left, right]);
            for base in [["a", "a"], [" a ", "a"], ["A", " a "]].map(|base| base.map(Value::from)) {
                check(&link(Some([&base[0], &base[1]]), [left, right]), [left, right]);
            }
        }
    }
}

#[test]
fn what_is_written_is_the_normal_form_and_never_what_is_there_already() {
    for direction in [Direction::Both, Direction::ToLeft, Direction::ToRight] {
        for conflict in [Policy::Review, Policy::Wins(Side::Left), Policy::MergeText] {
            let mut mapping = mapping(direction, conflict);
            mapping.initial = Initial::Wins(Side::Right);
            every_case(|link, now| {
                let plan = decide_unit(&mapping, link, 0);
                let written = match &plan {
                    UnitPlan::Write { to, fields, .. } => vec![(*to, fields)],
                    UnitPlan::Merge(fields) => {
                        vec![(Side::Left, &fields.left), (Side::Right, &fields.right)]
                    }
                    _ => Vec::new(),
                };
                let mut now = now.map(Clone::clone);
                for (to, fields) in written {
                    let [field] = fields.as_slice() else { panic!("{fields:?}") };
                    assert_eq!(field.value, normal(&mapping, &field.value), "{link:?}");
                    let held = normal(&mapping, &now[to as usize]);
                    assert_ne!(held, field.value, "the same was written: {link:?}");
                    now[to as usize] = field.image.clone();
                }
                if matches!(plan, UnitPlan::Write { .. } | UnitPlan::Merge(_) | UnitPlan::Agree) {
                    let [left, right] = now.each_ref().map(|value| normal(&mapping, value));
                    assert_eq!(left, right, "{plan:?} leaves the sides apart: {link:?}");
                    let after = self::link(Some([&now[0], &now[1]]), [&now[0], &now[1]]);
                    assert_eq!(decide_unit(&mapping, &after, 0), UnitPlan::Rest);
                }
            });
        }
    }
}

#[test]
fn values_of_one_normal_form_agree_and_stay_as_they_are() {
    let mapping = mapping(Direction::Both, Policy::Review);
    every_case(|link, now| {
        let same = normal(&mapping, now[0]) == normal(&mapping, now[1]);
        assert_eq!(agrees(&mapping, link, 0), same, "{link:?}");
        let plan = decide_unit(&mapping, link, 0);
        assert!(!same || matches!(plan, UnitPlan::Agree | UnitPlan::Rest), "{plan:?} of {link:?}");
    });
}

#[test]
fn a_typed_value_is_stored_in_normal_form() {
    let mapping = mapping(Direction::Both, Policy::Review);
    let differ = link(None, [&" A ".into(), &"b".into()]);
    let typed = |value: &str| both_written(&mapping, &differ, 0, vec![value.into()]).unwrap();
    let written = |fields: &Sides<Vec<crate::model::WrittenField>>| {
        [&fields.left, &fields.right].map(|side| side[0].value.clone())
    };
    assert_eq!(written(&typed(" C")), ["c".into(), "c".into()]);
    assert_eq!(written(&typed("A")), [" A ".into(), "a".into()], "the same is not written anew");
}

#[test]
fn a_table_is_looked_up_by_normal_forms_and_its_words_are_stored_as_they_are() {
    let mut mapping = mapping(Direction::Both, Policy::Review);
    let table = ValueTable { pairs: vec![("Banking".into(), "BNK".into())] };
    mapping.units[0].pairs[0].values = Some(table);
    let put = |to: Side, value: &str| {
        let target = &mapping.sides[to].fields[0];
        mapping.units[0].pairs[0].put(to, &value.into(), &Value::Absent, target).unwrap()
    };
    assert_eq!(put(Side::Right, " banking"), "BNK".into());
    assert_eq!(put(Side::Left, "bnk "), "Banking".into());
    assert!(agrees(&mapping, &link(None, [&"BANKING".into(), &" bnk".into()]), 0));
}
