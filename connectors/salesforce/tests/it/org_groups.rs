//! What belongs together, on a simulated org: all of it or nothing, and the calls it takes.

use std::sync::Arc;

use salesforce_sim::{Fault, FaultAction, Id, Selector};
use syncline_sdk::{
    Connector, FetchBy, FetchRequest, FieldName, LinkId, Record, Selection, Settlement, Value,
    Write, WriteOp, WriteOutcome,
};
use uuid::Uuid;

use crate::script::cx;
use crate::world::{World, delete, fields, insert, name, update, word};

fn words(outcomes: &[WriteOutcome]) -> Vec<&'static str> {
    outcomes.iter().map(word).collect()
}

fn together(writes: Vec<Write>) -> Vec<Write> {
    writes.into_iter().map(|write| Write { group: Some(1), ..write }).collect()
}

/// How many calls of each kind a push took.
async fn pushed(world: &World, writes: Vec<Write>) -> (Vec<WriteOutcome>, Vec<(String, u64)>) {
    world.org.reset_requests();
    let outcomes = world.crm.push(&cx(), world.batch(writes)).await.unwrap();
    let counts = world.org.request_counts().by_kind;
    let calls = counts.into_iter().filter(|(kind, _)| kind != "describe" && kind != "token");
    (outcomes, calls.collect())
}

fn calls(kind: &str, count: u64) -> Vec<(String, u64)> {
    vec![(kind.to_owned(), count)]
}

/// Records of one reading, so that their stamps are closed.
async fn made(world: &World, count: usize) -> Vec<Record> {
    let mut ids = Vec::new();
    for at in 0..count {
        ids.push(world.made(&format!("a{at}")).await);
    }
    world.pass(3);
    let keys: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let mut records = world.fetch(&keys).await.records;
    records.sort_by(|a, b| a.key.cmp(&b.key));
    records
}

fn contact(world: &World, name: &str) -> Write {
    let selection = Arc::new(Selection {
        entity: "Contact".into(),
        fields: ["LastName", "AccountId"].map(FieldName::new).into(),
        ..(*world.selection).clone()
    });
    Write { selection, ..world.write(insert(&[("LastName", name.into())])) }
}

#[tokio::test]
async fn records_of_two_entities_pass_together_or_not_at_all() {
    let world = World::start().await;
    let record = made(&world, 1).await.remove(0);
    let id = Id::parse(record.key.as_str()).unwrap();
    let both = |world: &World, record: &Record, last: &str| {
        let change = world.write(update(record, &[("Name", "ours".into())]));
        together(vec![contact(world, last), change])
    };
    // Refused for the one: the other is not made.
    let (outcomes, _) = pushed(&world, both(&world, &record, &"x".repeat(100))).await;
    assert_eq!(words(&outcomes), ["rejected", "busy"]);
    assert_eq!(name(&world.read(id).await), "a0");
    // Somebody was faster: the contact is not made either.
    world.person().update(id, &fields(&[("Phone", "1".into())])).await.unwrap();
    let (outcomes, _) = pushed(&world, both(&world, &record, "Fit")).await;
    assert_eq!(words(&outcomes), ["busy", "stale"]);
    assert!(world.org.records("Contact", false).is_empty());
    let record = world.read_closed(id).await;
    let (outcomes, took) = pushed(&world, both(&world, &record, "Fit")).await;
    assert_eq!(words(&outcomes), ["applied", "applied"]);
    assert_eq!(took, calls("graph", 1));
    assert_eq!(name(&world.read(id).await), "ours");
    let commits: Vec<u64> = {
        let history = world.org.history_since(0, 100);
        history.iter().rev().take(2).map(|entry| entry.commit).collect()
    };
    assert_eq!(commits[0], commits[1], "one transaction of the org");
}

#[tokio::test]
async fn a_group_whose_answer_was_lost_is_settled_by_its_markers() {
    let world = World::start().await;
    let records = made(&world, 2).await;
    world.org.add_fault(Fault {
        on: Selector { kind: Some("graph".into()), ..Selector::default() },
        skip: 0,
        count: Some(1),
        action: FaultAction::Cut { after: true },
    });
    let change = |record: &Record| world.write(update(record, &[("Name", "ours".into())]));
    let writes = together(records.iter().map(change).collect());
    let (outcomes, _) = pushed(&world, writes.clone()).await;
    assert_eq!(words(&outcomes), ["unknown", "unknown"]);
    for write in &writes {
        let settled = world.settle(write, true).await;
        assert!(matches!(settled, Settlement::Applied { .. }), "{settled:?}");
    }
    // A second copy of the same graph passes no guard: nothing is written twice.
    let seen = world.org.last_seq();
    let (outcomes, _) = pushed(&world, writes).await;
    assert!(words(&outcomes).iter().all(|word| *word == "stale" || *word == "busy"));
    assert_eq!(world.org.last_seq(), seen);
}

#[tokio::test]
async fn updates_in_number_take_a_third_of_the_calls() {
    let world = World::start().await;
    let most = world.crm.capabilities().push_guarded_max;
    let records = made(&world, most).await;
    let change = |record: &Record| world.write(update(record, &[("Phone", "1".into())]));
    let (outcomes, took) = pushed(&world, records.iter().map(change).collect()).await;
    assert!(words(&outcomes).iter().all(|word| *word == "applied"));
    assert_eq!((most, took), (75, calls("graph", 1)));
    let records = made(&world, 25).await;
    let (_, took) = pushed(&world, records.iter().map(change).collect()).await;
    assert_eq!(took, calls("composite", 1));
}

