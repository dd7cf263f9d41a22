//! What happens at set times, and what is removed once it is old, on the one ledger that has it.

use std::time::Duration;

use syncline_core::Side;
use syncline_core::model::{
    Batch, BatchChange, BatchState, Entry, EntryId, Gap, Link, LinkChange, Outcome, Parked,
    ReviewChange, ReviewStatus,
};
use syncline_sdk::BatchId;

use super::database::Database;
use super::fixture::{Engine, MAPPING, at, batch, entry, guard, link, link_id, review};
use crate::postgres::Postgres;
use crate::{
    Access as _, Begun, Delivered, Deliveries as _, FinishedRun, KeptFrom, Ledger as _,
    NewDelivery, NewNotice, NewReport, NewRequest, NewToken, People as _, Pruned, ReviewQuery,
    Schedules as _, Verdict,
};

fn report(until_at: i64) -> NewReport {
    let totals = format!("{{\"until\":{until_at}}}");
    NewReport { from_at: until_at - 10, until_at, totals, body: "{}".to_owned() }
}

fn run(due: i64, next_at: i64) -> FinishedRun {
    FinishedRun {
        name: "report".to_owned(),
        due,
        next_at,
        at: due + 1,
        outcome: "made".to_owned(),
        report: Some(report(due)),
    }
}

#[tokio::test]
async fn a_run_is_recorded_once_whoever_makes_it() {
    let ledger = Database::new().await.ledger().await;
    // Nobody owns the shards: nothing is scheduled.
    ledger.schedule("one", "report", "daily", 100).await.unwrap();
    assert!(ledger.scheduled().await.unwrap().is_empty());
    ledger.own("one", at(0), at(50)).await.unwrap();
    ledger.schedule("one", "report", "daily", 100).await.unwrap();
    ledger.schedule("two", "other", "daily", 100).await.unwrap();
    let known = ledger.scheduled().await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].name.as_str(), known[0].next_at), ("report", 100));
    // Two sessions of one process, and a process that was taken over from.
    let due = run(100, 200);
    let (a, b) = tokio::join!(ledger.finish_run("one", &due), ledger.finish_run("one", &due));
    assert_eq!([a.unwrap(), b.unwrap()].iter().filter(|done| **done).count(), 1);
    ledger.own("two", at(60), at(900)).await.unwrap();
    assert!(!ledger.finish_run("one", &run(200, 300)).await.unwrap());
    assert!(ledger.finish_run("two", &run(200, 300)).await.unwrap());
    assert!(!ledger.finish_run("two", &run(200, 300)).await.unwrap());
    let reports = ledger.reports(None, 9).await.unwrap();
    let ends: Vec<i64> = reports.iter().map(|kept| kept.report.until_at).collect();
    assert_eq!(ends, [200, 100]);
    assert_eq!(reports[0].report, report(200));
    assert_eq!(ledger.reports(Some(reports[0].id), 9).await.unwrap(), reports[1..]);
    assert_eq!(ledger.report_until(199).await.unwrap().as_ref(), Some(&reports[1]));
    assert_eq!(ledger.report_until(99).await.unwrap(), None);
    let known = &ledger.scheduled().await.unwrap()[0];
    assert_eq!((known.next_at, known.last_at), (300, Some(201)));
    assert_eq!(known.outcome.as_deref(), Some("made"));
}

