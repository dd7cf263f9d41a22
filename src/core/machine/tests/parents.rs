//! References whose record has no partner: how long it is looked for, and what wakes what waits
//! for it (protocol 1.7).

use std::sync::Arc;

use syncline_sdk::{Cas, EntityName, LinkId, Value};

use super::builder::{Done, MAPPING, Scene, seen};
use crate::machine::{Observation, Settling, Source};
use crate::mapping::MappingId;
use crate::model::{Awaits, Choice, Hint, HintReason, LinkState, RecordName, ReviewKind};
use crate::{Side, Sides};

const PARENTS: MappingId = MappingId(2);
const PARENT: LinkId = LinkId(uuid::Uuid::from_u128(8));

/// The pair refers to records of another mapping by its only field.
fn child() -> Scene {
    let mut scene = Scene::agreed(Cas::ExactField);
    scene.second(|mapping| {
        for side in Side::BOTH {
            let mut selection = (*mapping.sides[side].selection).clone();
            selection.entity = EntityName::from("p");
            mapping.sides[side].selection = Arc::new(selection);
        }
    });
    scene.map(|mapping| {
        if mapping.id == MAPPING {
            mapping.units[0].pairs[0].reference = Some(PARENTS);
        }
    });
    scene
}

fn name(side: &str, entity: &str, key: &str) -> RecordName {
    (side.into(), entity.into(), key.into())
}

fn look(scene: &mut Scene, value: Value, at: u8) -> Done {
    let seen =
        Observation { content: Ok(vec![value]), source: Source::Read, ..seen(Side::Left, "", at) };
    scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &seen);
    })
}

/// Looks until nothing asks for another look: how long each waits after the one before.
fn look_until_rest(scene: &mut Scene, value: &Value) -> (Vec<i64>, Vec<Awaits>) {
    let (mut waits, mut awaits) = (Vec::new(), Vec::new());
    loop {
        let done = look(scene, value.clone(), 2).changeset;
        awaits.extend(done.awaits);
        let Some(Hint { due, reason, .. }) = done.hints.first() else { return (waits, awaits) };
        assert_eq!(*reason, HintReason::Parent);
        waits.push(due - 1_000_000);
        assert!(waits.len() < 20, "it is looked for without end");
    }
}

#[test]
fn it_is_looked_for_less_and_less_often_and_not_once_a_person_is_asked() {
    let mut scene = child();
    let (waits, awaits) = look_until_rest(&mut scene, &Value::from("p1"));
    assert!(waits.iter().zip(&waits[1..]).all(|(wait, next)| *next == 2 * wait), "{waits:?}");
    assert_eq!(waits.len(), 9, "{waits:?}");
    assert!(matches!(&scene.reviews[0].kind, ReviewKind::NoImage(Side::Right, _)));
    let waits = Awaits { parent: name("left", "p", "p1"), child: name("left", "e", "l") };
    assert_eq!(awaits.first(), Some(&waits));
    // An edit that leads elsewhere is asked about, and one look follows.
    let (more, awaits) = look_until_rest(&mut scene, &Value::from("p2"));
    assert_eq!(more.len(), 1);
    assert_eq!(awaits[0].parent, name("left", "p", "p2"));
    // One that leads nowhere ends it.
    let done = look(&mut scene, Value::Null, 3);
    assert_eq!(done.sends.len(), 1);
    assert_eq!(done.changeset.awaits_done, [name("left", "e", "l")]);
    assert!(scene.reviews.is_empty());
}

#[test]
fn one_that_a_person_leaves_as_it_is_is_asked_about_no_more() {
    let mut scene = child();
    look_until_rest(&mut scene, &Value::from("p1"));
    scene.answer(Choice::Separate);
    let link = scene.link.id;
    let done = scene.round(|workset| assert!(workset.answer(MAPPING, link, Some(0))));
    assert!(done.sends.is_empty() && scene.reviews.is_empty());
    assert_eq!(done.changeset.awaits_done, [name("left", "e", "l")]);
    assert_eq!(*scene.shown(Side::Left), Value::from("p1"));
    let again = look(&mut scene, Value::from("p1"), 3);
    assert!(again.sends.is_empty() && again.changeset.hints.is_empty());
    assert!(scene.reviews.is_empty());
    // The next edit is one as any other.
    let done = look(&mut scene, Value::Null, 4);
    assert_eq!(done.sends.len(), 1);
}

#[test]
fn a_required_reference_of_a_new_record_is_looked_for_no_longer() {
    let mut scene = child();
    scene.map(|mapping| mapping.sides.right.fields[0].nullable = false);
    scene.link.state = LinkState::Seen(Side::Left);
    scene.link.keys.right = None;
    scene.link.base = Sides::default();
    let (waits, awaits) = look_until_rest(&mut scene, &Value::from("p1"));
    assert_eq!(waits.len(), 10, "{waits:?}");
    assert_eq!(awaits[0].parent, name("left", "p", "p1"));
}

#[test]
fn a_record_that_gets_a_partner_has_arrived() {
    let mut scene = child();
    let parent = &mut scene.others[0];
    parent.state = LinkState::Seen(Side::Left);
    parent.keys.right = None;
    parent.base = Sides::default();
    let read = Observation { key: "l2".into(), source: Source::Read, ..seen(Side::Left, "a", 2) };
    let sent = scene.round(|workset| workset.observe(PARENTS, Side::Left, &read));
    assert!(sent.changeset.arrived.is_empty());
    // What refers to it waits under the name that its own side has for it.
    let (_, awaits) = look_until_rest(&mut scene, &Value::Link(PARENT));
    assert_eq!(awaits[0].parent, name("left", "p", "l2"));
    let applied = Settling::Applied { version: None, stored: None, key: Some("r2".into()) };
    let done = scene.settle(&sent.sends[0], applied);
    assert_eq!(done.changeset.arrived, [name("left", "p", "l2"), name("right", "p", "r2")]);
    // Once it is there its changes wake nothing, and it is referred to.
    let edited = Observation { content: Ok(vec![Value::from("b")]), ..read };
    let edited = scene.round(|workset| workset.observe(PARENTS, Side::Left, &edited));
    assert!(edited.changeset.arrived.is_empty());
    assert_eq!(look(&mut scene, Value::Link(PARENT), 2).sends.len(), 1);
    assert!(scene.reviews.is_empty());
}
