//! Scans and look-ups.

use std::sync::Arc;

use syncline_postgres::{PostgresConnector, PostgresSettings};
use syncline_sdk::{
    Absence, Comparison, Connector as _, ErrorKind, FetchBy, FetchRequest, Filter, Key, Normalizer,
    ScanRequest, Selection, Value,
};

use super::place::*;

async fn place(test: &str) -> Place {
    let place = Place::new(test).await;
    place
        .sql(
            "create table t (a text, b int, name text, n numeric, ext uuid unique, \
        primary key (a, b)); \
        insert into t select 'k' || i % 3, i, case when i % 5 = 0 then null else 'N' || i end, i, \
        lpad(to_hex(i), 32, '0')::uuid from generate_series(1, 20) i",
        )
        .await;
    place
}

fn fields(filter: Option<Filter>) -> Arc<Selection> {
    let mut fields = selection("t", &["name", "n"]);
    fields.external_id = Some("ext".into());
    fields.filter = filter;
    Arc::new(fields)
}

async fn scan(place: &Place, selection: &Arc<Selection>, page_rows_max: usize) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut after = None;
    loop {
        let request = ScanRequest { selection: selection.clone(), after, page_rows_max };
        let page = place.connector.scan(&place.cx, request).await.unwrap();
        assert!(page.records.len() <= page_rows_max);
        keys.extend(page.records.into_iter().map(|record| record.key));
        after = page.next;
        if after.is_none() {
            return keys;
        }
    }
}

