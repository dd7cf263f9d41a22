//! Record types by their developer names, on a simulated org.

use std::sync::Arc;

use salesforce_sim::{Id, RecordTypePatch};
use syncline_sdk::{
    Comparison, Connector, ErrorKind, FetchBy, FetchRequest, FieldType, Filter, HistoryRequest,
    Key, ScanRequest, Selection, Value, WriteOutcome,
};

use crate::script::cx;
use crate::world::{World, fields, insert, name, update, word};

const NAME: &str = "RecordType.DeveloperName";

/// An org whose accounts are partners, or customers where nothing is said.
async fn world() -> (World, Id, Id) {
    let mut world = World::start().await;
    let customer = world.org.add_record_type("Account", "Customer", true).unwrap();
    let partner = world.org.add_record_type("Account", "Big Partner", false).unwrap();
    world.selection = Arc::new(Selection {
        fields: ["Name", NAME].map(Into::into).into(),
        ..(*world.selection).clone()
    });
    (world, customer, partner)
}

async fn made(world: &World, name: &str, kind: Id) -> Id {
    let body = fields(&[("Name", name.into()), ("RecordTypeId", kind.as_str().into())]);
    world.person().create("Account", &body).await.unwrap()
}

fn kind(record: &syncline_sdk::Record) -> Value {
    record.values[1].clone()
}

#[tokio::test]
async fn the_name_is_a_field_of_entities_with_record_types() {
    let (world, ..) = world().await;
    let schema = world.crm.describe(&cx(), &"Account".into()).await.unwrap();
    let field = schema.field(&NAME.into()).unwrap();
    let values = vec!["Customer".into(), "Big_Partner".into()];
    assert_eq!(field.kind, FieldType::Enum { values, restricted: true });
    assert!(field.creatable && field.updatable && field.nullable && !field.required);
    assert_eq!(schema.same, [("RecordTypeId".into(), NAME.into())]);
    assert!(schema.fixed.contains(&"Name".into()), "{:?}", schema.fixed);
    assert!(!schema.fixed.contains(&"Syncline_Id__c".into()), "{:?}", schema.fixed);
    let schema = world.crm.describe(&cx(), &"Contact".into()).await.unwrap();
    assert!(schema.field(&NAME.into()).is_none());
}

#[tokio::test]
async fn every_reading_shows_the_name() {
    let (world, customer, partner) = world().await;
    let old = world.made("old").await;
    let cursor = world.polled().await;
    let (one, two) = (made(&world, "one", customer).await, made(&world, "two", partner).await);
    world.pass(3);
    let shown = |records: &[syncline_sdk::Record]| {
        let mut shown: Vec<_> = records.iter().map(|it| (name(it), kind(it))).collect();
        shown.sort_by(|a, b| a.0.cmp(&b.0));
        shown
    };
    let both: Vec<(String, Value)> =
        vec![("one".into(), "Customer".into()), ("two".into(), "Big_Partner".into())];
    assert_eq!(shown(&world.poll(cursor.clone(), 50).await.records), both);
    assert_eq!(shown(&world.fetch(&[one.as_str(), two.as_str()]).await.records), both);
    let scan = async |filter| {
        let selection = Arc::new(Selection { filter, ..(*world.selection).clone() });
        let request = ScanRequest { selection, after: None, page_rows_max: 50 };
        shown(&world.crm.scan(&cx(), request).await.unwrap().records)
    };
    assert_eq!(scan(None).await.len(), 3);
    let by = FetchBy::Matching {
        field: NAME.into(),
        normalize: Vec::new(),
        values: vec!["Big_Partner".into()],
    };
    let request = FetchRequest { selection: world.selection.clone(), by };
    assert_eq!(shown(&world.crm.fetch(&cx(), request).await.unwrap().records), both[1..]);
    // One of before has none.
    world.person().update(old, &fields(&[("RecordTypeId", ().into())])).await.unwrap();
    let is =
        |comparison, value: Value| Some(Filter::Compare { field: NAME.into(), comparison, value });
    assert_eq!(scan(is(Comparison::Equal, "Customer".into())).await, both[..1]);
    let none = vec![("old".to_owned(), Value::Null)];
    assert_eq!(scan(is(Comparison::Equal, Value::Null)).await, none);
    let others = scan(is(Comparison::NotEqual, "Customer".into())).await;
    assert_eq!(others, [none[0].clone(), both[1].clone()]);
    // The recycle bin tells it too.
    world.person().delete(two).await.unwrap();
    let fetched = world.fetch(&[two.as_str()]).await;
    let (_, syncline_sdk::Absence::Deleted { image: Some(image), .. }) = &fetched.missing[0] else {
        panic!("{fetched:?}")
    };
    assert_eq!(kind(image), "Big_Partner".into());
}

