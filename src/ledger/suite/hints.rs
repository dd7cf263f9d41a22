//! Hints: coalesced, due, and done with only as they were taken.

use syncline_core::model::{Awaits, Hint, HintDone, HintReason, RecordName};

use super::Subject;
use super::fixture::{Engine, at, hint};

fn done(hint: &Hint) -> HintDone {
    HintDone {
        system: hint.system.clone(),
        entity: hint.entity.clone(),
        key: hint.key.clone(),
        seq: hint.seq,
    }
}

async fn take<L: Subject>(ledger: &L, now: i64) -> Vec<Hint> {
    ledger.hints(&"crm".into(), at(now), 100).await.unwrap()
}

pub(super) async fn one_a_record<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let busy = Hint { reason: HintReason::Busy, tries: 4, ..hint("a", 500) };
    engine.must(|changes| changes.hints.push(busy.clone())).await;
    let first = take(ledger, 500).await;
    assert_eq!(first, [Hint { seq: first[0].seq, ..busy.clone() }]);
    // Again, sooner: the earlier time, the newer reason, a new number.
    ledger.hint(&[hint("a", 100)]).await.unwrap();
    let second = take(ledger, 100).await;
    assert!(second[0].seq > first[0].seq);
    assert_eq!(second, [Hint { seq: second[0].seq, ..hint("a", 100) }]);
    // Again, later: the time stays. Twice in one commit is once.
    engine.must(|changes| changes.hints.extend([hint("a", 900), busy.clone()])).await;
    let third = take(ledger, 100).await;
    assert!(third[0].seq > second[0].seq);
    assert_eq!(third, [Hint { seq: third[0].seq, due: 100, ..busy }]);
}

pub(super) async fn what_is_known_of_a_deletion_stays<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let because = |reason| Hint { reason, ..hint("a", 0) };
    ledger.hint(&[because(HintReason::Sweep)]).await.unwrap();
    ledger.hint(&[because(HintReason::Again)]).await.unwrap();
    assert_eq!(take(ledger, 0).await[0].reason, HintReason::Sweep);
    // Proof outlives doubt, whichever comes first, also within one commit.
    let both = [because(HintReason::Deleted), because(HintReason::Sweep)];
    engine.must(|changes| changes.hints.extend(both)).await;
    ledger.hint(&[because(HintReason::Changed)]).await.unwrap();
    let taken = take(ledger, 0).await;
    assert_eq!(taken[0].reason, HintReason::Deleted);
    // Once it was taken, nothing is left of it.
    engine
        .must(|changes| {
            changes.hints_done.push(done(&taken[0]));
            changes.hints.push(because(HintReason::Again));
        })
        .await;
    assert_eq!(take(ledger, 0).await[0].reason, HintReason::Again);
}

pub(super) async fn taken_in_order_when_due<L: Subject>(ledger: &L) {
    let elsewhere = Hint { system: "ops".into(), ..hint("x", 0) };
    ledger.hint(&[hint("c", 30), hint("a", 10), hint("b", 20), elsewhere]).await.unwrap();
    let keys = |hints: Vec<Hint>| -> Vec<String> {
        hints.into_iter().map(|hint| hint.key.as_str().to_owned()).collect()
    };
    assert_eq!(keys(take(ledger, 25).await), ["a", "b"]);
    assert_eq!(keys(take(ledger, 30).await), ["a", "b", "c"]);
    assert_eq!(keys(ledger.hints(&"crm".into(), at(99), 1).await.unwrap()), ["a"]);
    // Taking leaves them there.
    assert_eq!(take(ledger, 99).await.len(), 3);
}

pub(super) async fn done_only_with_the_number_taken<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    ledger.hint(&[hint("a", 0), hint("b", 0)]).await.unwrap();
    let taken = take(ledger, 0).await;
    // One comes again while the round is at work.
    ledger.hint(&[hint("a", 0)]).await.unwrap();
    engine.must(|changes| changes.hints_done.extend(taken.iter().map(done))).await;
    let left = take(ledger, 0).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].key.as_str(), "a");
    // Done with and put off in one commit: it comes later, not at the old time.
    engine
        .must(|changes| {
            changes.hints_done.push(done(&left[0]));
            changes.hints.push(hint("a", 700));
        })
        .await;
    assert!(take(ledger, 699).await.is_empty());
    assert_eq!(take(ledger, 700).await.len(), 1);
}

pub(super) async fn an_arrival_wakes_what_waits_for_it<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let name = |key: &str| -> RecordName { ("crm".into(), "contacts".into(), key.into()) };
    let awaits = |child, parent| Awaits { parent: name(parent), child: name(child) };
    // Said twice it is one.
    let all = [awaits("a", "p"), awaits("a", "p"), awaits("a", "q"), awaits("b", "p")];
    engine.must(|changes| changes.awaits.extend(all)).await;
    engine.must(|changes| changes.arrived.push(name("r"))).await;
    assert!(take(ledger, 0).await.is_empty());
    // What is done with waits no longer; what waits since this very commit does.
    engine
        .must(|changes| {
            changes.awaits_done.push(name("b"));
            changes.awaits.push(awaits("c", "p"));
            changes.arrived.push(name("p"));
        })
        .await;
    let woken = take(ledger, 0).await;
    let keys: Vec<&str> = woken.iter().map(|hint| hint.key.as_str()).collect();
    assert_eq!(keys, ["a", "c"]);
    assert!(woken.iter().all(|hint| hint.reason == HintReason::Parent && hint.tries == 0));
    // They wait for that one no longer.
    engine
        .must(|changes| {
            changes.hints_done.extend(woken.iter().map(done));
            changes.arrived.push(name("p"));
        })
        .await;
    assert!(take(ledger, 0).await.is_empty());
    engine.must(|changes| changes.arrived.push(name("q"))).await;
    assert_eq!(take(ledger, 0).await.len(), 1);
}
