use serde_json::json;

use crate::sim::{Sim, read};

#[tokio::test]
async fn a_test_edits_over_http_as_another_user() {
    let sim = Sim::start().await;
    let seeded = sim
        .control(
            "POST",
            "seed",
            json!({ "object": "Account", "records": [{ "Name": "A" }, { "Name": "B" }] }),
        )
        .await;
    assert_eq!(seeded.json()["ids"].as_array().unwrap().len(), 2);
    let id = seeded.json()["ids"][0].clone();
    let since = sim.control("GET", "", json!({})).await.json()["last_seq"].clone();
    let fields = json!({ "Phone": "5" });
    let edit = json!({ "user": "ann@example.com", "id": id, "fields": fields, "client": "desk" });
    assert_eq!(sim.control("POST", "update", edit).await.status, 200);
    let history = sim.control("GET", &format!("history?since={since}"), json!({})).await.json();
    let entry = history["entries"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(entry["user"], "ann@example.com");
    assert_eq!(entry["client"], "desk");
    assert_eq!(
        entry["changes"],
        json!([{ "field": "Phone", "old": null, "new": "5", "by_flow": false }])
    );
    let made =
        json!({ "user": "ann@example.com", "object": "Contact", "fields": { "LastName": "Z" } });
    let contact = sim.control("POST", "create", made).await.json()["id"].clone();
    let gone = json!({ "user": "ann@example.com", "id": contact });
    assert_eq!(sim.control("POST", "delete", gone.clone()).await.status, 200);
    let bin = sim.control("GET", "records/Contact?bin=true", json!({})).await.json();
    assert_eq!(bin["records"][0]["deletedBy"], "ann@example.com");
    assert_eq!(sim.control("POST", "undelete", gone).await.status, 200);
    let bad = json!({ "user": "ann@example.com", "object": "Contact", "fields": {} });
    let refused = sim.control("POST", "create", bad).await;
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("REQUIRED_FIELD_MISSING")));
    let record =
        sim.control("GET", &format!("record/{}", contact.as_str().unwrap()), json!({})).await;
    assert_eq!(record.json()["LastName"], "Z");
}

#[tokio::test]
async fn settings_clock_limits_faults_and_requests() {
    let sim = Sim::start().await;
    let patched = sim.control("PATCH", "settings", json!({ "page_rows": 7 })).await;
    assert_eq!(patched.json()["page_rows"], 7);
    assert_eq!(sim.org.settings().page_rows, 7);
    let bad = sim.control("PATCH", "settings", json!({ "page_rowz": 7 })).await;
    assert_eq!((bad.status, &bad.json()["code"]), (400, &json!("BAD_INPUT")));
    let frozen = sim.control("POST", "clock", json!({ "freeze": 1_795_248_000_000_i64 })).await;
    assert_eq!(frozen.json()["now_ms"], 1_795_248_000_000_i64);
    let moved = sim.control("POST", "clock", json!({ "advance_ms": 1500 })).await;
    assert_eq!(moved.json()["now_ms"], 1_795_248_001_500_i64);
    assert_eq!(sim.control("POST", "clock", json!({ "resume": {} })).await.json()["frozen"], false);
    assert_eq!(sim.control("POST", "clock", json!({ "offset_ms": 0 })).await.status, 200);
    sim.control("POST", "limits", json!({ "max": 50, "used": 5 })).await;
    let request =
        sim.request("GET", "limits").header("Sforce-Call-Options", "client=Syncline/1, x=y");
    assert_eq!(read(request).await.header("sforce-limit-info"), Some("api-usage=6/50"));
    let log = sim.control("GET", "requests?since=0", json!({})).await.json();
    let last = log["requests"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["kind"], &last["client"]), (&json!("limits"), &json!("Syncline/1")));
    let counts = sim.control("GET", "requests/counts", json!({})).await.json();
    assert_eq!(counts["by_kind"], json!({ "limits": 1, "token": 1 }));
    let fault =
        json!({ "on": { "object": "Account" }, "action": { "type": "cut", "after": true } });
    let number = sim.control("POST", "faults", fault).await.json()["id"].clone();
    assert_eq!(sim.org.faults().len(), 1);
    assert_eq!(sim.control("DELETE", &format!("faults/{number}"), json!({})).await.status, 200);
    assert_eq!(sim.control("DELETE", &format!("faults/{number}"), json!({})).await.status, 404);
    let refresh =
        sim.control("POST", "tokens/refresh", json!({ "user": "admin@example.com" })).await;
    assert!(refresh.json()["refresh_token"].is_string());
    assert_eq!(sim.control("POST", "tokens/expire", json!({})).await.json()["ended"], 1);
    assert_eq!(sim.control("POST", "nonsense", json!({})).await.status, 404);
}

#[tokio::test]
async fn a_member_that_nobody_knows_is_refused_by_its_name() {
    let sim = Sim::start().await;
    let field = json!({ "name": "X__c", "type": "string", "lenght": 3 });
    let object = json!({ "name": "Y__c", "fields": [{ "name": "X__c", "typ": "string" }] });
    for (method, path, body, name) in [
        ("POST", "schema/Account/fields", field, "lenght"),
        ("POST", "schema/objects", object, "type"),
        ("PATCH", "schema/Account/fields/Phone", json!({ "hidden": ["*"] }), "hidden"),
        ("PATCH", "schema/Account/fields/Phone", json!({ "name": "Fax" }), "name"),
    ] {
        let answer = sim.control(method, path, body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("BAD_INPUT")), "{path}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("`{name}`")), "{message}");
    }
    let field = json!({ "name": "X__c", "type": "string", "length": 3 });
    assert_eq!(sim.control("POST", "schema/Account/fields", field).await.status, 200);
}

#[tokio::test]
async fn two_orgs_with_different_seeds_differ_and_equal_seeds_agree() {
    let ids = |seed: u64| {
        let org = salesforce_sim::Org::new(seed);
        let one = crate::sim::fields(json!({ "Name": "A" }));
        org.seed("a@example.com", "Account", &[one]).unwrap()
    };
    assert_eq!(ids(4), ids(4));
    assert_ne!(ids(4), ids(5));
}

#[tokio::test]
async fn a_server_shuts_down() {
    let sim = Sim::start().await;
    let url = sim.url("/services/data");
    drop(sim.http);
    sim.server.shutdown().await.unwrap();
    assert!(crate::sim::client().get(url).send().await.is_err());
}
