//! Directions and value tables.

use syncline_sdk::Value;

use crate::Side;
use crate::mapping::{Direction, ValueTable};

#[test]
fn edits_reach_the_sides_that_the_direction_names() {
    let reached = |direction: Direction| Side::BOTH.map(|side| direction.reaches(side));
    assert_eq!(reached(Direction::Both), [true, true]);
    assert_eq!(reached(Direction::ToLeft), [true, false]);
    assert_eq!(reached(Direction::ToRight), [false, true]);
}

#[test]
fn the_first_of_several_left_values_is_the_image_of_the_right_one() {
    let pairs = [("a", "X"), ("b", "X"), ("c", "Y")];
    let pairs = pairs.map(|(left, right)| (Value::from(left), Value::from(right)));
    let table = ValueTable { pairs: pairs.into() };
    assert_eq!(table.translate(Side::Right, &"b".into(), &[]), Some(&"X".into()));
    assert_eq!(table.translate(Side::Left, &"X".into(), &[]), Some(&"a".into()));
    assert_eq!(table.translate(Side::Left, &"a".into(), &[]), None);
    assert_eq!(table.translate(Side::Right, &Value::Null, &[]), None);
}
