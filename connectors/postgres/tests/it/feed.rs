//! The change stream, message by message.

use std::sync::Arc;

use syncline_sdk::{ChangeKind, Connector as _, Key, Value, VersionOrder, WriteOutcome};

use super::place::*;

fn values(kind: &ChangeKind) -> &[Value] {
    match kind {
        ChangeKind::Upsert(values) => values,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn inserts_updates_deletes_and_key_changes() {
    let place = Place::new("feed_kinds").await;
    place.sql("create table t (id int primary key, a text, b int, hidden text)").await;
    let fields = selection("t", &["b", "a"]);
    let mut feed = place.feed(&[&fields]).await;
    place.sql("insert into t values (1, 'x', 2, 'h')").await;
    place
        .sql(
            "begin; update t set a = null where id = 1; update t set id = 5; \
        delete from t where id = 5; commit",
        )
        .await;
    let changes = place.changes(&mut *feed, 4).await;
    assert_eq!(changes[0].key, Key::from("1"));
    assert_eq!(values(&changes[0].kind), [Value::Int(2), "x".into()]);
    assert_eq!(values(&changes[1].kind), [Value::Int(2), Value::Null]);
    assert_eq!((&changes[2].key, &changes[2].old_key), (&"5".into(), &Some("1".into())));
    assert_eq!((&changes[3].kind, &changes[3].key), (&ChangeKind::Delete, &"5".into()));
    assert_eq!(changes[1].group, changes[3].group);
    assert!(changes[0].at.unwrap().micros() > 1_700_000_000_000_000);
    for pair in changes.windows(2) {
        let order = place.connector.order(&pair[0].version, &pair[1].version);
        assert_eq!(order, VersionOrder::Older);
    }
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn an_untouched_long_value_is_absent() {
    let place = Place::new("feed_toast").await;
    let long = "(select string_agg(md5(i::text), '') from generate_series(1, 400) i)";
    place
        .sql(&format!(
            "create table t (id int primary key, a int, long text); \
        alter table t alter long set storage external; \
        create table f (id int primary key, a int, long text); \
        alter table f alter long set storage external; \
        alter table f replica identity full; \
        insert into t values (1, 1, {long}); insert into f values (1, 1, {long})"
        ))
        .await;
    let (plain, full) = (selection("t", &["a", "long"]), selection("f", &["a", "long"]));
    let mut feed = place.feed(&[&plain, &full]).await;
    place.sql("update t set a = 2; update t set long = long || 'x'; update f set a = 2").await;
    let changes = place.changes(&mut *feed, 3).await;
    assert_eq!(values(&changes[0].kind), [Value::Int(2), Value::Absent]);
    assert_eq!(values(&changes[1].kind)[1].as_text().unwrap().len(), 400 * 32 + 1);
    // The whole old row brings the value along.
    assert_eq!(values(&changes[2].kind)[1].as_text().unwrap().len(), 400 * 32);
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn what_a_trigger_adds_to_our_transaction_is_a_change_with_our_marker() {
    let place = Place::new("feed_trigger").await;
    place
        .sql(
            "create table t (id int primary key, a text, shout text); \
        create table log (id int generated always as identity primary key, what text); \
        create function f() returns trigger language plpgsql as $$ begin \
          new.shout = upper(new.a); insert into log (what) values (new.a); return new; end $$; \
        create trigger f before update on t for each row execute function f(); \
        insert into t values (1, 'x', 'X'), (2, 'y', 'Y')",
        )
        .await;
    let fields = Arc::new(selection("t", &["a", "shout"]));
    let log = selection("log", &["what"]);
    let mut feed = place.feed(&[&fields, &log]).await;
    let writes = vec![
        write(&fields, 0, update("1", &[("a", "x".into(), "new".into())])),
        write(&fields, 1, update("2", &[("a", "z".into(), "new".into())])),
    ];
    let outcomes = place.connector.push(&place.cx, batch(4, writes)).await.unwrap();
    let WriteOutcome::Applied { version: Some(written), stored: Some(stored), .. } = &outcomes[0]
    else {
        panic!("{:?}", outcomes[0]);
    };
    assert_eq!(stored, &["new".into(), "NEW".into()]);
    let WriteOutcome::Stale { current: syncline_sdk::Current::Record(held), .. } = &outcomes[1]
    else {
        panic!("{:?}", outcomes[1]);
    };
    place.sql("update t set a = 'human'").await;
    let batches = place.batches(&mut *feed, |count| count >= 6).await;
    let marker = place.cx.batch_marker(syncline_sdk::BatchId { commit: 4, ordinal: 0 });
    let seen: Vec<_> = batches.iter().flat_map(|batch| &batch.markers).collect();
    assert_eq!(&*seen[0].0, marker);
    assert_eq!(seen.len(), 1);
    let changes: Vec<_> = batches.iter().flat_map(|batch| &batch.changes).collect();
    for (at, change) in changes.iter().enumerate() {
        assert_eq!(change.marker.as_deref(), (at < 2).then_some(marker.as_str()), "{change:?}");
    }
    assert_eq!(changes[0].entity.as_str(), "log");
    let order = |at: usize, version| place.connector.order(&changes[at].version, version);
    assert_eq!(order(1, written), VersionOrder::Same);
    assert_eq!(order(3, written), VersionOrder::Newer);
    assert_eq!(order(5, &held.version), VersionOrder::Newer);
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn a_value_changed_and_changed_back_shows_both_changes() {
    let place = Place::new("feed_aba").await;
    place.sql("create table t (id int primary key, a text); insert into t values (1, 'A')").await;
    let fields = selection("t", &["a"]);
    let mut feed = place.feed(&[&fields]).await;
    place.sql("update t set a = 'B'").await;
    place.sql("update t set a = 'A'").await;
    let changes = place.changes(&mut *feed, 2).await;
    assert_eq!(values(&changes[0].kind), ["B".into()]);
    assert_eq!(values(&changes[1].kind), ["A".into()]);
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn a_huge_transaction_comes_in_pieces_and_its_place_at_the_end() {
    let place = Place::new("feed_huge").await;
    place.sql("create table t (id int primary key, a text)").await;
    let fields = selection("t", &["a"]);
    let mut feed = place.feed(&[&fields]).await;
    place.sql("insert into t select i, 'v' || i from generate_series(1, 3000) i").await;
    let batches = place.batches(&mut *feed, |count| count >= 3000).await;
    let with: Vec<_> = batches.iter().filter(|batch| !batch.changes.is_empty()).collect();
    assert!(with.len() >= 6);
    assert!(with.iter().all(|batch| batch.changes.len() <= 500));
    assert!(with[..with.len() - 1].iter().all(|batch| batch.position.is_none()));
    // The end comes with the last piece, or right behind it.
    let mut last = with.last().unwrap().position.clone();
    if last.is_none() {
        last = feed.next(&place.cx, 500).await.unwrap().position;
    }
    // What is not acknowledged the server keeps, and that is told.
    let kept = || place.connector.usage().log_retained.unwrap();
    let before = kept();
    assert!(before > 50_000, "{before}");
    feed.ack(&last.unwrap()).await.unwrap();
    assert!(kept() < before / 2, "{} of {before}", kept());
    let versions: Vec<_> = with.iter().flat_map(|batch| &batch.changes).collect();
    let order = place.connector.order(&versions[0].version, &versions[2999].version);
    assert_eq!(order, VersionOrder::Older);
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn a_truncate_is_told_as_such() {
    let place = Place::new("feed_truncate").await;
    place
        .sql("create table t (id int primary key, a text); create table u (id int primary key)")
        .await;
    let (t, u) = (selection("t", &["a"]), selection("u", &["id"]));
    let mut feed = place.feed(&[&t, &u]).await;
    place.sql("truncate t, u").await;
    let changes = place.changes(&mut *feed, 2).await;
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Truncate));
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn a_definition_may_change_amid_the_stream() {
    let place = Place::with("feed_ddl", |settings| settings.column_lists = false).await;
    place
        .sql(
            "create type mood as enum ('sad', 'glad'); \
        create table t (id int primary key, a text, m mood)",
        )
        .await;
    let fields = selection("t", &["a", "m"]);
    let mut feed = place.feed(&[&fields]).await;
    place.sql("insert into t values (1, '1', 'sad')").await;
    place.sql("alter table t alter a type int using a::int").await;
    place.sql("insert into t values (2, 7, 'glad')").await;
    place.sql("alter table t rename m to n; insert into t values (3, 8, 'sad')").await;
    let changes = place.changes(&mut *feed, 3).await;
    assert_eq!(values(&changes[0].kind), ["1".into(), "sad".into()]);
    assert_eq!(values(&changes[1].kind), [Value::Int(7), "glad".into()]);
    assert_eq!(values(&changes[2].kind), [Value::Int(8), Value::Absent]);
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn a_row_that_moves_between_partitions_is_an_update_of_the_root() {
    let place = Place::new("feed_partition").await;
    place
        .sql(
            "create table t (id int, region text, a text, primary key (id, region)) \
        partition by list (region); create table t_eu partition of t for values in ('eu'); \
        create table t_us partition of t for values in ('us'); \
        insert into t values (1, 'eu', 'x'), (2, 'eu', 'x')",
        )
        .await;
    let fields = selection("t", &["region", "a"]);
    let mut feed = place.feed(&[&fields]).await;
    place.sql("update t set region = 'us'; update t set a = 'y' where id = 1").await;
    let changes = place.changes(&mut *feed, 3).await;
    for (change, id) in changes.iter().zip(["1", "2"]) {
        let keys = (&*format!("[\"{id}\",\"us\"]"), &*format!("[\"{id}\",\"eu\"]"));
        assert_eq!((&change.key, &change.old_key), (&keys.0.into(), &Some(keys.1.into())));
        assert_eq!(values(&change.kind), ["us".into(), "x".into()]);
    }
    assert_eq!(values(&changes[2].kind), ["us".into(), "y".into()]);
    assert!(changes.iter().all(|change| change.entity.as_str() == "t"));
    // One that is deleted, and another one that is made, are two.
    place
        .sql("begin; delete from t where id = 1; insert into t values (3, 'eu', 'z'); commit")
        .await;
    let changes = place.changes(&mut *feed, 2).await;
    assert_eq!((&changes[0].kind, &changes[1].old_key), (&ChangeKind::Delete, &None));
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn strangers_messages_and_origins_pass_unseen() {
    let place = Place::new("feed_strangers").await;
    place.sql("create table t (id int primary key); create table other (id int primary key)").await;
    let fields = selection("t", &["id"]);
    let mut feed = place.feed(&[&fields]).await;
    let origin = place.cx.install.to_string();
    place.sql(&format!("select pg_replication_origin_create('{origin}')")).await;
    place
        .sql(&format!(
            "select pg_replication_origin_session_setup('{origin}'); begin; \
        select pg_replication_origin_xact_setup('0/1', now()); \
        select pg_logical_emit_message(true, 'else', 'x'); \
        select pg_logical_emit_message(true, 'syncline', 'stranger:1.0'); \
        insert into t values (1); insert into other values (1); commit; \
        select pg_replication_origin_session_reset()"
        ))
        .await;
    place.sql("select pg_logical_emit_message(false, 'else', 'y'); insert into t values (2)").await;
    let batches = place.batches(&mut *feed, |count| count >= 2).await;
    assert!(batches.iter().all(|batch| batch.markers.is_empty()));
    assert!(batches.iter().flat_map(|batch| &batch.changes).all(|change| change.marker.is_none()));
    place.sql(&format!("select pg_replication_origin_drop('{origin}')")).await;
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn the_smaller_transaction_id_may_be_the_later_change() {
    let place = Place::new("feed_xids").await;
    place.sql("create table t (id int primary key, a text); insert into t values (1, 'x')").await;
    let fields = Arc::new(selection("t", &["a"]));
    let mut feed = place.feed(&[&fields]).await;
    let mut early = place.pool.begin().await.unwrap();
    // Takes its number first.
    sqlx::query("select pg_current_xact_id()").execute(&mut *early).await.unwrap();
    place.sql("update t set a = 'larger number, earlier'").await;
    let read = place
        .connector
        .fetch(
            &place.cx,
            syncline_sdk::FetchRequest {
                selection: fields.clone(),
                by: syncline_sdk::FetchBy::Keys(vec!["1".into()]),
            },
        )
        .await
        .unwrap();
    sqlx::query("update t set a = 'smaller number, later'").execute(&mut *early).await.unwrap();
    early.commit().await.unwrap();
    let op = update("1", &[("a", "smaller number, later".into(), "ours".into())]);
    let outcomes =
        place.connector.push(&place.cx, batch(1, vec![write(&fields, 0, op)])).await.unwrap();
    let WriteOutcome::Applied { version: Some(written), .. } = &outcomes[0] else { panic!() };
    place.sql("update t set a = 'after ours'").await;
    let changes = place.changes(&mut *feed, 4).await;
    let order = |at: usize, version| place.connector.order(&changes[at].version, version);
    assert_eq!(
        place.connector.order(&changes[0].version, &changes[1].version),
        VersionOrder::Older
    );
    let read = &read.records[0].version;
    assert_eq!(order(0, read), VersionOrder::Older);
    assert_eq!(order(1, read), VersionOrder::Newer);
    assert_eq!(order(1, written), VersionOrder::Older);
    assert_eq!(order(2, written), VersionOrder::Same);
    assert_eq!(order(3, written), VersionOrder::Newer);
    assert_eq!(place.connector.order(read, written), VersionOrder::Older);
    drop(feed);
    place.finish().await;
}
