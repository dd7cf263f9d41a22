//! Settlement: where the base moves (protocol P7).

use syncline_sdk::{Cas, Error, ErrorKind, Value};

use super::builder::{MAPPING, Scene, seen, version};
use crate::Side;
use crate::machine::{Missing, Observation, Settling, Source};

#[test]
fn the_base_moves_to_what_was_pushed_not_to_what_is_current() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let sent = scene.page(Side::Left, "b", 2).sends;
    scene.page(Side::Left, "c", 3);
    let applied = Settling::Applied { version: Some(version(2)), stored: None, key: None };
    let next = scene.settle(&sent[0], applied).sends;
    assert_eq!(scene.link.base_value(Side::Left, 0), &Value::from("b"));
    assert_eq!(scene.link.base_value(Side::Right, 0), &Value::from("b"));
    assert_eq!(next[0].carried[0].intent.fields[0].value, Value::from("c"));
}

#[test]
fn an_edit_taken_back_while_its_write_was_under_way_travels() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let sent = scene.page(Side::Left, "b", 2).sends;
    scene.page(Side::Left, "a", 3);
    let applied = Settling::Applied { version: Some(version(2)), stored: None, key: None };
    let next = scene.settle(&sent[0], applied).sends;
    assert_eq!(next[0].carried[0].intent.fields[0].value, Value::from("a"));
}

#[test]
fn with_an_intent_open_nothing_is_planned() {
    let mut scene = Scene::agreed(Cas::ExactField);
    assert_eq!(scene.page(Side::Left, "b", 2).sends.len(), 1);
    assert!(scene.page(Side::Right, "c", 2).sends.is_empty());
    assert_eq!(scene.shown(Side::Right), &Value::from("c"), "it is recorded all the same");
}

#[test]
fn what_was_put_off_is_planned_by_a_reading_that_shows_nothing_new() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let sent = scene.page(Side::Left, "b", 2).sends;
    assert!(scene.settle(&sent[0], Settling::Busy).sends.is_empty());
    let older = scene.read(Side::Left, "a", 1, true).sends;
    assert_eq!(older[0].carried[0].intent.fields[0].value, Value::from("b"));
}

#[test]
fn an_edit_that_takes_our_write_back_before_that_is_settled_travels() {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    scene.page(Side::Left, "b", 2);
    let sent = scene.read(Side::Right, "a", 1, true).sends;
    // Its reply is lost; meanwhile somebody puts back what was there.
    scene.page(Side::Right, "a", 3);
    scene.settle(&sent[0], Settling::Applied { version: None, stored: None, key: None });
    assert_eq!(scene.link.base_value(Side::Right, 0), &Value::from("b"));
    assert_eq!(scene.shown(Side::Right), &Value::from("a"));
}

#[test]
fn what_is_set_aside_says_what_to_do_once() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let sent = scene.page(Side::Left, "b", 2).sends;
    let error = Error::new(ErrorKind::Invalid, "push", "accounts: a rule").advise("mend the rule");
    let done = scene.settle(&sent[0], Settling::Refused(error));
    let [parked] = done.changeset.parked.as_slice() else { panic!("{:?}", done.changeset) };
    assert_eq!(parked.message, "push failed (invalid): accounts: a rule");
    assert_eq!(parked.advice, "mend the rule");
    let journalled = format!("{:?}", done.changeset.entries);
    assert!(journalled.contains("a rule") && !journalled.contains("mend"), "{journalled}");
}

#[test]
fn a_page_read_before_our_delete_does_not_bring_the_record_back() {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    let gone = Observation { content: Err(Missing::Deleted), ..seen(Side::Left, "a", 2) };
    let planned = scene.round(|workset| {
        workset.begin_reading();
        let fresh = Observation { source: Source::Read, ..seen(Side::Right, "a", 1) };
        workset.observe(MAPPING, Side::Left, &gone);
        workset.observe(MAPPING, Side::Right, &fresh);
    });
    let applied = Settling::Applied { version: Some(version(5)), stored: None, key: None };
    scene.settle(&planned.sends[0], applied);
    assert!(scene.page(Side::Right, "a", 4).sends.is_empty());
    assert!(!scene.link.exists(Side::Right));
}
