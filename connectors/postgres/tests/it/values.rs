//! Every type: read, streamed and written back, the same value each time.

use std::sync::Arc;

use syncline_sdk::{ChangeKind, Connector as _, Key, ScanRequest, Value, WriteOutcome};

use super::place::*;

/// Type, and literals of it.
const VALUES: &[(&str, &[&str])] = &[
    ("boolean", &["true", "false"]),
    ("smallint", &["-32768"]),
    ("bigint", &["9223372036854775807"]),
    ("real", &["1.1", "3.4e38", "NaN", "-Infinity"]),
    ("double precision", &["0.1", "1e-300", "5e-324"]),
    ("numeric", &["NaN", "1.500", "123456789012345678901234567890.123456789", "Infinity"]),
    ("numeric(10,3)", &["-0.001"]),
    ("text", &["", "a\"b\\c'd\n", "käse 🧀", "NULL"]),
    ("varchar(7)", &["seven77"]),
    ("char(5)", &["ab", ""]),
    ("bytea", &["\\x00ff", "\\x"]),
    ("date", &["2024-02-29", "0044-03-15 BC", "infinity", "20000-01-01"]),
    ("time", &["23:59:59.999999", "24:00:00"]),
    ("timetz", &["12:00:00+02"]),
    ("timestamp", &["2024-01-02 03:04:05.123456", "-infinity"]),
    ("timestamptz", &["2024-01-02 03:04:05.1+05:30", "0001-01-01 00:00:00+00 BC", "infinity"]),
    ("timestamptz(0)", &["2024-01-02 03:04:05+00"]),
    ("interval", &["1 mon 2 days 03:04:05.6", "30 days"]),
    ("uuid", &["018f0000-0000-7000-8000-0000000000ff"]),
    ("json", &["{\"a\":  1.0}"]),
    ("jsonb", &["{\"b\": [1.00, null]}"]),
    ("mood", &["sad"]),
    ("short", &["abc"]),
    ("text[]", &["{a,\"b,c\",NULL,\"\"}", "{}", "{{a,b},{c,d}}", "[0:1]={x,y}"]),
    ("numeric[]", &["{1.50,NaN}"]),
    ("char(3)[]", &["{ab,c}"]),
    ("mood[]", &["{glad,sad}"]),
    ("timestamptz[]", &["{\"2024-01-02 03:04:05+00\",infinity}"]),
    ("jsonb[]", &["{\"{\\\"a\\\": 1}\"}"]),
    ("inet", &["10.0.0.1", "10.0.0.0/8"]),
    ("int4range", &["[1,5)"]),
    ("point", &["(1.5,2)"]),
    ("xml", &["<a>b</a>"]),
    ("money", &["$1.00"]),
    ("bit(3)", &["101"]),
    ("tsvector", &["'a' 'b'"]),
    ("pair", &["(1,x)"]),
];

