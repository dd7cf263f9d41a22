//! The policies of protocol 5.1 and the rules of units, on small cases.

use syncline_sdk::{Decimal, FieldType, Instant, Precision, Value};

use super::tests::{link_of, mapping_of};
use super::{UnitPlan, decide_unit};
use crate::mapping::{
    Computed, Direction, ForeignEdits, Formula, Mapping, Pair, Policy, Unit, Unowned, ValueTable,
};
use crate::model::{Link, Verdict};
use crate::{Side, Sides};

const TEXT: FieldType = FieldType::Text { chars_max: None };

fn one(kind: FieldType, conflict: Policy) -> Mapping {
    let unit = Unit { conflict, ..Unit::of("f", Pair::plain(0, 0)) };
    mapping_of(vec![kind.clone()], vec![kind], vec![unit])
}

fn pair(base: &Value, left: &Value, right: &Value) -> Link {
    let one = |value: &Value| vec![value.clone()];
    link_of(Some([one(base), one(base)]), [one(left), one(right)])
}

fn list(members: &[&str]) -> Value {
    Value::List(members.iter().map(|member| Value::from(*member)).collect())
}

/// What both sides hold after the plan: nothing when a person is asked.
fn result(mapping: &Mapping, link: &Link) -> Option<[Value; 2]> {
    let mut now = [Side::Left, Side::Right].map(|side| link.observed(side, 0).clone());
    match decide_unit(mapping, link, 0) {
        UnitPlan::Merge(fields) => {
            now = [fields.left[0].image.clone(), fields.right[0].image.clone()];
        }
        UnitPlan::Write { to, fields, .. } => now[to as usize] = fields[0].image.clone(),
        UnitPlan::Agree | UnitPlan::Rest => {}
        UnitPlan::Hold => return None,
        other => panic!("{other:?}"),
    }
    Some(now)
}

/// Every policy of the table is commutative, and neutral where one side alone changed.
fn holds_its_laws(kind: &FieldType, policy: Policy, values: &[Value]) {
    let mapping = one(kind.clone(), policy);
    for base in values {
        for left in values {
            for right in values {
                let there = result(&mapping, &pair(base, left, right));
                let back = result(&mapping, &pair(base, right, left));
                if left == base || right == base {
                    let changed = if left == base { right } else { left };
                    let both = Some([changed.clone(), changed.clone()]);
                    assert_eq!(there, both, "{policy:?} is not neutral");
                    continue;
                }
                assert_eq!(there, back, "{policy:?} of {base:?}, {left:?}, {right:?}");
                if let Some([one, other]) = there {
                    assert_eq!(one, other, "{policy:?} leaves the sides apart");
                }
            }
        }
    }
}

#[test]
fn policies_hold_their_laws() {
    let int = FieldType::Int { min: -99, max: 99 };
    let numbers = [3, 5, 7, -2].map(Value::Int);
    for policy in [Policy::Max, Policy::Min, Policy::Counter] {
        holds_its_laws(&int, policy, &numbers);
    }
    let set = FieldType::List(Box::new(TEXT));
    let sets = [list(&[]), list(&["a"]), list(&["b"]), list(&["a", "b"]), list(&["a", "b", "c"])];
    holds_its_laws(&set, Policy::MergeSet, &sets);
    let texts = ["a\nb\nc\n", "a\nb\nc\nd\n", "z\na\nb\nc\n", "a\nx\nc\n"].map(Value::from);
    holds_its_laws(&TEXT, Policy::MergeText, &texts);
}

#[test]
fn a_counter_adds_up_both_changes() {
    let decimal = FieldType::Decimal { precision: Some(10), scale: Some(2) };
    let amount = |text: &str| Value::Decimal(text.parse::<Decimal>().unwrap());
    let mapping = one(decimal, Policy::Counter);
    let merged = result(&mapping, &pair(&amount("10"), &amount("12.5"), &amount("9")));
    assert_eq!(merged, Some([amount("11.5"), amount("11.5")]));
    // A cleared field is no number, and a sum beyond the field's range no value.
    assert_eq!(result(&mapping, &pair(&amount("1"), &amount("2"), &Value::Null)), None);
    let small = one(FieldType::Int { min: 0, max: 9 }, Policy::Counter);
    let int = Value::Int;
    let plan = decide_unit(&small, &pair(&int(5), &int(1), &int(0)), 0);
    assert!(matches!(plan, UnitPlan::NoImage(Side::Left, _)), "{plan:?}");
}

#[test]
fn members_added_and_taken_away_are_kept_so() {
    let mapping = one(FieldType::List(Box::new(TEXT)), Policy::MergeSet);
    let link = pair(&list(&["a", "b"]), &list(&["b", "d"]), &list(&["a", "b", "c"]));
    let both = list(&["b", "c", "d"]);
    assert_eq!(result(&mapping, &link), Some([both.clone(), both]));
    let empty = pair(&list(&["a"]), &Value::Null, &list(&["a", "b"]));
    assert_eq!(result(&mapping, &empty), Some([list(&["b"]), list(&["b"])]));
}

