//! Lost answers: receipts, cancellations, late copies.

use std::sync::Arc;

use syncline_sdk::{
    BatchId, Connector as _, Current, Selection, Settlement, UnknownWrite, VersionOrder, Write,
    WriteOutcome,
};

use super::place::*;

const TABLE: &str = "create table t (id int generated always as identity primary key, a text); \
    insert into t (a) values ('x'), ('y')";

fn unknown(number: i64, writes: &[Write]) -> Vec<UnknownWrite> {
    writes
        .iter()
        .map(|write| UnknownWrite {
            batch: BatchId { commit: number, ordinal: 0 },
            write: write.clone(),
            may_arrive: true,
            unseen: false,
        })
        .collect()
}

fn writes(fields: &Arc<Selection>) -> Vec<Write> {
    vec![
        write(fields, 0, update("1", &[("a", "x".into(), "new".into())])),
        write(fields, 1, update("2", &[("a", "wrong".into(), "new".into())])),
        write(fields, 2, insert(&[("a", "created".into())])),
    ]
}

#[tokio::test]
async fn a_receipt_settles_each_write() {
    let place = Place::new("settle_applied").await;
    place.sql(TABLE).await;
    let fields = Arc::new(selection("t", &["a"]));
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    let writes = writes(&fields);
    let outcomes = place.connector.push(&place.cx, batch(1, writes.clone())).await.unwrap();
    let WriteOutcome::Applied { version: Some(version), .. } = &outcomes[0] else { panic!() };
    let settled = place.connector.settle(&place.cx, &unknown(1, &writes)).await.unwrap();
    let Settlement::Applied { version: Some(again), stored: Some(stored), .. } = &settled[0] else {
        panic!("{settled:?}");
    };
    assert_eq!(place.connector.order(version, again), VersionOrder::Same);
    assert_eq!(stored, &["new".into()]);
    assert!(matches!(settled[1], Settlement::NotApplied), "{settled:?}");
    assert!(
        matches!(&settled[2], Settlement::Applied { key: Some(key), .. }
        if key.as_str() == "3"),
        "{settled:?}"
    );
    // A later edit takes the evidence away, not the fact.
    place.sql("update t set a = 'human' where id = 1").await;
    let settled = place.connector.settle(&place.cx, &unknown(1, &writes)).await.unwrap();
    assert!(matches!(settled[0], Settlement::Applied { stored: None, .. }), "{settled:?}");
    let batches = [BatchId { commit: 1, ordinal: 0 }];
    place.connector.forget(&place.cx, &batches).await.unwrap();
    assert_eq!(place.one("select count(*)::text from syncline.receipt").await.unwrap(), "0");
    place.finish().await;
}

#[tokio::test]
async fn a_cancelled_batch_never_passes() {
    let place = Place::new("settle_cancelled").await;
    place.sql(TABLE).await;
    let fields = Arc::new(selection("t", &["a"]));
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    let writes = writes(&fields);
    let settled = place.connector.settle(&place.cx, &unknown(1, &writes)).await.unwrap();
    assert!(settled.iter().all(|settled| matches!(settled, Settlement::NotApplied)), "{settled:?}");
    let outcomes = place.connector.push(&place.cx, batch(1, writes.clone())).await.unwrap();
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, WriteOutcome::Busy { receipted: true })),
        "{outcomes:?}"
    );
    assert_eq!(place.one("select string_agg(a, ',' order by id) from t").await.unwrap(), "x,y");
    let settled = place.connector.settle(&place.cx, &unknown(1, &writes)).await.unwrap();
    assert!(matches!(settled[0], Settlement::NotApplied));
    place.finish().await;
}

#[tokio::test]
async fn without_a_table_the_stream_settles() {
    let none = |settings: &mut syncline_postgres::PostgresSettings| {
        settings.receipt_table = Some("none".to_owned());
    };
    let place = Place::with("settle_stream", none).await;
    place.sql(TABLE).await;
    let fields = Arc::new(selection("t", &["a"]));
    let mut feed = place.feed(&[&fields]).await;
    let writes = writes(&fields);
    place.connector.push(&place.cx, batch(1, writes.clone())).await.unwrap();
    let batches = place.batches(&mut *feed, |count| count >= 2).await;
    let markers: Vec<_> = batches.iter().flat_map(|batch| &batch.markers).collect();
    assert_eq!(&*markers[0].0, place.cx.batch_marker(BatchId { commit: 1, ordinal: 0 }));
    let settled = place.connector.settle(&place.cx, &unknown(1, &writes)).await.unwrap();
    assert!(matches!(settled[0], Settlement::Applied { version: Some(_), .. }), "{settled:?}");
    assert!(matches!(settled[1], Settlement::NotApplied), "{settled:?}");
    assert!(
        matches!(&settled[2], Settlement::Applied { key: Some(key), .. }
        if key.as_str() == "3"),
        "{settled:?}"
    );
    // A batch that was never sent is not decided before the stream has passed the fence.
    let settled = place.connector.settle(&place.cx, &unknown(2, &writes)).await.unwrap();
    assert!(matches!(settled[0], Settlement::Awaited), "{settled:?}");
    place.sql("insert into t (a) values ('behind the fence')").await;
    place.batches(&mut *feed, |count| count >= 1).await;
    let settled = place.connector.settle(&place.cx, &unknown(2, &writes)).await.unwrap();
    assert!(settled.iter().all(|settled| matches!(settled, Settlement::NotApplied)), "{settled:?}");
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn a_stream_that_began_after_the_send_proves_nothing() {
    let none = |settings: &mut syncline_postgres::PostgresSettings| {
        settings.receipt_table = Some("none".to_owned());
    };
    let place = Place::with("settle_unseen", none).await;
    place.sql(TABLE).await;
    place.sql("alter table t add link uuid unique").await;
    let mut fields = selection("t", &["a"]);
    let blind = Arc::new(fields.clone());
    fields.external_id = Some("link".into());
    let fields = Arc::new(fields);
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    let mut sent = writes(&fields);
    sent.push(write(&blind, 3, insert(&[("a", "nobody finds it".into())])));
    place.connector.push(&place.cx, batch(1, sent.clone())).await.unwrap();
    place
        .sql(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots \
             where database = current_database()",
        )
        .await;

    // One process begins a new stream. The next, which knows nothing of the old one, reads it
    // beyond a fence.
    let begins = place.another(none);
    begins.prepare(&place.cx, &[&fields]).await.unwrap();
    let start = begins.feed_start(&place.cx).await.unwrap();
    let next = place.another(none);
    next.prepare(&place.cx, &[&fields]).await.unwrap();
    let mut feed = next.open_feed(&place.cx, &[&fields], start.as_ref()).await.unwrap();
    let settled = next.settle(&place.cx, &unknown(1, &sent)).await.unwrap();
    assert!(matches!(settled[0], Settlement::Awaited), "{settled:?}");
    place.sql("insert into t (a) values ('behind the fence')").await;
    place.batches(&mut *feed, |count| count >= 1).await;

    let mut unseen = unknown(1, &sent);
    unseen.iter_mut().for_each(|write| write.unseen = true);
    let settled = next.settle(&place.cx, &unseen).await.unwrap();
    let shown: Vec<_> = settled
        .iter()
        .map(|settled| match settled {
            Settlement::Undecided { current: Current::Record(record) } => {
                record.values[0].as_text().map(str::to_owned)
            }
            Settlement::Undecided { current: Current::Unread } => None,
            other => panic!("{other:?}"),
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(shown, [text("new"), text("y"), text("created"), None]);
    drop(feed);
    place.finish().await;
}
