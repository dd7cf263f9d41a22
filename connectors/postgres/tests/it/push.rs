//! Guarded writes.

use std::sync::Arc;

use syncline_sdk::{
    Connector as _, Current, ErrorKind, Expect, Key, Value, VersionOrder, WriteOp, WriteOutcome,
};

use super::place::*;

pub const TABLE: &str = "create table t (id bigint generated always as identity primary key, \
    name varchar(8) not null, score numeric(6,2), note text, kind int check (kind > 0), \
    ext uuid unique, mark text); insert into t (name, score, note) values \
    ('a', 1.5, 'one'), ('b', 2.5, 'two'), ('c', 3.5, 'three'), ('d', 4.5, 'four')";

pub fn fields() -> Arc<syncline_sdk::Selection> {
    let mut fields = selection("public.t", &["name", "score", "note", "kind"]);
    fields.external_id = Some("ext".into());
    fields.marker = Some("mark".into());
    Arc::new(fields)
}

pub async fn place(test: &str) -> Place {
    let place = Place::new(test).await;
    place.sql(TABLE).await;
    place.connector.prepare(&place.cx, &[&fields()]).await.unwrap();
    place
}

pub fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

/// A column that may only be given to a new row is compared, not set.
#[tokio::test]
async fn what_an_update_only_expects_is_not_written() {
    let place = place("push_expects").await;
    place.sql("alter table t add fixed text generated always as (note || '!') stored").await;
    let selection = Arc::new(syncline_sdk::Selection {
        fields: Arc::from(["name".into(), "fixed".into()]),
        ..(*fields()).clone()
    });
    let renamed = |old: &str, new: &str, fixed: &str| {
        let WriteOp::Update { key, values, expect, claim } =
            update("1", &[("name", old.into(), new.into())])
        else {
            unreachable!()
        };
        let expect = Expect { also: vec![("fixed".into(), fixed.into())], ..expect };
        WriteOp::Update { key, values, expect, claim }
    };
    let first = vec![write(&selection, 0, renamed("a", "x", "another"))];
    let outcomes = place.connector.push(&place.cx, batch(1, first)).await.unwrap();
    assert!(matches!(outcomes[0], WriteOutcome::Stale { .. }), "{:?}", outcomes[0]);
    let second = vec![write(&selection, 1, renamed("a", "x", "one!"))];
    let outcomes = place.connector.push(&place.cx, batch(2, second)).await.unwrap();
    assert!(matches!(outcomes[0], WriteOutcome::Applied { .. }), "{:?}", outcomes[0]);
}

#[tokio::test]
async fn a_batch_answers_each_write_by_what_it_found() {
    let place = place("push_each").await;
    let fields = fields();
    let writes = vec![
        write(&fields, 0, update("1", &[("score", decimal("1.50"), decimal("9.999"))])),
        write(&fields, 1, update("2", &[("name", "other".into(), "x".into())])),
        write(&fields, 2, update("99", &[("name", "a".into(), "x".into())])),
        write(&fields, 3, insert(&[("name", "new".into()), ("kind", Value::Int(3))])),
        write(
            &fields,
            4,
            WriteOp::Delete {
                key: Key::from("3"),
                fields: vec!["name".into(), "note".into()],
                expect: Expect { values: vec!["c".into(), "three".into()], ..Expect::default() },
            },
        ),
        write(
            &fields,
            5,
            WriteOp::Delete {
                key: Key::from("4"),
                fields: vec!["note".into()],
                expect: Expect { values: vec!["edited".into()], ..Expect::default() },
            },
        ),
        write(&fields, 6, WriteOp::Undelete { key: Key::from("4") }),
    ];
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    let WriteOutcome::Applied { version: Some(version), stored: Some(stored), key: None } =
        &outcomes[0]
    else {
        panic!("{:?}", outcomes[0]);
    };
    assert_eq!(stored, &["a".into(), decimal("10.00"), "one".into(), Value::Null]);
    let WriteOutcome::Stale { current: Current::Record(current), receipted: true } = &outcomes[1]
    else {
        panic!("{:?}", outcomes[1]);
    };
    assert_eq!(current.values[0], Value::from("b"));
    assert_eq!(current.key, Key::from("2"));
    assert_eq!(place.connector.order(&current.version, version), VersionOrder::Older);
    assert!(matches!(outcomes[2], WriteOutcome::Missing { reason: Some(_), receipted: true }));
    let WriteOutcome::Applied { stored: Some(stored), key: Some(key), .. } = &outcomes[3] else {
        panic!("{:?}", outcomes[3]);
    };
    assert_eq!((key.as_str(), &stored[3]), ("5", &Value::Int(3)));
    assert!(matches!(outcomes[4], WriteOutcome::Applied { .. }));
    assert!(matches!(outcomes[5], WriteOutcome::Stale { .. }));
    let WriteOutcome::Rejected { error, receipted: true } = &outcomes[6] else {
        panic!("{:?}", outcomes[6]);
    };
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert_eq!(
        place.one("select string_agg(id::text, ',' order by id) from t").await.unwrap(),
        "1,2,4,5"
    );
    let ext = place.one("select ext::text from t where id = 5").await.unwrap();
    assert_eq!(ext, link(4).to_string());
    let mark = place.one("select mark from t where id = 1").await.unwrap();
    assert!(mark.ends_with(":7.0"), "{mark}");
    let refused = place.one("select refused::text from syncline.receipt").await.unwrap();
    assert!(refused.contains("\"1\": \"stale\"") && !refused.contains("\"0\""), "{refused}");
    place.finish().await;
}