#[test]
fn overlapping_lines_wait_for_a_person() {
    let mapping = one(TEXT, Policy::MergeText);
    let text = Value::from;
    let link = pair(&text("a\nb\n"), &text("a\nx\n"), &text("a\ny\n"));
    assert_eq!(decide_unit(&mapping, &link, 0), UnitPlan::Hold);
    let apart = pair(&text("a\r\nb\r\nc"), &text("A\r\nb\r\nc"), &text("a\nb\nC"));
    let [left, right] = result(&mapping, &apart).unwrap();
    assert_eq!(left, text("A\r\nb\r\nC"));
    assert_eq!(left, right);
}

#[test]
fn the_newest_wins_only_beyond_doubt() {
    let mapping = one(TEXT, Policy::Newest);
    let (base, left, right) = (Value::from("a"), Value::from("b"), Value::from("c"));
    let mut link = pair(&base, &left, &right);
    assert_eq!(decide_unit(&mapping, &link, 0), UnitPlan::Hold, "no side told a time");
    let at = |seconds: i64| Some(Instant::new(seconds * 1_000_000, Precision::Second));
    link.pending.left.at = at(100);
    link.pending.right.at = at(104);
    assert_eq!(decide_unit(&mapping, &link, 0), UnitPlan::Hold, "within the skew");
    link.pending.right.at = at(106);
    let plan = decide_unit(&mapping, &link, 0);
    assert!(matches!(plan, UnitPlan::Write { to: Side::Left, .. }), "{plan:?}");
}

#[test]
fn edits_on_the_side_that_does_not_lead_follow_the_rule() {
    let mut mapping = one(TEXT, Policy::Review);
    mapping.units[0].direction = Direction::ToRight;
    let (base, edit) = (Value::from("a"), Value::from("b"));
    let link = pair(&base, &base, &edit);
    assert_eq!(decide_unit(&mapping, &link, 0), UnitPlan::Keep(Side::Right));
    mapping.units[0].foreign = ForeignEdits::Review;
    assert_eq!(decide_unit(&mapping, &link, 0), UnitPlan::Hold);
    mapping.units[0].foreign = ForeignEdits::Revert;
    match decide_unit(&mapping, &link, 0) {
        UnitPlan::Write { to: Side::Right, verdict, fields } => {
            assert_eq!(verdict, Verdict::Reverted(Side::Right));
            assert_eq!((&fields[0].value, &fields[0].expected), (&base, &edit));
        }
        plan => panic!("{plan:?}"),
    }
}

#[test]
fn a_constant_is_given_to_new_and_matched_records() {
    let unit = Unit {
        pairs: Vec::new(),
        computed: vec![Computed {
            fields: Sides { left: Vec::new(), right: vec![0] },
            formulas: Sides { left: Vec::new(), right: vec![Formula::Constant("crm".into())] },
        }],
        direction: Direction::ToRight,
        ..Unit::of("origin", Pair::plain(0, 0))
    };
    let mapping = mapping_of(Vec::new(), vec![TEXT], vec![unit]);
    let matched = link_of(None, [Vec::new(), vec!["else".into()]]);
    let plan = decide_unit(&mapping, &matched, 0);
    assert!(matches!(plan, UnitPlan::Write { to: Side::Right, .. }), "{plan:?}");
    let same = link_of(None, [Vec::new(), vec!["crm".into()]]);
    assert_eq!(decide_unit(&mapping, &same, 0), UnitPlan::Agree);
    let agreed =
        |now: &str| link_of(Some([Vec::new(), vec!["crm".into()]]), [Vec::new(), vec![now.into()]]);
    assert_eq!(decide_unit(&mapping, &agreed("crm"), 0), UnitPlan::Rest);
    assert_eq!(decide_unit(&mapping, &agreed("x"), 0), UnitPlan::Keep(Side::Right));
}

#[test]
fn a_default_stands_for_nothing_and_goes_nowhere() {
    let mut mapping = one(TEXT, Policy::Review);
    mapping.units[0].pairs[0].default.right = Some("none".into());
    let (null, none, a) = (Value::Null, Value::from("none"), Value::from("a"));
    let made = link_of(None, [vec![null.clone()], vec![none.clone()]]);
    assert_eq!(decide_unit(&mapping, &made, 0), UnitPlan::Agree);
    let cleared = link_of(Some([vec![a.clone()], vec![a.clone()]]), [vec![null], vec![a]]);
    match decide_unit(&mapping, &cleared, 0) {
        UnitPlan::Write { to: Side::Right, fields, .. } => assert_eq!(fields[0].value, none),
        plan => panic!("{plan:?}"),
    }
}

