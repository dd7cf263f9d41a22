//! Several calls in one: batch, graph and tree.

use salesforce_sim::{DuplicateRule, Id};
use serde_json::{Value, json};

use crate::sim::{DATA, Sim};

fn create(reference: &str, object: &str, body: Value) -> Value {
    json!({
        "method": "POST",
        "url": format!("{DATA}/sobjects/{object}"),
        "referenceId": reference,
        "body": body,
    })
}

#[tokio::test]
async fn a_batch_runs_each_call_by_itself() {
    let sim = Sim::start().await;
    let calls = json!([
        { "method": "POST", "url": "v67.0/sobjects/Account", "richInput": { "Name": "A" } },
        { "method": "POST", "url": "v67.0/sobjects/Account", "richInput": {} },
        { "method": "GET", "url": "v67.0/query?q=SELECT+Name+FROM+Account" },
    ]);
    let used = async || {
        let info = sim.control("GET", "", json!(null)).await;
        info.json()["api_used"].as_u64().unwrap()
    };
    let before = used().await;
    let answer = sim.post("composite/batch", json!({ "batchRequests": calls })).await.json();
    assert_eq!(answer["hasErrors"], true);
    let statuses: Vec<&Value> =
        answer["results"].as_array().unwrap().iter().map(|one| &one["statusCode"]).collect();
    assert_eq!(statuses, [201, 400, 200]);
    assert_eq!(answer["results"][2]["result"]["records"][0]["Name"], "A");
    assert_eq!(used().await - before, 3, "each call counts");

    let halting = json!({ "haltOnError": true, "batchRequests": calls });
    let answer = sim.post("composite/batch", halting).await.json();
    let last = &answer["results"][2];
    assert_eq!(last["statusCode"], 412);
    assert_eq!(last["result"][0]["errorCode"], "BATCH_PROCESSING_HALTED");
    assert_eq!(sim.query("SELECT Id FROM Account").await.json()["totalSize"], 2, "no roll-back");
    // A call that waits for a lock is tried again, and its parts count once.
    let id = sim.create("Account", json!({ "Name": "B" })).await;
    let path = format!("v67.0/sobjects/Account/{id}");
    let update = json!({ "method": "PATCH", "url": path, "richInput": { "Phone": "1" } });
    sim.org.lock_row(Id::parse(&id).unwrap(), 40);
    let before = used().await;
    let waiting = json!({ "batchRequests": [calls[0], calls[0], update] });
    let answer = sim.post("composite/batch", waiting).await.json();
    assert_eq!(answer["results"][2]["statusCode"], 204);
    assert_eq!(used().await - before, 3);
    let many = json!({ "batchRequests": vec![calls[0].clone(); 26] });
    assert_eq!(sim.post("composite/batch", many).await.error().0, 400);
}

