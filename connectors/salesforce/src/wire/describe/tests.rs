use super::*;

const ACCOUNT: &str = r#"{"name":"Account","createable":true,"updateable":true,"deletable":true,
 "undeletable":true,"queryable":true,"fields":[
 {"name":"Id","type":"id","length":18,"nillable":false,"defaultedOnCreate":true,
  "filterable":true,"idLookup":true},
 {"name":"Name","type":"string","length":255,"nillable":false,"createable":true,
  "updateable":true,"filterable":true},
 {"name":"Description","type":"textarea","length":32000,"nillable":true,"createable":true,
  "updateable":true,"filterable":false},
 {"name":"Notes__c","type":"textarea","length":32768,"nillable":true,"createable":true,
  "updateable":true,"htmlFormatted":true},
 {"name":"Email__c","type":"email","length":80,"nillable":true,"createable":true,
  "updateable":true,"filterable":true},
 {"name":"AnnualRevenue","type":"currency","precision":18,"scale":2,"nillable":true,
  "createable":true,"updateable":true,"filterable":true},
 {"name":"NumberOfEmployees","type":"int","digits":8,"nillable":true,"createable":true,
  "updateable":true,"filterable":true},
 {"name":"Active__c","type":"boolean","nillable":false,"defaultedOnCreate":true,
  "createable":true,"updateable":true,"filterable":true},
 {"name":"Rating","type":"picklist","length":40,"nillable":true,"createable":true,
  "updateable":true,"filterable":true,"restrictedPicklist":true,"picklistValues":[
   {"active":true,"value":"Hot"},{"active":false,"value":"Warm"},{"active":true,"value":"Cold"}]},
 {"name":"Tags__c","type":"multipicklist","length":4099,"nillable":true,"createable":true,
  "updateable":true,"filterable":true,"picklistValues":[
   {"active":true,"value":"B"},{"active":true,"value":"A"}]},
 {"name":"ParentId","type":"reference","referenceTo":["Account"],"length":18,"nillable":true,
  "createable":true,"updateable":true,"filterable":true},
 {"name":"BillingAddress","type":"address","nillable":true},
 {"name":"Syncline_Id__c","type":"string","length":36,"nillable":true,"createable":true,
  "updateable":true,"filterable":true,"externalId":true,"unique":true},
 {"name":"Short_Id__c","type":"string","length":20,"nillable":true,"createable":true,
  "updateable":true,"filterable":true,"externalId":true,"unique":true},
 {"name":"SystemModstamp","type":"datetime","nillable":false,"defaultedOnCreate":true,
  "filterable":true},
 {"name":"LastViewedDate","type":"datetime","nillable":true,"filterable":true}]}"#;

fn account() -> Described {
    described(ACCOUNT.as_bytes(), None).unwrap()
}

fn field(name: &str) -> FieldSchema {
    account().schema.field(&name.into()).cloned().unwrap()
}

#[test]
fn types_are_in_our_words() {
    assert_eq!(field("Name").kind, FieldType::Text { chars_max: Some(255) });
    assert!(field("Name").required && !field("Id").required && !field("Active__c").required);
    assert_eq!(
        field("AnnualRevenue").kind,
        FieldType::Decimal { precision: Some(18), scale: Some(2) }
    );
    assert_eq!(
        field("NumberOfEmployees").kind,
        FieldType::Int { min: -99_999_999, max: 99_999_999 }
    );
    assert_eq!(
        field("Rating").kind,
        FieldType::Enum { values: vec!["Hot".into(), "Cold".into()], restricted: true }
    );
    assert_eq!(field("ParentId").kind, FieldType::Reference { entities: vec!["Account".into()] });
    assert_eq!(field("BillingAddress").kind, FieldType::Json);
    assert!(!field("BillingAddress").updatable);
    assert_eq!(&*field("AnnualRevenue").native, "currency(18,2)");
    assert!(field("Id").unique);
}

#[test]
fn normalizers_follow_the_type() {
    let set = |name: &str| field(name).normalizers;
    assert_eq!(set("Name"), [Normalizer::Trim, Normalizer::EmptyToNull]);
    assert!(set("Email__c").contains(&Normalizer::Lowercase));
    assert!(set("Description").contains(&Normalizer::LineFeeds));
    assert_eq!(set("Notes__c"), []);
    assert_eq!(set("AnnualRevenue"), [Normalizer::SignificantDigits(15)]);
    assert_eq!(set("SystemModstamp"), [Normalizer::Truncate(Precision::Second)]);
    let order = Normalizer::SetOrder(vec!["B".into(), "A".into()]);
    assert_eq!(set("Tags__c"), [order, Normalizer::EmptyToNull]);
    assert_eq!(set("Active__c"), [Normalizer::NullToFalse]);
    let known = vec!["Hot".into(), "Warm".into(), "Cold".into()];
    assert!(set("Rating").contains(&Normalizer::FoldCase(known)));
}

#[test]
fn only_a_fit_field_may_hold_the_link_id() {
    assert!(field("Syncline_Id__c").external_id);
    assert!(!field("Short_Id__c").external_id);
    assert!(!field("Name").external_id);
}

#[test]
fn what_is_no_content_is_left_out() {
    let account = account();
    assert!(account.schema.field(&"LastViewedDate".into()).is_none());
    assert_eq!(account.stamp, Some("SystemModstamp"));
    assert!(account.schema.problems.is_empty());
}

#[test]
fn an_entity_without_a_stamp_is_a_problem() {
    let json = br#"{"name":"X","queryable":true,"updateable":true,"fields":[]}"#;
    let problems = described(json, None).unwrap().schema.problems;
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("cannot be polled"));
}

#[test]
fn an_entity_that_is_only_read_is_no_problem() {
    let json = ACCOUNT.replacen(r#""createable":true,"updateable":true,"#, "", 1);
    let read = described(json.as_bytes(), None).unwrap();
    assert!(read.schema.problems.is_empty());
    assert!(read.schema.fields.iter().all(|field| !field.creatable && !field.updatable));
    assert!(!read.schema.creatable && read.schema.fields.iter().all(|field| !field.required));
}