/// An address whose country is coarser on the right.
fn address() -> Mapping {
    let table = [("Scotland", "GB"), ("Wales", "GB"), ("France", "FR")];
    let pairs = table.map(|(left, right)| (Value::from(left), Value::from(right))).into();
    let country = Pair { values: Some(ValueTable { pairs }), ..Pair::plain(1, 1) };
    let unit =
        Unit { pairs: vec![Pair::plain(0, 0), country], ..Unit::of("address", Pair::plain(0, 0)) };
    mapping_of(vec![TEXT, TEXT], vec![TEXT, TEXT], vec![unit])
}

fn values(values: [&str; 2]) -> Vec<Value> {
    values.map(Value::from).into()
}

#[test]
fn a_unit_is_agreed_as_a_whole() {
    let mapping = address();
    let base = || [values(["a", "France"]), values(["a", "FR"])];
    // Different fields of one unit, changed on both sides: half of each is nobody's address.
    let link = link_of(Some(base()), [values(["b", "France"]), values(["a", "GB"])]);
    assert_eq!(decide_unit(&mapping, &link, 0), UnitPlan::Hold);
    let mut taking = address();
    taking.units[0].conflict = Policy::Wins(Side::Left);
    match decide_unit(&taking, &link, 0) {
        UnitPlan::Write { to: Side::Right, fields, .. } => {
            let sent: Vec<&Value> = fields.iter().map(|field| &field.value).collect();
            assert_eq!(sent, [&Value::from("b"), &Value::from("FR")]);
        }
        plan => panic!("{plan:?}"),
    }
}

#[test]
fn a_finer_value_stays_while_the_rest_of_its_unit_is_written() {
    let mapping = address();
    let base = [values(["a", "Wales"]), values(["a", "GB"])];
    let link = link_of(Some(base), [values(["a", "Wales"]), values(["b", "GB"])]);
    match decide_unit(&mapping, &link, 0) {
        UnitPlan::Write { to: Side::Left, fields, .. } => {
            assert_eq!(fields[0].value, Value::from("b"));
            assert_eq!(fields[1].value, Value::from("Wales"), "not the first of the table");
        }
        plan => panic!("{plan:?}"),
    }
}

/// A mapping of two fields, of which the second tells who owns a record: left in Wales, right in
/// France.
fn owned_by_row(unowned: Unowned) -> Mapping {
    use syncline_sdk::{Comparison, Filter};
    let mut mapping = address();
    let unit = mapping.units.remove(0);
    mapping.units = unit
        .pairs
        .into_iter()
        .map(|pair| Unit { conflict: Policy::Row(unowned), ..Unit::of("f", pair) })
        .collect();
    let owned = |value: &str| Filter::Compare {
        field: "f1".into(),
        comparison: Comparison::Equal,
        value: value.into(),
    };
    mapping.owners = Sides { left: Some(owned("Wales")), right: Some(owned("FR")) };
    mapping
}

/// A pair whose first field is in conflict.
fn contested(country: [&str; 2]) -> Link {
    let base = [values(["a", country[0]]), values(["a", country[1]])];
    link_of(Some(base), [values(["b", country[0]]), values(["c", country[1]])])
}

fn winner(mapping: &Mapping, link: &Link) -> Option<Side> {
    match decide_unit(mapping, link, 0) {
        UnitPlan::Write { verdict: Verdict::PolicyTook(side), .. } => Some(side),
        UnitPlan::Hold => None,
        plan => panic!("{plan:?}"),
    }
}

#[test]
fn the_owner_of_a_row_wins_its_conflicts() {
    for unowned in [Unowned::Review, Unowned::Wins(Side::Right), Unowned::Newest] {
        let mapping = owned_by_row(unowned);
        assert_eq!(winner(&mapping, &contested(["Wales", "GB"])), Some(Side::Left));
        assert_eq!(winner(&mapping, &contested(["Scotland", "FR"])), Some(Side::Right));
    }
}

#[test]
fn what_no_side_owns_alone_is_decided_by_the_rest() {
    let both = ["Wales", "FR"];
    let neither = ["Scotland", "GB"];
    for country in [both, neither] {
        let won = |unowned| winner(&owned_by_row(unowned), &contested(country));
        assert_eq!(won(Unowned::Review), None);
        assert_eq!(won(Unowned::Wins(Side::Right)), Some(Side::Right));
        let mut link = contested(country);
        let at = |seconds: i64| Some(Instant::new(seconds * 1_000_000, Precision::Second));
        link.pending.left.at = at(100);
        link.pending.right.at = at(200);
        let mapping = owned_by_row(Unowned::Newest);
        assert_eq!(winner(&mapping, &link), Some(Side::Right));
        link.pending.right.at = at(101);
        assert_eq!(winner(&mapping, &link), None, "too close together");
    }
}

#[test]
fn of_a_row_whose_owner_cannot_be_told_a_person_is_asked() {
    let mut link = contested(["Wales", "GB"]);
    link.pending.left.values.push((1, Value::Absent));
    assert_eq!(winner(&owned_by_row(Unowned::Wins(Side::Right)), &link), None);
}