#[tokio::test]
async fn what_a_call_did_not_come_to_is_sent_again() {
    let world = World::start().await;
    let records = made(&world, 60).await;
    // More are stale than a call bears.
    for record in records.iter().take(20) {
        let id = Id::parse(record.key.as_str()).unwrap();
        world.person().update(id, &fields(&[("Fax", "1".into())])).await.unwrap();
    }
    let change = |record: &Record| world.write(update(record, &[("Phone", "1".into())]));
    let mut left: Vec<Write> = records.iter().map(change).collect();
    let (mut stale, mut applied) = (0, 0);
    let mut rounds = 0;
    while !left.is_empty() {
        rounds += 1;
        assert!(rounds < 5, "every call comes further");
        let (outcomes, _) = pushed(&world, left.clone()).await;
        let mut next = Vec::new();
        for (write, outcome) in left.into_iter().zip(&outcomes) {
            match word(outcome) {
                "stale" => stale += 1,
                "applied" => applied += 1,
                "busy" => next.push(write),
                other => panic!("{other}"),
            }
        }
        left = next;
    }
    assert_eq!((stale, applied, rounds), (20, 40, 2));
}

#[tokio::test]
async fn many_creates_of_one_group_are_saved_at_once() {
    let world = World::start().await;
    let creates = |bad: bool| -> Vec<Write> {
        let text = |at: usize| if bad && at == 39 { "x".repeat(300) } else { format!("c{at}") };
        let one = |at: usize| world.write(insert(&[("Name", text(at).into())]));
        together((0..40).map(one).collect())
    };
    let (outcomes, took) = pushed(&world, creates(true)).await;
    let words = words(&outcomes);
    assert_eq!(words.iter().filter(|word| **word == "busy").count(), 39);
    assert_eq!((words[39], took), ("rejected", calls("collections_create", 1)));
    assert!(world.org.records("Account", false).is_empty());
    let (outcomes, _) = pushed(&world, creates(false)).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, WriteOutcome::Applied { key: Some(_), .. }))
    );
    assert_eq!(world.org.records("Account", false).len(), 40);
}

#[tokio::test]
async fn deletes_and_undeletes_of_a_group() {
    let world = World::start().await;
    let records = made(&world, 2).await;
    let ids: Vec<Id> =
        records.iter().map(|record| Id::parse(record.key.as_str()).unwrap()).collect();
    world.person().delete(ids[1]).await.unwrap();
    let gone = |record: &Record| world.write(delete(record));
    let (outcomes, _) = pushed(&world, together(records.iter().map(gone).collect())).await;
    assert_eq!(words(&outcomes), ["busy", "missing"]);
    assert_eq!(name(&world.read(ids[0]).await), "a0");
    // Brought back together, or not at all.
    world.person().delete(ids[0]).await.unwrap();
    let back = |record: &Record| world.write(WriteOp::Undelete { key: record.key.clone() });
    let mut writes: Vec<Write> = records.iter().map(back).collect();
    writes.push(world.write(WriteOp::Undelete { key: "001000000000777AAA".into() }));
    let (outcomes, took) = pushed(&world, together(writes.clone())).await;
    assert_eq!(words(&outcomes)[..2], ["busy", "busy"], "{outcomes:?}");
    assert_eq!(took, calls("soap", 1));
    assert_eq!(world.org.records("Account", true).len(), 2);
    writes.truncate(2);
    let (outcomes, _) = pushed(&world, together(writes)).await;
    assert_eq!(words(&outcomes), ["applied", "applied"]);
    assert_eq!(world.org.records("Account", true).len(), 0);
}

#[tokio::test]
async fn long_lists_of_link_ids_are_asked_five_queries_a_call() {
    let world = World::start().await;
    let links: Vec<LinkId> = (1..=2_000_u128).map(|at| LinkId(Uuid::from_u128(at))).collect();
    let bodies: Vec<_> = links
        .iter()
        .step_by(2)
        .map(|link| {
            let id = link.to_string();
            fields(&[("Name", "a".into()), ("Syncline_Id__c", id.into())])
        })
        .collect();
    world.org.seed("ann@example.com", "Account", &bodies).unwrap();
    let by = FetchBy::ExternalIds(links);
    let request = FetchRequest { selection: world.selection.clone(), by };
    world.crm.describe(&cx(), &"Account".into()).await.unwrap();
    world.org.reset_requests();
    let fetched = world.crm.fetch(&cx(), request).await.unwrap();
    assert_eq!(fetched.records.len(), 1_000);
    assert!(fetched.records.iter().all(|record| record.values[0] == Value::from("a")));
    let counts = world.org.request_counts();
    let (composites, all) = (counts.by_kind["composite"], counts.total);
    assert!(composites == all && all <= 3, "{counts:?}");
    assert!(counts.records_by_kind.is_empty(), "nothing was written: {counts:?}");
    // A refusal of one of them is that of the look-up.
    world.org.add_fault(Fault {
        on: Selector { kind: Some("composite".into()), ..Selector::default() },
        skip: 0,
        count: Some(1),
        action: FaultAction::RequestLimit { concurrent: false },
    });
    let by = FetchBy::ExternalIds((1..=2_000).map(|at| LinkId(Uuid::from_u128(at))).collect());
    let request = FetchRequest { selection: world.selection.clone(), by };
    let error = world.crm.fetch(&cx(), request).await.unwrap_err();
    assert_eq!(error.kind, syncline_sdk::ErrorKind::Quota);
}
