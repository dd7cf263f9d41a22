//! What an org can switch on: record types, currencies, person accounts, duplicate rules.

use salesforce_sim::{DuplicateRule, Id};
use serde_json::{Value, json};

use crate::sim::{Sim, read};

#[tokio::test]
async fn a_record_type_defaults_and_is_of_its_object() {
    let sim = Sim::start().await;
    let usual = sim.org.add_record_type("Contact", "Customer", true).unwrap();
    let other = sim.org.add_record_type("Contact", "Supplier", false).unwrap();
    let foreign = sim.org.add_record_type("Account", "Firm", false).unwrap();
    let id = sim.create("Contact", json!({ "LastName": "A" })).await;
    assert_eq!(sim.row("Contact", &id).await["RecordTypeId"], json!(usual));
    let id = sim.create("Contact", json!({ "LastName": "A", "RecordTypeId": other })).await;
    let found = sim.query("SELECT RecordType.DeveloperName FROM Contact ORDER BY Id").await.json();
    assert_eq!(found["records"][1]["RecordType"]["DeveloperName"], "Supplier");
    let body = json!({ "RecordTypeId": foreign });
    let answer = sim.patch(&format!("sobjects/Contact/{id}"), body).await;
    assert_eq!(answer.error(), (400, String::from("INVALID_CROSS_REFERENCE_KEY")));
    let described = sim.get("sobjects/Contact/describe").await.json();
    let types = described["recordTypeInfos"].as_array().unwrap();
    let names: Vec<&str> = types.iter().map(|it| it["developerName"].as_str().unwrap()).collect();
    assert_eq!(names, ["Customer", "Supplier", "Master"]);
    assert_eq!(types[0]["defaultRecordTypeMapping"], true);
    // One that this user may not give, and that is out of use: records keep it.
    let path = format!("schema/Contact/record_types/{other}");
    let patch = json!({ "available": false, "active": false });
    assert_eq!(sim.control("PATCH", &path, patch).await.status, 200);
    let described = sim.get("sobjects/Contact/describe").await.json();
    let supplier = &described["recordTypeInfos"][1];
    assert_eq!((&supplier["available"], &supplier["active"]), (&json!(false), &json!(false)));
    let kept = json!({ "RecordTypeId": other, "Title": "T" });
    assert_eq!(sim.patch(&format!("sobjects/Contact/{id}"), kept).await.status, 204);
    let answer = sim.post("sobjects/Contact", json!({ "LastName": "B", "RecordTypeId": other }));
    assert_eq!(answer.await.error(), (400, String::from("INVALID_CROSS_REFERENCE_KEY")));
    let path = format!("schema/Contact/record_types/{foreign}");
    assert_eq!(sim.control("PATCH", &path, json!({})).await.status, 404);
}

