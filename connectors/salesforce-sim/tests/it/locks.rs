use std::time::Duration;

use salesforce_sim::{Fault, FaultAction, Id, Org, Selector};
use serde_json::json;

use crate::sim::{Sim, fields, until};

#[tokio::test]
async fn a_locked_row_is_waited_for_and_then_refused() {
    let sim = Sim::start().await;
    sim.org.change_settings(|settings| settings.lock_wait_ms = 30);
    let id = sim.create("Contact", json!({ "LastName": "A" })).await;
    sim.org.lock_row(Id::parse(&id).unwrap(), 60_000);
    let path = format!("sobjects/Contact/{id}");
    let refused = sim.patch(&path, json!({ "Title": "x" })).await;
    assert_eq!(refused.error(), (400, "UNABLE_TO_LOCK_ROW".to_owned()));
    let text = refused.json()[0]["message"].as_str().unwrap().to_owned();
    assert!(text.ends_with(&format!("or 1 records: {}", &id[..15])), "{text}");
    let record = |id: &str| json!({ "attributes": { "type": "Contact" }, "id": id, "Title": "y" });
    let other = sim.create("Contact", json!({ "LastName": "B" })).await;
    let body = json!({ "records": [record(&id), record(&other)] });
    let results = sim.patch("composite/sobjects", body).await.json();
    assert_eq!(results[0]["errors"][0]["statusCode"], "UNABLE_TO_LOCK_ROW");
    assert_eq!(results[1]["success"], true);
    sim.org.unlock_rows();
    assert_eq!(sim.patch(&path, json!({ "Title": "x" })).await.status, 204);
}

#[tokio::test]
async fn a_short_lock_only_delays() {
    let sim = Sim::start().await;
    let account = sim.create("Account", json!({ "Name": "A" })).await;
    sim.org.lock_row(Id::parse(&account).unwrap(), 40);
    // The account of a contact is locked by the contact's save.
    sim.create("Contact", json!({ "LastName": "A", "AccountId": account })).await;
}

#[tokio::test]
async fn a_late_commit_is_stamped_before_it_is_seen() {
    let org = Org::new(1);
    let sim = Sim::with(org.clone()).await;
    let id = sim.create("Contact", json!({ "LastName": "A" })).await;
    let ann = org.person("ann@example.com").unwrap().committing_after(60_000);
    let row = Id::parse(&id).unwrap();
    let late =
        tokio::spawn(async move { ann.update(row, &fields(json!({ "Title": "late" }))).await });
    until("the edit is open", || org.held() == 1).await;
    assert_eq!(sim.row("Contact", &id).await["Title"], json!(null));
    org.advance_clock_ms(5000);
    // Whoever writes the row now waits, and then works on the committed row.
    let path = format!("sobjects/Contact/{id}");
    let (answer, committed) = tokio::join!(sim.patch(&path, json!({ "Phone": "2" })), async {
        tokio::task::yield_now().await;
        org.commit_held()
    });
    assert_eq!((answer.status, committed), (204, 1));
    late.await.unwrap().unwrap();
    let row = sim.row("Contact", &id).await;
    assert_eq!((&row["Title"], &row["Phone"]), (&json!("late"), &json!("2")));
    let history = org.history_since(0, 100);
    let late = history.iter().find(|entry| entry.user == "ann@example.com").unwrap();
    assert!(late.committed_ms - late.started_ms >= 5000);
    assert_eq!(history.last().unwrap().seq, late.seq + 1);
}

#[tokio::test]
async fn an_open_insert_holds_its_key() {
    let org = Org::new(1);
    let sim = Sim::with(org.clone()).await;
    org.add_fault(Fault {
        on: Selector { kind: Some("upsert".into()), ..Selector::default() },
        skip: 0,
        count: Some(1),
        action: FaultAction::CommitLate { ms: 60_000 },
    });
    let path = "sobjects/Contact/Syncline_Id__c/k";
    let (first, second, committed) = tokio::join!(
        sim.patch(path, json!({ "LastName": "A" })),
        async {
            until("the insert is open", || org.held() == 1).await;
            sim.patch(path, json!({ "LastName": "B" })).await
        },
        async {
            let both = || org.request_counts().by_kind.get("upsert") == Some(&2);
            until("the second call has come", both).await;
            org.commit_held()
        },
    );
    assert_eq!(committed, 1);
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(org.records("Contact", false).len(), 1);
}

#[tokio::test]
async fn jitter_commits_later_within_its_bound() {
    let org = Org::new(1);
    org.change_settings(|settings| settings.commit_jitter_ms = 20);
    let sim = Sim::with(org.clone()).await;
    let calls = (0..20).map(|_| sim.create("Account", json!({ "Name": "A" })));
    tokio::time::timeout(Duration::from_secs(10), futures_util::future::join_all(calls))
        .await
        .unwrap();
    let history = org.history_since(0, 100);
    assert!(history.iter().any(|entry| entry.committed_ms > entry.started_ms));
    assert_eq!(org.records("Account", false).len(), 20);
}