#[tokio::test]
async fn every_type_is_the_same_however_it_is_read_and_written_back_exactly() {
    let place = Place::new("values").await;
    place
        .sql(
            "create type mood as enum ('sad', 'glad'); create domain short as varchar(5); \
        create type pair as (a int, b text); set xmloption = content",
        )
        .await;
    let columns: Vec<String> =
        VALUES.iter().enumerate().map(|(at, (kind, _))| format!("c{at} {kind}")).collect();
    place.sql(&format!("create table t (id int primary key, {})", columns.join(", "))).await;
    let names: Vec<String> = (0..VALUES.len()).map(|at| format!("c{at}")).collect();
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    let fields = Arc::new(selection("t", &named));
    let mut feed = place.feed(&[&fields]).await;
    let longest = VALUES.iter().map(|(_, literals)| literals.len()).max().unwrap();
    for at in 0..longest {
        let values: Vec<String> = VALUES
            .iter()
            .map(|(_, literals)| match literals.get(at) {
                Some(literal) => format!("'{}'", literal.replace('\'', "''")),
                None => "null".to_owned(),
            })
            .collect();
        place.sql(&format!("insert into t values ({at}, {})", values.join(", "))).await;
    }
    let changes = place.changes(&mut *feed, longest).await;
    let page = place
        .connector
        .scan(&place.cx, ScanRequest { selection: fields.clone(), after: None, page_rows_max: 100 })
        .await
        .unwrap();
    let mut writes = Vec::new();
    for (at, record) in page.records.iter().enumerate() {
        let ChangeKind::Upsert(streamed) = &changes[at].kind else { panic!() };
        for (place, (read, sent)) in record.values.iter().zip(streamed).enumerate() {
            assert_eq!(read, sent, "{} {}", VALUES[place].0, at);
            let literal = VALUES[place].1.get(at);
            assert_eq!(read.is_null(), literal.is_none(), "{} {read:?}", VALUES[place].0);
        }
        // Every field is compared with what was read, and written as it is.
        let all: Vec<(&str, Value, Value)> = named
            .iter()
            .zip(&record.values)
            .map(|(name, value)| (*name, value.clone(), value.clone()))
            .collect();
        writes.push(write(&fields, i32::try_from(at).unwrap(), update(record.key.as_str(), &all)));
    }
    place.sql("create table before as select id, t::text from t").await;
    let outcomes = place.connector.push(&place.cx, batch(1, writes)).await.unwrap();
    for (outcome, record) in outcomes.iter().zip(&page.records) {
        let WriteOutcome::Applied { stored: Some(stored), .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(stored, &record.values);
    }
    let differ = "select count(*)::text from t join before b using (id) where t::text <> b.t";
    assert_eq!(place.one(differ).await.unwrap(), "0");
    drop(feed);
    place.finish().await;
}

#[tokio::test]
async fn a_changed_value_of_a_type_without_equality_is_stale() {
    let place = Place::new("values_stale").await;
    place
        .sql(
            "create extension citext; create table t (id int primary key, j json, \
        span interval, name citext); \
        insert into t values (1, '{\"a\":1}', '30 days', 'Ann')",
        )
        .await;
    let fields = Arc::new(selection("t", &["j", "span", "name"]));
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    let attempts = [
        ("j", Value::Json("{\"a\": 1}".into()), false),
        ("span", Value::Raw("1 mon".into()), false),
        ("name", Value::from("ann"), false),
        ("j", Value::Json("{\"a\":1}".into()), true),
        ("span", Value::Raw("30 days".into()), true),
        ("name", Value::from("Ann"), true),
    ];
    for (number, (field, old, passes)) in (0_i64..).zip(attempts) {
        let op = update("1", &[(field, old.clone(), old.clone())]);
        let outcomes = place
            .connector
            .push(&place.cx, batch(number, vec![write(&fields, 0, op)]))
            .await
            .unwrap();
        let applied = matches!(outcomes[0], WriteOutcome::Applied { .. });
        assert_eq!(applied, passes, "{field} {old:?} {outcomes:?}");
    }
    let _ = Key::from("1");
    place.finish().await;
}

#[tokio::test]
async fn a_numeric_of_a_thousand_digits_travels_whole() {
    let place = Place::new("values_numeric").await;
    let digits = format!("{}.{}", "7".repeat(700), "3".repeat(300));
    place
        .sql(&format!(
            "create table t (id int primary key, n numeric); \
        insert into t values (1, {digits}), (2, null)"
        ))
        .await;
    let fields = Arc::new(selection("t", &["n"]));
    place.connector.prepare(&place.cx, &[&fields]).await.unwrap();
    let number = Value::Decimal(digits.parse().unwrap());
    let op = update("2", &[("n", Value::Null, number.clone())]);
    let outcomes =
        place.connector.push(&place.cx, batch(1, vec![write(&fields, 0, op)])).await.unwrap();
    assert!(matches!(&outcomes[0], WriteOutcome::Applied { stored: Some(stored), .. }
        if stored[0] == number));
    assert_eq!(place.one("select n::text from t where id = 2").await.unwrap(), digits);
    place.finish().await;
}