#[tokio::test]
async fn pages_show_each_record_once_in_key_order() {
    let place = place("read_scan").await;
    let all = scan(&place, &fields(None), 7).await;
    assert_eq!(all.len(), 20);
    assert_eq!(all[0].as_str(), r#"["k0","3"]"#);
    assert_eq!(all[19].as_str(), r#"["k2","20"]"#);
    assert_eq!(all, scan(&place, &fields(None), 1000).await);
    place.finish().await;
}

#[tokio::test]
async fn filters_are_two_valued() {
    let place = place("read_filter").await;
    let name =
        |comparison, value: Value| Filter::Compare { field: "name".into(), comparison, value };
    let n = |comparison, value: &str| Filter::Compare {
        field: "n".into(),
        comparison,
        value: Value::Decimal(value.parse().unwrap()),
    };
    use Comparison as C;
    for (filter, count) in [
        (name(C::Equal, Value::Null), 4),
        (name(C::NotEqual, Value::Null), 16),
        (name(C::NotEqual, "N1".into()), 19),
        (Filter::Not(Box::new(name(C::Equal, "N1".into()))), 19),
        (Filter::Not(Box::new(name(C::Less, "N1".into()))), 20),
        (name(C::GreaterOrEqual, "N1".into()), 16),
        (n(C::Less, "3.0"), 2),
        (Filter::And(vec![n(C::Greater, "5"), n(C::LessOrEqual, "7.5")]), 2),
        (Filter::Or(vec![n(C::Equal, "5"), name(C::Equal, "N6".into())]), 2),
        (Filter::In { field: "name".into(), values: vec!["N1".into(), "N2".into()] }, 2),
        (Filter::Not(Box::new(Filter::In { field: "name".into(), values: Vec::new() })), 20),
        (Filter::And(Vec::new()), 20),
        (Filter::Or(Vec::new()), 0),
        (name(C::Equal, "it's \\ \"".into()), 0),
    ] {
        let found = scan(&place, &fields(Some(filter.clone())), 100).await.len();
        assert_eq!(found, count, "{filter:?}");
    }
    place.finish().await;
}

#[tokio::test]
async fn every_key_is_answered_for() {
    let place = place("read_keys").await;
    let keys = [r#"["k1","1"]"#, r#"["k1","2"]"#, "nonsense", r#"["k1","x"]"#, r#"["k1","1"]"#];
    let by = FetchBy::Keys(keys.iter().map(|key| Key::from(*key)).collect());
    let request = FetchRequest { selection: fields(None), by };
    let fetched = place.connector.fetch(&place.cx, request).await.unwrap();
    assert_eq!(fetched.records.len(), 1);
    assert_eq!(fetched.records[0].external_id, Some(link(1)));
    assert_eq!(fetched.records[0].values, ["N1".into(), Value::Decimal(1.into())]);
    assert_eq!(fetched.missing.len(), 3);
    assert!(fetched.missing.iter().all(|(_, why)| matches!(why, Absence::Deleted { .. })));
    assert!(fetched.server_time.is_some());
    place.finish().await;
}

#[tokio::test]
async fn a_row_hidden_by_a_policy_is_not_deleted() {
    let place = place("read_policy").await;
    let role = format!("reader_{}", std::process::id());
    place
        .sql(&format!(
            "create role {role} login password 'x'; grant select on t to {role}; \
        alter table t enable row level security; create policy p on t using (b > 5)"
        ))
        .await;
    let connector = place.another(|settings| {
        settings.user = Some(role.clone());
        settings.password = Some("x".to_owned().into());
    });
    let by = FetchBy::Keys(vec![Key::from(r#"["k1","1"]"#)]);
    let request = FetchRequest { selection: fields(None), by };
    let fetched = connector.fetch(&place.cx, request).await.unwrap();
    assert!(matches!(fetched.missing[0].1, Absence::NotVisible));
    drop(connector);
    place.sql(&format!("drop owned by {role}; drop role {role}")).await;
    place.finish().await;
}

#[tokio::test]
async fn records_are_found_by_link_and_by_normalised_value() {
    let place = place("read_match").await;
    place
        .sql(
            "update t set name = '  ÉCOLE ' where b = 1; \
        update t set name = '+49 (30) 1' where b = 2",
        )
        .await;
    let fetch = async |by| {
        let request = FetchRequest { selection: fields(None), by };
        place.connector.fetch(&place.cx, request).await
    };
    let matching = |normalize: &[Normalizer], value: Value| FetchBy::Matching {
        field: "name".into(),
        normalize: normalize.to_vec(),
        values: vec![value, Value::Null],
    };
    let links = FetchBy::ExternalIds(vec![link(3), link(999)]);
    assert_eq!(fetch(links).await.unwrap().records.len(), 1);
    for (by, count) in [
        (matching(&[], "N3".into()), 1),
        (matching(&[], "n3".into()), 0),
        (matching(&[Normalizer::Lowercase], "n3".into()), 1),
        (matching(&[Normalizer::Trim, Normalizer::Lowercase], "école".into()), 1),
        (matching(&[Normalizer::DigitsOnly], "49301".into()), 1),
        (matching(&[Normalizer::FoldCase(vec!["N4".into()])], "N4".into()), 1),
    ] {
        assert_eq!(fetch(by.clone()).await.unwrap().records.len(), count, "{by:?}");
    }
    let error = fetch(matching(&[Normalizer::SignificantDigits(3)], "1".into())).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    place.finish().await;
}

#[tokio::test]
async fn a_field_that_is_not_there_is_absent_and_one_that_is_added_is_found() {
    let place = place("read_schema").await;
    let fields = Arc::new(selection("t", &["gone"]));
    let request = || ScanRequest { selection: fields.clone(), after: None, page_rows_max: 1 };
    let first =
        async || place.connector.scan(&place.cx, request()).await.unwrap().records.remove(0);
    assert_eq!(first().await.values, [Value::Absent]);
    place.sql("alter table t add gone text").await;
    assert_eq!(first().await.values, [Value::Null]);
    let actor = Selection { actor: Some("nobody".into()), ..(*fields).clone() };
    let request = ScanRequest { selection: Arc::new(actor), after: None, page_rows_max: 1 };
    let error = place.connector.scan(&place.cx, request).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Schema, Some("nobody")));
    place.finish().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    let place = Place::new("read_refused").await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = PostgresSettings::from_url(format!("postgres://u@{nobody}/x"));
    let connector = PostgresConnector::connect(settings, "ops".into()).unwrap();
    let entity = "public.t".into();
    let asked = connector.describe(&place.cx, &entity);
    // Far below the time that a pool waits for a connection.
    let error = tokio::time::timeout(DEADLINE / 4, asked).await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains(&format!("{nobody}: no connection")), "{error}");
    place.finish().await;
}
