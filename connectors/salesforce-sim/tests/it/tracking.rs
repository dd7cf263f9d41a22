//! Field history: what is kept of tracked fields.

use serde_json::{Value, json};

use crate::sim::{Sim, fields};

const ALL: &str = "SELECT Field, DataType, OldValue, NewValue, CreatedById FROM AccountHistory \
                   ORDER BY Id";

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

async fn rows(sim: &Sim, statement: &str) -> Vec<Value> {
    let answer = sim.query(statement).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["records"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn tracked_fields_keep_their_past() {
    let sim = Sim::start().await;
    assert_eq!(sim.query(ALL).await.error().1, "INVALID_TYPE", "nothing is tracked yet");
    let account = sim.create("Account", json!({ "Name": "A", "Phone": "1" })).await;
    let track = json!({ "fields": ["Phone", "Score__c", "Description", "OwnerId", "Tags__c"] });
    let answer = sim.control("POST", "schema/Account/history", track).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let ann = sim.org.person("ann@example.com").unwrap();
    let id = salesforce_sim::Id::parse(&account).unwrap();
    let change = json!({ "Phone": "2", "Score__c": 1.5, "Fax": "untracked" });
    ann.update(id, &fields(change)).await.unwrap();
    // The same again is no change.
    ann.update(id, &fields(json!({ "Phone": "2" }))).await.unwrap();
    let change = json!({ "Description": "long", "Tags__c": "Red", "OwnerId": ann.id() });
    sim.patch(&format!("sobjects/Account/{account}"), change).await;
    let rows = rows(&sim, ALL).await;
    let told: Vec<(&str, &Value, &Value)> = rows
        .iter()
        .map(|row| (row["Field"].as_str().unwrap_or_default(), &row["OldValue"], &row["NewValue"]))
        .collect();
    let null = &Value::Null;
    let own = sim.org.record(id).unwrap()["CreatedById"].clone();
    let [phone, score, wide, new] = ["1", "2", "integration", "ann"].map(|text| json!(text));
    let (one, half) = (json!(ann.id()), json!(1.5));
    let mut wanted = vec![
        ("Phone", &phone, &score),
        ("Score__c", null, &half),
        ("Owner", &wide, &new),
        ("Owner", &own, &one),
        ("Description", null, null),
        ("Tags__c", null, null),
    ];
    let mut told = told;
    // Those of one save have no order.
    wanted.sort_by_key(|(field, old, _)| (*field, old.to_string()));
    told.sort_by_key(|(field, old, _)| (*field, old.to_string()));
    assert_eq!(told, wanted);
    assert_eq!(rows[0]["CreatedById"], ann.id().as_str());
    // A new record is noted as created, a rolled-back save not at all.
    let other = sim.create("Account", json!({ "Name": "B" })).await;
    let bad = json!({ "Phone": "3", "Score__c": "no" });
    assert_eq!(sim.patch(&format!("sobjects/Account/{account}"), bad).await.status, 400);
    let statement = format!("SELECT Field FROM AccountHistory WHERE AccountId = '{other}'");
    assert_eq!(sim.column(&statement, "Field").await, [json!("created")]);
}

#[tokio::test]
async fn histories_are_read_and_nothing_else() {
    let sim = Sim::start().await;
    sim.org.track_history("Project__c", &names(&["Code__c"])).unwrap();
    let account = sim.create("Account", json!({ "Name": "A" })).await;
    let project = json!({ "Account__c": account, "Code__c": "x" });
    let project = sim.create("Project__c", project).await;
    let patch = json!({ "Code__c": "y" });
    assert_eq!(sim.patch(&format!("sobjects/Project__c/{project}"), patch).await.status, 204);
    let statement =
        format!("SELECT Field, NewValue FROM Project__History WHERE ParentId = '{project}'");
    assert_eq!(sim.column(&statement, "NewValue").await, [Value::Null, json!("y")]);
    let described = sim.get("sobjects/Project__History/describe").await.json();
    assert_eq!(
        (&described["createable"], &described["name"]),
        (&json!(false), &json!("Project__History"))
    );
    let filtered = sim.query("SELECT Id FROM Project__History WHERE NewValue = 'y'").await;
    assert_eq!(filtered.error().1, "INVALID_FIELD");
    let written = sim.post("sobjects/Project__History", json!({ "ParentId": project })).await;
    assert_eq!(written.status, 400, "{}", written.text);
    // A record goes and comes back with its history.
    sim.delete(&format!("sobjects/Account/{account}")).await;
    assert_eq!(sim.column(&statement, "Field").await.len(), 2);
    let many: Vec<String> = vec![String::from("Phone"); 21];
    assert_eq!(sim.org.track_history("Account", &many).unwrap_err().code, "LIMIT_EXCEEDED");
    let fixed = sim.org.track_history("Account", &names(&["CreatedDate"])).unwrap_err();
    assert_eq!(fixed.code, "INVALID_FIELD");
}
