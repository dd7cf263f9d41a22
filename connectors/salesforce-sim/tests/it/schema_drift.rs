use serde_json::json;

use crate::sim::Sim;

#[expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
async fn field(sim: &Sim, name: &str) -> Option<serde_json::Value> {
    let describe = sim.get("sobjects/Contact/describe").await.json();
    describe["fields"].as_array().unwrap().iter().find(|it| it["name"] == name).cloned()
}

#[tokio::test]
async fn fields_appear_shrink_hide_and_go() {
    let sim = Sim::start().await;
    let id = sim.create("Contact", json!({ "LastName": "A", "Title": "Boss" })).await;
    let new = json!({ "name": "Extra__c", "type": "string", "length": 10, "external_id": true });
    assert_eq!(sim.control("POST", "schema/Contact/fields", new).await.status, 200);
    assert_eq!(field(&sim, "Extra__c").await.unwrap()["externalId"], true);
    let path = format!("sobjects/Contact/{id}");
    assert_eq!(sim.patch(&path, json!({ "Extra__c": "e" })).await.status, 204);
    assert_eq!(sim.get("sobjects/Contact/Extra__c/E").await.status, 200);

    sim.control("PATCH", "schema/Contact/fields/Title", json!({ "length": 3 })).await;
    assert_eq!(field(&sim, "Title").await.unwrap()["length"], 3);
    let long = sim.patch(&path, json!({ "Title": "Chief" })).await;
    assert_eq!(long.error().1, "STRING_TOO_LONG");

    let hide = json!({ "hidden_for": ["integration@example.com"] });
    sim.control("PATCH", "schema/Contact/fields/Title", hide).await;
    assert!(field(&sim, "Title").await.is_none());
    assert_eq!(sim.query("SELECT Title FROM Contact").await.error().1, "INVALID_FIELD");
    assert_eq!(sim.patch(&path, json!({ "Title": "x" })).await.error().1, "INVALID_FIELD");
    assert!(sim.row("Contact", &id).await.get("Title").is_none());

    assert_eq!(
        sim.control("DELETE", "schema/Contact/fields/Extra__c", json!({})).await.status,
        200
    );
    assert!(field(&sim, "Extra__c").await.is_none());
    let bad = sim.patch(&path, json!({ "Extra__c": "e" })).await;
    assert_eq!(bad.json()[0]["message"], "No such column 'Extra__c' on sobject of type Contact");
    assert_eq!(
        sim.control("DELETE", "schema/Contact/fields/Extra__c", json!({})).await.status,
        422
    );

    sim.control("PATCH", "schema/Contact/fields/Phone", json!({ "updateable": false })).await;
    assert_eq!(
        sim.patch(&path, json!({ "Phone": "1" })).await.error().1,
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    );
}

#[tokio::test]
async fn a_custom_object_is_added() {
    let sim = Sim::start().await;
    let new = json!({ "name": "Asset__c", "fields": [
        {
            "name": "Serial__c",
            "type": "string",
            "length": 20,
            "unique": true,
            "external_id": true,
        },
        { "name": "Contact__c", "type": "reference", "reference_to": ["Contact"] },
        { "name": "Weight__c", "type": "double", "precision": 5, "scale": 1 },
    ] });
    assert_eq!(sim.control("POST", "schema/objects", new).await.status, 200);
    let contact = sim.create("Contact", json!({ "LastName": "A" })).await;
    let body = json!({ "Serial__c": "s", "Contact__c": contact, "Weight__c": 2.5 });
    let id = sim.create("Asset__c", body).await;
    assert!(id.starts_with("a01"));
    let found = sim.column("SELECT Contact__r.LastName FROM Asset__c", "Contact__r").await;
    assert_eq!(found[0]["LastName"], "A");
}
