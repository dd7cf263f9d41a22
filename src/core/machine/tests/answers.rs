//! Questions and answers (protocol P3, P4).

use core::time::Duration;

use syncline_sdk::{Cas, Value};

use super::builder::{MAPPING, Scene, seen};
use crate::Side;
use crate::machine::{Missing, Observation, Settling, Source};
use crate::model::{Choice, ReviewKind, ReviewStatus, UnitStatus};

/// A pair that both sides changed, and its question.
fn contested(cas: Cas) -> Scene {
    let mut scene = Scene::agreed(cas);
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &seen(Side::Left, "b", 2));
        workset.observe(MAPPING, Side::Right, &seen(Side::Right, "c", 2));
    });
    assert_eq!(scene.reviews.len(), 1);
    scene
}

#[test]
fn an_answer_is_written_and_closes_its_question() {
    let mut scene = contested(Cas::ExactField);
    scene.answer(Choice::Take(Side::Left));
    let link = scene.link.id;
    let done = scene.round(|workset| assert!(workset.answer(MAPPING, link, Some(0))));
    assert_eq!(done.sends.len(), 1);
    assert!(scene.reviews.is_empty());
}

#[test]
fn a_conflict_closes_itself_when_the_sides_come_together() {
    let mut scene = contested(Cas::ExactField);
    let done = scene.page(Side::Right, "b", 3);
    assert!(done.sends.is_empty() && scene.reviews.is_empty());
}

#[test]
fn an_answer_waits_for_the_end_of_an_open_tick() {
    let mut scene = contested(Cas::Coarse { tick: Duration::from_secs(1) });
    scene.answer(Choice::Take(Side::Left));
    let link = scene.link.id;
    let open = Observation { source: Source::Read, closed: false, ..seen(Side::Right, "c", 2) };
    let done = scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &open);
        assert!(!workset.answer(MAPPING, link, Some(0)));
    });
    assert!(done.sends.is_empty());
    assert_eq!(scene.reviews[0].status, ReviewStatus::Answered);
    assert_eq!(scene.link.field_state.unit(0).status, UnitStatus::Held);
    let closed = Observation { closed: true, ..open };
    let done = scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &closed);
        assert!(workset.answer(MAPPING, link, Some(0)));
    });
    assert_eq!(done.sends.len(), 1);
    assert!(scene.reviews.is_empty());
}

/// A pair of which a person let a deletion on the right win over the left side's edit, and the
/// delete that follows.
fn given_up() -> (Scene, crate::machine::OutBatch) {
    let mut scene = Scene::agreed(Cas::ExactField);
    let gone = Observation {
        content: Err(Missing::Deleted),
        source: Source::Feed,
        ..seen(Side::Right, "a", 2)
    };
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &seen(Side::Left, "b", 2));
        workset.observe(MAPPING, Side::Right, &gone);
    });
    scene.answer(Choice::Take(Side::Right));
    let link = scene.link.id;
    let mut done = scene.round(|workset| assert!(workset.answer(MAPPING, link, None)));
    (scene, done.sends.remove(0))
}

#[test]
fn a_deletion_that_won_and_was_put_off_is_not_asked_about_again() {
    let (mut scene, sent) = given_up();
    scene.settle(&sent, Settling::Busy);
    let again = scene.read(Side::Left, "b", 2, true);
    assert_eq!(again.sends.len(), 1);
    assert!(scene.reviews.is_empty());
}

#[test]
fn an_edit_made_since_a_deletion_won_is_asked_about() {
    let (mut scene, sent) = given_up();
    let now = Box::new(seen(Side::Left, "c", 3));
    let done = scene.settle(&sent, Settling::Stale(Some(now)));
    assert!(done.sends.is_empty());
    assert_eq!(scene.reviews.len(), 1);
}

#[test]
fn what_was_given_up_to_a_deletion_that_came_to_nothing_travels() {
    let (mut scene, sent) = given_up();
    let back = Observation { source: Source::Feed, ..seen(Side::Right, "a", 4) };
    scene.round(|workset| workset.observe(MAPPING, Side::Right, &back));
    scene.settle(&sent, Settling::Stale(Some(Box::new(seen(Side::Left, "b", 3)))));
    assert_eq!(scene.link.base_value(Side::Left, 0), &Value::from("a"));
    assert_eq!(scene.shown(Side::Left), &Value::from("b"));
    assert!(scene.link.open.right.is_some(), "it is written to the record that is there again");
}

/// What was read before the round may be of before the record went.
#[test]
fn an_answer_waits_for_a_second_look_at_a_record_that_seems_to_be_back() {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    let deleted = Missing::Deleted;
    let gone =
        Observation { content: Err(deleted), source: Source::Feed, ..seen(Side::Left, "a", 2) };
    let edit = seen(Side::Right, "b", 2);
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &gone);
        workset.observe(MAPPING, Side::Right, &edit);
    });
    assert_eq!(scene.reviews[0].kind, ReviewKind::DeleteUpdate(Side::Left));
    scene.answer(Choice::Take(Side::Right));
    let link = scene.link.id;
    let back = seen(Side::Left, "a", 3);
    let done = scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &back);
        assert!(!workset.answer(MAPPING, link, None));
    });
    assert!(done.sends.is_empty());
    assert_eq!(scene.reviews[0].status, ReviewStatus::Answered);
}
