//! Writes that the server refuses, and what becomes of the others of their batch.

use std::sync::Arc;

use syncline_sdk::{Connector as _, ErrorKind, Value, WriteOutcome};

use super::place::*;
use super::push::{decimal, fields, place};

#[tokio::test]
async fn a_bad_value_is_refused_alone_and_names_its_field() {
    let place = place("push_bad").await;
    let fields = fields();
    let writes = vec![
        write(&fields, 0, update("1", &[("note", "one".into(), "1".into())])),
        write(&fields, 1, update("2", &[("name", "b".into(), "much too long".into())])),
        write(&fields, 2, update("3", &[("score", decimal("3.5"), decimal("123456"))])),
        write(&fields, 3, update("4", &[("kind", Value::Null, Value::Int(-1))])),
        write(&fields, 4, insert(&[("name", Value::Null)])),
        write(&fields, 5, insert(&[("name", "fine".into())])),
        write(&fields, 6, insert(&[("name", "nul\0".into())])),
        write(&fields, 7, insert(&[("name", "y".into()), ("kind", "many".into())])),
    ];
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    let named: Vec<Option<(ErrorKind, Option<&str>)>> = outcomes
        .iter()
        .map(|outcome| match outcome {
            WriteOutcome::Rejected { error, receipted: true } => {
                Some((error.kind, error.field.as_deref()))
            }
            WriteOutcome::Applied { .. } => None,
            other => panic!("{other:?}"),
        })
        .collect();
    let invalid = |field| Some((ErrorKind::Invalid, Some(field)));
    assert_eq!(
        named,
        [
            None,
            invalid("name"),
            invalid("score"),
            invalid("kind"),
            invalid("name"),
            None,
            invalid("name"),
            invalid("kind"),
        ]
    );
    assert_eq!(place.one("select note from t where id = 1").await.unwrap(), "1");
    let refused = place.one("select refused::text from syncline.receipt").await.unwrap();
    assert_eq!(refused.matches("rejected").count(), 6, "{refused}");
    place.finish().await;
}

#[tokio::test]
async fn a_taken_value_is_a_duplicate_that_names_its_columns() {
    let place = place("push_duplicate").await;
    let fields = fields();
    place.sql(&format!("update t set ext = '{}' where id = 1", link(2))).await;
    let writes = vec![
        write(&fields, 0, insert(&[("name", "x".into())])),
        write(&fields, 1, insert(&[("name", "y".into())])),
    ];
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    assert!(matches!(&outcomes[0], WriteOutcome::Applied { key: Some(_), .. }));
    let WriteOutcome::Rejected { error, receipted: true } = &outcomes[1] else {
        panic!("{:?}", outcomes[1]);
    };
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Duplicate, Some("ext")));
    assert!(error.to_string().contains("t_ext_key"), "{error}");
    place.finish().await;
}

#[tokio::test]
async fn a_deferred_constraint_is_found_before_the_commit() {
    let place = place("push_deferred").await;
    place
        .sql(
            "create table c (id int primary key, \
        t bigint references t deferrable initially deferred)",
        )
        .await;
    let fields = Arc::new(selection("c", &["id", "t"]));
    let writes = vec![
        write(&fields, 0, insert(&[("id", Value::Int(1)), ("t", Value::Int(1))])),
        write(&fields, 1, insert(&[("id", Value::Int(2)), ("t", Value::Int(77))])),
    ];
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    assert!(matches!(outcomes[0], WriteOutcome::Applied { .. }), "{outcomes:?}");
    let WriteOutcome::Rejected { error, .. } = &outcomes[1] else {
        panic!("{:?}", outcomes[1]);
    };
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Invalid, Some("t")));
    place.finish().await;
}

#[tokio::test]
async fn a_suppressed_row_is_refused_alone() {
    let place = place("push_suppressed").await;
    place
        .sql(
            "create function no() returns trigger language plpgsql as $$ begin \
        if new.name = 'no' then return null; end if; return new; end $$; \
        create trigger no before insert or update on t for each row execute function no()",
        )
        .await;
    let fields = fields();
    let writes = vec![
        write(&fields, 0, insert(&[("name", "yes".into())])),
        write(&fields, 1, insert(&[("name", "no".into())])),
        write(&fields, 2, update("1", &[("name", "a".into(), "no".into())])),
        write(&fields, 3, update("2", &[("name", "b".into(), "yes".into())])),
    ];
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    let applied: Vec<bool> =
        outcomes.iter().map(|outcome| matches!(outcome, WriteOutcome::Applied { .. })).collect();
    assert_eq!(applied, [true, false, false, true], "{outcomes:?}");
    place.finish().await;
}

#[tokio::test]
async fn a_missing_table_rejects_its_own_writes_only() {
    let place = place("push_schema").await;
    let (fields, gone) = (fields(), Arc::new(selection("gone", &["x"])));
    let writes = vec![
        write(&fields, 0, update("1", &[("note", "one".into(), "1".into())])),
        write(&gone, 1, update("1", &[("x", "one".into(), "1".into())])),
    ];
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    assert!(matches!(outcomes[0], WriteOutcome::Applied { .. }), "{outcomes:?}");
    let WriteOutcome::Rejected { error, .. } = &outcomes[1] else {
        panic!("{:?}", outcomes[1]);
    };
    assert_eq!(error.kind, ErrorKind::Schema);
    place.finish().await;
}
