//! Places in the stream: resuming, idling, and each way in which a stream can be lost.

use syncline_sdk::{Connector as _, ErrorKind, Position};

use super::place::*;

#[tokio::test]
async fn a_feed_goes_on_where_it_was_acknowledged() {
    let place = Place::new("slots_resume").await;
    place.sql("create table t (id int primary key)").await;
    let fields = selection("t", &["id"]);
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    let start = place.connector.feed_start(&place.cx).await.unwrap().unwrap();
    place.sql("insert into t values (1)").await;
    place.sql("insert into t values (2)").await;
    let mut feed = place.connector.open_feed(&place.cx, &[&fields], Some(&start)).await.unwrap();
    let (mut at, mut seen) = (None, 0);
    // One row at a time: the place of the first transaction comes with or after its row.
    while at.is_none() {
        let batch = feed.next(&place.cx, 1).await.unwrap();
        seen += batch.changes.len();
        at = batch.position.filter(|_| !batch.idle && seen > 0);
    }
    drop(feed);
    let mut feed = reopen(&place, &fields, at.as_ref()).await;
    let changes = place.changes(&mut *feed, 1).await;
    assert_eq!(changes[0].key.as_str(), "2");
    drop(feed);
    place.finish().await;
}

/// Opens the feed again as soon as the server has noticed that the old session is gone.
async fn reopen(
    place: &Place,
    fields: &syncline_sdk::Selection,
    at: Option<&Position>,
) -> Box<dyn syncline_sdk::Feed> {
    let opened = async {
        loop {
            match place.connector.open_feed(&place.cx, &[fields], at).await {
                Ok(feed) => return feed,
                Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "{error}"),
            }
        }
    };
    tokio::time::timeout(DEADLINE, opened).await.unwrap()
}

