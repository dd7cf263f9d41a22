//! Reading a simulated org: health, scans, polls with late commits, deletions and merges.

use salesforce_sim::{Fault, FaultAction, FieldPatch, Selector};
use syncline_sdk::{
    Absence, ActorKind, ChangesRequest, Comparison, Connector, Cursor, ErrorKind, FetchBy,
    FetchRequest, Filter, Guarantee, Normalizer, ReceiptKind, ScanRequest, Selection,
};

use crate::script::cx;
use crate::world::{World, fields, name};

#[tokio::test]
async fn an_org_with_all_pieces_is_healthy() {
    let world = World::start().await;
    world.org.track_history("Account", &["Phone".to_owned()]).unwrap();
    let health = world.crm.check(&cx(), &[&world.selection]).await.unwrap();
    assert_eq!(health.identity, world.org.id().as_str());
    assert_eq!(health.user, "integration@example.com");
    assert_eq!(health.guarantee, Guarantee::Coarse);
    for piece in &health.pieces {
        assert!(piece.present, "{piece:?}");
    }
    assert_eq!(world.crm.effective(&world.selection).receipt, ReceiptKind::MarkerField);
    world.crm.prepare(&cx(), &[&world.selection]).await.unwrap();
    assert!(world.crm.usage().quota.is_some());
    let counts = world.org.request_counts();
    assert!(counts.records_by_kind.is_empty(), "nothing was written: {counts:?}");
}

#[tokio::test]
async fn missing_pieces_are_named_with_their_remedy() {
    let world = World::start().await;
    let selection = Selection {
        external_id: Some("Nowhere__c".into()),
        marker: Some("Vip__c".into()),
        ..(*world.selection).clone()
    };
    let health = world.crm.check(&cx(), &[&selection]).await.unwrap();
    let missing: Vec<&str> = health
        .pieces
        .iter()
        .filter(|piece| !piece.present)
        .map(|piece| piece.name.as_str())
        .collect();
    let without = ["external id field of Account", "marker field of Account"];
    assert_eq!(missing, [without[0], without[1], "field history of Account"]);
    assert!(health.pieces.iter().all(|piece| !piece.detail.is_empty()));
}

#[tokio::test]
async fn a_scan_shows_every_record_once_and_resumes() {
    let world = World::start().await;
    for at in 0..7 {
        world.made(&format!("a{at}")).await;
    }
    let gone = world.made("gone").await;
    world.person().delete(gone).await.unwrap();
    let mut names = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let selection = world.selection.clone();
        let request = ScanRequest { selection, after, page_rows_max: 3 };
        let page = world.crm.scan(&cx(), request).await.unwrap();
        names.extend(page.records.iter().map(name));
        assert!(page.gone.is_empty());
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    names.sort();
    assert_eq!(names, ["a0", "a1", "a2", "a3", "a4", "a5", "a6"]);
}