#[tokio::test]
async fn with_several_currencies_each_record_has_its_own() {
    let sim = Sim::start().await;
    let before = sim.create("Account", json!({ "Name": "A" })).await;
    assert!(sim.org.enable("multi_currency"));
    assert_eq!(sim.row("Account", &before).await["CurrencyIsoCode"], "USD");
    let body = json!({ "Name": "B", "CurrencyIsoCode": "EUR" });
    let id = sim.create("Account", body).await;
    assert_eq!(sim.row("Account", &id).await["CurrencyIsoCode"], "EUR");
    let answer = sim.post("sobjects/Account", json!({ "Name": "C", "CurrencyIsoCode": "XXX" }));
    let code = String::from("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    assert_eq!(answer.await.error(), (400, code));
    let rates = sim.column("SELECT IsoCode FROM CurrencyType ORDER BY IsoCode", "IsoCode").await;
    assert_eq!(rates, ["EUR", "GBP", "USD"]);
}

#[tokio::test]
async fn a_person_account_has_a_contact_for_a_shadow() {
    let sim = Sim::start().await;
    assert!(sim.org.enable("person_accounts"));
    let firm = sim.create("Account", json!({ "Name": "Firm" })).await;
    assert_eq!(sim.row("Account", &firm).await["IsPersonAccount"], false);
    let body = json!({ "FirstName": "Ada", "LastName": "L", "PersonEmail": "ada@example.com" });
    let id = sim.create("Account", body).await;
    let person = sim.row("Account", &id).await;
    assert_eq!((&person["Name"], &person["IsPersonAccount"]), (&json!("Ada L"), &json!(true)));
    let contact = person["PersonContactId"].as_str().unwrap().to_owned();
    let shadow = sim.row("Contact", &contact).await;
    assert_eq!(shadow["Email"], "ada@example.com");
    assert_eq!((&shadow["AccountId"], &shadow["IsPersonAccount"]), (&json!(id), &json!(true)));

    let body = json!({ "LastName": "Lovelace" });
    let answer = sim.patch(&format!("sobjects/Account/{id}"), body).await;
    assert_eq!(answer.status, 204);
    assert_eq!(sim.row("Contact", &contact).await["Name"], "Ada Lovelace");
    assert_eq!(sim.row("Contact", &contact).await["IsPersonAccount"], true);
    let answer = sim.patch(&format!("sobjects/Account/{id}"), json!({ "Name": "X" })).await;
    assert_eq!(answer.error(), (400, String::from("INVALID_FIELD_FOR_INSERT_UPDATE")));
    let answer = sim.patch(&format!("sobjects/Contact/{contact}"), json!({ "Title": "X" })).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    // Every change of a person is one of both rows.
    let last = sim.org.history_since(0, 1000);
    let of = |object: &str| last.iter().filter(|entry| entry.object == object).count();
    assert_eq!((of("Account"), of("Contact")), (3, 2));
    sim.delete(&format!("sobjects/Account/{id}")).await;
    assert_eq!(sim.get(&format!("sobjects/Contact/{contact}")).await.status, 404);
}

/// What an org describes of a field.
async fn described(sim: &Sim, object: &str, name: &str) -> Option<Value> {
    let answer = sim.get(&format!("sobjects/{object}/describe")).await.json();
    answer["fields"].as_array()?.iter().find(|field| field["name"] == name).cloned()
}

#[tokio::test]
async fn a_person_account_shows_the_custom_fields_of_its_contact() {
    let sim = Sim::start().await;
    assert!(sim.org.enable("person_accounts"));
    let tier = described(&sim, "Account", "Tier__pc").await.unwrap();
    assert_eq!((&tier["type"], &tier["custom"]), (&json!("picklist"), &json!(true)));
    let key = described(&sim, "Account", "Syncline_Id__pc").await.unwrap();
    assert_eq!((&key["externalId"], &key["unique"]), (&json!(false), &json!(false)));
    let body = json!({
        "LastName": "L", "Tier__pc": "gold", "PersonDepartment": "Engines",
        "PersonMailingCity": "London", "Syncline_Id__pc": "k",
    });
    let id = sim.create("Account", body).await;
    let row = sim.row("Account", &id).await;
    assert_eq!((&row["Tier__pc"], &row["Vip__pc"]), (&json!("Gold"), &json!(false)));
    let contact = row["PersonContactId"].as_str().unwrap().to_owned();
    let shadow = async || sim.row("Contact", &contact).await;
    let shown = shadow().await;
    for (field, value) in [
        ("Tier__c", "Gold"),
        ("Department", "Engines"),
        ("MailingCity", "London"),
        ("Syncline_Id__c", "k"),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    // A key of the contact is kept once, whichever row it is written through.
    let again = json!({ "LastName": "M", "Syncline_Id__pc": "K" });
    assert_eq!(sim.post("sobjects/Account", again).await.error().1, "DUPLICATE_VALUE");
    // Fields that come, change and go.
    let made = json!({ "name": "Shoe__c", "type": "string", "length": 9 });
    sim.control("POST", "schema/Contact/fields", made).await;
    let patch = json!({ "Shoe__pc": "brown", "Tier__pc": null });
    assert_eq!(sim.patch(&format!("sobjects/Account/{id}"), patch).await.status, 204);
    let shown = shadow().await;
    assert_eq!((&shown["Shoe__c"], &shown["Tier__c"]), (&json!("brown"), &Value::Null));
    sim.control("PATCH", "schema/Contact/fields/Shoe__c", json!({ "length": 5 })).await;
    assert_eq!(described(&sim, "Account", "Shoe__pc").await.unwrap()["length"], 5);
    assert_eq!(sim.row("Account", &id).await["Shoe__pc"], "brown");
    sim.control("DELETE", "schema/Contact/fields/Shoe__c", json!({})).await;
    assert_eq!(described(&sim, "Account", "Shoe__pc").await, None);
}

#[tokio::test]
async fn where_people_are_accounts_only_companies_need_a_name() {
    let sim = Sim::start().await;
    let name = described(&sim, "Account", "Name").await.unwrap();
    assert_eq!(name["nillable"], false);
    assert!(sim.org.enable("person_accounts"));
    let name = described(&sim, "Account", "Name").await.unwrap();
    assert_eq!((&name["nillable"], &name["compoundFieldName"]), (&json!(true), &json!("Name")));
    let answer = sim.post("sobjects/Account", json!({ "Phone": "1" })).await;
    assert_eq!(answer.error(), (400, String::from("REQUIRED_FIELD_MISSING")));
    assert_eq!(answer.json()[0]["fields"], json!(["Name"]));
    sim.create("Account", json!({ "LastName": "L" })).await;
}

/// As recorded of an org's own describes.
#[tokio::test]
async fn a_right_is_given_to_fields_that_can_be_without_a_value_and_are_no_names() {
    let sim = Sim::start().await;
    sim.org.add_record_type("Account", "Customer", true).unwrap();
    sim.org.enable("person_accounts");
    let made = json!({ "name": "Visit__c", "fields": [
        { "name": "Note__c", "type": "string" },
        { "name": "Day__c", "type": "date", "required": true },
    ] });
    assert_eq!(sim.control("POST", "schema/objects", made).await.status, 200);
    for (object, field, permissionable) in [
        ("Contact", "FirstName", false),
        ("Contact", "LastName", false),
        ("Contact", "Salutation", false),
        ("Contact", "Name", false),
        ("Contact", "AccountId", true),
        ("Contact", "MailingCity", true),
        ("Contact", "MailingAddress", true),
        ("Contact", "DoNotCall", true),
        ("Account", "Name", false),
        ("Account", "FirstName", false),
        ("Account", "PersonContactId", false),
        ("Account", "IsPersonAccount", false),
        ("Account", "PersonEmail", true),
        ("Account", "Tier__pc", true),
        ("Account", "RecordTypeId", false),
        ("Account", "MasterRecordId", false),
        ("Account", "ParentId", true),
        ("Account", "OwnerId", false),
        ("Case", "CaseNumber", false),
        ("Project__c", "Name", false),
        ("Project__c", "Account__c", false),
        ("Visit__c", "Name", false),
        ("Visit__c", "Note__c", true),
        ("Visit__c", "Day__c", false),
    ] {
        let found = described(&sim, object, field).await.unwrap();
        assert_eq!(found["permissionable"], permissionable, "{object}.{field}");
    }
    let address = described(&sim, "Contact", "MailingAddress").await.unwrap();
    assert_eq!((&address["filterable"], &address["sortable"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn a_duplicate_rule_refuses_or_warns() {
    let sim = Sim::start().await;
    let rule = |allow| DuplicateRule {
        name: String::from("Same site"),
        object: String::from("Account"),
        fields: vec![String::from("Website")],
        allow,
    };
    sim.org.add_duplicate_rule(rule(false));
    let body = json!({ "Name": "A", "Website": "acme.example" });
    let first = sim.create("Account", body.clone()).await;
    let answer = sim.post("sobjects/Account", body.clone()).await;
    assert_eq!(answer.error(), (400, String::from("DUPLICATES_DETECTED")));
    let found = &answer.json()[0]["duplicateResut"]["matchResults"][0];
    assert_eq!(
        (&found["size"], &found["matchRecords"][0]["record"]["Id"]),
        (&json!(1), &json!(first))
    );
    let allowing = |path: &str, body: &Value| {
        let header = ("Sforce-Duplicate-Rule-Header", "allowSave=true");
        read(sim.request("POST", path).header(header.0, header.1).json(body))
    };
    assert_eq!(allowing("sobjects/Account", &body).await.status, 400, "the rule does not allow it");
    sim.org.clear_duplicate_rules();
    sim.org.add_duplicate_rule(rule(true));
    let records = json!({ "records": [
        { "attributes": { "type": "Account" }, "Name": "B", "Website": "ACME.example" },
    ] });
    let refused = sim.post("composite/sobjects", records.clone()).await.json();
    assert_eq!(refused[0]["errors"][0]["statusCode"], "DUPLICATES_DETECTED");
    let saved = allowing("composite/sobjects", &records).await.json();
    assert_eq!(saved[0]["success"], true);
    // A save that leaves the compared fields alone is let through.
    let id = Id::parse(&first).unwrap();
    let answer = sim.patch(&format!("sobjects/Account/{id}"), json!({ "Phone": "1" })).await;
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn an_owner_is_a_person_or_a_queue() {
    let sim = Sim::start().await;
    let queue = sim.create("Group", json!({ "Name": "First level" })).await;
    let body = json!({ "Subject": "A", "OwnerId": queue });
    let request = sim.request("POST", "sobjects/Case").header("Sforce-Auto-Assign", "FALSE");
    assert_eq!(read(request.json(&body)).await.status, 201);
    let request = sim.request("POST", "sobjects/Case").header("Sforce-Auto-Assign", "FALSE");
    assert_eq!(read(request.json(&json!({ "Subject": "B" }))).await.status, 201);
    let found = sim.query("SELECT Owner.Type, Owner.Name FROM Case ORDER BY Subject").await.json();
    let owner = |at: usize| &found["records"][at]["Owner"];
    assert_eq!((&owner(0)["Type"], &owner(0)["Name"]), (&json!("Queue"), &json!("First level")));
    assert_eq!(owner(1)["Type"], "User");
    let described = sim.get("sobjects/Case/describe").await.json();
    let fields = described["fields"].as_array().unwrap();
    let owner = fields.iter().find(|field| field["name"] == "OwnerId").unwrap();
    assert_eq!(
        (&owner["referenceTo"], &owner["namePointing"]),
        (&json!(["Group", "User"]), &json!(true))
    );
    let account = sim.post("sobjects/Account", json!({ "Name": "A", "OwnerId": queue })).await;
    assert_eq!(account.error(), (400, String::from("FIELD_INTEGRITY_EXCEPTION")));
}
