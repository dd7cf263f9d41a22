use salesforce_sim::Id;
use serde_json::json;

use crate::sim::{Sim, fields};

#[tokio::test]
async fn people_delete_undelete_purge_and_merge() {
    let sim = Sim::start().await;
    let ann = sim.org.person("ann@example.com").unwrap();
    let first = ann.create("Account", &fields(json!({ "Name": "One" }))).await.unwrap();
    let second = ann.create("Account", &fields(json!({ "Name": "Two" }))).await.unwrap();
    let body = fields(json!({ "LastName": "C", "AccountId": second }));
    let child = ann.create("Contact", &body).await.unwrap();
    ann.merge(first, &[second], &fields(json!({ "Phone": "9" }))).await.unwrap();
    assert_eq!(sim.org.record(child).unwrap()["AccountId"], first.as_str());
    assert_eq!(sim.org.record(second).unwrap()["MasterRecordId"], first.as_str());
    let merged = sim.query_all("SELECT MasterRecordId FROM Account WHERE IsDeleted = true").await;
    assert_eq!(merged.json()["records"][0]["MasterRecordId"], first.as_str());
    assert!(
        sim.org.history_since(0, 100).iter().any(|entry| entry.op == "merge" && entry.id == second)
    );

    // Back from the bin it is nobody's loser; what moved to the winner stays there.
    ann.undelete(second).await.unwrap();
    let back = sim.org.record(second).unwrap();
    assert_eq!((&back["MasterRecordId"], &back["IsDeleted"]), (&json!(null), &json!(false)));
    assert_eq!(sim.org.record(child).unwrap()["AccountId"], first.as_str());

    ann.delete(child).await.unwrap();
    assert_eq!(sim.org.record(child).unwrap()["deletedBy"], "ann@example.com");
    ann.undelete(child).await.unwrap();
    assert_eq!(ann.undelete(child).await.unwrap_err().code, "UNDELETE_FAILED");
    ann.delete(child).await.unwrap();
    ann.purge(child).await.unwrap();
    assert_eq!(sim.org.record(child), None);
    let all = sim.query_all("SELECT Id FROM Contact").await.json();
    assert_eq!(all["totalSize"], 0);
}

#[tokio::test]
async fn an_undelete_that_would_double_a_key_is_refused() {
    let sim = Sim::start().await;
    let ann = sim.org.person("ann@example.com").unwrap();
    let keyed = fields(json!({ "LastName": "C", "Syncline_Id__c": "k" }));
    let first = ann.create("Contact", &keyed).await.unwrap();
    ann.delete(first).await.unwrap();
    let second: Id = ann.create("Contact", &keyed).await.unwrap();
    assert_eq!(ann.undelete(first).await.unwrap_err().code, "DUPLICATE_VALUE");
    ann.delete(second).await.unwrap();
    ann.undelete(first).await.unwrap();
}
