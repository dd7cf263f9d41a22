//! Edits that a write of ours replaced unseen (protocol W1).

use std::sync::Arc;

use syncline_sdk::{Actor, ActorKind, Cas, Comparison, Filter, Value};

use super::builder::{MAPPING, Scene, seen, version};
use super::revisions::{behind_another, relay};
use crate::Side;
use crate::audit::Overwritten;
use crate::machine::Settling;
use crate::model::{Choice, LinkState, ReviewKind, UnitStatus, Verdict};

/// A pair whose left edit `b` was written to the right.
fn written() -> Scene {
    let mut scene = Scene::agreed(Cas::ExactField);
    let sends = scene.page(Side::Left, "b", 2).sends;
    let applied = Settling::Applied { version: Some(version(9)), stored: None, key: None };
    scene.settle(&sends[0], applied);
    assert_eq!((scene.shown(Side::Left), scene.shown(Side::Right)), (&"b".into(), &"b".into()));
    scene
}

/// The history tells that the write replaced an edit of the right.
fn told(scene: &mut Scene, value: Value) -> Vec<Verdict> {
    let link = scene.link.id;
    let actor = Actor { id: Some("eve".into()), kind: ActorKind::Person };
    let found = [Overwritten { field: 0, value, actor, at: None }];
    let done = scene.round(|workset| workset.overwritten(MAPPING, link, Side::Right, &found));
    assert!(done.sends.is_empty());
    let decided = done.changeset.entries.iter().flat_map(|entry| &entry.decided);
    decided.map(|decided| decided.verdict.clone()).collect()
}

fn answered(scene: &mut Scene, choice: Choice) -> crate::machine::tests::builder::Done {
    scene.answer(choice);
    let link = scene.link.id;
    scene.round(|workset| assert!(workset.answer(MAPPING, link, Some(0))))
}

#[test]
fn it_is_journalled_and_a_person_is_asked() {
    let mut scene = written();
    assert_eq!(told(&mut scene, "h".into()), [Verdict::Overwritten(Side::Right)]);
    let review = &scene.reviews[0];
    assert_eq!(review.kind, ReviewKind::Overwritten(Side::Right));
    let right = &review.shown.right;
    assert_eq!((&right.values[0], &right.base[0]), (&"h".into(), &"b".into()));
    assert_eq!(right.actor.id.as_deref(), Some("eve"));
    assert_eq!(scene.link.field_state.unit(0).status, UnitStatus::Held);
}

/// The edit stands nowhere but in its question.
#[test]
fn a_pair_that_leaves_the_filter_keeps_its_question() {
    let mut scene = written();
    told(&mut scene, "h".into());
    scene.map(|mapping| {
        let selection = Arc::make_mut(&mut mapping.sides.left.selection);
        selection.filter = Some(Filter::Compare {
            field: "f".into(),
            comparison: Comparison::Equal,
            value: "b".into(),
        });
    });
    scene.page(Side::Left, "c", 4);
    assert!(scene.link.field_state.outside.left);
    assert_eq!(scene.reviews[0].kind, ReviewKind::Overwritten(Side::Right));
    assert_eq!(scene.reviews[0].shown.right.values[0], "h".into());
    assert_eq!(scene.link.field_state.unit(0).status, UnitStatus::Held);
}

#[test]
fn put_back_it_goes_to_both_sides() {
    let mut scene = written();
    told(&mut scene, "h".into());
    let done = answered(&mut scene, Choice::Take(Side::Right));
    assert!(scene.reviews.is_empty());
    let mut written: Vec<(Side, &Value, &Value)> = Vec::new();
    for send in &done.sends {
        let intent = &send.carried[0].intent;
        written.push((intent.side, &intent.fields[0].value, &intent.fields[0].expected));
    }
    let (h, b): (Value, Value) = ("h".into(), "b".into());
    assert_eq!(written, [(Side::Left, &h, &b), (Side::Right, &h, &b)]);
    for (at, send) in done.sends.iter().enumerate() {
        let now = version(20 + u8::try_from(at).unwrap());
        let applied = Settling::Applied { version: Some(now), stored: None, key: None };
        assert!(scene.settle(send, applied).sends.is_empty());
    }
    assert_eq!((scene.shown(Side::Left), scene.shown(Side::Right)), (&h, &h));
    assert!(scene.link.pending.left.is_empty() && scene.link.pending.right.is_empty());
}

