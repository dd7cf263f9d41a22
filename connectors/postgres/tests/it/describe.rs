//! Descriptions, and what is made before the first change is captured.

use syncline_sdk::{Connector as _, ErrorKind, FieldType, Precision, ReceiptKind};

use super::place::*;

#[tokio::test]
async fn every_kind_of_column_is_described() {
    let place = Place::new("describe_columns").await;
    place
        .sql(
            "create type mood as enum ('sad', 'glad'); \
        create domain short as varchar(5) not null; \
        create table p (id uuid primary key); \
        create table t (id int generated always as identity primary key, \
        name varchar(20) not null, code char(3) unique, price numeric(12,2) default 0, \
        m mood, d short, tags text[], doc jsonb, at timestamptz(3), plain timestamp(0), \
        day date, u uuid unique, raw bytea, \
        ok boolean not null default true, big bigint, f real, p uuid references p, \
        twice int generated always as (big * 2) stored, span interval, \
        unique (name, code))",
        )
        .await;
    let schema = place.connector.describe(&place.cx, &"public.t".into()).await.unwrap();
    assert_eq!(schema.problems, Vec::<String>::new());
    assert_eq!(schema.key, ["id".into()]);
    let field = |name: &str| schema.field(&name.into()).unwrap();
    assert!(!field("id").creatable && !field("id").required && field("id").unique);
    assert!(field("name").required && !field("name").unique && !field("name").nullable);
    assert_eq!(field("name").kind, FieldType::Text { chars_max: Some(20) });
    assert_eq!(field("code").kind, FieldType::Text { chars_max: Some(3) });
    assert_eq!(&*field("price").native, "numeric(12,2)");
    assert_eq!(field("price").kind, FieldType::Decimal { precision: Some(12), scale: Some(2) });
    let mood = FieldType::Enum { values: vec!["sad".into(), "glad".into()], restricted: true };
    assert_eq!(field("m").kind, mood);
    assert_eq!(field("d").kind, FieldType::Text { chars_max: Some(5) });
    assert!(field("d").required);
    let texts = FieldType::List(Box::new(FieldType::Text { chars_max: None }));
    assert_eq!(field("tags").kind, texts);
    assert_eq!(field("at").kind, FieldType::Instant { precision: Precision::Milli });
    assert_eq!(field("plain").kind, FieldType::Instant { precision: Precision::Second });
    assert!(field("u").external_id && !field("name").external_id);
    assert!(!field("ok").required);
    assert!(!field("twice").updatable);
    assert_eq!(field("span").kind, FieldType::Raw);
    assert_eq!(field("p").kind, FieldType::Reference { entities: vec!["public.p".into()] });
    place.finish().await;
}

#[tokio::test]
async fn what_cannot_be_described_says_why() {
    let place = Place::new("describe_refused").await;
    place.sql("create view v as select 1 as one").await;
    for (name, word) in [("v", "view"), ("nothing", "no table"), ("x.y", "no table")] {
        let error = place.connector.describe(&place.cx, &name.into()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Schema);
        assert!(error.to_string().contains(word), "{error}");
    }
    place.finish().await;
}

#[tokio::test]
async fn a_table_without_identity_is_refused_before_it_is_published() {
    let place = Place::new("describe_identity").await;
    place
        .sql(
            "create table good (id int primary key); create table bad (a int); \
        create table none (id int primary key); alter table none replica identity nothing; \
        create table full_ (id int unique not null, a text); \
        alter table full_ replica identity full; \
        create table idx (id int primary key, k text not null unique); \
        alter table idx replica identity using index idx_k_key",
        )
        .await;
    let good = selection("good", &["id"]);
    for name in ["bad", "none"] {
        let bad = selection(name, &[]);
        let error = place.connector.prepare(&place.cx, &[&good, &bad]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Schema);
        assert!(error.to_string().contains("replica identity"), "{error}");
        assert_eq!(place.one("select count(*)::text from pg_publication").await.unwrap(), "0");
        // The application is not disturbed.
        place
            .sql(&format!("update {name} set {} = 1", if name == "bad" { "a" } else { "id" }))
            .await;
    }
    let (full, idx) = (selection("full_", &["a"]), selection("idx", &["k"]));
    let mut feed = place.feed(&[&full, &idx]).await;
    place
        .sql(
            "insert into full_ values (1, 'x'); update full_ set a = 'y'; \
        insert into idx values (1, 'kk'); delete from idx",
        )
        .await;
    let changes = place.changes(&mut *feed, 4).await;
    assert_eq!(changes[1].key.as_str(), "1");
    assert_eq!(changes[3].key.as_str(), "kk");
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn the_publication_follows_the_selections() {
    let place = Place::new("describe_publication").await;
    place
        .sql(
            "create table t (id int primary key, a text, secret text); \
        create table u (id int primary key)",
        )
        .await;
    let listed = "select string_agg(tablename || attnames::text, ' ' order by tablename) \
        from pg_publication_tables";
    let one = selection("t", &["a"]);
    place.connector.prepare(&place.cx, &[&one]).await.unwrap();
    assert_eq!(place.one(listed).await.unwrap(), "t{id,a}");
    place.connector.prepare(&place.cx, &[&one]).await.unwrap();
    let (more, other) = (selection("t", &["a", "secret"]), selection("u", &["id"]));
    place.connector.prepare(&place.cx, &[&more, &other]).await.unwrap();
    assert_eq!(place.one(listed).await.unwrap(), "t{id,a,secret} u{id}");
    place.finish().await;
}

#[tokio::test]
async fn a_check_tells_what_is_missing_and_makes_nothing() {
    let place = Place::new("describe_check").await;
    place.sql("create table t (id int primary key); create table bad (a int)").await;
    let (fine, bad) = (selection("t", &["id"]), selection("bad", &["a"]));
    let health = place.connector.check(&place.cx, &[&fine, &bad]).await.unwrap();
    let present = |name: &str| {
        health.pieces.iter().find(|piece| piece.name == name).map(|piece| piece.present)
    };
    assert!(health.version.starts_with("PostgreSQL 1"), "{}", health.version);
    assert_eq!(present("wal_level"), Some(true));
    assert_eq!(present("bound of the kept log"), Some(true));
    assert_eq!(present("publication"), Some(false));
    assert_eq!(present("slot"), Some(false));
    assert_eq!(present("receipt table"), Some(false));
    assert_eq!(present("table t"), Some(true));
    assert_eq!(present("table bad"), Some(false));
    assert_eq!(place.one("select count(*)::text from pg_publication").await.unwrap(), "0");
    // What the next sync makes counts already: mappings are bound before it is made.
    assert_eq!(place.connector.effective(&fine).receipt, ReceiptKind::Table);
    place.connector.prepare(&place.cx, &[&fine]).await.unwrap();
    assert_eq!(place.connector.effective(&fine).receipt, ReceiptKind::Table);
    let health = place.connector.check(&place.cx, &[&fine]).await.unwrap();
    assert!(health.pieces.iter().all(|piece| piece.present), "{:?}", health.pieces);
    place.finish().await;
}
