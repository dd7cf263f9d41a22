//! A system that does not answer: nothing is sent there, and what waits for it is read again.

use syncline_sdk::{Cas, Value};

use super::builder::{MAPPING, Scene, seen};
use crate::machine::{Missing, Observation, Source};
use crate::mapping::{MappingId, Priority};
use crate::model::{LinkState, Pending};
use crate::{Side, Sides};

#[test]
fn an_edit_waits_for_a_system_that_does_not_answer() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.away = Some(Side::Right);
    let done = scene.page(Side::Left, "b", 2);
    assert!(done.sends.is_empty());
    let [hint] = done.changeset.hints.as_slice() else { panic!("{:?}", done.changeset.hints) };
    assert_eq!((hint.key.as_str(), hint.due), ("r", 1_000_000 + 5_000_000));
    scene.away = None;
    assert_eq!(scene.read(Side::Right, "a", 1, true).sends.len(), 1);
}

#[test]
fn an_edit_on_the_side_that_answers_not_still_reaches_the_other() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.away = Some(Side::Left);
    assert_eq!(scene.page(Side::Left, "b", 2).sends.len(), 1);
}

#[test]
fn a_record_gets_its_partner_when_the_system_is_back() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.link.state = LinkState::Seen(Side::Left);
    scene.link.keys.right = None;
    scene.link.base = Sides::default();
    scene.link.pending.left =
        Pending { exists: Some(true), values: vec![(0, Value::from("a"))], ..Pending::default() };
    scene.away = Some(Side::Right);
    let done = scene.read(Side::Left, "a", 2, true);
    assert!(done.sends.is_empty());
    let [hint] = done.changeset.hints.as_slice() else { panic!("{:?}", done.changeset.hints) };
    assert_eq!((hint.key.as_str(), hint.due), ("l", 1_000_000 + 5_000_000));
    scene.away = None;
    assert_eq!(scene.read(Side::Left, "a", 2, true).sends.len(), 1);
}

#[test]
fn a_deletion_waits_too() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.away = Some(Side::Right);
    let missing = Observation { content: Err(Missing::Deleted), ..seen(Side::Left, "a", 2) };
    let gone = Observation { source: Source::Feed, ..missing };
    let done = scene.round(|workset| workset.observe(MAPPING, Side::Left, &gone));
    assert!(done.sends.is_empty());
    assert_eq!(scene.link.state, LinkState::Linked);
    scene.away = None;
    assert_eq!(scene.read(Side::Right, "a", 1, true).sends.len(), 1);
}

#[test]
fn what_matters_less_waits_where_there_is_no_room() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.map(|mapping| mapping.priority = Priority::Low);
    scene.crowded = Some(Priority::Low);
    let done = scene.page(Side::Left, "b", 2);
    assert!(done.sends.is_empty());
    assert_eq!(done.changeset.hints.len(), 1, "it is looked at again");
    assert!(done.changeset.entries.iter().all(|entry| entry.intent.is_none()));
    scene.crowded = Some(Priority::Normal);
    let link = scene.link.id;
    assert_eq!(scene.round(|workset| workset.touch(MAPPING, link)).sends.len(), 1);
}

#[test]
fn what_matters_more_is_sent_first() {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.map(|mapping| mapping.sides.right.capabilities.push_writes_max = 1);
    scene.second(|mapping| mapping.priority = Priority::High);
    let second = Observation { key: "l2".into(), ..seen(Side::Left, "b", 2) };
    let done = scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &seen(Side::Left, "b", 2));
        workset.observe(MappingId(2), Side::Left, &second);
    });
    let sent: Vec<MappingId> = done.sends.iter().map(|out| out.carried[0].mapping).collect();
    assert_eq!(sent, [MappingId(2), MAPPING]);
}
