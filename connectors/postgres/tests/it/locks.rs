//! Rows that somebody else holds. These tests keep transactions open, so they run one at a time.

use std::sync::Arc;

use sqlx::Connection as _;
use syncline_sdk::{Connector as _, ErrorKind, WriteOutcome};

use super::place::*;

#[tokio::test]
async fn a_row_that_a_person_holds_is_busy_and_the_others_are_written() {
    let place = Place::new("locks_busy").await;
    place
        .sql(
            "create table t (id int primary key, a text); \
        insert into t values (1, 'x'), (2, 'x'), (3, 'x')",
        )
        .await;
    let fields = Arc::new(selection("t", &["a"]));
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    let mut person = place.pool.acquire().await.unwrap();
    let mut held = person.begin().await.unwrap();
    sqlx::query("update t set a = 'person' where id = 2").execute(&mut *held).await.unwrap();
    let writes = (1..=3)
        .map(|id| {
            write(&fields, id - 1, update(&id.to_string(), &[("a", "x".into(), "new".into())]))
        })
        .collect();
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    assert!(matches!(outcomes[0], WriteOutcome::Applied { .. }), "{outcomes:?}");
    assert!(matches!(outcomes[1], WriteOutcome::Busy { receipted: true }), "{outcomes:?}");
    assert!(matches!(outcomes[2], WriteOutcome::Applied { .. }), "{outcomes:?}");
    held.commit().await.unwrap();
    let again = write(&fields, 1, update("2", &[("a", "x".into(), "new".into())]));
    let outcomes = place.connector.push(&place.cx, batch(2, vec![again])).await.unwrap();
    assert!(matches!(outcomes[0], WriteOutcome::Stale { .. }), "{outcomes:?}");
    drop(person);
    place.finish().await;
}

#[tokio::test]
async fn a_unique_value_that_is_being_taken_makes_only_its_write_busy() {
    let place = Place::new("locks_unique").await;
    place.sql("create table t (id int primary key, a text)").await;
    let fields = Arc::new(selection("t", &["id", "a"]));
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    let mut person = place.pool.acquire().await.unwrap();
    let mut held = person.begin().await.unwrap();
    sqlx::query("insert into t values (3, 'person')").execute(&mut *held).await.unwrap();
    let writes = (0..8)
        .map(|id| write(&fields, id, insert(&[("id", i64::from(id).into()), ("a", "new".into())])))
        .collect();
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    for (at, outcome) in outcomes.iter().enumerate() {
        let busy = matches!(outcome, WriteOutcome::Busy { receipted: true });
        assert_eq!(busy, at == 3, "{at}: {outcome:?}");
    }
    held.commit().await.unwrap();
    drop(person);
    place.finish().await;
}

#[tokio::test]
async fn a_slot_that_cannot_be_made_says_who_is_in_the_way() {
    let place = Place::with("locks_slot", |settings| settings.slot_wait_ms = 300).await;
    place.sql("create table t (id int primary key)").await;
    let fields = selection("t", &["id"]);
    let mut person = place.pool.acquire().await.unwrap();
    let mut held = person.begin().await.unwrap();
    sqlx::query("insert into t values (1)").execute(&mut *held).await.unwrap();
    let pid: i32 =
        sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *held).await.unwrap();
    let error = place.connector.prepare(&place.cx, &[&fields]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.to_string().contains(&format!("pid {pid}")), "{error}");
    held.commit().await.unwrap();
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    drop(person);
    place.finish().await;
}
