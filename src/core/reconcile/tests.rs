//! The rows of protocol 1.3, over every small case.

use std::sync::Arc;

use syncline_sdk::{
    Capabilities, Cas, EntityName, FeedKind, FieldName, FieldType, HistoryKind, LinkId, Normalizer,
    ReceiptKind, Selection, Value,
};

use super::{UnitPlan, agrees, decide_unit};
use crate::mapping::{
    DeleteRule, Direction, Initial, LeaveRule, MappedField, MappedSide, Mapping, MappingId, Mode,
    Pair, Policy, Priority, Unit,
};
use crate::model::{Base, Link, LinkState, Pending, Verdict};
use crate::{Side, Sides};

fn capabilities() -> Capabilities {
    Capabilities {
        cas: Cas::ExactField,
        receipt: ReceiptKind::Table,
        history: HistoryKind::None,
        feed: FeedKind::Images,
        unique_external_id: true,
        conditional_delete: true,
        recycle_bin: None,
        transactional: true,
        stored_image: true,
        search_lag: Default::default(),
        request_horizon: Default::default(),
        push_writes_max: 500,
        push_guarded_max: 500,
        fetch_keys_max: 500,
    }
}

fn field(at: usize, kind: FieldType, normalizers: Vec<Normalizer>) -> MappedField {
    MappedField {
        name: FieldName::from(format!("f{at}")),
        kind,
        nullable: true,
        creatable: true,
        updatable: true,
        normalizers,
        sensitive: false,
        filled: false,
    }
}

fn side(fields: Vec<MappedField>) -> MappedSide {
    MappedSide {
        system: "s".into(),
        selection: Arc::new(Selection {
            entity: EntityName::from("e"),
            fields: fields.iter().map(|field| field.name.clone()).collect(),
            external_id: None,
            marker: None,
            actor: None,
            filter: None,
        }),
        image_len: fields.len(),
        fields,
        capabilities: capabilities(),
    }
}

/// A mapping of fields of these types.
pub(super) fn mapping_of(left: Vec<FieldType>, right: Vec<FieldType>, units: Vec<Unit>) -> Mapping {
    let fields = |kinds: Vec<FieldType>| {
        let kinds = kinds.into_iter().enumerate();
        side(kinds.map(|(at, kind)| field(at, kind, Vec::new())).collect())
    };
    Mapping {
        id: MappingId(1),
        name: "m".into(),
        revision: 1,
        former: Default::default(),
        sides: Sides { left: fields(left), right: fields(right) },
        units,
        matches: Vec::new(),
        initial: Initial::Review,
        owners: Sides::default(),
        create: Sides { left: true, right: true },
        delete: Sides { left: DeleteRule::Propagate, right: DeleteRule::Propagate },
        leave: LeaveRule::Keep,
        mode: Mode::Live,
        priority: Priority::Normal,
        objective: None,
        drifted: Sides::default(),
    }
}

fn mapping(direction: Direction, conflict: Policy, right: Vec<Normalizer>) -> Mapping {
    let text = || FieldType::Text { chars_max: Some(8) };
    let unit = Unit { direction, conflict, ..Unit::of("f", Pair::plain(0, 0)) };
    let mut mapping = mapping_of(vec![text()], vec![text()], vec![unit]);
    mapping.sides.right.fields[0].normalizers = right;
    mapping
}

fn link(base: Option<[&Value; 2]>, now: [&Value; 2]) -> Link {
    let one = |value: &Value| vec![value.clone()];
    link_of(base.map(|base| base.map(one)), now.map(one))
}

/// A link whose sides agreed on one image each and show another.
pub(super) fn link_of(base: Option<[Vec<Value>; 2]>, now: [Vec<Value>; 2]) -> Link {
    let id = LinkId(uuid::Uuid::from_u128(7));
    let image =
        |at: usize| base.as_ref().map(|base| Base { exists: true, image: base[at].clone() });
    let pending = |at: usize| {
        let agreed = base.as_ref().map(|base| &base[at]);
        let shown = now[at].iter().enumerate();
        let changed = shown.filter(|(field, value)| agreed.is_none_or(|of| of[*field] != **value));
        let values =
            changed.map(|(field, value)| (u16::try_from(field).unwrap(), value.clone())).collect();
        Pending { values, ..Pending::default() }
    };
    Link {
        epoch: 1,
        mapping_rev: 1,
        sync_version: 1,
        keys: Sides { left: Some("1".into()), right: Some("2".into()) },
        base: Sides { left: image(0), right: image(1) },
        pending: Sides { left: pending(0), right: pending(1) },
        ..Link::new(MappingId(1), id, LinkState::Linked)
    }
}

fn values() -> Vec<Value> {
    vec![Value::Null, Value::from("a"), Value::from("b"), Value::from("")]
}

/// Every base, both observations, every direction and policy.
fn every_case(mut check: impl FnMut(&Mapping, &Link, [&Value; 2], [&Value; 2])) {
    let directions = [Direction::Both, Direction::ToLeft, Direction::ToRight];
    let policies = [Policy::Review, Policy::Wins(Side::Left), Policy::Wins(Side::Right)];
    let values = values();
    for direction in directions {
        for policy in policies {
            let mapping = mapping(direction, policy, Vec::new());
            for base in &values {
                for left in &values {
                    for right in &values {
                        let link = link(Some([base, base]), [left, right]);
                        check(&mapping, &link, [base, base], [left, right]);
                    }
                }
            }
        }
    }
}

