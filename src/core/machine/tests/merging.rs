//! Values made of both sides', and units of several fields.

use std::sync::Arc;

use syncline_sdk::{Cas, FieldName, FieldType, Instant, Selection, Value};

use super::builder::{Done, MAPPING, Scene, seen, version};
use crate::Side;
use crate::machine::{Observation, OutBatch, Settling, Source};
use crate::mapping::{ForeignEdits, Pair, Policy};
use crate::model::{ReviewKind, UnitStatus};

fn shows(side: Side, values: &[Value], at: u8) -> Observation {
    Observation { content: Ok(values.to_vec()), ..seen(side, "", at) }
}

/// A counter that both sides agree is ten.
fn counted() -> Scene {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.map(|mapping| {
        mapping.units[0].conflict = Policy::Counter;
        for side in Side::BOTH {
            mapping.sides[side].fields[0].kind = FieldType::Int { min: 0, max: 99 };
        }
    });
    for side in Side::BOTH {
        scene.link.base[side].as_mut().unwrap().image = vec![Value::Int(10)];
    }
    scene
}

/// Both sides count at once.
fn contested(scene: &mut Scene, left: i64, right: i64) -> Done {
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &shows(Side::Left, &[Value::Int(left)], 2));
        workset.observe(MAPPING, Side::Right, &shows(Side::Right, &[Value::Int(right)], 2));
    })
}

fn half(done: &Done, side: Side) -> &OutBatch {
    done.sends.iter().find(|batch| batch.carried[0].intent.side == side).unwrap()
}

fn applied(at: u8) -> Settling {
    Settling::Applied { version: Some(version(at)), stored: None, key: None }
}

#[test]
fn a_merged_value_goes_to_both_sides_and_becomes_the_base_once_both_have_it() {
    let mut scene = counted();
    let done = contested(&mut scene, 12, 9);
    assert_eq!(done.sends.len(), 2);
    for side in Side::BOTH {
        let intent = &half(&done, side).carried[0].intent;
        assert!(intent.half);
        assert_eq!(intent.fields[0].value, Value::Int(11));
    }
    assert!(scene.settle(half(&done, Side::Left), applied(3)).sends.is_empty());
    assert_eq!(scene.link.base_value(Side::Left, 0), &Value::Int(10), "the other half is open");
    assert!(scene.settle(half(&done, Side::Right), applied(3)).sends.is_empty());
    for side in Side::BOTH {
        assert_eq!(scene.link.base_value(side, 0), &Value::Int(11));
        assert!(scene.link.pending[side].is_empty());
    }
    assert!(scene.reviews.is_empty());
}

#[test]
fn a_change_is_counted_once_when_one_half_was_refused() {
    let mut scene = counted();
    let done = contested(&mut scene, 12, 9);
    scene.settle(half(&done, Side::Left), applied(3));
    // Meanwhile one more went on the right: its write is refused.
    let current = Box::new(shows(Side::Right, &[Value::Int(8)], 3));
    let again = scene.settle(half(&done, Side::Right), Settling::Stale(Some(current)));
    // Two came and two went: ten.
    for side in Side::BOTH {
        assert_eq!(half(&again, side).carried[0].intent.fields[0].value, Value::Int(10));
    }
    scene.settle(half(&again, Side::Left), applied(4));
    scene.settle(half(&again, Side::Right), applied(4));
    for side in Side::BOTH {
        assert_eq!(scene.link.base_value(side, 0), &Value::Int(10));
    }
}

#[test]
fn a_sum_that_a_side_cannot_hold_waits_for_a_person() {
    let mut scene = counted();
    let done = contested(&mut scene, 2, 1);
    assert!(done.sends.is_empty());
    assert_eq!(scene.reviews.len(), 1);
    assert_eq!(scene.link.field_state.unit(0).status, UnitStatus::Held);
}

#[test]
fn automations_that_undo_a_merged_value_on_both_sides_are_stopped() {
    let mut scene = counted();
    scene.map(|mapping| {
        for side in Side::BOTH {
            let can = &mut mapping.sides[side].capabilities;
            (can.cas, can.feed) = (Cas::ExactRecord, syncline_sdk::FeedKind::Polled);
        }
    });
    let mut merges = 0;
    for turn in 0..60_u8 {
        // One automation adds two to whatever is written, the other takes one away.
        let [left, right] = [2, -1].map(|by| {
            let Value::Int(base) = scene.link.base_value(Side::Left, 0) else { panic!() };
            [Value::Int(base + by)]
        });
        let read = |side: Side, now: &[Value], at: u8| Observation {
            source: Source::Read,
            at: Some(Instant::from_micros(1_000_000 * i64::from(turn + 1))),
            ..shows(side, now, at)
        };
        let at = 3 * turn + 2;
        let done = scene.round(|workset| {
            workset.begin_reading();
            workset.observe(MAPPING, Side::Left, &read(Side::Left, &left, at));
            workset.observe(MAPPING, Side::Right, &read(Side::Right, &right, at));
        });
        if done.sends.is_empty() {
            break;
        }
        merges += 1;
        for side in Side::BOTH {
            scene.settle(half(&done, side), applied(at + 1));
        }
    }
    assert!(merges <= 35, "{merges} merges");
    assert_eq!(scene.reviews[0].kind, ReviewKind::Oscillation);
}

