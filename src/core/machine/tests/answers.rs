//! Questions and answers (protocol P3, P4).

use core::time::Duration;

use syncline_sdk::Cas;

use super::builder::{MAPPING, Scene, seen};
use crate::Side;
use crate::machine::{Observation, Source};
use crate::model::{Choice, ReviewStatus, UnitStatus};

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
fn an_answer_refused_for_an_open_tick_leaves_the_unit_held() {
    let mut scene = contested(Cas::Coarse { tick: Duration::from_secs(1) });
    scene.answer(Choice::Take(Side::Left));
    let link = scene.link.id;
    let open = Observation { source: Source::Read, closed: false, ..seen(Side::Right, "c", 2) };
    let done = scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &open);
        assert!(workset.answer(MAPPING, link, Some(0)));
    });
    assert!(done.sends.is_empty());
    assert_eq!(scene.reviews[0].status, ReviewStatus::Open);
    assert_eq!(scene.link.field_state.unit(0).status, UnitStatus::Held);
}