#[tokio::test]
async fn an_idle_stream_moves_on_with_the_log() {
    let place = Place::new("slots_idle").await;
    place.sql("create table t (id int primary key); create table busy (id int)").await;
    let fields = selection("t", &["id"]);
    let mut feed = place.feed(&[&fields]).await;
    place.sql("insert into busy select generate_series(1, 10000)").await;
    let target = place.one("select pg_current_wal_lsn()::text").await.unwrap();
    let passed = format!(
        "select (confirmed_flush_lsn >= '{target}')::text from pg_replication_slots \
         where database = current_database()"
    );
    let moved = async {
        loop {
            let batch = tokio::time::timeout(
                std::time::Duration::from_millis(300),
                feed.next(&place.cx, 100),
            );
            if let Ok(batch) = batch.await {
                let batch = batch.unwrap();
                assert!(batch.changes.is_empty());
                if let Some(position) = batch.position {
                    feed.ack(&position).await.unwrap();
                }
            }
            if place.one(&passed).await.unwrap() == "true" {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, moved).await.unwrap();
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn each_way_to_lose_the_stream_is_a_gap() {
    let place = Place::new("slots_gap").await;
    place.sql("create table t (id int primary key)").await;
    let fields = selection("t", &["id"]);
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    let start = place.connector.feed_start(&place.cx).await.unwrap().unwrap();
    let gap = async |from: &Position, word: &str| {
        let opened = place.connector.open_feed(&place.cx, &[&fields], Some(from)).await;
        let error = opened.err().expect("a gap");
        assert_eq!(error.kind, ErrorKind::Gap, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    };
    let elsewhere = Position { stream: "1/1/x".into(), place: start.place.clone() };
    gap(&elsewhere, "restored").await;
    // A stranger reads from our slot.
    place.sql("insert into t values (1)").await;
    place
        .sql(
            "select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) \
        from pg_replication_slots where database = current_database()",
        )
        .await;
    gap(&start, "somebody else").await;
    place
        .sql(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots \
        where database = current_database()",
        )
        .await;
    gap(&start, "does not exist").await;
    let error = place.connector.feed_start(&place.cx).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Gap);
    place.finish().await;
}

#[tokio::test]
async fn a_table_taken_out_of_the_publication_is_a_gap() {
    let place = Place::new("slots_publication").await;
    place.sql("create table t (id int primary key, a text)").await;
    let fields = selection("t", &["a"]);
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    // What a migration does that insists on dropping a listed column.
    place.sql("alter table t drop a cascade").await;
    let opened = place.connector.open_feed(&place.cx, &[&fields], None).await;
    let error = opened.err().expect("a gap");
    assert_eq!(error.kind, ErrorKind::Gap, "{error}");
    place.finish().await;
}

#[tokio::test]
async fn a_slot_dropped_under_an_open_feed_is_noticed() {
    let place = Place::new("slots_dropped").await;
    place.sql("create table t (id int primary key)").await;
    let fields = selection("t", &["id"]);
    let mut feed = place.feed(&[&fields]).await;
    place
        .sql(
            "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots \
        where database = current_database()",
        )
        .await;
    let lost = async {
        loop {
            if let Err(error) = feed.next(&place.cx, 10).await {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(DEADLINE, lost).await.unwrap();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    drop(feed);
    place
        .sql(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots \
        where database = current_database()",
        )
        .await;
    let opened = place.connector.open_feed(&place.cx, &[&fields], None).await;
    assert_eq!(opened.err().unwrap().kind, ErrorKind::Gap);
    place.finish().await;
}

/// What strangers do to the publication between two runs, and what is on the other side of it.
#[tokio::test]
async fn a_table_that_was_out_of_the_publication_for_a_while_is_a_gap() {
    let meddling = [
        "alter publication {} drop table t; insert into t values (2); \
         alter publication {} add table t (id, a)",
        // Our own start puts it back.
        "alter publication {} drop table t; insert into t values (2)",
        "alter table t drop a cascade; insert into t values (2); alter table t add a text",
        "drop publication {}; insert into t values (2)",
        "drop publication {}; insert into t values (2); create publication {} \
         for table t (id, a) with (publish_via_partition_root = true)",
        "alter publication {} set (publish = 'insert'); insert into t values (2)",
    ];
    for (at, sql) in meddling.into_iter().enumerate() {
        let place = Place::new(&format!("slots_meddled_{at}")).await;
        place.sql("create table t (id int primary key, a text)").await;
        let fields = selection("t", &["id", "a"]);
        let mut feed = place.feed(&[&fields]).await;
        place.sql("insert into t values (1)").await;
        let batches = place.batches(&mut *feed, |count| count == 1).await;
        let before = batches.into_iter().rev().find_map(|batch| batch.position);
        let before = match before {
            Some(before) => before,
            None => position(&place, &mut *feed).await,
        };
        drop(feed);
        let name = place.one("select pubname::text from pg_publication").await.unwrap();
        for statement in sql.replace("{}", &name).split("; ") {
            place.sql(statement).await;
        }
        place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
        let opened = async {
            loop {
                let opened = place.connector.open_feed(&place.cx, &[&fields], Some(&before)).await;
                match opened {
                    Ok(_) => panic!("{sql}: not noticed"),
                    // The server has not noticed yet that the old session is gone.
                    Err(error) if error.kind == ErrorKind::Unavailable => {}
                    Err(error) => return error,
                }
            }
        };
        let error = tokio::time::timeout(DEADLINE, opened).await.unwrap();
        assert_eq!(error.kind, ErrorKind::Gap, "{sql}: {error}");
        assert!(error.to_string().contains("public.t was not in the publication"), "{error}");
        // The stream that starts anew goes on.
        let start = place.connector.feed_start(&place.cx).await.unwrap().unwrap();
        let mut feed = reopen(&place, &fields, Some(&start)).await;
        place.sql("insert into t values (3)").await;
        let changes = place.changes(&mut *feed, 1).await;
        assert_eq!(changes[0].key.as_str(), "3", "{sql}");
        drop(feed);
        place.finish().await;
    }
}

/// The next place that a feed gives. A server that nobody else writes to says nothing for long:
/// something that the feed does not carry is written for it.
async fn position(place: &Place, feed: &mut dyn syncline_sdk::Feed) -> Position {
    place.sql("create table if not exists unrelated (id int)").await;
    place.sql("insert into unrelated values (1)").await;
    let next = async {
        loop {
            if let Some(position) = feed.next(&place.cx, 1).await.unwrap().position {
                return position;
            }
        }
    };
    tokio::time::timeout(DEADLINE, next).await.unwrap()
}

#[tokio::test]
async fn a_table_added_for_another_mapping_is_no_gap() {
    let place = Place::new("slots_widened").await;
    place.sql("create table t (id int primary key); create table u (id int primary key)").await;
    let (one, two) = (selection("t", &["id"]), selection("public.u", &["id"]));
    place.connector.prepare(&place.cx, &[&one]).await.unwrap();
    let start = place.connector.feed_start(&place.cx).await.unwrap().unwrap();
    place.connector.prepare(&place.cx, &[&one, &two]).await.unwrap();
    let both = [&one, &two];
    let mut feed = place.connector.open_feed(&place.cx, &both, Some(&start)).await.unwrap();
    place.sql("insert into t values (1); insert into u values (2)").await;
    assert_eq!(place.changes(&mut *feed, 2).await.len(), 2);
    let with_two = position(&place, &mut *feed).await;
    drop(feed);
    // Nobody reads it for a while, and then again.
    place.connector.prepare(&place.cx, &[&one]).await.unwrap();
    let mut feed = reopen(&place, &one, Some(&with_two)).await;
    place.sql("insert into u values (3); insert into t values (3)").await;
    assert_eq!(place.changes(&mut *feed, 1).await[0].entity.as_str(), "t");
    let without = position(&place, &mut *feed).await;
    feed.ack(&without).await.unwrap();
    drop(feed);
    place.connector.prepare(&place.cx, &both).await.unwrap();
    let opened = async {
        loop {
            let opened = place.connector.open_feed(&place.cx, &both, Some(&without)).await;
            match opened {
                Err(error) if error.kind == ErrorKind::Unavailable => {}
                opened => return opened.err().expect("a gap"),
            }
        }
    };
    let error = tokio::time::timeout(DEADLINE, opened).await.unwrap();
    assert_eq!(error.kind, ErrorKind::Gap, "{error}");
    assert!(error.to_string().contains("public.u"), "{error}");
    place.finish().await;
}

#[tokio::test]
async fn a_table_taken_out_under_an_open_feed_is_noticed() {
    let place = Place::new("slots_taken_out").await;
    place.sql("create table t (id int primary key); create table busy (id int)").await;
    let fields = selection("t", &["id"]);
    let mut feed = place.feed(&[&fields]).await;
    let name = place.one("select pubname::text from pg_publication").await.unwrap();
    place.sql(&format!("alter publication {name} drop table t")).await;
    place.sql("insert into busy select generate_series(1, 10000)").await;
    let noticed = async {
        loop {
            if let Err(error) = feed.next(&place.cx, 10).await {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(DEADLINE, noticed).await.unwrap();
    assert_eq!(error.kind, ErrorKind::Gap, "{error}");
    drop(feed);
    place.finish().await;
}
