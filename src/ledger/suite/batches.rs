//! Batches: what was sent, how often, and whether it is settled.

use syncline_core::model::{Batch, BatchChange, BatchState};
use syncline_sdk::{BatchId, Instant};

use super::Subject;
use super::fixture::{Engine, batch, entry, link_id};
use crate::{Committed, OpenBatch};

const ID: BatchId = BatchId { commit: 900, ordinal: 1 };

fn resend(read_attempts: i32) -> BatchChange {
    BatchChange::Resend { id: ID, read_attempts, epoch: 2, last_sent: 300, die_after: 400 }
}

fn close(attempts: Option<i32>) -> BatchChange {
    BatchChange::Close { id: ID, state: BatchState::Settled, attempts }
}

pub(super) async fn attempts_are_asserted<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    engine.refused(|changes| changes.batches.push(resend(1))).await;
    engine.must(|changes| changes.batches.push(BatchChange::Send(batch(ID, Vec::new())))).await;
    engine.refused(|changes| changes.batches.push(BatchChange::Send(batch(ID, Vec::new())))).await;
    engine.refused(|changes| changes.batches.push(resend(0))).await;
    engine.must(|changes| changes.batches.push(resend(1))).await;
    engine.refused(|changes| changes.batches.push(resend(1))).await;
    let asserted = |attempts| BatchChange::Assert { id: ID, attempts };
    engine.refused(|changes| changes.batches.push(asserted(1))).await;
    engine.must(|changes| changes.batches.push(asserted(2))).await;
    // A refusal settles only if ours was the only send (protocol I3).
    engine.refused(|changes| changes.batches.push(close(Some(1)))).await;
    let open = ledger.open_batches(9).await.unwrap();
    let expected =
        Batch { attempts: 2, epoch: 2, last_sent: 300, die_after: 400, ..batch(ID, Vec::new()) };
    assert_eq!(open, [OpenBatch { batch: expected, entries: Vec::new() }]);
    engine.must(|changes| changes.batches.push(close(Some(2)))).await;
    assert!(ledger.open_batches(9).await.unwrap().is_empty());
}

pub(super) async fn a_settled_batch_stays_settled<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    engine.refused(|changes| changes.batches.push(close(None))).await;
    engine.must(|changes| changes.batches.push(BatchChange::Send(batch(ID, Vec::new())))).await;
    engine.must(|changes| changes.batches.push(close(None))).await;
    engine.refused(|changes| changes.batches.push(close(None))).await;
    engine.refused(|changes| changes.batches.push(resend(1))).await;
    let asserted = BatchChange::Assert { id: ID, attempts: 1 };
    engine.refused(|changes| changes.batches.push(asserted)).await;
}

pub(super) async fn open_batches_carry_their_intents<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let mut expected = Vec::new();
    for number in 0..3 {
        let mut changes = engine.changeset().await;
        let mut entries = Vec::new();
        for link in 0..3 {
            entries.push(entry(engine.id(&changes), link_id(10 * number + link), None));
        }
        changes.entries.extend(entries.iter().cloned());
        // The batch has an order of its own.
        entries.reverse();
        let id = BatchId { commit: changes.commit, ordinal: 0 };
        let intents = entries.iter().map(|entry| entry.id).collect();
        let sent = batch(id, intents);
        changes.batches.push(BatchChange::Send(sent.clone()));
        assert_eq!(ledger.commit(&changes).await.unwrap(), Committed::Committed);
        expected.push(OpenBatch { batch: sent, entries });
    }
    assert_eq!(ledger.open_batches(9).await.unwrap(), expected);
    assert_eq!(ledger.open_batches(2).await.unwrap(), expected[..2]);
}