#[test]
fn a_side_that_did_not_change_is_never_carried_over() {
    every_case(|mapping, link, base, now| {
        if let UnitPlan::Write { to, verdict: Verdict::Write(_), .. } =
            decide_unit(mapping, link, 0)
        {
            let from = to.other() as usize;
            assert_ne!(base[from], now[from], "{link:?}");
            assert_eq!(base[to as usize], now[to as usize], "a changed side was overwritten");
        }
    });
}

#[test]
fn every_row_of_the_table_has_its_decision() {
    every_case(|mapping, link, base, now| {
        let changed = [base[0] != now[0], base[1] != now[1]];
        let unit = &mapping.units[0];
        let reaches = |side: Side| unit.direction.reaches(side);
        let plan = decide_unit(mapping, link, 0);
        match (changed, now[0] == now[1]) {
            ([false, false], _) => assert_eq!(plan, UnitPlan::Rest),
            ([true, true], true) => assert_eq!(plan, UnitPlan::Agree),
            ([true, false], _) if reaches(Side::Right) => {
                assert!(matches!(plan, UnitPlan::Write { to: Side::Right, .. }), "{plan:?}");
            }
            ([true, false], _) => assert_eq!(plan, UnitPlan::Keep(Side::Left)),
            ([false, true], _) if reaches(Side::Left) => {
                assert!(matches!(plan, UnitPlan::Write { to: Side::Left, .. }), "{plan:?}");
            }
            ([false, true], _) => assert_eq!(plan, UnitPlan::Keep(Side::Right)),
            ([true, true], false) => {
                let winner = match (unit.direction, unit.conflict) {
                    (Direction::ToRight, _) => Some(Side::Left),
                    (Direction::ToLeft, _) => Some(Side::Right),
                    (Direction::Both, Policy::Wins(side)) => Some(side),
                    (Direction::Both, _) => None,
                };
                match (plan, winner) {
                    (UnitPlan::Hold, None) => {}
                    (UnitPlan::Write { to, verdict, .. }, Some(winner)) => {
                        assert_eq!(to, winner.other());
                        assert_eq!(verdict, Verdict::PolicyTook(winner));
                    }
                    (plan, winner) => panic!("{plan:?} with winner {winner:?}"),
                }
            }
        }
    });
}

#[test]
fn a_plan_carried_out_leaves_nothing_to_do() {
    every_case(|mapping, link, _, now| {
        let mut now = [now[0].clone(), now[1].clone()];
        match decide_unit(mapping, link, 0) {
            UnitPlan::Write { to, fields, .. } => now[to as usize] = fields[0].image.clone(),
            UnitPlan::Agree | UnitPlan::Keep(_) | UnitPlan::Rest => {}
            _ => return,
        }
        let after = self::link(Some([&now[0], &now[1]]), [&now[0], &now[1]]);
        assert_eq!(decide_unit(mapping, &after, 0), UnitPlan::Rest);
    });
}

#[test]
fn the_same_inputs_give_the_same_decision() {
    every_case(|mapping, link, _, _| {
        assert_eq!(decide_unit(mapping, link, 0), decide_unit(mapping, link, 0));
    });
}

#[test]
fn a_first_match_is_decided_by_its_own_rule() {
    let (a, b, null) = (Value::from("a"), Value::from("b"), Value::Null);
    let mut mapping = mapping(Direction::Both, Policy::Wins(Side::Left), Vec::new());
    let different = link(None, [&a, &b]);
    assert_eq!(decide_unit(&mapping, &different, 0), UnitPlan::Hold);
    mapping.initial = Initial::Wins(Side::Right);
    let plan = decide_unit(&mapping, &different, 0);
    assert!(matches!(plan, UnitPlan::Write { to: Side::Left, .. }), "{plan:?}");
    mapping.initial = Initial::Fill;
    assert_eq!(decide_unit(&mapping, &different, 0), UnitPlan::Hold);
    let plan = decide_unit(&mapping, &link(None, [&null, &b]), 0);
    assert!(matches!(plan, UnitPlan::Write { to: Side::Left, .. }), "{plan:?}");
    assert_eq!(decide_unit(&mapping, &link(None, [&a, &a]), 0), UnitPlan::Agree);
}

#[test]
fn a_normalised_image_is_agreement_and_never_an_edit() {
    let trimmed = mapping(Direction::Both, Policy::Review, vec![Normalizer::Trim]);
    let (spaced, plain) = (Value::from("  a "), Value::from("a"));
    assert!(agrees(&trimmed, &link(None, [&spaced, &plain]), 0));
    // Only the white space changed on the left: the right side stores the same image.
    let link = link(Some([&plain, &plain]), [&spaced, &plain]);
    assert_eq!(decide_unit(&trimmed, &link, 0), UnitPlan::Agree);
}

#[test]
fn a_value_without_image_is_neither_cut_nor_made_null() {
    let mapping = mapping(Direction::Both, Policy::Review, Vec::new());
    let (short, long) = (Value::from("a"), Value::from("123456789"));
    let link = link(Some([&short, &short]), [&long, &short]);
    let plan = decide_unit(&mapping, &link, 0);
    assert!(matches!(plan, UnitPlan::NoImage(Side::Right, _)), "{plan:?}");
}

#[test]
fn an_absent_value_says_nothing() {
    let mapping = mapping(Direction::Both, Policy::Review, Vec::new());
    let (a, b, absent) = (Value::from("a"), Value::from("b"), Value::Absent);
    let link = link(Some([&a, &absent]), [&b, &absent]);
    assert_eq!(decide_unit(&mapping, &link, 0), UnitPlan::Unreadable);
}
