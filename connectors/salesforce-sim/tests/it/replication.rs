use salesforce_sim::{Id, Org};
use serde_json::json;

use crate::sim::{Sim, fields};

const AT: i64 = 1_795_248_030_000; // 2026-11-21T08:00:30Z

#[tokio::test]
async fn updated_and_deleted_by_the_minute() {
    let org = Org::new(1);
    org.freeze_clock(Some(AT));
    let sim = Sim::with(org).await;
    let kept = sim.create("Contact", json!({ "LastName": "A" })).await;
    let gone = sim.create("Contact", json!({ "LastName": "B" })).await;
    sim.delete(&format!("sobjects/Contact/{gone}")).await;
    sim.org.advance_clock_ms(60_000);
    let range = "?start=2026-11-21T08:00:59%2B00:00&end=2026-11-21T08:01:59%2B00:00";
    let updated = sim.get(&format!("sobjects/Contact/updated/{range}")).await.json();
    assert_eq!(
        updated,
        json!({ "ids": [kept], "latestDateCovered": "2026-11-21T08:01:00.000+0000" })
    );
    let deleted = sim.get(&format!("sobjects/Contact/deleted/{range}")).await.json();
    assert_eq!(
        deleted["deletedRecords"],
        json!([{ "id": gone, "deletedDate": "2026-11-21T08:00:30.000+0000" }])
    );
    let person = sim.org.person("ann@example.com").unwrap();
    person.purge(Id::parse(&gone).unwrap()).await.unwrap();
    let deleted = sim.get(&format!("sobjects/Contact/deleted/{range}")).await.json();
    assert_eq!(deleted["deletedRecords"], json!([]));
    for range in [
        "?start=2026-11-21T08:00:00Z&end=2026-11-21T08:00:59Z",
        "?start=2026-01-21T08:00:00Z&end=2026-11-21T08:00:59Z",
        "?start=x&end=y",
    ] {
        let bad = sim.get(&format!("sobjects/Contact/updated/{range}")).await;
        assert_eq!(bad.error(), (400, "INVALID_REPLICATION_DATE".to_owned()));
    }
}

#[tokio::test]
async fn covered_date_steps_back_for_an_open_transaction() {
    let org = Org::new(1);
    org.freeze_clock(Some(AT));
    let sim = Sim::with(org.clone()).await;
    let person = org.person("ann@example.com").unwrap().committing_after(60_000);
    let edit = tokio::spawn(async move {
        person.create("Contact", &fields(json!({ "LastName": "Late" }))).await.unwrap()
    });
    crate::sim::until("the edit is open", || org.held() == 1).await;
    org.advance_clock_ms(120_000);
    let path = "sobjects/Contact/updated?start=2026-11-21T08:00:00Z&end=2026-11-21T08:02:00Z";
    let before = sim.get(path).await.json();
    assert_eq!(before, json!({ "ids": [], "latestDateCovered": "2026-11-21T08:00:30.000+0000" }));
    assert_eq!(org.commit_held(), 1);
    let id = edit.await.unwrap();
    let after = sim.get(path).await.json();
    assert_eq!(after["ids"], json!([id]));
    assert_eq!(after["latestDateCovered"], "2026-11-21T08:02:00.000+0000");
    let entry = org.history_since(0, 100).pop().unwrap();
    assert_eq!(entry.committed_ms - entry.started_ms, 120_000);
}
