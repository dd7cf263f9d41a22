use salesforce_sim::{FlowRule, Id};
use serde_json::{Value, json};

use crate::sim::{Sim, fields, read};

#[tokio::test]
async fn what_is_written_is_not_what_is_read() {
    let sim = Sim::start().await;
    let cases = [
        ("Title", json!("  a b \t"), json!("a b")),
        ("Title", json!("\u{a0}x\u{a0}"), json!("\u{a0}x\u{a0}")),
        ("Title", json!("   "), Value::Null),
        ("Title", json!(""), Value::Null),
        ("Email", json!("Ann@Example.COM"), json!("ann@example.com")),
        ("Last_Seen__c", json!("2026-11-21T08:00:00.987Z"), json!("2026-11-21T08:00:00.000+0000")),
        ("Last_Seen__c", json!("2026-11-21T10:00:00+02:00"), json!("2026-11-21T08:00:00.000+0000")),
        ("Last_Seen__c", json!("2026-11-21"), json!("2026-11-21T00:00:00.000+0000")),
        ("Renewal__c", json!("2026-11-21"), json!("2026-11-21")),
        ("Opens_At__c", json!("12:34:56Z"), json!("12:34:56.000Z")),
        ("Tags__c", json!("Gold;Red;Gold;blue"), json!("Red;Blue;Gold")),
        ("Tier__c", json!("gold"), json!("Gold")),
        ("LeadSource", json!("Somewhere else"), json!("Somewhere else")),
        ("Score__c", json!(5), json!(5.0)),
        // More decimals than the scale stay; more than 15 digits do not.
        ("Score__c", json!(1.23456), json!(1.23456)),
        ("Score__c", json!(1.234_567_890_123_456_7), json!(1.234_567_890_123_46)),
        ("Vip__c", Value::Null, json!(false)),
        ("Notes__c", json!("a\r\nb"), json!("a\r\nb")),
    ];
    for (field, written, read) in cases {
        let id = sim.create("Contact", json!({ "LastName": "A", field: written })).await;
        assert_eq!(sim.row("Contact", &id).await[field], read, "{field} {written}");
    }
}