#[tokio::test]
async fn a_graph_is_all_or_nothing_and_stops_no_other() {
    let sim = Sim::start().await;
    let account = create("a", "Account", json!({ "Name": "A" }));
    let child = |body: Value| create("c", "Contact", body);
    let good = json!([account, child(json!({ "LastName": "C", "AccountId": "@{a.id}" }))]);
    let bad = json!([account, child(json!({ "AccountId": "@{a.id}" }))]);
    let graphs = json!({ "graphs": [
        { "graphId": "bad", "compositeRequest": bad },
        { "graphId": "good", "compositeRequest": good },
    ] });
    let answer = sim.post("composite/graph", graphs).await.json();
    let graph = |at: usize| &answer["graphs"][at];
    assert_eq!(
        (&graph(0)["isSuccessful"], &graph(1)["isSuccessful"]),
        (&json!(false), &json!(true))
    );
    let parts = &graph(0)["graphResponse"]["compositeResponse"];
    assert_eq!(parts[0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(parts[1]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(sim.query("SELECT Id FROM Account").await.json()["totalSize"], 1);
    assert_eq!(sim.query("SELECT Account.Name FROM Contact").await.json()["totalSize"], 1);

    let failing = |n: usize| -> Vec<Value> {
        (0..n).map(|at| json!({ "graphId": at.to_string(), "compositeRequest": bad })).collect()
    };
    let mut many = failing(14);
    many.push(json!({ "graphId": "late", "compositeRequest": good }));
    let answer = sim.post("composite/graph", json!({ "graphs": many })).await.json();
    let late = &answer["graphs"][14];
    assert_eq!(late["isSuccessful"], false);
    let part = &late["graphResponse"]["compositeResponse"][0];
    assert_eq!(part["body"][0]["errorCode"], "PROCESSING_HALTED");

    let chain: Vec<Value> = (0..16)
        .map(|at| {
            let parent = if at == 0 { json!(null) } else { json!(format!("@{{r{}.id}}", at - 1)) };
            create(&format!("r{at}"), "Account", json!({ "Name": "A", "ParentId": parent }))
        })
        .collect();
    let query = json!({ "method": "GET", "url": format!("{DATA}/query?q=x"), "referenceId": "q" });
    for graphs in [
        json!([{ "graphId": "deep", "compositeRequest": chain }]),
        json!([{ "graphId": "query", "compositeRequest": [query] }]),
        Value::from(failing(76)),
    ] {
        let answer = sim.post("composite/graph", json!({ "graphs": graphs })).await;
        assert_eq!(answer.error(), (400, String::from("INVALID_INPUT")), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_tree_grows_whole_or_not_at_all() {
    let sim = Sim::start().await;
    let record = |kind: &str, reference: &str, mut fields: Value| {
        fields["attributes"] = json!({ "type": kind, "referenceId": reference });
        fields
    };
    let contact = |reference: &str, fields: Value| record("Contact", reference, fields);
    let tree = |contacts: Value| {
        let account = record("Account", "root", json!({ "Name": "A", "Contacts": contacts }));
        json!({ "records": [account] })
    };
    let good = json!({ "records": [contact("leaf", json!({ "LastName": "L" }))] });
    let answer = sim.post("composite/tree/Account", tree(good)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let body = answer.json();
    let ids = body["results"].as_array().unwrap();
    let leaf = ids.iter().find(|one| one["referenceId"] == "leaf").unwrap();
    let root = ids.iter().find(|one| one["referenceId"] == "root").unwrap();
    let row = sim.row("Contact", leaf["id"].as_str().unwrap()).await;
    assert_eq!(row["AccountId"], root["id"]);

    let mixed = json!({ "records": [
        contact("fine", json!({ "LastName": "L" })),
        contact("culprit", json!({})),
    ] });
    let answer = sim.post("composite/tree/Account", tree(mixed)).await;
    assert_eq!(answer.status, 400);
    let body = answer.json();
    assert_eq!(body["hasErrors"], true);
    assert_eq!(body["results"].as_array().unwrap().len(), 1, "only the culprits");
    assert_eq!(body["results"][0]["referenceId"], "culprit");
    assert_eq!(body["results"][0]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(sim.query("SELECT Id FROM Account").await.json()["totalSize"], 1);

    let twice = json!({ "records": [
        contact("same", json!({ "LastName": "L" })), contact("same", json!({ "LastName": "L" })),
    ] });
    let answer = sim.post("composite/tree/Account", tree(twice)).await;
    assert_eq!(answer.error(), (400, String::from("INVALID_INPUT")));
    assert_eq!(sim.query("SELECT Id FROM Account").await.json()["totalSize"], 1);
}

#[tokio::test]
async fn a_header_of_one_part_says_nothing_of_the_other_graphs() {
    let sim = Sim::start().await;
    sim.org.add_duplicate_rule(DuplicateRule {
        name: String::from("Same site"),
        object: String::from("Account"),
        fields: vec![String::from("Website")],
        allow: true,
    });
    sim.create("Account", json!({ "Name": "A", "Website": "acme.example" })).await;
    let same = create("a", "Account", json!({ "Name": "B", "Website": "acme.example" }));
    let mut allowed = same.clone();
    allowed["httpHeaders"] = json!({ "Sforce-Duplicate-Rule-Header": "allowSave=true" });
    let graphs = json!({ "graphs": [
        { "graphId": "one", "compositeRequest": [allowed] },
        { "graphId": "other", "compositeRequest": [same] },
    ] });
    let answer = sim.post("composite/graph", graphs).await.json();
    assert_eq!(answer["graphs"][0]["isSuccessful"], true);
    assert_eq!(answer["graphs"][1]["isSuccessful"], false);
}