#[test]
fn a_question_that_times_left_open_is_not_settled_by_the_time_of_another_field() {
    let mut scene = address(Cas::ExactField);
    scene.map(|mapping| {
        mapping.units[0].pairs.truncate(1);
        mapping.units[0].conflict = Policy::Newest;
        mapping.units.push(crate::mapping::Unit::of("city", Pair::plain(1, 1)));
    });
    scene.link.origins.push(None);
    let at = |seconds: i64, seen: Observation| Observation {
        at: Some(Instant::from_micros(seconds * 1_000_000)),
        ..seen
    };
    let left = at(100, shows(Side::Left, &["b".into(), "Bonn".into()], 2));
    let right = at(102, shows(Side::Right, &["c".into(), "Bonn".into()], 2));
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &left);
        workset.observe(MAPPING, Side::Right, &right);
    });
    assert_eq!(scene.reviews[0].kind, ReviewKind::Conflict);
    let other = at(3_600, shows(Side::Left, &["b".into(), "Ulm".into()], 3));
    let done = scene.round(|workset| workset.observe(MAPPING, Side::Left, &other));
    let fields: Vec<u16> =
        done.sends.iter().flat_map(|sent| &sent.carried[0].intent.units).copied().collect();
    assert_eq!(fields, [1], "only the other field goes over");
    assert_eq!(scene.reviews.len(), 1);
    // The very field, edited again, is news.
    let again = at(3_700, shows(Side::Left, &["d".into(), "Ulm".into()], 4));
    scene.settle(&done.sends[0], applied(4));
    let done = scene.round(|workset| workset.observe(MAPPING, Side::Left, &again));
    assert_eq!(done.sends[0].carried[0].intent.fields[0].value, Value::from("d"));
    assert!(scene.reviews.is_empty());
}

/// An address of two fields.
fn address(cas: Cas) -> Scene {
    let mut scene = Scene::agreed(cas);
    scene.map(|mapping| {
        mapping.units[0].pairs.push(Pair::plain(1, 1));
        for side in Side::BOTH {
            let side = &mut mapping.sides[side];
            let mut city = side.fields[0].clone();
            city.name = FieldName::from("city");
            side.fields.push(city);
            side.image_len = 2;
            let fields = Arc::from([FieldName::from("f"), FieldName::from("city")]);
            side.selection = Arc::new(Selection { fields, ..(*side.selection).clone() });
        }
    });
    for side in Side::BOTH {
        scene.link.base[side].as_mut().unwrap().image = vec!["a".into(), "Bonn".into()];
    }
    scene
}

/// The fields that the only write of a round sends, and those that it only expects.
fn sent(cas: Cas) -> [Vec<String>; 2] {
    let mut scene = address(cas);
    let done = scene.round(|workset| {
        let now = [Value::from("b"), Value::from("Bonn")];
        workset.observe(MAPPING, Side::Left, &shows(Side::Left, &now, 2));
    });
    match &done.sends[0].write.writes[0].op {
        syncline_sdk::WriteOp::Update { values, expect, .. } => {
            assert_eq!(values.len(), expect.values.len());
            [values, &expect.also].map(|fields| {
                fields.iter().map(|(name, value)| format!("{name} {value}")).collect()
            })
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_unit_is_guarded_as_a_whole_where_fields_are_guarded_one_by_one() {
    assert_eq!(sent(Cas::ExactField), [["f b"], ["city Bonn"]]);
}

#[test]
fn an_edit_of_another_field_of_a_unit_makes_a_conflict_of_both() {
    let mut scene = address(Cas::ExactField);
    let done = scene.round(|workset| {
        let now = [Value::from("b"), Value::from("Bonn")];
        workset.observe(MAPPING, Side::Left, &shows(Side::Left, &now, 2));
    });
    let now = [Value::from("a"), Value::from("Ulm")];
    let current = Box::new(shows(Side::Right, &now, 2));
    let next = scene.settle(&done.sends[0], Settling::Stale(Some(current)));
    assert!(next.sends.is_empty());
    assert_eq!(scene.reviews.len(), 1);
    assert_eq!(scene.reviews[0].shown.right.values, now);
}

#[test]
fn an_edit_of_the_side_that_does_not_lead_is_taken_back_and_stays_in_the_journal() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.map(|mapping| {
        mapping.units[0].direction = crate::mapping::Direction::ToRight;
        mapping.units[0].foreign = ForeignEdits::Revert;
    });
    let done = scene.page(Side::Right, "x", 2);
    let intent = &done.sends[0].carried[0].intent;
    assert_eq!((intent.side, &intent.fields[0].value), (Side::Right, &Value::from("a")));
    let decided = done.changeset.entries.iter().flat_map(|entry| &entry.decided);
    assert!(decided.into_iter().any(|decided| decided.right == [Value::from("x")]));
    assert!(scene.settle(&done.sends[0], applied(3)).sends.is_empty());
    assert_eq!(scene.shown(Side::Right), &Value::from("a"));
}