#[tokio::test]
async fn refusals_of_values() {
    let sim = Sim::start().await;
    let deleted = sim.create("Account", json!({ "Name": "gone" })).await;
    sim.delete(&format!("sobjects/Account/{deleted}")).await;
    let long = "x".repeat(129);
    let cases = [
        (json!({ "Title": long }), "STRING_TOO_LONG", "Title"),
        (json!({ "Email": "123" }), "INVALID_EMAIL_ADDRESS", "Email"),
        (json!({ "Tier__c": "Lead" }), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Tier__c"),
        (json!({ "Tags__c": "Red;Puce" }), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Tags__c"),
        (json!({ "Score__c": 12_345_678 }), "NUMBER_OUTSIDE_VALID_RANGE", "Score__c"),
        (json!({ "Renewal__c": "soon" }), "JSON_PARSER_ERROR", "Renewal__c"),
        (json!({ "Last_Seen__c": "2026-11-21T08:00:00" }), "JSON_PARSER_ERROR", "Last_Seen__c"),
        (json!({ "Score__c": "many" }), "JSON_PARSER_ERROR", "Score__c"),
        (json!({ "Vip__c": 3 }), "JSON_PARSER_ERROR", "Vip__c"),
        (json!({ "LastName": null }), "REQUIRED_FIELD_MISSING", "LastName"),
        (json!({ "Name": "A B" }), "INVALID_FIELD_FOR_INSERT_UPDATE", "Name"),
        (
            json!({ "SystemModstamp": "2026-11-21T08:00:00Z" }),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "SystemModstamp",
        ),
        (
            json!({ "MailingAddress": { "city": "Bonn" } }),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "MailingAddress",
        ),
        (json!({ "AccountId": "rubbish" }), "MALFORMED_ID", "AccountId"),
        (json!({ "AccountId": "005000000000000AAA" }), "FIELD_INTEGRITY_EXCEPTION", "AccountId"),
        (json!({ "AccountId": "001000000000000AAA" }), "INVALID_CROSS_REFERENCE_KEY", "AccountId"),
        (json!({ "AccountId": deleted }), "ENTITY_IS_DELETED", "AccountId"),
        (json!({ "Renewal__c": "4001-01-01" }), "INVALID_FIELD", "Renewal__c"),
    ];
    for (change, code, field) in cases {
        let mut body = json!({ "LastName": "A" });
        body.as_object_mut().unwrap().extend(fields(change.clone()));
        let answer = sim.post("sobjects/Contact", body).await;
        assert_eq!(answer.error(), (400, code.to_owned()), "{change}");
        assert_eq!(answer.json()[0]["fields"], json!([field]), "{change}");
    }
    let answer = sim.post("sobjects/Contact", json!({ "LastName": "A", "foo": 1 })).await;
    assert_eq!(answer.json()[0]["message"], "No such column 'foo' on sobject of type Contact");
    let answer = sim.post("sobjects/Contact", json!({ "LastName": "A", "Id": "003" })).await;
    assert_eq!(answer.error(), (400, "INVALID_FIELD".to_owned()));
    let answer = sim.post("sobjects/Contact", json!({ "Title": long, "Email": "1" })).await;
    assert_eq!(answer.json().as_array().unwrap().len(), 3);
    let text = answer.json()[1]["message"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Email: ") || text.starts_with("Title: data value too large: xxx"));
    assert!(sim.org.records("Contact", false).is_empty());
}

#[tokio::test]
async fn unique_keys_name_the_other_record() {
    let sim = Sim::start().await;
    let id = sim.create("Contact", json!({ "LastName": "A", "Syncline_Id__c": "k" })).await;
    let answer =
        sim.post("sobjects/Contact", json!({ "LastName": "B", "Syncline_Id__c": "K" })).await;
    assert_eq!(
        answer.json(),
        json!([{
            "message": format!(
                "duplicate value found: Syncline_Id__c duplicates value on record with id: {}",
                &id[..15]
            ),
            "errorCode": "DUPLICATE_VALUE",
            "fields": ["Syncline_Id__c"],
        }])
    );
    sim.delete(&format!("sobjects/Contact/{id}")).await;
    sim.create("Contact", json!({ "LastName": "B", "Syncline_Id__c": "K" })).await;
}

#[tokio::test]
async fn defaults_names_and_numbers() {
    let sim = Sim::start().await;
    let case = sim.create("Case", json!({ "Subject": "Help" })).await;
    let row = sim.row("Case", &case).await;
    assert_eq!((&row["Status"], &row["Priority"]), (&json!("New"), &json!("Medium")));
    assert_eq!(row["CaseNumber"], "00001001");
    let account = sim.create("Account", json!({ "Name": "A" })).await;
    let project = sim.create("Project__c", json!({ "Account__c": account })).await;
    assert_eq!(sim.row("Project__c", &project).await["Name"], project[..15]);
    let moved = sim
        .patch(&format!("sobjects/Project__c/{project}"), json!({ "Account__c": account }))
        .await;
    assert_eq!(moved.error().1, "INVALID_FIELD_FOR_INSERT_UPDATE");
    let contact = sim.create("Contact", json!({ "LastName": "Doe", "FirstName": "Jo" })).await;
    assert_eq!(sim.row("Contact", &contact).await["Name"], "Jo Doe");
}

#[tokio::test]
async fn assignment_changes_the_owner_unless_told_not_to() {
    let sim = Sim::start().await;
    let owner = async |header: Option<&str>| {
        let mut request = sim.request("POST", "sobjects/Case").json(&json!({ "Subject": "x" }));
        if let Some(value) = header {
            request = request.header("Sforce-Auto-Assign", value);
        }
        let id = read(request).await.json()["id"].as_str().unwrap().to_owned();
        let statement = format!("SELECT Owner.Username FROM Case WHERE Id = '{id}'");
        sim.query(&statement).await.json()["records"][0]["Owner"]["Username"].clone()
    };
    assert_eq!(owner(None).await, "caseowner@example.com");
    assert_eq!(owner(Some("TRUE")).await, "caseowner@example.com");
    assert_eq!(owner(Some("false")).await, "integration@example.com");
}

#[tokio::test]
async fn flows_run_inside_the_callers_transaction() {
    let sim = Sim::start().await;
    let rule = |value: Value| serde_json::from_value::<FlowRule>(value).unwrap();
    sim.org.add_flow(rule(json!({
        "object": "Contact", "when_changed": "Title",
        "set": { "Department": "of {!Title}", "Score__c": { "increment": 1 } },
    })));
    sim.org.add_flow(rule(json!({
        "object": "Contact", "parent": "AccountId", "set": { "Site": "has {!LastName}" },
    })));
    let account = sim.create("Account", json!({ "Name": "A" })).await;
    let body = json!({ "LastName": "L", "Title": "T", "AccountId": account });
    let contact = sim.create("Contact", body).await;
    let row = sim.row("Contact", &contact).await;
    assert_eq!((&row["Department"], &row["Score__c"]), (&json!("of T"), &json!(1.0)));
    assert_eq!(sim.row("Account", &account).await["Site"], "has L");
    sim.patch(&format!("sobjects/Contact/{contact}"), json!({ "Phone": "1" })).await;
    assert_eq!(sim.row("Contact", &contact).await["Score__c"], 1.0);
    let history = sim.org.history_since(0, 100);
    let create = history.iter().find(|entry| entry.id.as_str() == contact).unwrap();
    let flagged: Vec<(&str, bool)> =
        create.changes.iter().map(|it| (it.field.as_str(), it.by_flow)).collect();
    assert!(flagged.contains(&("Department", true)) && flagged.contains(&("Title", false)));
    let parent = history.iter().find(|entry| entry.op == "update").unwrap();
    assert_eq!((parent.id, parent.txn), (Id::parse(&account).unwrap(), create.txn));
}

#[tokio::test]
async fn a_save_without_a_change_moves_the_stamp() {
    let sim = Sim::start().await;
    sim.org.freeze_clock(None);
    let id = sim.create("Contact", json!({ "LastName": "A" })).await;
    let before = sim.row("Contact", &id).await;
    sim.org.advance_clock_ms(3000);
    sim.patch(&format!("sobjects/Contact/{id}"), json!({ "LastName": "A" })).await;
    let after = sim.row("Contact", &id).await;
    assert_eq!(before["CreatedDate"], after["CreatedDate"]);
    assert_ne!(before["SystemModstamp"], after["SystemModstamp"]);
    let last = sim.org.history_since(0, 100).pop().unwrap();
    assert!(last.changes.is_empty());
}