#[tokio::test]
async fn a_second_copy_answers_as_the_first() {
    let place = place("push_copy").await;
    let fields = fields();
    let writes = vec![
        write(&fields, 0, update("1", &[("note", "one".into(), "1".into())])),
        write(&fields, 1, update("2", &[("note", "wrong".into(), "2".into())])),
        write(&fields, 2, insert(&[("name", "new".into())])),
    ];
    let first = place.connector.push(&place.cx, batch(1, writes.clone())).await.unwrap();
    // A person restores the old value: without the receipt the copy would pass.
    place.sql("update t set note = 'one' where id = 1").await;
    let second = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    for (first, second) in first.iter().zip(&second) {
        match (first, second) {
            (
                WriteOutcome::Applied { version: a, key, .. },
                WriteOutcome::Applied { version: b, key: again, .. },
            ) => assert_eq!((a, key), (b, again)),
            (WriteOutcome::Stale { .. }, WriteOutcome::Stale { receipted: true, .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(place.one("select note from t where id = 1").await.unwrap(), "one");
    assert_eq!(place.one("select count(*)::text from t").await.unwrap(), "5");
    place.finish().await;
}

#[tokio::test]
async fn a_claim_takes_only_a_free_record() {
    let place = place("push_claim").await;
    let fields = fields();
    place.sql(&format!("update t set ext = '{}' where id = 2", link(500))).await;
    let claim = |key: &str| WriteOp::Update {
        key: Key::from(key),
        values: Vec::new(),
        expect: Expect::default(),
        claim: true,
    };
    let writes = vec![write(&fields, 0, claim("1")), write(&fields, 1, claim("2"))];
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    assert!(matches!(outcomes[0], WriteOutcome::Applied { .. }));
    let WriteOutcome::Stale { current: Current::Record(current), .. } = &outcomes[1] else {
        panic!("{:?}", outcomes[1]);
    };
    assert_eq!(current.external_id, Some(link(500)));
    place.finish().await;
}

#[tokio::test]
async fn writes_of_one_foreign_transaction_pass_together_or_not_at_all() {
    let place = place("push_together").await;
    let fields = fields();
    let mut group = batch(
        1,
        vec![
            write(&fields, 0, update("1", &[("note", "one".into(), "1".into())])),
            write(&fields, 1, update("2", &[("note", "wrong".into(), "2".into())])),
            write(&fields, 2, update("3", &[("note", "three".into(), "3".into())])),
        ],
    );
    for write in &mut group.writes[..2] {
        write.group = Some(77);
    }
    let outcomes = place.connector.push(&place.cx, group).await.unwrap();
    assert!(matches!(outcomes[0], WriteOutcome::Busy { receipted: true }), "{outcomes:?}");
    assert!(matches!(outcomes[1], WriteOutcome::Stale { receipted: true, .. }));
    assert!(matches!(outcomes[2], WriteOutcome::Applied { .. }), "another group: {outcomes:?}");
    assert_eq!(place.one("select note from t where id = 1").await.unwrap(), "one");
    place.finish().await;
}
