//! What a history tells of a write (protocol W1).

use syncline_sdk::{
    Actor, ActorKind, HistoryEntry, Instant, IntentId, Key, Value, Version, VersionOrder,
};

use super::{Overwritten, overwritten};
use crate::Side;
use crate::model::{Intent, IntentKind, WrittenField};

fn version(second: u8) -> Version {
    if second == 0 { Version::default() } else { Version::new(vec![second]) }
}

fn order(a: &Version, b: &Version) -> VersionOrder {
    match a.as_bytes().cmp(b.as_bytes()) {
        std::cmp::Ordering::Less => VersionOrder::Older,
        std::cmp::Ordering::Equal => VersionOrder::Same,
        std::cmp::Ordering::Greater => VersionOrder::Newer,
    }
}

/// A write of the field, planned from a reading of that second.
fn write(from: &str, to: &str, second: u8) -> Intent {
    let (value, expected): (Value, Value) = (to.into(), from.into());
    Intent {
        id: IntentId { commit: i64::from(second), ordinal: 0 },
        side: Side::Left,
        kind: IntentKind::Update,
        key: Some("r".into()),
        units: vec![0],
        fields: vec![WrittenField { field: 0, image: value.clone(), value, expected }],
        version: version(second),
        source: Vec::new(),
        half: false,
        actor: Actor::default(),
        edited_at: None,
    }
}

fn entry(kind: ActorKind, from: Value, to: Value, second: u8) -> HistoryEntry {
    HistoryEntry {
        key: Key::new("r"),
        field: "f".into(),
        old: from,
        new: to,
        actor: Actor { id: None, kind },
        version: version(second),
        at: Some(Instant::from_micros(i64::from(second) * 1_000_000)),
    }
}

fn ours(from: &str, to: &str, second: u8) -> HistoryEntry {
    entry(ActorKind::Sync, from.into(), to.into(), second)
}

fn theirs(from: &str, to: &str, second: u8) -> HistoryEntry {
    entry(ActorKind::Person, from.into(), to.into(), second)
}

fn found(write: &Intent, entries: &[HistoryEntry], others: &[Intent]) -> Vec<Overwritten> {
    let mut writes = vec![write.clone()];
    writes.extend_from_slice(others);
    overwritten(write, write.fields[0].field, entries, &writes, &order)
}

fn values(write: &Intent, entries: &[HistoryEntry], others: &[Intent]) -> Vec<Value> {
    found(write, entries, others).into_iter().map(|edit| edit.value).collect()
}

#[test]
fn what_a_write_was_planned_from_is_no_overwrite() {
    let one = write("a", "b", 5);
    // The edit that the plan saw shares the version of the reading.
    assert!(found(&one, &[theirs("x", "a", 5), ours("a", "b", 7)], &[]).is_empty());
    assert!(found(&one, &[ours("a", "b", 7), theirs("b", "c", 9)], &[]).is_empty());
    assert!(found(&one, &[], &[]).is_empty());
}

#[test]
fn an_edit_between_the_reading_and_the_write_is_found() {
    let one = write("a", "b", 5);
    let entries = [theirs("a", "h", 6), ours("h", "b", 7)];
    let edit = &found(&one, &entries, &[])[0];
    assert_eq!((&edit.value, edit.actor.kind), (&"h".into(), ActorKind::Person));
    assert_eq!(edit.at, Some(Instant::from_micros(6_000_000)));
    // So is one that was stamped in the very second of the reading, and committed after it.
    let entries = [theirs("x", "a", 5), theirs("a", "h", 5), ours("h", "b", 7)];
    assert_eq!(values(&one, &entries, &[]), ["h".into()]);
}

#[test]
fn within_one_second_the_order_is_told_by_the_values() {
    let one = write("a", "b", 5);
    let overwrote = [ours("h", "b", 7), theirs("a", "h", 7)];
    assert_eq!(values(&one, &overwrote, &[]), ["h".into()]);
    let came_after = [theirs("b", "h", 7), ours("a", "b", 7)];
    assert!(found(&one, &came_after, &[]).is_empty());
}

#[test]
fn a_late_copy_that_restores_what_is_agreed_is_found() {
    // Somebody took our write back; nobody saw that before a copy of it was applied again.
    let one = write("a", "b", 5);
    let entries = [ours("a", "b", 6), theirs("b", "a", 8), ours("a", "b", 9)];
    assert_eq!(values(&one, &entries, &[]), ["a".into()]);
    // A write that was planned from what they did is none.
    assert!(found(&one, &entries, &[write("a", "b", 8)]).is_empty());
    assert_eq!(values(&one, &entries, &[write("a", "b", 7)]), ["a".into()]);
    assert_eq!(values(&one, &entries, &[write("c", "b", 8)]), ["a".into()]);
}