#[tokio::test]
async fn other_times_are_another_next_run() {
    let ledger = Database::new().await.ledger().await;
    ledger.own("one", at(0), at(50)).await.unwrap();
    let next = async || ledger.scheduled().await.unwrap().first().map(|known| known.next_at);
    for (times, next_at, then) in [("daily", 100, 100), ("daily", 120, 100), ("hourly", 60, 60)] {
        ledger.schedule("one", "report", times, next_at).await.unwrap();
        assert_eq!(next().await, Some(then), "{times} {next_at}");
    }
    ledger.unschedule("two", "report").await.unwrap();
    assert_eq!(next().await, Some(60));
    ledger.unschedule("one", "report").await.unwrap();
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn calls_add_up() {
    let ledger = Database::new().await.ledger().await;
    let (crm, ops) = ("crm".into(), "ops".into());
    ledger.count_calls(&[(crm, 3), (ops, 2)]).await.unwrap();
    ledger.count_calls(&[("crm".into(), 4)]).await.unwrap();
    assert_eq!(ledger.calls().await.unwrap(), [("crm".into(), 7), ("ops".into(), 2)]);
}

/// Appends an entry to the chain of a link, and gives its id.
async fn append(engine: &Engine<'_, Postgres>, link: &mut Link, time: i64, open: bool) -> EntryId {
    let mut changes = engine.changeset().await;
    let id = engine.id(&changes);
    changes.entries.push(Entry { at: at(time), ..entry(id, link.id, link.last_entry) });
    let guard = guard(link);
    link.last_entry = Some(id);
    link.open.right = open.then_some(id).or(link.open.right);
    changes.links.push(LinkChange::Update { guard, link: link.clone(), keys_changed: false });
    assert_eq!(engine.ledger.commit(&changes).await.unwrap(), crate::Committed::Committed);
    id
}

async fn chain(ledger: &Postgres, link: &Link) -> Vec<i64> {
    let entries = ledger.explain(MAPPING, link.id, 99).await.unwrap();
    entries.iter().map(|entry| entry.at.micros()).collect()
}

/// Looks through the whole journal in pages of three; gives how many were removed.
async fn prune(ledger: &Postgres, before: i64) -> u64 {
    let (mut removed, mut after) = (0, None);
    loop {
        let page = ledger.prune_journal(before, after, 3).await.unwrap();
        removed += page.removed;
        match page.last {
            Some(last) if !page.young => after = Some(last),
            _ => return removed,
        }
    }
}

#[tokio::test]
async fn old_entries_go_and_what_is_needed_stays() {
    let ledger = Database::new().await.ledger().await;
    let engine = Engine::new(&ledger).await;
    let [mut rests, mut open, mut asked, mut parked] = [link(1), link(2), link(3), link(4)];
    let all = [&rests, &open, &asked, &parked].map(|link| LinkChange::Insert(link.clone()));
    engine.must(|changes| changes.links.extend(all)).await;
    for time in [1, 2] {
        for link in [&mut rests, &mut open, &mut asked, &mut parked] {
            append(&engine, link, time, false).await;
        }
    }
    // One has an intent under way, one a question, one was refused.
    let under_way = append(&engine, &mut open, 3, true).await;
    append(&engine, &mut open, 4, false).await;
    let question = review(asked.id);
    let set_aside = Parked {
        mapping: MAPPING,
        link: parked.id,
        side: Side::Right,
        kind: "invalid".into(),
        message: "no".into(),
        advice: "mend it".into(),
        entry: parked.last_entry,
        at: 5,
        asked_again: false,
    };
    let sent = BatchId { commit: under_way.commit, ordinal: 0 };
    engine
        .must(|changes| {
            changes.reviews.push(ReviewChange::Ask(question.clone()));
            changes.parked.push(set_aside);
            changes.batches.push(BatchChange::Send(batch(sent, vec![under_way])));
        })
        .await;
    append(&engine, &mut rests, 20, false).await;
    let cut = ledger.explain(MAPPING, rests.id, 99).await.unwrap();

    assert_eq!(prune(&ledger, 10).await, 4);
    assert_eq!(chain(&ledger, &rests).await, [20]);
    assert_eq!(chain(&ledger, &open).await, [4, 3]);
    assert_eq!(chain(&ledger, &asked).await, [2, 1]);
    assert_eq!(chain(&ledger, &parked).await, [2, 1]);
    // The newest entry that is left says that there was one before.
    let left = ledger.explain(MAPPING, rests.id, 99).await.unwrap();
    assert_eq!(left[0].previous, Some(cut[1].id));
    // A process that starts now still finds what it has to settle.
    let found = ledger.open_batches(9).await.unwrap();
    assert_eq!(found[0].entries.len(), 1);
    assert_eq!(found[0].entries[0].settled[0].outcome, Outcome::Applied);

    // It is settled, the question is closed: what is old of them goes with the next run.
    let before = guard(&open);
    open.open.right = None;
    let close = ReviewChange::Close {
        key: question.key,
        read_revision: 1,
        read_status: ReviewStatus::Open,
    };
    let settled = BatchChange::Close { id: sent, state: BatchState::Settled, attempts: None };
    engine
        .must(|changes| {
            let link = open.clone();
            changes.links.push(LinkChange::Update { guard: before, link, keys_changed: false });
            changes.reviews.push(close);
            changes.batches.push(settled);
            changes.unparked.push((MAPPING, parked.id));
        })
        .await;
    assert_eq!(prune(&ledger, 10).await, 6);
    assert!(chain(&ledger, &open).await.is_empty());
    assert_eq!(chain(&ledger, &rests).await, [20]);
    // A link whose journal is empty goes on.
    append(&engine, &mut open, 30, false).await;
    assert_eq!(chain(&ledger, &open).await, [30]);
}

fn delivery(now: i64) -> NewDelivery {
    NewDelivery {
        system: "crm".into(),
        verdict: Verdict::Accepted,
        reason: None,
        sender: None,
        at: at(now),
        remote: "203.0.113.9".to_owned(),
        bytes: 12,
        notices: vec![NewNotice { id: "n1".to_owned(), hint: None }],
        once: None,
        alike: 0,
    }
}

#[tokio::test]
async fn what_else_is_old_goes_and_what_is_open_stays() {
    let ledger = Database::new().await.ledger().await;
    let engine = Engine::new(&ledger).await;
    let closed = review(link_id(1));
    let gap = |noticed_at, closed_at| Gap {
        stream: "feed:ops".into(),
        reason: "the slot is gone".into(),
        noticed_at,
        closed_at,
    };
    let id = |ordinal| BatchId { commit: 1, ordinal };
    let settled = Batch { state: BatchState::Settled, ..batch(id(2), Vec::new()) };
    engine
        .must(|changes| {
            let asked = [&closed, &review(link_id(2))].map(|of| ReviewChange::Ask(of.clone()));
            changes.reviews.extend(asked);
            changes.gaps.extend([gap(1, Some(9)), gap(2, None)]);
            let sent = [batch(id(1), Vec::new()), settled].map(BatchChange::Send);
            changes.batches.extend(sent);
        })
        .await;
    let close =
        ReviewChange::Close { key: closed.key, read_revision: 1, read_status: ReviewStatus::Open };
    engine.must(|changes| changes.reviews.push(close)).await;
    ledger.deliver(&delivery(5)).await.unwrap();
    let token = NewToken {
        name: "a".to_owned(),
        digest: [1; 32],
        scopes: Vec::new(),
        made_at: at(1),
        expires_at: None,
    };
    ledger.add_token(&token).await.unwrap();
    let token = ledger.access_tokens().await.unwrap()[0].id;
    let request = NewRequest { token, key: "k".to_owned(), digest: [1; 32], at: at(5) };
    assert_eq!(ledger.begin_request(&request).await.unwrap(), Begun::New);
    ledger.own("the engine", at(0), at(1_000)).await.unwrap();
    ledger.schedule("the engine", "report", "daily", 100).await.unwrap();
    assert!(ledger.finish_run("the engine", &run(100, 200)).await.unwrap());

    let kept = KeptFrom { notices: 5, requests: 5, ..KeptFrom::default() };
    assert_eq!(ledger.prune(&kept).await.unwrap(), Pruned::default());
    let later = Some(i64::try_from(Duration::from_secs(1).as_micros()).unwrap());
    let kept =
        KeptFrom { journal: later, deliveries: later, reports: later, notices: 6, requests: 6 };
    let once = Pruned {
        questions: 1,
        gaps: 1,
        batches: 1,
        // With the notice.
        deliveries: 2,
        requests: 1,
        reports: 1,
        keys: 0,
    };
    assert_eq!(ledger.prune(&kept).await.unwrap(), once);
    assert_eq!(ledger.prune(&kept).await.unwrap(), Pruned::default());
    let open = ReviewQuery { max: 9, ..ReviewQuery::default() };
    assert_eq!(ledger.reviews(&open).await.unwrap().len(), 1);
    assert_eq!(ledger.all_gaps(9).await.unwrap(), [gap(2, None)]);
    assert_eq!(ledger.open_batches(9).await.unwrap().len(), 1);
    // Nobody sends that notice again; if somebody did, it would be new.
    let Delivered::Recorded(again) = ledger.deliver(&delivery(9)).await.unwrap() else {
        panic!("it was refused")
    };
    assert_eq!(again.repeated, 0);
}
