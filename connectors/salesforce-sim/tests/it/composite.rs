use salesforce_sim::Org;
use serde_json::{Value, json};

use crate::sim::{DATA, Sim};

fn part(method: &str, path: &str, reference: &str, body: Value) -> Value {
    let url = format!("{DATA}/{path}");
    json!({ "method": method, "url": url, "referenceId": reference, "body": body })
}

#[tokio::test]
async fn references_between_parts() {
    let sim = Sim::start().await;
    let contact = json!({ "LastName": "L", "AccountId": "@{a1.id}" });
    let query = "query?q=SELECT Id FROM Contact WHERE AccountId = '@{a1.id}'";
    let title = json!({ "Title": "of @{g1.Name}" });
    let request = json!({ "allOrNone": true, "compositeRequest": [
        part("POST", "sobjects/Account", "a1", json!({ "Name": "N" })),
        part("PATCH", "sobjects/Contact/Syncline_Id__c/42", "c1", contact),
        part("GET", "sobjects/Account/@{a1.id}?fields=Name", "g1", Value::Null),
        part("GET", query, "q1", Value::Null),
        part("PATCH", "sobjects/Contact/@{q1.records[0].Id}", "u1", title),
    ] });
    let answer = sim.post("composite", request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let parts = answer.json()["compositeResponse"].clone();
    let statuses: Vec<i64> =
        parts.as_array().unwrap().iter().map(|it| it["httpStatusCode"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 200, 200, 204], "{parts}");
    assert!(parts[0]["httpHeaders"]["Location"].as_str().unwrap().starts_with(DATA));
    assert_eq!(parts[4]["body"], Value::Null);
    assert_eq!(sim.org.records("Contact", false)[0]["Title"], "of N");
    assert_eq!(sim.org.request_counts().by_kind["composite"], 1);
    // One transaction, one commit.
    let history = sim.org.history_since(0, 100);
    let commits: std::collections::BTreeSet<u64> =
        history.iter().filter(|entry| entry.api == "rest").map(|entry| entry.commit).collect();
    assert_eq!(commits.len(), 1);
}

#[tokio::test]
async fn failures_roll_back_or_stand_alone() {
    let sim = Sim::start().await;
    let parts = |all: bool| {
        json!({ "allOrNone": all, "compositeRequest": [
            part("POST", "sobjects/Account", "a1", json!({ "Name": "N" })),
            part("POST", "sobjects/Contact", "c1", json!({ "FirstName": "no last name" })),
            part("PATCH", "sobjects/Contact/@{c1.id}", "c2", json!({ "Title": "x" })),
        ] })
    };
    let body = sim.post("composite", parts(true)).await.json();
    let body = &body["compositeResponse"];
    assert_eq!(body[0]["httpStatusCode"], 400);
    assert_eq!(body[0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(body[1]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
    assert!(sim.org.records("Account", false).is_empty());
    let body = sim.post("composite", parts(false)).await.json();
    let body = &body["compositeResponse"];
    assert_eq!(body[0]["httpStatusCode"], 201);
    let message = body[2]["body"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("Invalid reference specified. No value for"), "{message}");
    assert_eq!(sim.org.records("Account", false).len(), 1);
}

#[tokio::test]
async fn conditions_per_part() {
    let org = Org::new(1);
    org.freeze_clock(Some(1_795_248_000_000));
    let sim = Sim::with(org.clone()).await;
    let id = sim.create("Contact", json!({ "LastName": "A" })).await;
    org.advance_clock_ms(5000);
    let guarded = |reference: &str, date: &str| {
        let mut made = part(
            "PATCH",
            &format!("sobjects/Contact/{id}"),
            reference,
            json!({ "Title": reference }),
        );
        made["httpHeaders"] = json!({ "If-Unmodified-Since": date });
        made
    };
    let request = json!({ "compositeRequest": [
        guarded("first", "Sat, 21 Nov 2026 08:00:00 GMT"),
        guarded("second", "Sat, 21 Nov 2026 08:00:00 GMT"),
    ] });
    let body = sim.post("composite", request).await.json();
    assert_eq!(body["compositeResponse"][0]["httpStatusCode"], 204);
    assert_eq!(body["compositeResponse"][1]["httpStatusCode"], 412);
    let mut bad = part("GET", "limits", "x", Value::Null);
    bad["httpHeaders"] = json!({ "Authorization": "Bearer y" });
    let answer = sim.post("composite", json!({ "compositeRequest": [bad] })).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn limits_of_a_call() {
    let sim = Sim::start().await;
    let many: Vec<Value> =
        (0..26).map(|at| part("GET", "limits", &format!("r{at}"), Value::Null)).collect();
    assert_eq!(sim.post("composite", json!({ "compositeRequest": many })).await.status, 400);
    let queries: Vec<Value> = (0..6)
        .map(|at| part("GET", "query?q=SELECT Id FROM User", &format!("r{at}"), Value::Null))
        .collect();
    assert_eq!(sim.post("composite", json!({ "compositeRequest": queries })).await.status, 400);
    let bad = part("GET", "limits", "1bad", Value::Null);
    assert_eq!(sim.post("composite", json!({ "compositeRequest": [bad] })).await.status, 400);
}