#[test]
fn each_overwritten_edit_is_told() {
    let one = write("a", "b", 5);
    let entries = [
        theirs("a", "g", 6),
        theirs("g", "h", 6),
        ours("h", "b", 7),
        theirs("b", "k", 8),
        ours("k", "b", 9),
    ];
    // What people overwrote themselves is their own affair.
    assert_eq!(values(&one, &entries, &[]), ["h".into(), "k".into()]);
}

#[test]
fn a_late_copy_that_takes_a_later_write_back_is_found() {
    let (one, two) = (write("a", "b", 5), write("b", "c", 7));
    let entries = [ours("a", "b", 6), ours("b", "c", 8), ours("c", "b", 9)];
    assert_eq!(values(&one, &entries, std::slice::from_ref(&two)), ["c".into()]);
    assert!(found(&two, &entries, std::slice::from_ref(&one)).is_empty());
    // A third write of ours may do just that.
    assert!(found(&one, &entries, &[two, write("c", "b", 8)]).is_empty());
}

#[test]
fn a_later_write_that_was_taken_back_is_known_by_what_its_system_stored() {
    // The system stores other images than it is given: what it shows, no intent gave.
    let (one, two) = (write("a", "b", 5), write("b", "C", 7));
    let entries = [ours("a", "b", 6), ours("b", "c", 8), ours("c", "b", 9)];
    assert_eq!(values(&one, &entries, std::slice::from_ref(&two)), ["c".into()]);
    assert!(found(&two, &entries, std::slice::from_ref(&one)).is_empty());
    // Nor did any give what the copy leaves once more.
    let (one, two) = (write("a", "B", 5), write("b", "c", 7));
    assert_eq!(values(&one, &entries, std::slice::from_ref(&two)), ["c".into()]);
    assert!(found(&two, &entries, std::slice::from_ref(&one)).is_empty());
    // Its own image, stored another way, is none of a later write's.
    let one = write("a", "B", 5);
    let entries = [ours("a", "b", 6), ours("b", "c", 8)];
    assert!(found(&one, &entries, &[write("b", "c", 7)]).is_empty());
}

#[test]
fn the_journal_is_only_needed_where_something_lies_before_a_write() {
    let one = write("a", "b", 5);
    let suspicious =
        |entries: &[HistoryEntry]| super::is_suspicious(&one, &one.fields[0], entries, &order);
    assert!(!suspicious(&[]) && !suspicious(&[ours("a", "b", 7)]));
    assert!(!suspicious(&[theirs("x", "a", 5), ours("a", "b", 7), theirs("b", "c", 8)]));
    assert!(suspicious(&[theirs("a", "h", 6), ours("h", "b", 7)]));
    assert!(suspicious(&[ours("a", "b", 7), ours("b", "c", 8)]));
}

#[test]
fn a_write_is_known_where_its_system_stores_another_image() {
    let one = write("a", "b", 5);
    let entries = [theirs("a", "h", 6), ours("h", "B", 7)];
    assert_eq!(values(&one, &entries, &[]), ["h".into()]);
    // What another write left is that one's affair.
    let two = write("B", "c", 8);
    let entries = [ours("a", "B", 7), theirs("B", "h", 9), ours("h", "C", 10)];
    assert!(found(&one, &entries, std::slice::from_ref(&two)).is_empty());
    assert_eq!(values(&two, &entries, std::slice::from_ref(&one)), ["h".into()]);
}

#[test]
fn what_came_before_the_reading_is_none_of_its_business() {
    let one = write("a", "b", 5);
    assert!(found(&one, &[theirs("x", "h", 3), ours("h", "b", 4)], &[]).is_empty());
}

#[test]
fn a_history_without_values_tells_that_something_was_overwritten() {
    let one = write("a", "b", 5);
    let unknown = |kind, second| entry(kind, Value::Absent, Value::Absent, second);
    let entries = [unknown(ActorKind::Person, 6), unknown(ActorKind::Sync, 7)];
    assert_eq!(values(&one, &entries, &[]), [Value::Absent]);
    let entries = [unknown(ActorKind::Sync, 7), unknown(ActorKind::Person, 8)];
    assert!(found(&one, &entries, &[]).is_empty());
    // Events carry the new values alone.
    let event = |kind, to: &str, second| entry(kind, Value::Absent, to.into(), second);
    let entries = [event(ActorKind::Person, "h", 6), event(ActorKind::Sync, "b", 7)];
    assert_eq!(values(&one, &entries, &[]), ["h".into()]);
}

#[test]
fn somebody_who_gave_the_same_value_lost_nothing() {
    let one = write("a", "b", 5);
    let event = |kind, to: &str, second| entry(kind, Value::Absent, to.into(), second);
    let entries = [event(ActorKind::Person, "b", 6), event(ActorKind::Sync, "b", 7)];
    assert!(found(&one, &entries, &[]).is_empty());
}
