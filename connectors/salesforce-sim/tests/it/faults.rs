use salesforce_sim::{Fault, FaultAction, Selector};
use serde_json::json;

use crate::sim::{Sim, contacts, read, until};

fn on(kind: &str, action: FaultAction) -> Fault {
    let on = Selector { kind: Some(kind.to_owned()), ..Selector::default() };
    Fault { on, skip: 0, count: Some(1), action }
}

fn fail(status: u16, html: bool, after: bool) -> FaultAction {
    FaultAction::Fail {
        status,
        code: "SERVER_UNAVAILABLE".to_owned(),
        message: "busy".to_owned(),
        html,
        after,
    }
}

#[tokio::test]
async fn failures_before_and_after_the_commit() {
    let sim = Sim::start().await;
    let body = json!({ "LastName": "A" });
    sim.org.add_fault(on("create", fail(503, false, false)));
    let before = sim.post("sobjects/Contact", body.clone()).await;
    assert_eq!(before.error(), (503, "SERVER_UNAVAILABLE".to_owned()));
    assert!(sim.org.records("Contact", false).is_empty());
    sim.org.add_fault(on("create", fail(502, true, true)));
    let after = sim.post("sobjects/Contact", body.clone()).await;
    assert_eq!(
        (after.status, after.header("content-type")),
        (502, Some("text/html;charset=UTF-8"))
    );
    assert_eq!(sim.org.records("Contact", false).len(), 1);
    assert!(sim.org.faults().is_empty());
    assert_eq!(sim.post("sobjects/Contact", body).await.status, 201);
}

#[tokio::test]
async fn a_cut_connection_loses_the_answer_only() {
    let sim = Sim::start().await;
    for (after, rows) in [(false, 0), (true, 1)] {
        sim.org.add_fault(on("create", FaultAction::Cut { after }));
        let request = sim.request("POST", "sobjects/Contact").json(&json!({ "LastName": "A" }));
        let error = request.send().await.unwrap_err();
        assert!(!error.is_status() && !error.is_timeout(), "{error:?}");
        assert_eq!(sim.org.records("Contact", false).len(), rows);
    }
    assert_eq!(sim.org.request_counts().by_status[&0], 2);
    assert_eq!(sim.get("limits").await.status, 200);
}

#[tokio::test]
async fn a_call_is_applied_after_its_client_has_gone() {
    let sim = Sim::start().await;
    sim.org.add_fault(on("create", FaultAction::DelayApply { ms: 600 }));
    let request = sim.request("POST", "sobjects/Contact").json(&json!({ "LastName": "A" }));
    let short = request.timeout(std::time::Duration::from_millis(20));
    assert!(short.send().await.unwrap_err().is_timeout());
    assert!(sim.org.records("Contact", false).is_empty());
    until("the late copy is applied", || sim.org.records("Contact", false).len() == 1).await;
}

#[tokio::test]
async fn duplicates_and_slow_replies() {
    let sim = Sim::start().await;
    sim.org.add_fault(on("create", FaultAction::Duplicate { after_ms: 1 }));
    sim.org.add_fault(on("create", FaultAction::DelayReply { ms: 5 }));
    assert_eq!(sim.post("sobjects/Contact", json!({ "LastName": "A" })).await.status, 201);
    until("the copy is applied", || sim.org.records("Contact", false).len() == 2).await;
}

#[tokio::test]
async fn limits_in_both_texts() {
    let sim = Sim::start().await;
    sim.org.add_fault(on("limits", FaultAction::RequestLimit { concurrent: true }));
    let answer = sim.get("limits").await;
    assert_eq!(answer.error(), (403, "REQUEST_LIMIT_EXCEEDED".to_owned()));
    assert!(answer.json()[0]["message"].as_str().unwrap().starts_with("ConcurrentRequests"));
    assert!(answer.header("retry-after").is_none());
    sim.org.set_daily_limit(100, 99);
    assert_eq!(sim.get("limits").await.header("sforce-limit-info"), Some("api-usage=100/100"));
    let answer = sim.get("limits").await;
    assert_eq!(answer.json()[0]["message"], "TotalRequests Limit exceeded.");
}

