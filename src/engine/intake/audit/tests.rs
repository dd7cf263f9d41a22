//! Which batches count as audited, and what is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use syncline_core::machine::Mappings;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Batch, BatchChange, BatchState, Changeset, Entry, Intent, IntentKind, Link, LinkChange,
    LinkState, WrittenField,
};
use syncline_core::{Side, Sides};
use syncline_ledger::memory::Memory;
use syncline_ledger::{Committed, Ledger as _, Ownership};
use syncline_sdk::{
    Actor, ActorKind, BatchId, Connector, Error, ErrorKind, HistoryEntry, HistoryKind,
    HistoryRequest, Instant, IntentId, Key, LinkId, SystemName, Value, Version,
};

use crate::clock::Clock;
use crate::fixture::{Stub, capabilities, mapping};
use crate::reader::Intake;
use crate::system::System;
use crate::work::Work;

const KNOWN: MappingId = MappingId(1);
/// Its field holds references to records of the other.
const CHILDREN: MappingId = MappingId(2);

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Instant {
        Instant::from_micros(1_000)
    }
}

fn at(micros: i64) -> Instant {
    Instant::from_micros(micros)
}

/// The link of a parent, by its number.
fn parent(number: u128) -> LinkId {
    LinkId(uuid::Uuid::from_u128(100 + number))
}

/// The link of the parent `p1` and so on.
fn parent_link(number: u128) -> LinkChange {
    let keys = Sides { left: None, right: Some(Key::new(format!("p{number}"))) };
    LinkChange::Insert(Link {
        epoch: 1,
        mapping_rev: 1,
        sync_version: 1,
        keys,
        ..Link::new(KNOWN, parent(number), LinkState::Linked)
    })
}

/// A write of the record of that name, on the right.
fn entry(id: IntentId, mapping: MappingId, key: &str) -> Entry {
    let (expected, value) = match mapping {
        CHILDREN => (Value::Link(parent(1)), Value::Link(parent(2))),
        _ => ("a".into(), "b".into()),
    };
    let field = WrittenField { field: 0, image: value.clone(), value, expected };
    let intent = Intent {
        id,
        side: Side::Right,
        kind: IntentKind::Update,
        key: Some(key.into()),
        units: vec![0],
        fields: vec![field],
        version: Version::new([1]),
        source: Vec::new(),
        half: false,
        actor: Actor::default(),
        edited_at: None,
    };
    Entry {
        id,
        mapping,
        link: LinkId(uuid::Uuid::from_u128(8)),
        previous: None,
        at: at(1),
        revision: 1,
        observed: Vec::new(),
        decided: Vec::new(),
        intent: Some(intent),
        settled: Vec::new(),
    }
}

/// An intake before a settled batch for each write, on a system with that history.
async fn intake<R>(writes: &[(MappingId, &str)], remembers: R) -> Intake<Memory>
where
    R: Fn(&HistoryRequest) -> Result<Vec<HistoryEntry>, ErrorKind> + Send + Sync + 'static,
{
    let ledger = Memory::default();
    let Ownership::Owned(fence) = ledger.own("one", at(0), at(9_000)).await.unwrap() else {
        panic!("somebody else owns an empty ledger");
    };
    let name = SystemName::from("right");
    let commit = ledger.reserve(1).await.unwrap().start;
    let mut changes = Changeset { commit, fence, at: 1, ..Changeset::default() };
    changes.links = (1..=3).map(parent_link).collect();
    for (ordinal, (mapping, key)) in writes.iter().enumerate() {
        let ordinal = i32::try_from(ordinal).unwrap();
        let id = IntentId { commit, ordinal };
        changes.entries.push(entry(id, *mapping, key));
        changes.batches.push(BatchChange::Send(Batch {
            id: BatchId { commit, ordinal },
            system: name.clone(),
            intents: vec![id],
            epoch: fence.epoch,
            state: BatchState::Settled,
            first_sent: 1,
            last_sent: 1,
            die_after: 10,
            attempts: 1,
        }));
    }
    assert_eq!(ledger.commit(&changes).await.unwrap(), Committed::Committed);
    let mut can = capabilities();
    can.history = HistoryKind::FullValues;
    let remembers = move |request: &HistoryRequest| {
        remembers(request).map_err(|kind| Error::new(kind, "read history", "no"))
    };
    let stub = Stub { remembers: Box::new(remembers), ..Stub::new(can) };
    let connector: Arc<dyn Connector> = Arc::new(stub);
    let mappings: Mappings =
        BTreeMap::from([(KNOWN, mapping(KNOWN, None)), (CHILDREN, mapping(CHILDREN, Some(KNOWN)))]);
    let system = System::new(&name, connector, &mappings);
    Intake {
        ledger: Arc::new(ledger),
        install: "install".into(),
        mappings: Arc::new(mappings),
        systems: Arc::new(BTreeMap::from([(name, system)])),
        clock: Arc::new(Stopped),
    }
}