#[tokio::test]
async fn a_server_that_gives_fewer_rows_than_asked_is_read_to_the_end() {
    let world = World::start().await;
    for at in 0..5 {
        world.made(&format!("a{at}")).await;
    }
    let on = Selector { object: Some("Account".into()), ..Selector::default() };
    let action = FaultAction::SmallPages { rows: 2 };
    world.org.add_fault(Fault { on, skip: 0, count: None, action });
    let mut count = 0;
    let mut after = None;
    loop {
        let selection = world.selection.clone();
        let request = ScanRequest { selection, after, page_rows_max: 100 };
        let page = world.crm.scan(&cx(), request).await.unwrap();
        count += page.records.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(count, 5);
}

#[tokio::test]
async fn a_filter_lets_through_at_least_what_passes_it() {
    let world = World::start().await;
    let rows = [
        ("Acme", "3", "Gold"),
        ("acme", "7", "Silver"),
        ("O'Neil \\ \"Sons\"", "9", "Gold"),
        ("none", "", ""),
    ];
    for (name, score, tier) in rows {
        let mut made = vec![("Name", name.into())];
        if !score.is_empty() {
            made.push(("Score__c", score.parse::<i64>().unwrap().into()));
            made.push(("Tier__c", tier.into()));
        }
        world.person().create("Account", &fields(&made)).await.unwrap();
    }
    let compare = |field: &str, comparison, value: syncline_sdk::Value| Filter::Compare {
        field: field.into(),
        comparison,
        value,
    };
    let cases: Vec<(Filter, Vec<&str>)> = vec![
        (compare("Name", Comparison::Equal, rows[2].0.into()), vec![rows[2].0]),
        (compare("Score__c", Comparison::Greater, 5.into()), vec!["acme", rows[2].0]),
        (
            Filter::Not(Box::new(compare("Score__c", Comparison::Greater, 5.into()))),
            vec!["Acme", "none"],
        ),
        (compare("Tier__c", Comparison::NotEqual, "Gold".into()), vec!["acme", "none"]),
        (
            Filter::And(vec![
                Filter::Or(vec![
                    compare("Tier__c", Comparison::Equal, "Gold".into()),
                    compare("Tier__c", Comparison::Equal, syncline_sdk::Value::Null),
                ]),
                Filter::Not(Box::new(Filter::In {
                    field: "Score__c".into(),
                    values: vec![3.into(), 4.into()],
                })),
            ]),
            vec![rows[2].0, "none"],
        ),
    ];
    for (filter, mut wanted) in cases {
        let text = format!("{filter:?}");
        let selection = Selection { filter: Some(filter), ..(*world.selection).clone() };
        let request = ScanRequest { selection: selection.into(), after: None, page_rows_max: 99 };
        let page = world.crm.scan(&cx(), request).await.unwrap();
        let mut names: Vec<String> = page.records.iter().map(name).collect();
        names.sort();
        wanted.sort_unstable();
        assert_eq!(names, wanted, "{text}");
    }
}

#[tokio::test]
async fn a_poll_shows_edits_with_their_actor() {
    let world = World::start().await;
    let id = world.made("a").await;
    let cursor = world.polled().await;
    world.person().update(id, &fields(&[("Name", "b".into())])).await.unwrap();
    world.pass(3);
    let page = world.poll(cursor, 50).await;
    assert_eq!(page.records.len(), 1);
    assert_eq!(name(&page.records[0]), "b");
    assert_eq!(page.records[0].actor.kind, ActorKind::Person);
    assert!(page.records[0].closed);
}

#[tokio::test]
async fn a_second_of_more_rows_than_a_page_holds() {
    let world = World::start().await;
    let cursor = world.polled().await;
    for at in 0..9 {
        world.made(&format!("a{at}")).await;
    }
    world.pass(3);
    let mut names = Vec::new();
    let mut cursor = cursor;
    for _ in 0..20 {
        let page = world.poll(cursor, 2).await;
        names.extend(page.records.iter().map(name));
        cursor = page.next;
        if !page.more {
            break;
        }
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 9);
}

#[tokio::test]
async fn a_change_that_commits_behind_the_poll_is_found_by_the_window() {
    let world = World::start().await;
    let slow = world.made("slow").await;
    let cursor = world.polled().await;
    // A long transaction takes its stamp now and commits a minute later.
    let held = {
        let person = world.person().committing_after(3_600_000);
        tokio::spawn(async move { person.update(slow, &fields(&[("Name", "late".into())])).await })
    };
    world.until_held().await;
    world.pass(5);
    world.made("quick").await;
    world.pass(5);
    let drained = world.drain(cursor).await;
    assert_eq!(drained.names, ["quick"]);
    world.org.commit_held();
    held.await.unwrap().unwrap();
    world.pass(61);
    let drained = world.drain(drained.cursor).await;
    assert_eq!(drained.names, ["late"], "only what is new, though the window shows both");
}

#[tokio::test]
async fn deletions_and_merges_are_told_apart() {
    let world = World::start().await;
    let (winner, loser, gone) =
        (world.made("winner").await, world.made("loser").await, world.made("gone").await);
    let cursor = world.polled().await;
    world.person().merge(winner, &[loser], &fields(&[])).await.unwrap();
    world.person().delete(gone).await.unwrap();
    world.pass(3);
    let drained = world.drain(cursor).await;
    let reason = |key: &str| {
        let found = drained.gone.iter().find(|(known, _)| known.as_str() == key);
        found.unwrap().1.clone()
    };
    assert_eq!(reason(loser.as_str()), Absence::MergedInto(winner.as_str().into()));
    let Absence::Deleted { by: Some(by), image: Some(image), .. } = reason(gone.as_str()) else {
        panic!("{:?}", drained.gone)
    };
    assert_eq!(by.kind, ActorKind::Person);
    assert_eq!(name(&image), "gone");
    let fetched = world.fetch(&[winner.as_str(), loser.as_str(), gone.as_str()]).await;
    assert_eq!(fetched.records.len(), 1);
    assert_eq!(fetched.missing.len(), 2);
    // A purged record leaves no trace: it is not called deleted.
    world.person().purge(gone).await.unwrap();
    let fetched = world.fetch(&[gone.as_str()]).await;
    assert_eq!(fetched.missing[0].1, Absence::NotVisible);
}

#[tokio::test]
async fn an_undeleted_record_comes_back_in_the_poll() {
    let world = World::start().await;
    let id = world.made("a").await;
    world.person().delete(id).await.unwrap();
    let cursor = world.polled().await;
    world.person().undelete(id).await.unwrap();
    world.pass(3);
    assert_eq!(world.drain(cursor).await.names, ["a"]);
}

#[tokio::test]
async fn records_are_matched_by_normalised_values() {
    let world = World::start().await;
    for (name, phone) in [("A", "(030) 123-4"), ("B", "+49 30 1234"), ("C", "0301235")] {
        let made = fields(&[("Name", name.into()), ("Phone", phone.into())]);
        world.person().create("Account", &made).await.unwrap();
    }
    let find = async |field: &str, normalize: Vec<Normalizer>, value: &str| {
        let by = FetchBy::Matching { field: field.into(), normalize, values: vec![value.into()] };
        let request = FetchRequest { selection: world.selection.clone(), by };
        let fetched = world.crm.fetch(&cx(), request).await.unwrap();
        fetched.records.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(find("Phone", vec![Normalizer::DigitsOnly], "0301234").await, ["A"]);
    assert_eq!(find("Name", vec![Normalizer::Lowercase], "b").await, ["B"]);
}

#[tokio::test]
async fn two_thousand_ids_are_read_by_two_calls() {
    let world = World::start().await;
    let rows: Vec<_> = (0..1_500).map(|at| fields(&[("Name", format!("a{at}").into())])).collect();
    let ids = world.org.seed("ann@example.com", "Account", &rows).unwrap();
    world.fetch(&[]).await;
    let before = world.crm.usage().calls;
    let keys: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    assert_eq!(world.fetch(&keys).await.records.len(), 1_500);
    assert_eq!(world.crm.usage().calls - before, 1);
}

/// Without a field that the filter asks for every record would seem to pass it.
#[tokio::test]
async fn a_hidden_field_of_the_filter_stops_every_reading() {
    let world = World::start().await;
    world.made("a").await;
    let filter = Filter::Compare {
        field: "Tier__c".into(),
        comparison: Comparison::Equal,
        value: "Gold".into(),
    };
    let selection =
        std::sync::Arc::new(Selection { filter: Some(filter), ..(*world.selection).clone() });
    let scan = || ScanRequest { selection: selection.clone(), after: None, page_rows_max: 9 };
    let changes = || ChangesRequest { selection: selection.clone(), since: None, page_rows_max: 9 };
    assert!(world.crm.scan(&cx(), scan()).await.unwrap().records.is_empty());
    let hidden = FieldPatch { hidden_for: Some(vec!["*".to_owned()]), ..FieldPatch::default() };
    world.org.change_field("Account", "Tier__c", &hidden).unwrap();
    let found = world.crm.scan(&cx(), scan()).await.unwrap_err();
    assert_eq!(found.kind, ErrorKind::Schema, "{found}");
    assert!(found.to_string().contains("Tier__c of Account"), "{found}");
    let found = world.crm.changes(&cx(), changes()).await.unwrap_err();
    assert_eq!(found.kind, ErrorKind::Schema, "{found}");
}
