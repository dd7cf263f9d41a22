//! Settlement: where the base moves (protocol P7).

use syncline_sdk::{Cas, Value};

use super::builder::{Scene, version};
use crate::Side;
use crate::machine::Settling;

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
