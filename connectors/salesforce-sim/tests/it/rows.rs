use serde_json::{Value, json};

use crate::sim::{DATA, Sim, read};

#[tokio::test]
async fn create_read_update_delete() {
    let sim = Sim::start().await;
    let answer =
        sim.post("sobjects/Account/", json!({ "Name": "Acme", "BillingCity": "Bonn" })).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.status, 201);
    assert_eq!(answer.text, format!(r#"{{"id":"{id}","success":true,"errors":[]}}"#));
    let location = format!("{DATA}/sobjects/Account/{id}");
    assert_eq!(answer.header("location"), Some(location.as_str()));

    let row = sim.row("Account", &id[..15]).await;
    assert_eq!(row["attributes"], json!({ "type": "Account", "url": location }));
    assert_eq!((&row["Name"], &row["Phone"]), (&json!("Acme"), &Value::Null));
    assert_eq!(row["BillingAddress"]["city"], "Bonn");
    assert_eq!(row["ShippingAddress"], Value::Null);
    assert!(row["CreatedDate"].as_str().unwrap().ends_with(".000+0000"));
    let two = sim.get(&format!("sobjects/Account/{id}?fields=Name,Id")).await;
    assert!(two.text.ends_with(&format!(r#""Name":"Acme","Id":"{id}"}}"#)), "{}", two.text);

    let updated = sim.patch(&format!("sobjects/Account/{id}"), json!({ "Name": "Acme 2" })).await;
    assert_eq!((updated.status, updated.text.as_str()), (204, ""));
    assert!(updated.header("content-type").is_none());
    let url = format!("sobjects/Account/{id}?_HTTP_METHOD=PATCH");
    assert_eq!(sim.post(&url, json!({ "Phone": "1" })).await.status, 204);
    assert_eq!(sim.row("Account", &id).await["Phone"], "1");

    assert_eq!(sim.delete(&format!("sobjects/Account/{id}")).await.status, 204);
    assert_eq!(sim.get(&format!("sobjects/Account/{id}")).await.status, 404);
}

#[tokio::test]
async fn recorded_errors_of_rows() {
    let sim = Sim::start().await;
    let id = sim.create("Contact", json!({ "LastName": "A" })).await;
    let missing = sim.get("sobjects/Contact/003000000000000AAA").await;
    assert_eq!(
        missing.text,
        "[{\"message\":\"Provided external ID field does not exist or is not accessible: \
         003000000000000AAA\",\"errorCode\":\"NOT_FOUND\"}]"
    );
    assert_eq!(sim.get("sobjects/Nope").await.error(), (404, "NOT_FOUND".to_owned()));
    sim.delete(&format!("sobjects/Contact/{id}")).await;
    let path = format!("sobjects/Contact/{id}");
    for answer in [sim.patch(&path, json!({ "LastName": "B" })).await, sim.delete(&path).await] {
        assert_eq!(answer.status, 404);
        let told = json!({
            "message": "entity is deleted",
            "errorCode": "ENTITY_IS_DELETED",
            "fields": [],
        });
        assert_eq!(answer.json(), json!([told]));
    }
    let person = sim.org.person("ann@example.com").unwrap();
    person.purge(salesforce_sim::Id::parse(&id).unwrap()).await.unwrap();
    assert_eq!(sim.delete(&path).await.error(), (404, "INVALID_CROSS_REFERENCE_KEY".to_owned()));

    let put = read(sim.request("PUT", "sobjects/Contact").json(&json!({}))).await;
    assert_eq!(put.error(), (405, "METHOD_NOT_ALLOWED".to_owned()));
    let request = sim.request("POST", "sobjects/Contact");
    let csv = read(request.header("Content-Type", "text/csv").body("a")).await;
    assert_eq!(csv.error(), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
    let request = sim.request("POST", "sobjects/Contact");
    let broken = read(request.header("Content-Type", "application/json").body("{")).await;
    assert_eq!(broken.error(), (400, "JSON_PARSER_ERROR".to_owned()));
    let long = sim.get(&format!("query?q={}", "x".repeat(17_000))).await;
    assert_eq!(long.status, 414);
}

#[tokio::test]
async fn related_rows() {
    let sim = Sim::start().await;
    let account = sim.create("Account", json!({ "Name": "Acme" })).await;
    let contact = sim.create("Contact", json!({ "LastName": "A", "AccountId": account })).await;
    let parent = sim.get(&format!("sobjects/Contact/{contact}/Account")).await.json();
    assert_eq!(parent["Name"], "Acme");
    let children = sim.get(&format!("sobjects/Account/{account}/Contacts")).await.json();
    assert_eq!(children["totalSize"], 1);
    assert_eq!(children["records"][0]["Id"], contact.as_str());
}