#[tokio::test]
async fn tokens_locators_and_pages() {
    let sim = Sim::start().await;
    sim.org.seed("a@example.com", "Contact", &contacts(30)).unwrap();
    sim.org.add_fault(on("query", FaultAction::SmallPages { rows: 10 }));
    let page = sim.query("SELECT Id FROM Contact").await.json();
    assert_eq!(page["records"].as_array().unwrap().len(), 10);
    let next = page["nextRecordsUrl"].as_str().unwrap();
    assert_eq!(sim.get(next).await.json()["records"].as_array().unwrap().len(), 10);
    sim.org.add_fault(on("query_more", FaultAction::ExpireLocators));
    assert_eq!(sim.get(next).await.error(), (400, "INVALID_QUERY_LOCATOR".to_owned()));
    let message = "This session is not valid for use with the REST API";
    sim.org.add_fault(on("limits", FaultAction::ExpireToken { message: Some(message.into()) }));
    assert_eq!(sim.get("limits").await.json()[0]["message"], message);
    assert_eq!(sim.get("limits").await.json()[0]["message"], "Session expired or invalid");
}

#[tokio::test]
async fn selectors_by_object_record_and_skip() {
    let sim = Sim::start().await;
    let id = sim.create("Account", json!({ "Name": "A" })).await;
    sim.org.add_fault(Fault {
        on: Selector {
            method: Some("PATCH".into()),
            object: Some("Account".into()),
            record: Some(id[..15].to_owned()),
            path: Some("sobjects".into()),
            ..Selector::default()
        },
        skip: 1,
        count: None,
        action: fail(500, false, false),
    });
    let path = format!("sobjects/Account/{id}");
    assert_eq!(sim.get(&path).await.status, 200);
    assert_eq!(sim.patch(&path, json!({})).await.status, 204);
    assert_eq!(sim.patch(&path, json!({})).await.status, 500);
    assert_eq!(sim.patch(&path, json!({})).await.status, 500);
    let request = json!({ "compositeRequest": [{
        "method": "PATCH",
        "url": format!("/services/data/v67.0/{path}"),
        "referenceId": "a",
        "body": {},
    }] });
    assert_eq!(sim.post("composite", request).await.status, 200);
    sim.org.clear_faults();
    assert_eq!(sim.patch(&path, json!({})).await.status, 204);
}

#[tokio::test]
async fn an_error_of_one_record_leaves_the_others() {
    let sim = Sim::start().await;
    sim.org.add_fault(Fault {
        on: Selector {
            object: Some("Contact".into()),
            record: Some("k2".into()),
            ..Selector::default()
        },
        skip: 0,
        count: Some(2),
        action: FaultAction::RecordError {
            code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".into(),
            message: "No such customer".into(),
            fields: vec!["LastName".into()],
        },
    });
    let keyed = |key: &str| {
        let contact = json!({ "type": "Contact" });
        json!({ "attributes": contact, "LastName": "A", "Syncline_Id__c": key })
    };
    let body = json!({ "records": [keyed("k1"), keyed("k2"), keyed("k3")] });
    let results = sim.post("composite/sobjects", body).await.json();
    assert_eq!(results[1]["errors"][0]["statusCode"], "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    assert_eq!(results[2]["success"], true);
    let single =
        sim.post("sobjects/Contact", json!({ "LastName": "A", "Syncline_Id__c": "k2" })).await;
    assert_eq!(single.json()[0]["errorCode"], "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    let request = sim.request("POST", "sobjects/Contact");
    let body = json!({ "LastName": "A", "Syncline_Id__c": "k2" });
    assert_eq!(read(request.json(&body)).await.status, 201);
}
