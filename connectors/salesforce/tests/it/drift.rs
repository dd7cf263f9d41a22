//! Descriptions that no longer hold: an administrator changes fields while the sync runs.

use std::sync::Arc;

use salesforce_sim::{FieldPatch, FieldType as Kind, NewField};
use syncline_sdk::{Connector, ErrorKind, FieldType, Selection, Value, WriteOutcome};

use crate::script::cx;
use crate::world::{World, fields, update};

fn of(world: &World, names: &[&str]) -> Arc<Selection> {
    let fields = names.iter().map(|name| (*name).into()).collect();
    Arc::new(Selection { fields, ..(*world.selection).clone() })
}

async fn chars(world: &World, field: &str) -> Option<u32> {
    let schema = world.crm.describe(&cx(), &"Account".into()).await.unwrap();
    match schema.field(&field.into())?.kind {
        FieldType::Text { chars_max } => chars_max,
        _ => None,
    }
}

#[tokio::test]
async fn a_removed_field_is_read_as_absent_and_comes_back() {
    let mut world = World::start().await;
    world.selection = of(&world, &["Name", "Phone"]);
    let person = world.person();
    let body = fields(&[("Name", "A".into()), ("Phone", "1".into())]);
    let id = person.create("Account", &body).await.unwrap();
    assert_eq!(world.read(id).await.values, ["A".into(), "1".into()]);
    world.org.remove_field("Account", "Phone").unwrap();
    let record = world.read_closed(id).await;
    assert_eq!(record.values, ["A".into(), Value::Absent], "absent, never null");
    match world.push(&world.write(update(&record, &[("Phone", "2".into())]))).await {
        WriteOutcome::Rejected { error, .. } => {
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Schema, Some("Phone")));
        }
        other => panic!("{other:?}"),
    }
    let patch = FieldPatch::default();
    let field = NewField { name: "Phone".to_owned(), ty: Kind::Phone, patch };
    world.org.add_field("Account", &field).unwrap();
    world.pass(601);
    // The server's clock is heard with an answer.
    world.read(id).await;
    assert_eq!(world.read(id).await.values, ["A".into(), Value::Null]);
}

#[tokio::test]
async fn a_field_that_was_cut_is_described_anew_once_it_refuses() {
    let world = World::start().await;
    let id = world.made("A").await;
    assert_eq!(chars(&world, "Site").await, Some(80));
    let cut = FieldPatch { length: Some(5), ..FieldPatch::default() };
    world.org.change_field("Account", "Site", &cut).unwrap();
    let calls = |world: &World| world.org.request_counts().by_kind["describe"];
    let before = calls(&world);
    for _ in 0..3 {
        world.pass(601);
        let record = world.read_closed(id).await;
        for _ in 0..5 {
            let write = world.write(update(&record, &[("Site", "too long".into())]));
            match world.push(&write).await {
                WriteOutcome::Rejected { error, .. } => assert_eq!(error.kind, ErrorKind::Invalid),
                other => panic!("{other:?}"),
            }
        }
    }
    let asked = calls(&world) - before;
    assert!((1..=3).contains(&asked), "{asked} describes for fifteen refusals");
    assert_eq!(chars(&world, "Site").await, Some(5));
}

#[tokio::test]
async fn a_field_that_became_read_only_says_so_and_the_rest_goes_on() {
    let world = World::start().await;
    let id = world.made("A").await;
    let record = world.read_closed(id).await;
    let shut = FieldPatch { updateable: Some(false), ..FieldPatch::default() };
    world.org.change_field("Account", "Phone", &shut).unwrap();
    match world.push(&world.write(update(&record, &[("Phone", "2".into())]))).await {
        WriteOutcome::Rejected { error, .. } => {
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Forbidden, Some("Phone")));
        }
        other => panic!("{other:?}"),
    }
    let write = world.write(update(&record, &[("Name", "B".into())]));
    assert!(matches!(world.push(&write).await, WriteOutcome::Applied { .. }));
    let schema = world.crm.describe(&cx(), &"Account".into()).await.unwrap();
    assert!(!schema.field(&"Phone".into()).unwrap().updatable);
}

#[tokio::test]
async fn a_compound_is_read_as_the_document_it_is() {
    let mut world = World::start().await;
    world.selection = of(&world, &["Name", "BillingAddress"]);
    let body = fields(&[("Name", "A".into()), ("BillingCity", "Bonn".into())]);
    let id = world.person().create("Account", &body).await.unwrap();
    let record = world.read_closed(id).await;
    let Value::Json(text) = &record.values[1] else { panic!("{:?}", record.values) };
    let shown: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!((&shown["city"], &shown["street"]), (&"Bonn".into(), &serde_json::Value::Null));
    let empty = world.made("B").await;
    assert_eq!(world.read(empty).await.values[1], Value::Null);
    let schema = world.crm.describe(&cx(), &"Account".into()).await.unwrap();
    let field = schema.field(&"BillingAddress".into()).unwrap();
    assert!(field.kind == FieldType::Json && !field.updatable && !field.creatable);
    let write = world.write(update(&record, &[("BillingAddress", Value::Json("{}".into()))]));
    assert!(matches!(world.push(&write).await, WriteOutcome::Rejected { .. }));
}