#[test]
fn what_stands_there_may_stay() {
    let mut scene = written();
    told(&mut scene, "h".into());
    let done = answered(&mut scene, Choice::Take(Side::Left));
    assert!(done.sends.is_empty() && scene.reviews.is_empty());
    assert_eq!(scene.link.field_state.unit(0).status, UnitStatus::Free);
    // Edits travel again.
    assert_eq!(scene.page(Side::Left, "c", 12).sends.len(), 1);
}

#[test]
fn nothing_else_is_decided_about_the_unit_meanwhile() {
    let mut scene = written();
    told(&mut scene, "h".into());
    assert!(scene.page(Side::Left, "c", 12).sends.is_empty());
    assert_eq!(scene.reviews[0].shown.left.values[0], "c".into());
    assert!(scene.page(Side::Right, "d", 12).sends.is_empty());
    let right = &scene.reviews[0].shown.right;
    assert_eq!((&right.values[0], &right.base[0]), (&"h".into(), &"d".into()));
    assert_eq!(scene.reviews[0].revision, 3, "who answers has seen what stands there");
    // Put back, it replaces what the person was shown.
    let done = answered(&mut scene, Choice::Take(Side::Right));
    let expected = done.sends.iter().map(|send| &send.carried[0].intent.fields[0].expected);
    assert_eq!(expected.collect::<Vec<_>>(), [&Value::from("c"), &Value::from("d")]);
}

#[test]
fn a_question_is_over_when_somebody_gives_the_value_again() {
    let mut scene = written();
    told(&mut scene, "h".into());
    let done = scene.page(Side::Right, "h", 12);
    assert!(scene.reviews.is_empty());
    assert_eq!(done.sends.len(), 1, "it travels as any edit");
}

#[test]
fn what_stands_there_by_now_needs_nobody() {
    let mut scene = written();
    assert_eq!(told(&mut scene, "b".into()), [Verdict::Overwritten(Side::Right)]);
    assert!(scene.reviews.is_empty());
    scene.link.state = LinkState::Tombstone;
    assert_eq!(told(&mut scene, "h".into()), [Verdict::Overwritten(Side::Right)]);
    assert!(scene.reviews.is_empty());
}

#[test]
fn a_value_that_was_not_kept_is_typed() {
    let mut scene = written();
    told(&mut scene, Value::Absent);
    let done = answered(&mut scene, Choice::Take(Side::Right));
    assert!(done.sends.is_empty());
    assert_eq!(scene.reviews[0].kind, ReviewKind::Overwritten(Side::Right));
    let done = answered(&mut scene, Choice::Retry);
    assert!(done.sends.is_empty() && scene.reviews.len() == 1);
    let done = answered(&mut scene, Choice::Typed(vec!["h".into()]));
    assert_eq!(done.sends.len(), 2);
}

#[test]
fn a_unit_that_moves_in_its_file_keeps_the_question() {
    let mut scene = written();
    told(&mut scene, "h".into());
    let outdated =
        std::mem::take(&mut scene.reviews).into_iter().map(|review| (review, Some(1))).collect();
    behind_another(&mut scene);
    relay(&mut scene);
    let link = scene.link.id;
    scene.round(|workset| workset.relaid(vec![(MAPPING, link)], outdated));
    let review = &scene.reviews[0];
    assert_eq!((review.key.unit, &review.kind), (Some(1), &ReviewKind::Overwritten(Side::Right)));
    assert_eq!(review.shown.right.values[0], "h".into());
}

#[test]
fn a_pair_that_is_not_loaded_is_left_alone() {
    let mut scene = written();
    let found = [Overwritten { field: 0, value: "h".into(), actor: Actor::default(), at: None }];
    let other = syncline_sdk::LinkId(uuid::Uuid::from_u128(77));
    assert_ne!(other, scene.link.id);
    let done = scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &seen(Side::Left, "b", 2));
        workset.overwritten(MAPPING, other, Side::Right, &found);
    });
    assert!(done.sends.is_empty() && scene.reviews.is_empty());
}
