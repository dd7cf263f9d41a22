use serde_json::{Value, json};

use crate::sim::Sim;

fn contact(last: &str) -> Value {
    json!({ "attributes": { "type": "Contact" }, "LastName": last })
}

#[tokio::test]
async fn mixed_success_keeps_the_order() {
    let sim = Sim::start().await;
    let body = json!({ "records": [contact("A"), contact(""), contact("C")] });
    let answer = sim.post("composite/sobjects", body).await;
    assert_eq!(answer.status, 200);
    let results = answer.json();
    assert_eq!(results[0]["success"], true);
    assert_eq!(
        results[1],
        json!({
            "success": false,
            "errors": [{
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [LastName]",
                "fields": ["LastName"],
            }],
        })
    );
    assert_eq!(results[2]["success"], true);
    assert_eq!(sim.org.records("Contact", false).len(), 2);
}

#[tokio::test]
async fn all_or_none_takes_everything_back() {
    let sim = Sim::start().await;
    let body = json!({ "allOrNone": true, "records": [contact("A"), contact("")] });
    let results = sim.post("composite/sobjects", body).await.json();
    assert_eq!(results[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(results[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
    assert!(sim.org.records("Contact", false).is_empty());
    let history = sim.org.history_since(0, 100);
    assert!(history.iter().all(|entry| entry.object == "User"));
}

#[tokio::test]
async fn update_upsert_delete_retrieve() {
    let sim = Sim::start().await;
    let id = sim.create("Contact", json!({ "LastName": "A", "Syncline_Id__c": "k1" })).await;
    let record =
        |last: &str| json!({ "attributes": { "type": "Contact" }, "id": id, "LastName": last });
    let missing = json!({ "attributes": { "type": "Contact" }, "Id": "003000000000000AAA" });
    let body = json!({ "records": [record("B"), record("C"), missing] });
    let results = sim.patch("composite/sobjects", body).await.json();
    assert_eq!(results[0], json!({ "id": id, "success": true, "errors": [] }));
    assert_eq!(results[1]["errors"][0]["statusCode"], "DUPLICATE_VALUE");
    assert_eq!(results[2]["errors"][0]["statusCode"], "INVALID_CROSS_REFERENCE_KEY");

    let contact = json!({ "type": "Contact" });
    let keyed = |key: &str, last: &str| {
        let (attributes, id) = (&contact, key);
        json!({ "attributes": attributes, "Syncline_Id__c": id, "LastName": last })
    };
    let body = json!({ "records": [keyed("k1", "D"), keyed("k2", "E"), keyed("k2", "F")] });
    let results = sim.patch("composite/sobjects/Contact/Syncline_Id__c", body).await.json();
    let created: Vec<&Value> =
        results.as_array().unwrap().iter().map(|it| &it["created"]).collect();
    assert_eq!(created, [&json!(false), &json!(true), &json!(false)]);
    let new = json!({ "attributes": contact, "Id": null, "LastName": "G" });
    let body = json!({ "records": [new] });
    let results = sim.patch("composite/sobjects/Contact/Id", body).await.json();
    assert_eq!(results[0]["created"], true);

    let path = format!("composite/sobjects/Contact?ids={id},003000000000000AAA&fields=LastName");
    let rows = sim.get(&path).await.json();
    assert_eq!((&rows[0]["LastName"], &rows[1]), (&json!("D"), &Value::Null));
    let body = json!({ "ids": [id], "fields": ["Nope"] });
    assert_eq!(sim.post("composite/sobjects/Contact", body).await.error().1, "INVALID_FIELD");
    let path = format!("composite/sobjects?ids={id},{id}&allOrNone=false");
    let results = sim.delete(&path).await.json();
    assert_eq!(results[0]["success"], true);
    assert_eq!(results[1]["errors"][0]["statusCode"], "ENTITY_IS_DELETED");
}

#[tokio::test]
async fn a_key_of_several_rows_is_an_error_of_the_record() {
    let sim = Sim::start().await;
    for _ in 0..2 {
        sim.create("Contact", json!({ "LastName": "A", "Legacy_Key__c": "L" })).await;
    }
    let body = json!({ "records": [
        { "attributes": { "type": "Contact" }, "Legacy_Key__c": "L", "LastName": "B" }
    ] });
    let results = sim.patch("composite/sobjects/Contact/Legacy_Key__c", body).await.json();
    assert_eq!(results[0]["errors"][0]["statusCode"], "DUPLICATE_EXTERNAL_ID");
}

#[tokio::test]
async fn limits_of_a_call() {
    let sim = Sim::start().await;
    let many: Vec<Value> = (0..201).map(|_| contact("A")).collect();
    let answer = sim.post("composite/sobjects", json!({ "records": many })).await;
    assert_eq!(answer.error(), (400, "EXCEEDED_ID_LIMIT".to_owned()));
    let mixed: Vec<Value> = (0..11)
        .map(|at| {
            if at % 2 == 0 {
                contact("A")
            } else {
                json!({ "attributes": { "type": "Account" }, "Name": "A" })
            }
        })
        .collect();
    let answer = sim.post("composite/sobjects", json!({ "records": mixed })).await;
    assert_eq!(answer.error(), (400, "LIMIT_EXCEEDED".to_owned()));
    assert!(sim.org.records("Contact", false).is_empty());
}
