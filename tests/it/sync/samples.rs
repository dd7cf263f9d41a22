//! The examples beside the mapping reference, whole and live: what people try first.

use std::path::Path;

use salesforce_sim::Org;
use serde_json::{Map, Value, json};
use sqlx::postgres::PgPool;

use super::world::{World, becomes, eventually, run, text};

const PERSON: &str = "admin@example.com";

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The tables and objects of the examples, as the reference says to make them.
async fn world(name: &str) -> (World, Org, PgPool) {
    let mut world = World::new(name).await;
    let crm = world.org("crm", 4).await;
    let ops = world.postgres("ops", &file("try/ops.sql")).await;
    for object in ["Stock__c", "Work_Order__c"] {
        let url = format!("{}/__sim/schema/objects", world.org_url(0));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let made = client.post(url).body(file(&format!("try/{object}.json"))).send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.text().await.unwrap());
    }
    for mapping in ["accounts", "contacts", "stock", "work_orders"] {
        world.mapping(mapping, &file(&format!("{mapping}.yaml")));
    }
    (world, crm, ops)
}

fn fields(fields: Value) -> Map<String, Value> {
    serde_json::from_value(fields).unwrap()
}

/// Waits until a field of a record of an object holds a value.
async fn shows(org: &Org, object: &str, field: &str, wanted: Value) {
    let all = || org.records(object, false).iter().any(|record| record[field] == wanted);
    eventually(&format!("{object}.{field} is {wanted}"), || std::future::ready(all())).await;
}

/// Before the first run nothing is made on either side, and the plan must not mind.
#[tokio::test(flavor = "multi_thread")]
async fn both_sides_of_an_inventory_count() {
    let (mut world, crm, ops) = world("stock").await;
    let person = crm.person(PERSON).unwrap();
    let article = json!({ "Name": "Valve", "Sku__c": "S-1", "On_Hand__c": 10,
        "Price__c": 5.5, "Currency__c": "EUR", "Length__c": 20, "Width__c": 30 });
    let id = person.create("Stock__c", &fields(article)).await.unwrap();

    let (code, plan) = world.command(&["plan"]).await;
    assert_eq!(code, 2, "{plan}");
    let stock = plan["mappings"].as_array().unwrap().iter().find(|it| it["name"] == "stock");
    assert_eq!(stock.unwrap()["creates"]["right"], 1, "{plan}");
    let (code, check) = world.command(&["check", "--live"]).await;
    assert_eq!(code, 0, "{check}");

    world.start().await;
    let row = "select concat_ws('|', sku, on_hand, lead_days, price, currency, size) from stock";
    becomes(&ops, row, "S-1|10|14|5.50|EUR|20x30").await;
    world.stop().await;
    run(&ops, "update stock set on_hand = on_hand + 5").await;
    person.update(id, &fields(json!({ "On_Hand__c": 7 }))).await.unwrap();
    // Three were sold, five came in.
    world.start().await;
    shows(&crm, "Stock__c", "On_Hand__c", json!(12.0)).await;
    becomes(&ops, "select on_hand::text from stock", "12").await;
    run(&ops, "delete from stock").await;
    let asked = "select count(*)::text from syncline.review";
    becomes(&world.ledger(), asked, "1").await;
    assert!(crm.record(id).is_some(), "what a deletion does is for a person to say");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_orders_travel_between_office_and_technician() {
    let (mut world, crm, ops) = world("orders").await;
    let person = crm.person(PERSON).unwrap();
    let order = json!({ "Number__c": "W1", "Subject__c": "Boiler", "Status__c": "Planned",
        "Starts_At__c": "2024-05-31T22:30:00Z", "Hours__c": 2.25, "Skill__c": "PLU",
        "Parts__c": "valve;seal" });
    let id = person.create("Work_Order__c", &fields(order)).await.unwrap();
    run(&ops, "insert into work_orders(title) values ('an idea')").await;
    world.start().await;
    let row = "select concat_ws('|', title, state, work_day, hours, parts, skill)
        from work_orders where number = 'W1'";
    becomes(&ops, row, "Boiler|planned|2024-06-01|2.3|{valve,seal}|Plumber").await;

    let done = "update work_orders set state = 'working', report = 'on it', parts = '{pump}',
        work_day = '2024-06-03' where number = 'W1'";
    run(&ops, done).await;
    shows(&crm, "Work_Order__c", "Status__c", json!("On Site")).await;
    let now = crm.record(id).unwrap();
    assert_eq!(now["Parts__c"], "pump");
    assert_eq!(now["Report__c"], "on it");
    assert_eq!(now["Hours__c"], 2.25, "what the other side does not show is kept");
    assert_eq!(now["Starts_At__c"], "2024-06-02T22:30:00.000+0000", "another day, the same time");

    assert_eq!(crm.records("Work_Order__c", false).len(), 1, "a draft is nobody else's business");
    run(&ops, "update work_orders set state = 'planned' where title = 'an idea'").await;
    shows(&crm, "Work_Order__c", "Subject__c", json!("an idea")).await;
    person.delete(id).await.unwrap();
    becomes(&ops, "select count(*)::text from work_orders where number = 'W1'", "0").await;
    world.end().await;
}

/// What was typed stays on the side where it was typed; the other one stores the normal form.
#[tokio::test(flavor = "multi_thread")]
async fn a_website_is_stored_in_its_normal_form() {
    let (mut world, crm, ops) = world("accounts").await;
    let person = crm.person(PERSON).unwrap();
    let account = json!({ "Name": "Acme", "Website": "Acme.example", "Type": "Customer" });
    let id = person.create("Account", &fields(account)).await.unwrap();
    world.start().await;
    becomes(&ops, "select domain from accounts", "acme.example").await;
    person.update(id, &fields(json!({ "Website": "Brand-New.Example" }))).await.unwrap();
    becomes(&ops, "select domain from accounts", "brand-new.example").await;
    // Nothing but case: no edit for the other side. The name comes behind it.
    run(&ops, "update accounts set domain = 'BRAND-new.example'").await;
    run(&ops, "update accounts set name = 'Acme Ltd'").await;
    shows(&crm, "Account", "Name", json!("Acme Ltd")).await;
    assert_eq!(crm.record(id).unwrap()["Website"], "Brand-New.Example");
    becomes(&ops, "select domain from accounts", "BRAND-new.example").await;
    let written = "select count(*)::text from syncline.review";
    assert_eq!(text(&world.ledger(), written).await, "0");
    world.end().await;
}

/// A constant is given to a record that was made on its own side too, and comes back when edited.
#[tokio::test(flavor = "multi_thread")]
async fn a_constant_is_what_its_field_always_holds() {
    let (mut world, crm, ops) = world("contacts").await;
    run(&ops, "insert into customers(full_name, email) values ('Ada Lovelace', 'ada@a.example')")
        .await;
    world.start().await;
    shows(&crm, "Contact", "LastName", json!("Lovelace")).await;
    becomes(&ops, "select coalesce(origin, '-') from customers", "crm").await;
    run(&ops, "update customers set origin = 'shop'").await;
    becomes(&ops, "select origin from customers", "crm").await;
    world.end().await;
}
