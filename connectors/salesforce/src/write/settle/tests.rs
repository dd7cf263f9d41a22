use std::time::Duration;

use syncline_sdk::{Actor, BatchId, Expect, FieldName, Instant, LinkId, Purpose, Write, WriteOp};
use uuid::Uuid;

use super::*;

const ID: &str = "001000000000001AAA";

fn cx() -> Context {
    Context {
        install: "inst".into(),
        now: Instant::from_micros(0),
        timeout: Duration::from_secs(1),
        purpose: Purpose::Sync,
    }
}

fn intent(commit: i64) -> IntentId {
    IntentId { commit, ordinal: 0 }
}

fn selection() -> Arc<Selection> {
    Arc::new(Selection {
        entity: "Account".into(),
        fields: [FieldName::new("Name")].into(),
        external_id: Some("Link__c".into()),
        marker: Some("Marker__c".into()),
        actor: None,
        filter: None,
    })
}

fn unknown(op: WriteOp, may_arrive: bool) -> UnknownWrite {
    UnknownWrite {
        batch: BatchId { commit: 10, ordinal: 0 },
        write: Write {
            intent: intent(10),
            ordinal: 0,
            link: LinkId(Uuid::from_u128(7)),
            selection: selection(),
            op,
            group: None,
        },
        may_arrive,
        unseen: false,
    }
}

fn update(expected: i64) -> WriteOp {
    let expect = Expect { version: Stamp(expected).version(), ..Expect::default() };
    WriteOp::Update { key: ID.into(), values: Vec::new(), expect, claim: false }
}

fn record(stamp: i64, marker: Option<&str>) -> Record {
    Record {
        key: ID.into(),
        version: Stamp(stamp).version(),
        values: vec!["x".into()],
        external_id: None,
        marker: marker.map(Arc::from),
        actor: Actor::default(),
        changed_at: None,
        closed: true,
    }
}

fn live(record: Record) -> Records {
    Records { live: [(record.key.clone(), record)].into(), absent: HashMap::new(), marked: true }
}

fn absent(absence: Absence) -> Records {
    Records { live: HashMap::new(), absent: [(Key::new(ID), absence)].into(), marked: true }
}

fn word(settlement: &Settlement) -> &'static str {
    match settlement {
        Settlement::Applied { .. } => "applied",
        Settlement::NotApplied => "not applied",
        Settlement::Undecided { current: Current::Record(_) } => "undecided, record",
        Settlement::Undecided { .. } => "undecided",
        Settlement::Awaited => "awaited",
    }
}

#[track_caller]
fn check(found: &Records, unknown: &UnknownWrite, wanted: &str) {
    assert_eq!(word(&found.settle(&cx(), unknown)), wanted);
}

#[test]
fn the_marker_is_the_receipt() {
    let asked = unknown(update(100), true);
    check(&live(record(101, Some("inst:10.0"))), &asked, "applied");
    // Edited by a person since: the marker stays.
    check(&live(record(150, Some("inst:10.0"))), &asked, "applied");
}

#[test]
fn a_moved_version_without_receipt_is_dead() {
    let asked = unknown(update(100), true);
    check(&live(record(101, None)), &asked, "not applied");
    check(&live(record(101, Some("inst:9.3"))), &asked, "not applied");
}

#[test]
fn a_marker_that_may_have_replaced_ours_proves_nothing() {
    let asked = unknown(update(100), true);
    check(&live(record(101, Some("inst:11.0"))), &asked, "undecided, record");
    check(&live(record(101, Some("other:9.0"))), &asked, "undecided, record");
    check(&live(record(101, Some("typed"))), &asked, "undecided, record");
}

#[test]
fn an_unmoved_version_stays_open_while_a_copy_lives() {
    check(&live(record(100, None)), &unknown(update(100), true), "undecided, record");
    check(&live(record(100, None)), &unknown(update(100), false), "not applied");
}

#[test]
fn without_a_marker_field_a_moved_version_is_compared_by_content() {
    let found = |stamp| Records { marked: false, ..live(record(stamp, None)) };
    check(&found(101), &unknown(update(100), false), "undecided, record");
    check(&found(100), &unknown(update(100), true), "undecided, record");
    check(&found(100), &unknown(update(100), false), "not applied");
}

#[test]
fn the_recycle_bin_keeps_the_receipt() {
    let image = |marker| Absence::Deleted {
        by: None,
        at: None,
        image: Some(Box::new(record(120, marker))),
    };
    let asked = unknown(update(100), true);
    check(&absent(image(Some("inst:10.0"))), &asked, "applied");
    check(&absent(image(None)), &asked, "not applied");
    check(&absent(Absence::NotVisible), &asked, "undecided");
    check(&absent(Absence::NotVisible), &unknown(update(100), false), "not applied");
}

#[test]
fn a_delete_is_ours_when_our_user_made_it() {
    let by = |kind| Absence::Deleted { by: Some(Actor { id: None, kind }), at: None, image: None };
    let delete =
        || WriteOp::Delete { key: ID.into(), fields: Vec::new(), expect: Expect::default() };
    check(&absent(by(ActorKind::Sync)), &unknown(delete(), true), "applied");
    check(&absent(by(ActorKind::Person)), &unknown(delete(), true), "undecided");
    check(&absent(by(ActorKind::Person)), &unknown(delete(), false), "not applied");
    check(&live(record(100, None)), &unknown(delete(), true), "undecided, record");
    check(&live(record(100, None)), &unknown(delete(), false), "not applied");
}

#[test]
fn an_undelete_is_done_when_the_record_lives() {
    let undelete = || WriteOp::Undelete { key: ID.into() };
    check(&live(record(1, None)), &unknown(undelete(), true), "applied");
    check(&absent(Absence::NotVisible), &unknown(undelete(), true), "undecided");
}

#[test]
fn a_create_is_found_by_link_id_or_by_its_marker_in_the_bin() {
    let insert = |may| unknown(WriteOp::Insert { values: Vec::new() }, may);
    let mut linked = record(5, None);
    linked.external_id = Some(LinkId(Uuid::from_u128(7)));
    let found = |live: Vec<Record>, in_bin: Vec<Record>| Creates { live, in_bin, searched: true };
    let settle = |creates: Creates, may| word(&creates.settle(&cx(), &insert(may)));
    assert_eq!(settle(found(vec![linked.clone()], vec![]), true), "applied");
    // An earlier create of the same link made it: ours cannot pass, once no copy is left.
    let mut earlier = linked.clone();
    earlier.marker = Some("inst:9.0".into());
    assert_eq!(settle(found(vec![earlier.clone()], vec![]), true), "awaited");
    assert_eq!(settle(found(vec![earlier], vec![]), false), "not applied");
    // In the bin, the link id alone may be that of an earlier record of the same link.
    assert_eq!(settle(found(vec![], vec![linked]), true), "undecided");
    assert_eq!(settle(found(vec![], vec![record(5, Some("inst:10.0"))]), true), "applied");
    assert_eq!(settle(found(vec![], vec![]), true), "undecided");
    assert_eq!(settle(found(vec![], vec![]), false), "not applied");
    let blind = Creates { live: vec![], in_bin: vec![], searched: false };
    assert_eq!(settle(blind, false), "undecided");
}
