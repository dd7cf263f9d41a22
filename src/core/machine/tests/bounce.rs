//! Writes that do not hold (protocol P8a).

use syncline_sdk::{Cas, Instant};

use super::builder::{MAPPING, Scene, seen, version};
use crate::Side;
use crate::machine::{Observation, Settling, Source};
use crate::model::ReviewKind;

fn polled() -> Cas {
    Cas::Coarse { tick: Default::default() }
}

/// Reads both sides, writes what is asked for, and says to which side.
fn exchange(scene: &mut Scene, left: &str, right: &str, at: u8, seconds: i64) -> Option<Side> {
    let read = |side: Side, value: &str| Observation {
        source: Source::Read,
        at: Some(Instant::from_micros(seconds * 1_000_000)),
        ..seen(side, value, at)
    };
    let (left, right) = (read(Side::Left, left), read(Side::Right, right));
    let done = scene.round(|workset| {
        workset.begin_reading();
        workset.observe(MAPPING, Side::Left, &left);
        workset.observe(MAPPING, Side::Right, &right);
    });
    let sent = done.sends.first()?;
    let side = sent.carried[0].intent.side;
    let version = Some(version(at + 1));
    scene.settle(sent, Settling::Applied { version, stored: None, key: None });
    Some(side)
}

/// The left side stores small letters, the right side capitals; each write comes back. Gives the
/// number of writes, each so many seconds after the one before.
fn fight(seconds: i64) -> (Scene, usize) {
    let mut scene = Scene::agreed(polled());
    for turn in 0..40_u8 {
        let at = 3 * turn + 2;
        let time = seconds * i64::from(turn + 1);
        if exchange(&mut scene, "b", if turn == 0 { "a" } else { "B" }, at, time).is_none() {
            return (scene, usize::from(turn));
        }
    }
    (scene, 40)
}

#[test]
fn two_rules_that_undo_each_other_are_stopped_where_nobody_tells_who_changed_it() {
    let (scene, writes) = fight(5);
    assert!(writes <= 6, "{writes} writes");
    assert_eq!(scene.reviews[0].kind, ReviewKind::Oscillation);
}

#[test]
fn people_who_change_a_value_to_and_fro_over_days_are_not_stopped() {
    let (_, writes) = fight(86_400);
    assert_eq!(writes, 40);
}

#[test]
fn new_values_in_turn_are_edits() {
    let mut scene = Scene::agreed(polled());
    let (mut left, mut right) = ("a".to_owned(), "a".to_owned());
    for turn in 0..20_u8 {
        let value = format!("v{turn}");
        if turn % 2 == 0 {
            left.clone_from(&value)
        } else {
            right.clone_from(&value)
        }
        let wrote = exchange(&mut scene, &left, &right, 3 * turn + 2, i64::from(turn) + 1);
        assert_eq!(wrote, Some(if turn % 2 == 0 { Side::Right } else { Side::Left }));
        (left, right) = (value.clone(), value);
    }
}

/// Both sides answer each of our writes with a value that was never there before, so many seconds
/// after it. Gives the number of writes.
fn answer_each_other(seconds: i64) -> (Scene, usize) {
    let mut scene = Scene::agreed(polled());
    let (mut left, mut right) = ("a".to_owned(), "a".to_owned());
    for turn in 0..60_u8 {
        let value = format!("v{turn}!");
        if turn % 2 == 0 {
            left.clone_from(&value)
        } else {
            right.clone_from(&value)
        }
        let time = seconds * i64::from(turn + 1);
        if exchange(&mut scene, &left, &right, 3 * turn + 2, time).is_none() {
            return (scene, usize::from(turn));
        }
        (left, right) = (value.clone(), value);
    }
    (scene, 60)
}

#[test]
fn automations_that_make_a_new_value_of_each_write_are_stopped() {
    let (scene, writes) = answer_each_other(2);
    assert!((21..=32).contains(&writes), "{writes} writes");
    assert_eq!(scene.reviews[0].kind, ReviewKind::Oscillation);
}

#[test]
fn new_values_in_turn_over_days_are_edits_for_ever() {
    let (_, writes) = answer_each_other(86_400);
    assert_eq!(writes, 60);
}

#[test]
fn a_second_edit_of_one_side_ends_the_row() {
    let mut scene = Scene::agreed(polled());
    let (mut left, mut right) = ("a".to_owned(), "a".to_owned());
    for turn in 0..60_u8 {
        let value = format!("v{turn}");
        // Left, left, right, left, left, right.
        if turn % 3 < 2 {
            left.clone_from(&value)
        } else {
            right.clone_from(&value)
        }
        let wrote = exchange(&mut scene, &left, &right, 3 * turn + 2, i64::from(turn) + 1);
        assert_eq!(wrote, Some(if turn % 3 < 2 { Side::Right } else { Side::Left }));
        (left, right) = (value.clone(), value);
    }
}
