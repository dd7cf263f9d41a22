//! Which batches count as audited.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use syncline_core::Side;
use syncline_core::machine::Mappings;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Batch, BatchChange, BatchState, Changeset, Entry, Intent, IntentKind, WrittenField,
};
use syncline_ledger::memory::Memory;
use syncline_ledger::{Committed, Ledger as _, Ownership};
use syncline_sdk::{
    Actor, BatchId, Connector, Error, ErrorKind, HistoryKind, HistoryRequest, Instant, IntentId,
    LinkId, SystemName, Version,
};

use crate::clock::Clock;
use crate::fixture::{Stub, capabilities, mapping};
use crate::reader::Intake;
use crate::system::System;
use crate::work::Work;

const KNOWN: MappingId = MappingId(1);

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Instant {
        Instant::from_micros(1_000)
    }
}

fn at(micros: i64) -> Instant {
    Instant::from_micros(micros)
}

/// A write of the record of that name, on the right.
fn entry(id: IntentId, mapping: MappingId, key: &str) -> Entry {
    let field =
        WrittenField { field: 0, value: "b".into(), image: "b".into(), expected: "a".into() };
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
async fn intake(
    writes: &[(MappingId, &str)],
    remembers: impl Fn(&HistoryRequest) -> Result<(), ErrorKind> + Send + Sync + 'static,
) -> Intake<Memory> {
    let ledger = Memory::default();
    let Ownership::Owned(fence) = ledger.own("one", at(0), at(9_000)).await.unwrap() else {
        panic!("somebody else owns an empty ledger");
    };
    let name = SystemName::from("right");
    let commit = ledger.reserve(1).await.unwrap().start;
    let mut changes = Changeset { commit, fence, at: 1, ..Changeset::default() };
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
        let told = remembers(request).map(|()| Vec::new());
        told.map_err(|kind| Error::new(kind, "read history", "no"))
    };
    let stub = Stub { remembers: Box::new(remembers), ..Stub::new(can) };
    let connector: Arc<dyn Connector> = Arc::new(stub);
    let mappings: Mappings = BTreeMap::from([(KNOWN, mapping(KNOWN, None))]);
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
