//! Mappings that observe: nothing is written, nobody is asked, and what came of it is told.

use syncline_sdk::{Cas, FieldName, Value};

use super::builder::{Done, MAPPING, Scene, seen};
use crate::machine::{Missing, Observation, Settling, Source};
use crate::mapping::{Mode, Pilot};
use crate::model::{Came, Choice, Figure, LinkState, Verdict, Would};
use crate::{Side, Sides};

fn observed() -> Scene {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.map(|mapping| mapping.mode = Mode::Observe);
    scene
}

/// What a round decided about mapping modes.
fn told(done: &Done) -> Vec<Verdict> {
    let decided = done.changeset.entries.iter().flat_map(|entry| &entry.decided);
    let verdicts = decided.map(|decided| decided.verdict.clone());
    verdicts.filter(|it| matches!(it, Verdict::Would(_) | Verdict::Came(_))).collect()
}

fn quiet(done: &Done) {
    assert!(done.sends.is_empty() && done.changeset.batches.is_empty());
    assert!(done.changeset.entries.iter().all(|entry| entry.intent.is_none()));
    assert!(done.changeset.reviews.is_empty());
}

fn gone(side: Side, at: u8) -> Observation {
    let content = Err(Missing::Deleted);
    Observation { content, source: Source::Feed, ..seen(side, "", at) }
}

const WRITE: Verdict = Verdict::Would(Would::Write(Side::Right));

#[test]
fn what_would_be_written_is_told_once_and_compared() {
    let mut scene = observed();
    let done = scene.page(Side::Left, "b", 2);
    quiet(&done);
    assert_eq!(told(&done), [WRITE]);
    let decided = &done.changeset.entries[0].decided[0];
    assert_eq!(decided.right, [Value::from("b")], "what it would have been given");
    assert!(done.changeset.figures.contains(&(Figure::WouldWrite, 1)));
    // The same again is not told again; another value is.
    assert!(told(&scene.page(Side::Left, "b", 3)).is_empty());
    assert_eq!(told(&scene.page(Side::Left, "c", 4)), [WRITE]);
    let done = scene.page(Side::Right, "c", 2);
    quiet(&done);
    assert_eq!(told(&done), [Verdict::Came(Came::Same)]);
    assert!(done.changeset.figures.contains(&(Figure::CameSame, 1)));
    assert_eq!(scene.link.base_value(Side::Right, 0), &Value::from("c"), "agreed as ever");
    assert!(scene.link.field_state.watched.is_empty());
}

#[test]
fn another_value_and_one_taken_back_are_told_apart() {
    let mut scene = observed();
    scene.page(Side::Left, "b", 2);
    let done = scene.page(Side::Right, "x", 2);
    quiet(&done);
    assert_eq!(told(&done), [Verdict::Came(Came::Other(Side::Right)), Verdict::Would(Would::Ask)]);
    let done = scene.page(Side::Right, "b", 3);
    assert_eq!(told(&done), [Verdict::Came(Came::Same)]);
    let mut scene = observed();
    scene.page(Side::Left, "b", 2);
    assert_eq!(told(&scene.page(Side::Left, "a", 3)), [Verdict::Came(Came::Withdrawn)]);
}

#[test]
fn what_stayed_different_is_written_once_the_mapping_is_live() {
    let mut scene = observed();
    scene.page(Side::Left, "b", 2);
    scene.map(|mapping| mapping.mode = Mode::Live);
    let link = scene.link.id;
    let done = scene.round(|workset| workset.touch(MAPPING, link));
    assert_eq!(done.sends.len(), 1);
    assert!(scene.link.field_state.watched.is_empty());
}

#[test]
fn a_write_under_way_is_settled_and_no_other_follows() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let sent = scene.page(Side::Left, "b", 2).sends;
    scene.map(|mapping| mapping.mode = Mode::Observe);
    scene.page(Side::Left, "c", 3);
    let applied = Settling::Applied { version: None, stored: None, key: None };
    let done = scene.settle(&sent[0], applied);
    assert!(done.sends.is_empty() && !scene.link.is_open());
    assert_eq!(scene.link.base_value(Side::Right, 0), &Value::from("b"));
    assert_eq!(told(&done), [WRITE]);
}

