use syncline_sdk::FieldName;

use super::*;
use crate::wire::described;

fn contact() -> Described {
    let json = r#"{"name":"Contact","queryable":true,"fields":[
        {"name":"Id","type":"id"},{"name":"SystemModstamp","type":"datetime"},
        {"name":"LastModifiedById","type":"reference"},{"name":"IsDeleted","type":"boolean"},
        {"name":"MasterRecordId","type":"reference"},{"name":"LastName","type":"string"},
        {"name":"Size__c","type":"double"},{"name":"Link__c","type":"string"},
        {"name":"Marker__c","type":"string"},{"name":"MailingAddress","type":"address"}]}"#;
    described(json.as_bytes(), None).unwrap()
}

fn selection(fields: &[&str]) -> Selection {
    Selection {
        entity: "Contact".into(),
        fields: fields.iter().map(|name| FieldName::new(*name)).collect(),
        external_id: Some("Link__c".into()),
        marker: Some("Marker__c".into()),
        actor: None,
        filter: None,
    }
}

fn show(fields: &[&str], json: &str, floor: i64) -> Shown {
    let plan = RowPlan::new(&selection(fields), &contact()).unwrap();
    let row: Row<'_> = serde_json::from_str(json).unwrap();
    plan.shown(&row, Some(Stamp(floor)), Some("005000000000001AAA")).unwrap()
}

const EIGHT: i64 = 1_795_248_000;

#[test]
fn a_row_becomes_a_record() {
    let json = r#"{"attributes":{"type":"Contact","url":"/x"},"Id":"003000000000001",
        "SystemModstamp":"2026-11-21T08:00:00.000+0000","LastModifiedById":"005000000000001AAA",
        "IsDeleted":false,"MasterRecordId":null,"LastName":"A\"b","Size__c":0.10,
        "Link__c":"00000000-0000-0000-0000-000000000007","Marker__c":"i:1.2",
        "Owner":{"attributes":{},"Alias":"jo"}}"#;
    let fields = ["Size__c", "LastName", "Owner.Alias", "Gone__c", "MailingAddress"];
    let Shown::Live(record) = show(&fields, json, EIGHT + 1) else { panic!("deleted") };
    assert_eq!(record.key.as_str(), "003000000000001AAA");
    assert_eq!(
        record.values,
        [
            Value::Decimal("0.1".parse().unwrap()),
            "A\"b".into(),
            "jo".into(),
            Value::Absent,
            Value::Absent
        ]
    );
    assert_eq!(record.marker.as_deref(), Some("i:1.2"));
    assert_eq!(record.external_id.unwrap().to_string(), "00000000-0000-0000-0000-000000000007");
    assert_eq!(record.actor.kind, ActorKind::Sync);
    assert!(record.closed);
    assert_eq!(Stamp::of(&record.version), Some(Stamp(EIGHT)));
}

#[test]
fn a_stamp_of_the_running_second_is_open() {
    let json = r#"{"Id":"003000000000001AAA","SystemModstamp":"2026-11-21T08:00:00.000+0000",
        "LastModifiedById":"005000000000002AAA","IsDeleted":false}"#;
    let Shown::Live(record) = show(&[], json, EIGHT) else { panic!("deleted") };
    assert!(!record.closed);
    assert_eq!(record.actor.kind, ActorKind::Person);
    assert_eq!(record.external_id, None);
}

#[test]
fn the_recycle_bin_tells_why() {
    let json = |master: &str| {
        format!(
            r#"{{"Id":"003000000000001AAA","SystemModstamp":"2026-11-21T08:00:00.000+0000",
            "LastModifiedById":"005000000000002AAA","IsDeleted":true,"MasterRecordId":{master},
            "LastName":"x"}}"#
        )
    };
    match show(&["LastName"], &json("\"003000000000009AAA\""), EIGHT) {
        Shown::Gone(_, Absence::MergedInto(key)) => assert_eq!(key.as_str(), "003000000000009AAA"),
        other => panic!("{other:?}"),
    }
    match show(&["LastName"], &json("null"), EIGHT) {
        Shown::Gone(_, Absence::Deleted { by, at, image }) => {
            assert_eq!(by.unwrap().kind, ActorKind::Person);
            assert_eq!(at, Some(Stamp(EIGHT).instant()));
            assert_eq!(image.unwrap().values, [Value::from("x")]);
        }
        other => panic!("{other:?}"),
    }
}