/// The places of the batches that were audited.
fn audited(
    writes: &[(MappingId, &str)],
    remembers: impl Fn(&HistoryRequest) -> Result<(), ErrorKind> + Send + Sync + 'static,
) -> Result<Vec<i32>, String> {
    let remembers = move |request: &HistoryRequest| remembers(request).map(|()| Vec::new());
    let intake = intake(writes, remembers).now_or_never().unwrap();
    let looked = intake.audit(&"right".into()).now_or_never().unwrap();
    let (work, more): (Work, bool) = looked.map_err(|error| error.to_string())?;
    assert!(!more && work.overwritten.is_empty());
    let places = work.batches.iter().map(|change| match change {
        BatchChange::Audit(id) => id.ordinal,
        other => panic!("{other:?}"),
    });
    Ok(places.collect())
}

#[test]
fn a_batch_of_a_mapping_that_is_left_out_waits() {
    let writes = [(MappingId(9), "x"), (KNOWN, "y")];
    assert_eq!(audited(&writes, |_| Ok(())), Ok(vec![1]));
}

#[test]
fn what_may_not_be_read_now_waits_and_what_is_not_kept_does_not() {
    let writes = [(KNOWN, "x"), (KNOWN, "y")];
    assert_eq!(audited(&writes, |_| Err(ErrorKind::Forbidden)), Ok(vec![]));
    assert_eq!(audited(&writes, |_| Err(ErrorKind::Schema)), Ok(vec![]));
    assert_eq!(audited(&writes, |_| Err(ErrorKind::Unsupported)), Ok(vec![0, 1]));
    assert!(audited(&writes, |_| Err(ErrorKind::Unavailable)).is_err());
}

#[test]
fn a_record_of_which_nothing_is_told_keeps_no_other_from_being_looked_up() {
    let alone = std::sync::Mutex::new(Vec::new());
    let alone = Arc::new(alone);
    let seen = alone.clone();
    let odd = move |request: &HistoryRequest| {
        let keys: Vec<String> = request.records.iter().map(|(key, _)| key.to_string()).collect();
        if keys.iter().any(|key| key == "odd") {
            return Err(ErrorKind::Invalid);
        }
        seen.lock().unwrap().extend(keys);
        Ok(())
    };
    let writes = [(KNOWN, "x"), (KNOWN, "odd"), (KNOWN, "y")];
    assert_eq!(audited(&writes, odd), Ok(vec![0, 1, 2]));
    assert_eq!(*alone.lock().unwrap(), ["x", "y"]);
}

/// A side tells of references by the names of records, an intent by links.
#[test]
fn a_reference_that_was_replaced_unseen_is_found() {
    let told = |kind: ActorKind, old: &str, new: &str| HistoryEntry {
        key: "x".into(),
        field: "f".into(),
        old: Value::text(old),
        new: Value::text(new),
        actor: Actor { id: None, kind },
        version: Version::new([2]),
        at: Some(at(2)),
    };
    let remembers = move |_: &HistoryRequest| {
        Ok(vec![told(ActorKind::Person, "p1", "p3"), told(ActorKind::Sync, "p3", "p2")])
    };
    let intake = intake(&[(CHILDREN, "x")], remembers).now_or_never().unwrap();
    let looked = intake.audit(&"right".into()).now_or_never().unwrap();
    let (work, _): (Work, bool) = looked.unwrap();
    let [(mapping, _, side, found)] = work.overwritten.as_slice() else { panic!("{work:?}") };
    assert_eq!((*mapping, *side), (CHILDREN, Side::Right));
    let values: Vec<&Value> = found.iter().map(|edit| &edit.value).collect();
    assert_eq!(values, [&Value::Link(parent(3))]);
}
