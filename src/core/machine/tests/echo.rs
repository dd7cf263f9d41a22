//! Echoes and readings from before (protocol E1, E2', O3).

use core::time::Duration;

use syncline_sdk::{Cas, Value};

use super::builder::{MAPPING, Scene, seen};
use crate::Side;
use crate::machine::{Settling, Want};

#[test]
fn what_equals_the_base_writes_nothing() {
    let mut scene = Scene::agreed(Cas::ExactField);
    let done = scene.page(Side::Left, "a", 2);
    assert!(done.changeset.is_empty() && done.sends.is_empty());
}

#[test]
fn a_page_read_before_our_own_write_is_older_than_it() {
    let mut scene = Scene::agreed(Cas::ExactRecord);
    scene.page(Side::Left, "b", 2);
    let sent = scene.read(Side::Right, "a", 1, true).sends;
    assert_eq!(sent.len(), 1);
    // The side does not tell which version the write made.
    scene.settle(&sent[0], Settling::Applied { version: None, stored: None, key: None });
    let done = scene.page(Side::Right, "a", 1);
    assert!(done.sends.is_empty(), "the old value was carried back: {:?}", done.sends);
    assert_eq!(scene.shown(Side::Right), &Value::from("b"));
    // What comes after the write counts.
    scene.page(Side::Right, "c", 2);
    assert_eq!(scene.shown(Side::Right), &Value::from("c"));
}

#[test]
fn of_two_readings_in_one_tick_only_one_made_in_the_round_is_believed() {
    let mut scene = Scene::agreed(Cas::Coarse { tick: Duration::from_secs(1) });
    scene.page(Side::Left, "b", 2);
    scene.page(Side::Left, "c", 2);
    assert_eq!(scene.shown(Side::Left), &Value::from("b"), "a page of the same tick was taken");
    scene.read(Side::Left, "c", 2, false);
    assert_eq!(scene.shown(Side::Left), &Value::from("c"));
}

#[test]
fn two_pages_of_one_tick_in_one_round_are_read_again() {
    let mut scene = Scene::agreed(Cas::Coarse { tick: Duration::from_secs(1) });
    scene.round(|workset| {
        workset.observe(MAPPING, Side::Left, &seen(Side::Left, "b", 2));
        workset.observe(MAPPING, Side::Left, &seen(Side::Left, "c", 2));
        let again = |want: &Want| matches!(want, Want::Fresh { side: Side::Left, .. });
        assert!(workset.wants().iter().any(again));
    });
}