#[test]
fn a_delete_stops_at_its_fence() {
    let mut scene = Scene::agreed(Cas::Coarse { tick: Default::default() });
    scene.map(|mapping| {
        for side in Side::BOTH {
            let capabilities = &mut mapping.sides[side].capabilities;
            capabilities.conditional_delete = false;
            capabilities.recycle_bin = Some(Default::default());
        }
    });
    let right = Observation { source: Source::Read, ..seen(Side::Right, "a", 2) };
    let sent = scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &gone(Side::Left, 2));
        workset.begin_reading();
        workset.observe(MAPPING, Side::Right, &right);
    });
    assert!(matches!(scene.link.state, LinkState::Deleting(..)));
    scene.map(|mapping| mapping.mode = Mode::Observe);
    let applied = Settling::Applied { version: None, stored: None, key: None };
    let done = scene.settle(&sent.sends[0], applied);
    assert!(done.sends.is_empty() && !scene.link.is_open());
    assert_eq!(scene.link.state, LinkState::Linked);
    assert_eq!(told(&done), [Verdict::Would(Would::Delete(Side::Right))]);
}

#[test]
fn deletions_are_compared_too() {
    let mut scene = observed();
    let done = scene.round(|it| it.observe(MAPPING, Side::Left, &gone(Side::Left, 2)));
    quiet(&done);
    assert_eq!(told(&done), [Verdict::Would(Would::Delete(Side::Right))]);
    let done = scene.round(|it| it.observe(MAPPING, Side::Right, &gone(Side::Right, 2)));
    assert_eq!(told(&done), [Verdict::Came(Came::Same)]);
    assert_eq!(scene.link.state, LinkState::Tombstone);
}

#[test]
fn creates_are_compared_too() {
    let mut scene = observed();
    scene.matching();
    scene.link.state = LinkState::Ended;
    scene.link.keys = Sides::default();
    let left = Observation { source: Source::Read, ..seen(Side::Left, "a", 2) };
    let done = scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &left);
        let made = workset.link_of(MAPPING, Side::Left, &left.key).unwrap();
        workset.found(MAPPING, made, Side::Right, 0, &Value::from("a"), &[]);
    });
    quiet(&done);
    assert_eq!(told(&done), [Verdict::Would(Would::Create(Side::Right))]);
    let done = scene.page(Side::Right, "a", 2);
    quiet(&done);
    assert_eq!(told(&done), [Verdict::Came(Came::Same)]);
    assert_eq!(scene.others[0].state, LinkState::Linked);
}

#[test]
fn questions_close_and_answers_write_nothing() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &seen(Side::Left, "b", 2));
        workset.observe(MAPPING, Side::Right, &seen(Side::Right, "c", 2));
    });
    assert_eq!(scene.reviews.len(), 1);
    scene.map(|mapping| mapping.mode = Mode::Observe);
    scene.answer(Choice::Take(Side::Left));
    let link = scene.link.id;
    let done = scene.round(|workset| assert!(workset.answer(MAPPING, link, Some(0))));
    assert!(done.sends.is_empty());
    assert!(scene.reviews.is_empty(), "asked again once it is live");
    let verdicts = done.changeset.entries.iter().flat_map(|entry| &entry.decided);
    assert!(
        verdicts.clone().any(|decided| matches!(decided.verdict, Verdict::AnswerNotApplied(_)))
    );
    assert_eq!(told(&done), [Verdict::Would(Would::Ask)]);
}

#[test]
fn a_pilot_writes_what_meets_its_condition_and_observes_the_rest() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let condition = |value: &str| syncline_sdk::Filter::Compare {
        field: FieldName::from("f"),
        comparison: syncline_sdk::Comparison::Equal,
        value: Value::from(value),
    };
    let pilot = |value: &str| {
        let conditions = Sides { left: Some(condition(value)), right: None };
        Mode::Pilot(Pilot { conditions, share: None })
    };
    scene.map(|mapping| mapping.mode = pilot("in"));
    let done = scene.page(Side::Left, "out", 2);
    quiet(&done);
    assert_eq!(told(&done), [WRITE]);
    let sent = scene.page(Side::Left, "in", 3).sends;
    assert_eq!(sent.len(), 1);
    let applied = Settling::Applied { version: None, stored: None, key: None };
    scene.settle(&sent[0], applied);
    // It leaves the pilot again.
    quiet(&scene.page(Side::Left, "elsewhere", 4));
    // The pilot grows.
    scene.map(|mapping| mapping.mode = pilot("elsewhere"));
    let link = scene.link.id;
    assert_eq!(scene.round(|workset| workset.touch(MAPPING, link)).sends.len(), 1);
}