pub(super) async fn spent_batches_are_removed<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let id = |ordinal| BatchId { commit: 901, ordinal };
    for ordinal in 0..4 {
        let die_after = if ordinal == 2 { 900 } else { 500 };
        let sent = Batch { die_after, ..batch(id(ordinal), Vec::new()) };
        engine.must(|changes| changes.batches.push(BatchChange::Send(sent))).await;
    }
    for ordinal in [0, 2, 3] {
        let close =
            BatchChange::Close { id: id(ordinal), state: BatchState::Settled, attempts: None };
        engine.must(|changes| changes.batches.push(close)).await;
    }
    // The second is open, of the third a copy may still arrive.
    let system = batch(ID, Vec::new()).system;
    const SETTLED: BatchState = BatchState::Settled;
    let at = Instant::from_micros(501);
    assert_eq!(ledger.spent_batches(&system, SETTLED, at, 9).await.unwrap(), [id(0), id(3)]);
    assert_eq!(ledger.spent_batches(&system, SETTLED, at, 1).await.unwrap(), [id(0)]);
    assert!(ledger.spent_batches(&"another".into(), SETTLED, at, 9).await.unwrap().is_empty());
    for _ in 0..2 {
        ledger.remove_batches(&[id(0), id(1)]).await.unwrap();
        assert_eq!(ledger.spent_batches(&system, SETTLED, at, 9).await.unwrap(), [id(3)]);
        assert_eq!(ledger.open_batches(9).await.unwrap().len(), 1);
    }
    // To whoever comes late it is a settled batch like any other.
    let late =
        BatchChange::Resend { id: id(0), read_attempts: 1, epoch: 2, last_sent: 3, die_after: 4 };
    engine.refused(|changes| changes.batches.push(late)).await;
}

pub(super) async fn settled_batches_are_audited_once<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let id = |ordinal| BatchId { commit: 902, ordinal };
    let mut changes = engine.changeset().await;
    let written = entry(engine.id(&changes), link_id(1), None);
    changes.entries.push(written.clone());
    for ordinal in 0..3 {
        let die_after = if ordinal == 2 { 900 } else { 500 };
        let sent = Batch { die_after, ..batch(id(ordinal), vec![written.id]) };
        changes.batches.push(BatchChange::Send(sent));
    }
    assert_eq!(ledger.commit(&changes).await.unwrap(), Committed::Committed);
    for ordinal in [0, 2] {
        let close =
            BatchChange::Close { id: id(ordinal), state: BatchState::Settled, attempts: None };
        engine.must(|changes| changes.batches.push(close)).await;
    }
    let system = batch(ID, Vec::new()).system;
    let at = Instant::from_micros(501);
    // The second is open, of the third a copy may still arrive.
    let unaudited = ledger.unaudited_batches(&system, at, None, 9).await.unwrap();
    let [OpenBatch { batch: found, entries }] = unaudited.as_slice() else {
        panic!("{unaudited:?}");
    };
    assert_eq!((found.id, found.state), (id(0), BatchState::Settled));
    assert_eq!(*entries, [written]);
    let behind = ledger.unaudited_batches(&system, at, Some(id(0)), 9).await.unwrap();
    assert!(behind.is_empty(), "{behind:?}");
    assert!(ledger.unaudited_batches(&"another".into(), at, None, 9).await.unwrap().is_empty());
    // One that is open or not there is left as it is.
    for ordinal in [0, 0, 1, 7] {
        engine.must(|changes| changes.batches.push(BatchChange::Audit(id(ordinal)))).await;
    }
    assert!(ledger.unaudited_batches(&system, at, None, 9).await.unwrap().is_empty());
    let audited = ledger.spent_batches(&system, BatchState::Audited, at, 9).await.unwrap();
    assert_eq!(audited, [id(0)]);
    assert_eq!(ledger.open_batches(9).await.unwrap().len(), 1);
    ledger.remove_batches(&audited).await.unwrap();
    let left = ledger.spent_batches(&system, BatchState::Audited, at, 9).await.unwrap();
    assert!(left.is_empty());
}
