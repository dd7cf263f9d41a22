use serde_json::json;

use crate::sim::{DATA, Sim};

#[tokio::test]
async fn upsert_creates_then_updates_by_version() {
    let sim = Sim::start().await;
    let path = "sobjects/Contact/Syncline_Id__c/k-1";
    let created = sim.patch(path, json!({ "LastName": "A" })).await;
    assert_eq!((created.status, &created.json()["created"]), (201, &json!(true)));
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let updated = sim.patch(path, json!({ "LastName": "B" })).await;
    assert_eq!(updated.status, 200);
    assert_eq!(
        updated.text,
        format!(r#"{{"id":"{id}","success":true,"errors":[],"created":false}}"#)
    );
    let old = "/services/data/v45.0/sobjects/Contact/Syncline_Id__c/";
    let answer = sim.patch(&format!("{old}k-1"), json!({ "LastName": "C" })).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let answer = sim.patch(&format!("{old}k-2"), json!({ "LastName": "C" })).await;
    assert_eq!(answer.status, 201);
    assert!(answer.json().get("created").is_none());
    sim.org.change_settings(|settings| settings.upsert_update_body = false);
    assert_eq!(sim.patch(path, json!({ "LastName": "D" })).await.status, 204);
    assert_eq!(sim.get(path).await.json()["LastName"], "D");
}

#[tokio::test]
async fn keys_in_the_path() {
    let sim = Sim::start().await;
    let base = "sobjects/Contact/Syncline_Id__c";
    for key in ["a/b", "a%2Fc", "x%20y"] {
        assert_eq!(
            sim.patch(&format!("{base}/{key}"), json!({ "LastName": "A" })).await.status,
            201
        );
    }
    assert_eq!(sim.get(&format!("{base}/A%2FB")).await.json()["Syncline_Id__c"], "a/b");
    assert_eq!(sim.get(&format!("{base}/x%20y")).await.status, 200);
    // A plus sign in a path is one (reported of the service in simple-salesforce's issue 801,
    // which writes a blank so and does not find its record).
    assert_eq!(sim.get(&format!("{base}/x+y")).await.error().0, 404);
    assert_eq!(sim.patch(&format!("{base}/x+y"), json!({ "LastName": "A" })).await.status, 201);
    assert_eq!(sim.get(&format!("{base}/x%2By")).await.json()["Syncline_Id__c"], "x+y");
    let only = sim.patch(&format!("{base}/none?updateOnly=true"), json!({})).await;
    assert_eq!(only.error(), (404, "NOT_FOUND".to_owned()));
    let doubled = sim.patch(&format!("{base}/k"), json!({ "Syncline_Id__c": "k" })).await;
    assert_eq!(doubled.error(), (400, "INVALID_FIELD".to_owned()));
    let no_key = sim.patch("sobjects/Contact/Title/x", json!({ "LastName": "A" })).await;
    assert_eq!(no_key.error(), (404, "NOT_FOUND".to_owned()));
    assert_eq!(sim.post("sobjects/Contact/Id", json!({ "LastName": "A" })).await.status, 201);
    assert_eq!(sim.delete(&format!("{base}/a%2Fb")).await.status, 204);
    // A row in the recycle bin does not match.
    assert_eq!(sim.patch(&format!("{base}/a%2Fb"), json!({ "LastName": "A" })).await.status, 201);
}

#[tokio::test]
async fn a_key_of_several_rows_is_300() {
    let sim = Sim::start().await;
    let body = || json!({ "LastName": "A", "Legacy_Key__c": "L" });
    let first = sim.create("Contact", body()).await;
    let second = sim.create("Contact", body()).await;
    let path = "sobjects/Contact/Legacy_Key__c/L";
    for answer in [sim.get(path).await, sim.patch(path, json!({})).await, sim.delete(path).await] {
        assert_eq!(answer.status, 300);
        let urls: Vec<String> = serde_json::from_str(&answer.text).unwrap();
        let wanted =
            [first.as_str(), second.as_str()].map(|id| format!("{DATA}/sobjects/Contact/{id}"));
        assert_eq!(urls, wanted);
    }
}

#[tokio::test]
async fn parents_by_external_id() {
    let sim = Sim::start().await;
    let account = sim.create("Account", json!({ "Name": "A", "Syncline_Id__c": "acc" })).await;
    let body = json!({ "LastName": "X", "Account": { "Syncline_Id__c": "ACC" } });
    let contact = sim.create("Contact", body).await;
    assert_eq!(sim.row("Contact", &contact).await["AccountId"], account.as_str());
    let body = json!({ "LastName": "X", "Account": { "Syncline_Id__c": "nope" } });
    let missing = sim.post("sobjects/Contact", body).await;
    assert_eq!(missing.error(), (400, "INVALID_FIELD".to_owned()));
    let message = missing.json()[0]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Foreign key external ID: nope not found for field"), "{message}");
}