#[tokio::test]
async fn a_name_is_written_as_the_id_of_this_org() {
    let (world, customer, partner) = world().await;
    let write = world.write(insert(&[("Name", "a".into()), (NAME, "big_partner".into())]));
    let WriteOutcome::Applied { key: Some(key), .. } = world.push(&write).await else { panic!() };
    let id = Id::parse(key.as_str()).unwrap();
    let stored = || world.org.record(id).unwrap()["RecordTypeId"].clone();
    assert_eq!(stored(), partner.as_str());
    let read = world.read_closed(id).await;
    assert_eq!(kind(&read), "Big_Partner".into());
    let write = world.write(update(&read, &[(NAME, "Customer".into())]));
    assert_eq!(word(&world.push(&write).await), "applied");
    assert_eq!(stored(), customer.as_str());
    // A name that is none, and a type that the org refuses, are told of the mapped field.
    let read = world.read_closed(id).await;
    let unknown = world.write(update(&read, &[(NAME, "Nobody".into())]));
    let twice = [(NAME, "Customer".into()), ("RecordTypeId", partner.as_str().into())];
    let twice = world.write(update(&read, &twice));
    for (write, said) in [
        (&unknown, "there is no record type \"Nobody\"; there is Customer, Big_Partner"),
        (&twice, "are one field, written twice"),
    ] {
        let WriteOutcome::Rejected { error, .. } = world.push(write).await else { panic!() };
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Invalid, Some(NAME)));
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(stored(), customer.as_str());
}

#[tokio::test]
async fn a_record_type_that_our_user_may_not_give_is_told_of() {
    let (world, customer, partner) = world().await;
    let id = made(&world, "a", customer).await;
    let missing = async || {
        let health = world.crm.check(&cx(), &[&world.selection]).await.unwrap();
        let piece = health.pieces.into_iter().find(|it| it.name == "record types of Account");
        piece.map(|piece| piece.detail)
    };
    assert_eq!(missing().await, None);
    world.pass(1);
    let patch = RecordTypePatch { available: Some(false), ..RecordTypePatch::default() };
    assert!(world.org.change_record_type("Account", partner, patch));
    let told = missing().await.unwrap();
    assert!(told.contains("not give to records: Big_Partner; where"), "{told}");
    // The org names the field that was sent; the mapped one is told.
    let read = world.read_closed(id).await;
    let write = world.write(update(&read, &[(NAME, "Big_Partner".into())]));
    let WriteOutcome::Rejected { error, .. } = world.push(&write).await else { panic!() };
    assert_eq!(error.code.as_deref(), Some("INVALID_CROSS_REFERENCE_KEY"));
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Invalid, Some(NAME)));
    let advice = error.advice.as_deref().unwrap();
    assert!(advice.starts_with("assign the record type \"Big_Partner\" of Account"), "{advice}");
    assert!(advice.contains("profile or a permission set"), "{advice}");
    let made = [("Name", "b".into()), ("RecordTypeId", partner.as_str().into())];
    let write = world.write(insert(&made));
    let WriteOutcome::Rejected { error, .. } = world.push(&write).await else { panic!() };
    let advice = error.advice.as_deref().unwrap();
    assert!(advice.starts_with("assign the record type \"Big_Partner\" of Account"), "{advice}");
}

#[tokio::test]
async fn the_history_tells_names() {
    let (world, customer, partner) = world().await;
    world.org.track_history("Account", &["RecordTypeId".to_owned()]).unwrap();
    let id = made(&world, "a", customer).await;
    let before = world.read_closed(id).await;
    let body = fields(&[("RecordTypeId", partner.as_str().into())]);
    world.person().update(id, &body).await.unwrap();
    let request = HistoryRequest {
        entity: "Account".into(),
        records: vec![(Key::new(id.as_str()), before.version)],
        fields: vec![NAME.into()],
    };
    let told = world.crm.history(&cx(), request).await.unwrap();
    let told: Vec<_> = told.iter().map(|entry| (&entry.old, &entry.new)).collect();
    assert_eq!(told, [(&Value::from("Customer"), &Value::from("Big_Partner"))]);
}

/// What the filter asks for and the entity does not have lets nothing pass.
#[tokio::test]
async fn a_filter_by_name_needs_record_types() {
    let world = World::start().await;
    let filter = Filter::Compare {
        field: NAME.into(),
        comparison: Comparison::Equal,
        value: "Customer".into(),
    };
    let selection = Arc::new(Selection { filter: Some(filter), ..(*world.selection).clone() });
    let request = ScanRequest { selection, after: None, page_rows_max: 9 };
    let found = world.crm.scan(&cx(), request).await.unwrap_err();
    assert_eq!(found.kind, ErrorKind::Schema, "{found}");
    assert!(found.to_string().contains("RecordType.DeveloperName of Account"), "{found}");
}
