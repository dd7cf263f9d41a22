//! Scripted faults.

use std::time::Duration;

use syncline_sdk::{Connector, ErrorKind, Key, UnknownWrite, WriteBatch, WriteOutcome};

use super::fixture::Memory;
use crate::conformance::{Fixture, Session};
use crate::{Fault, FaultScript, Profile, complete};

/// A system with one record, and a batch of one update of it.
fn prepared(profile: Profile) -> (Memory, Key, WriteBatch) {
    let memory = Memory::new(profile);
    let (key, batch) = {
        let session = Session::new(&memory);
        let key = complete(session.created());
        let record = complete(session.settled(&key)).unwrap();
        (key, session.batch(vec![session.update_text(&record).0]))
    };
    (memory, key, batch)
}

fn push(memory: &Memory, batch: &WriteBatch) -> WriteOutcome {
    let mut outcomes = complete(memory.client.push(&memory.context(), batch.clone())).unwrap();
    outcomes.remove(0)
}

fn stored(memory: &Memory, key: &Key) -> String {
    let value = memory.system.value(&memory.entity, key, &"Name".into());
    value.unwrap().to_string()
}

fn target(batch: &WriteBatch) -> String {
    match &batch.writes[0].op {
        syncline_sdk::WriteOp::Update { values, .. } => values[0].1.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn faults_of_a_write_refuse_it_once() {
    for profile in Profile::all() {
        let (memory, key, batch) = prepared(profile);
        let before = stored(&memory, &key);
        memory.system.script(
            FaultScript::new().reject(1, ErrorKind::Invalid).at(2, Fault::Busy).at(3, Fault::Stale),
        );
        // Refusals leave receipts: each try is a batch of its own.
        let mut batches = vec![batch; 4];
        for (number, batch) in (100..).zip(&mut batches) {
            batch.batch.commit = number;
        }
        let first = push(&memory, &batches[0]);
        assert!(matches!(first, WriteOutcome::Rejected { .. }), "{first:?}");
        assert!(matches!(push(&memory, &batches[1]), WriteOutcome::Busy { .. }));
        assert!(matches!(push(&memory, &batches[2]), WriteOutcome::Stale { .. }));
        assert_eq!(stored(&memory, &key), before);
        assert!(matches!(push(&memory, &batches[3]), WriteOutcome::Applied { .. }));
        assert!(memory.system.script_is_spent());
    }
}

#[test]
fn a_lost_answer_is_unknown_and_applied_a_lost_request_is_not() {
    let (memory, key, batch) = prepared(Profile::postgres());
    memory.system.script(FaultScript::new().at(1, Fault::LoseRequest).at(2, Fault::LoseAnswer));
    let before = stored(&memory, &key);
    assert!(matches!(push(&memory, &batch), WriteOutcome::Unknown(_)));
    assert_eq!(stored(&memory, &key), before);
    assert!(matches!(push(&memory, &batch), WriteOutcome::Unknown(_)));
    assert_eq!(stored(&memory, &key), target(&batch));
    assert!(memory.system.under_way().is_empty());
}

#[test]
fn a_late_request_is_applied_when_it_is_delivered() {
    let (memory, key, batch) = prepared(Profile::crm());
    memory.system.script(FaultScript::new().at(1, Fault::Late));
    assert!(matches!(push(&memory, &batch), WriteOutcome::Unknown(_)));
    let waiting = memory.system.under_way();
    assert_eq!(waiting.len(), 1);
    assert!(memory.system.deliver(waiting[0].copy));
    assert!(!memory.system.deliver(waiting[0].copy));
    assert_eq!(stored(&memory, &key), target(&batch));
    assert_eq!(memory.system.writes().last().unwrap().effect, "applied");
}

#[test]
fn the_second_copy_of_a_duplicate_never_takes_effect_under_a_receipt() {
    let (memory, key, batch) = prepared(Profile::postgres());
    let before = stored(&memory, &key);
    memory.system.script(FaultScript::new().at(1, Fault::Duplicate));
    assert!(matches!(push(&memory, &batch), WriteOutcome::Applied { .. }));
    complete(memory.edit(&key, vec![("Name".into(), before.as_str().into())]));
    let waiting = memory.system.under_way();
    assert!(memory.system.deliver(waiting[0].copy));
    assert_eq!(stored(&memory, &key), before);
    assert_eq!(memory.system.writes().last().unwrap().effect, "repeat");
}

#[test]
fn a_slow_call_is_late_only_beyond_its_time_out() {
    let (memory, key, batch) = prepared(Profile::postgres());
    memory.system.script(
        FaultScript::new()
            .at(1, Fault::Slow(Duration::from_secs(60)))
            .at(2, Fault::Slow(Duration::from_secs(5))),
    );
    assert!(matches!(push(&memory, &batch), WriteOutcome::Unknown(_)));
    let before = memory.system.now();
    assert!(matches!(push(&memory, &batch), WriteOutcome::Applied { .. }));
    assert_eq!(memory.system.now().micros() - before.micros(), 5_000_000);
    assert_eq!(stored(&memory, &key), target(&batch));
}

#[test]
fn a_storm_of_refusals_ends_with_its_cause() {
    let (memory, _, batch) = prepared(Profile::crm());
    memory.system.conditions(|now| now.stale_storm = true);
    assert!(matches!(push(&memory, &batch), WriteOutcome::Stale { .. }));
    memory.system.conditions(|now| now.stale_storm = false);
    assert!(matches!(push(&memory, &batch), WriteOutcome::Applied { .. }));
}

#[test]
fn the_stream_decides_once_it_has_passed_the_fence() {
    let (memory, _, batch) = prepared(Profile::postgres_stream());
    let (cx, selection) = (memory.context(), memory.selection());
    let settle = || {
        let unknown = UnknownWrite {
            batch: batch.batch,
            write: batch.writes[0].clone(),
            may_arrive: true,
            unseen: false,
        };
        complete(memory.client.settle(&cx, &[unknown])).unwrap().remove(0)
    };
    let mut feed = complete(memory.client.open_feed(&cx, &[&selection], None)).unwrap();
    memory.system.script(FaultScript::new().at(1, Fault::Late));
    assert!(matches!(push(&memory, &batch), WriteOutcome::Unknown(_)));
    assert!(matches!(settle(), syncline_sdk::Settlement::Awaited));
    assert!(memory.system.under_way().is_empty(), "the copy was not ended");
    complete(feed.next(&cx, 10)).unwrap();
    assert!(matches!(settle(), syncline_sdk::Settlement::NotApplied));
    memory.system.script(FaultScript::new().at(1, Fault::LoseAnswer));
    assert!(matches!(push(&memory, &batch), WriteOutcome::Unknown(_)));
    complete(feed.next(&cx, 10)).unwrap();
    assert!(matches!(settle(), syncline_sdk::Settlement::Applied { .. }));
}
