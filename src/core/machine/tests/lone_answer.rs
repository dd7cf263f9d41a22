//! Answers to what holds a record back that has no partner yet (protocol P4, M6).

use std::sync::Arc;

use syncline_sdk::{Cas, FieldName, FieldType, Value};

use super::builder::{Done, MAPPING, Scene, seen, version};
use crate::machine::{Observation, OutBatch, Settling, Source};
use crate::mapping::{Pair, Unit};
use crate::model::{
    Answer, Choice, IntentKind, LinkState, Pending, ReviewStatus, UnitStatus, Verdict,
};
use crate::{Side, Sides};

/// A record on the left with two values that the right side has no place for. There the first
/// field may not be empty, the second may.
fn held_back(cas: Cas) -> Scene {
    let mut scene = Scene::agreed(cas);
    scene.map(|mapping| {
        for side in Side::BOTH {
            let of = &mut mapping.sides[side];
            let mut second = of.fields[0].clone();
            second.name = FieldName::from("g");
            of.fields.push(second);
            Arc::make_mut(&mut of.selection).fields = ["f".into(), "g".into()].into();
            of.image_len = 2;
        }
        for field in &mut mapping.sides.right.fields {
            field.kind = FieldType::Enum { values: vec!["x".into()], restricted: true };
        }
        mapping.sides.right.fields[0].nullable = false;
        mapping.units.push(Unit::of("g", Pair::plain(1, 1)));
    });
    scene.link.state = LinkState::Seen(Side::Left);
    scene.link.keys.right = None;
    scene.link.base = Sides::default();
    scene.link.origins = Vec::new();
    scene.link.pending.left = Pending { exists: Some(true), ..Pending::default() };
    assert!(read(&mut scene, ["a", "b"], 2).is_empty());
    assert_eq!(scene.reviews.len(), 2, "all that holds it back is asked at once");
    scene
}

/// The record as it is read.
fn reading(values: [&str; 2], at: u8) -> Observation {
    let content = Ok(values.map(Value::from).to_vec());
    Observation { source: Source::Read, content, ..seen(Side::Left, "", at) }
}

fn read(scene: &mut Scene, values: [&str; 2], at: u8) -> Vec<OutBatch> {
    let read = reading(values, at);
    let done = scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &read);
    });
    done.sends
}

/// A person answers the question about a unit, which is folded as the record is read.
fn answer(scene: &mut Scene, unit: u16, choice: Choice, values: [&str; 2], at: u8) -> Done {
    let asked = scene.reviews.iter_mut().find(|review| review.key.unit == Some(unit)).unwrap();
    asked.status = ReviewStatus::Answered;
    let given = syncline_sdk::Instant::from_micros(0);
    asked.answer = Some(Answer { choice, by: "ann".into(), at: given });
    let (read, link) = (reading(values, at), scene.link.id);
    scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &read);
        assert!(workset.answer(MAPPING, link, Some(unit)));
    })
}

fn asked(scene: &Scene) -> Vec<u16> {
    let mut units: Vec<u16> = scene.reviews.iter().filter_map(|review| review.key.unit).collect();
    units.sort_unstable();
    units
}

fn typed(value: &str) -> Choice {
    Choice::Typed(vec![value.into()])
}

#[test]
fn what_is_typed_goes_to_the_record_and_with_it_to_the_one_that_is_made() {
    for stored in [None, Some(vec!["x".into(), "b".into()])] {
        let mut scene = held_back(Cas::ExactRecord);
        assert!(answer(&mut scene, 1, Choice::Separate, ["a", "b"], 2).sends.is_empty());
        let sent = answer(&mut scene, 0, typed("x"), ["a", "b"], 2).sends.remove(0);
        let intent = &sent.carried[0].intent;
        assert_eq!((intent.side, intent.kind), (Side::Left, IntentKind::Update));
        assert_eq!(intent.fields.len(), 1);
        assert_eq!(intent.fields[0].expected, "a".into());
        assert!(asked(&scene).is_empty());
        scene.settle(&sent, Settling::Applied { version: Some(version(3)), stored, key: None });
        assert_eq!(scene.shown(Side::Left), &Value::from("x"));
        let sent = read(&mut scene, ["x", "b"], 3).remove(0);
        let intent = &sent.carried[0].intent;
        assert_eq!((intent.side, intent.kind), (Side::Right, IntentKind::Create));
        let values: Vec<&Value> = intent.fields.iter().map(|field| &field.value).collect();
        assert_eq!(values, [&Value::from("x"), &Value::Null]);
        let key = Some("r".into());
        scene.settle(&sent, Settling::Applied { version: Some(version(4)), stored: None, key });
        assert_eq!(scene.link.state, LinkState::Linked);
        // What was left out is agreed as it stands.
        assert!(scene.link.pending.left.is_empty() && scene.link.pending.right.is_empty());
        assert_eq!(scene.link.base_value(Side::Left, 1), &Value::from("b"));
        assert_eq!(scene.link.base_value(Side::Right, 1), &Value::Null);
        assert_eq!(scene.link.field_state.unit(1).status, UnitStatus::Free);
        assert!(asked(&scene).is_empty());
    }
}

#[test]
fn what_was_left_out_is_asked_about_again_once_it_changes() {
    let mut scene = held_back(Cas::ExactField);
    assert!(answer(&mut scene, 1, Choice::Separate, ["a", "b"], 2).sends.is_empty());
    assert!(read(&mut scene, ["a2", "b"], 3).is_empty());
    assert_eq!(asked(&scene), [0]);
    assert!(read(&mut scene, ["a2", "b2"], 4).is_empty());
    assert_eq!(asked(&scene), [0, 1]);
}

#[test]
fn what_cannot_be_carried_out_says_why() {
    for (choice, why) in [
        (Choice::Separate, "no record can be made on the right side without it"),
        (Choice::Take(Side::Left), "there is no record on the right side yet"),
        (Choice::Take(Side::Right), "there is no record on the right side yet"),
        (typed("y"), "the right side cannot store the value"),
        (Choice::Typed(vec![Value::Null]), "the right side cannot store the value"),
    ] {
        let mut scene = held_back(Cas::ExactField);
        let done = answer(&mut scene, 0, choice, ["a", "b"], 2);
        assert!(done.sends.is_empty(), "{why}");
        assert_eq!(asked(&scene), [0, 1], "{why}");
        let mut decided = done.changeset.entries.iter().flat_map(|entry| &entry.decided);
        let refused = |verdict: &Verdict| match verdict {
            Verdict::AnswerNotApplied(told) => told.contains(why),
            _ => false,
        };
        assert!(decided.any(|decided| refused(&decided.verdict)), "{why}");
    }
}

#[test]
fn an_edit_before_the_typed_value_is_written_stands() {
    let mut scene = held_back(Cas::ExactRecord);
    let sent = answer(&mut scene, 0, typed("x"), ["a", "b"], 2).sends.remove(0);
    let now = Box::new(reading(["c", "b"], 3));
    scene.settle(&sent, Settling::Stale(Some(now)));
    assert!(read(&mut scene, ["c", "b"], 3).is_empty());
    assert_eq!(asked(&scene), [0, 1]);
    assert_eq!(read(&mut scene, ["x", "x"], 5).len(), 1);
    assert!(asked(&scene).is_empty());
}
