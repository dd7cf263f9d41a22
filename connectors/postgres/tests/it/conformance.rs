//! The conformance suite against a real server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::{date, time};
use sqlx::postgres::Postgres;
use sqlx::{AssertSqlSafe, Transaction};
use syncline_postgres::PostgresSettings;
use syncline_sdk::{
    Connector, Context, FieldName, Grant, Instant, Key, Need, Selection, Tool, Value,
};
use syncline_testkit::conformance::{Fixture, run};
use tokio::sync::Mutex;

use super::place::*;

const TABLE: &str = "create type mood as enum ('sad', 'glad'); create table accounts \
    (id bigint generated always as identity primary key, name text, city text, \
    link uuid unique, active boolean, count bigint, amount numeric, short varchar(5), \
    blob bytea, day date, hour time, moment timestamptz, uid uuid, doc json, \
    numbers int[], mood mood, span int4range)";
const FIELDS: [&str; 15] = [
    "name", "city", "active", "count", "amount", "short", "blob", "day", "hour", "moment", "uid",
    "doc", "numbers", "mood", "span",
];

struct Database {
    place: Place,
    selection: Arc<Selection>,
    /// A person's open transaction.
    open: Mutex<Option<Transaction<'static, Postgres>>>,
}

impl Database {
    async fn start(test: &str, change: impl FnOnce(&mut PostgresSettings)) -> Self {
        let place = Place::with(test, change).await;
        place.sql(TABLE).await;
        let mut selection = selection("public.accounts", &FIELDS);
        selection.external_id = Some("link".into());
        place.connector.prepare(&place.cx, &[&selection]).await.unwrap();
        Self { place, selection: Arc::new(selection), open: Mutex::default() }
    }
    async fn finish(self) {
        drop(self.open);
        self.place.finish().await;
    }
}

/// A value as a person types it in SQL.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        other => panic!("a person types texts, not {other:?}"),
    }
}

#[async_trait]
impl Fixture for Database {
    fn connector(&self) -> &dyn Connector {
        &self.place.connector
    }
    fn selection(&self) -> Arc<Selection> {
        self.selection.clone()
    }
    fn context(&self) -> Context {
        self.place.cx.clone()
    }
    fn texts(&self) -> [FieldName; 2] {
        ["name".into(), "city".into()]
    }
    fn samples(&self) -> Vec<(FieldName, Vec<Value>)> {
        let decimals = ["0", "-0.10", "123456789012345678901234567890.5", "1e-7"];
        let decimals = decimals.iter().map(|text| Value::Decimal(text.parse().unwrap()));
        let moments = [0, -1, 1_700_000_000_123_456].map(Instant::from_micros);
        vec![
            ("name".into(), vec!["".into(), Value::Null, "ä\u{1f600} 'q' \\".into()]),
            ("active".into(), vec![true.into(), false.into(), Value::Null]),
            ("count".into(), vec![i64::MIN.into(), 0.into(), i64::MAX.into()]),
            ("amount".into(), decimals.collect()),
            ("short".into(), vec!["12345".into(), "äöü".into(), " x ".into()]),
            ("blob".into(), vec![Value::Bytes(vec![0, 255].into()), Value::Bytes(vec![].into())]),
            ("day".into(), vec![Value::Date(date(2024, 2, 29))]),
            ("hour".into(), vec![Value::Time(time(23, 59, 59, 999_999_000))]),
            ("moment".into(), moments.map(Value::Instant).to_vec()),
            ("uid".into(), vec![Value::Uuid(uuid::Uuid::from_u128(7))]),
            ("doc".into(), vec![Value::Json("{\"a\": [1, null]}".into())]),
            ("numbers".into(), vec![Value::List(vec![1.into(), Value::Null].into())]),
            ("mood".into(), vec!["glad".into(), Value::Null]),
            ("span".into(), vec![Value::Raw("[1,5)".into())]),
        ]
    }
    fn refused(&self) -> Option<(FieldName, Value)> {
        Some(("short".into(), "123456".into()))
    }
    fn unknown_key(&self) -> Key {
        Key::new("999999999")
    }
    async fn create(&self, values: Vec<(FieldName, Value)>) -> Key {
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        let literals: Vec<String> = values.iter().map(|(_, value)| literal(value)).collect();
        let sql = format!(
            "insert into accounts ({}) values ({}) returning id::text",
            names.join(", "),
            literals.join(", ")
        );
        Key::new(self.place.one(&sql).await.unwrap())
    }
    async fn edit(&self, key: &Key, values: Vec<(FieldName, Value)>) {
        let sets: Vec<String> =
            values.iter().map(|(name, value)| format!("{name} = {}", literal(value))).collect();
        self.place.sql(&format!("update accounts set {} where id = {key}", sets.join(", "))).await;
    }
    async fn delete(&self, key: &Key) {
        self.place.sql(&format!("delete from accounts where id = {key}")).await;
    }
    async fn read(&self, key: &Key) -> Option<Vec<Value>> {
        let columns: Vec<String> = FIELDS.iter().map(|name| format!("{name}::text")).collect();
        let sql = format!("select array[{}] from accounts where id = {key}", columns.join(", "));
        let row: Option<Vec<Option<String>>> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_optional(&self.place.pool).await.unwrap();
        let shown = |(name, text): (&&str, Option<String>)| match text {
            None => Value::Null,
            Some(text) if ["name", "city", "short", "mood"].contains(name) => text.into(),
            Some(text) => Value::Raw(text.into()),
        };
        Some(FIELDS.iter().zip(row?).map(shown).collect())
    }
    async fn wait(&self, at_least: Duration) {
        self.place.sql(&format!("select pg_sleep({})", at_least.as_secs_f64())).await;
    }
    async fn lock(&self, key: &Key) -> bool {
        let mut transaction = self.place.pool.begin().await.unwrap();
        let sql = format!("select id from accounts where id = {key} for update");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await.unwrap();
        *self.open.lock().await = Some(transaction);
        true
    }
    async fn unlock(&self, _: &Key) {
        if let Some(transaction) = self.open.lock().await.take() {
            transaction.rollback().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_database_with_a_receipt_table_keeps_the_contract() {
    let database = Database::start("conformance", |_| {}).await;
    run(&database).await.expect_held(40);
    database.finish().await;
}

#[tokio::test]
async fn a_database_with_receipts_in_the_stream_keeps_the_contract() {
    let none = |settings: &mut PostgresSettings| settings.receipt_table = Some("none".to_owned());
    let database = Database::start("conformance_stream", none).await;
    run(&database).await.expect_held(35);
    database.finish().await;
}

/// What `grants` says is enough: every statement is run by an administrator, and the connector
/// works as the role that it names, with these rights and no more.
#[tokio::test]
async fn a_role_with_the_granted_rights_alone_keeps_the_contract() {
    let role = format!("syncline_conformance_{}", std::process::id());
    let name = role.clone();
    let mut database = Database::start("conformance_role", |_| {}).await;
    let mut url = url::Url::parse(&database.place.url).unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("conformance")).unwrap();
    let settings = |settings: &mut PostgresSettings| {
        *settings = PostgresSettings::from_url(url.as_str());
        settings.publication = Some(format!("{role}_publication"));
        settings.slot = Some(role.clone());
    };
    let connector = database.place.another(settings);
    // The first start made these as an administrator; the role may not lean on them.
    database.place.sql("drop schema syncline cascade").await;
    let need = Need {
        written: database.selection.fields.to_vec(),
        creates: true,
        deletes: true,
        ..Need::reading(database.selection.as_ref().clone())
    };
    let creates_role = |grants: &[Grant]| {
        let mut steps = grants.iter().flat_map(|grant| &grant.steps);
        steps.any(|step| step.text.contains("create role"))
    };
    let grants = connector.grants("install", std::slice::from_ref(&need));
    assert!(creates_role(&grants));
    for grant in grants {
        for step in grant.steps.iter().filter(|step| step.tool == Tool::Sql) {
            // Restarting and reconfiguring the shared server is left out.
            if !step.text.starts_with("alter system") {
                database.place.sql(&step.text).await;
            }
        }
    }
    database.place.sql(&format!("alter role {role} password 'conformance'")).await;
    connector.prepare(&database.place.cx, &[&database.selection]).await.unwrap();
    let health = connector.check(&database.place.cx, &[&database.selection]).await.unwrap();
    let lacking: Vec<_> = health.pieces.iter().filter(|piece| !piece.present).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    assert!(!creates_role(&connector.grants("install", &[need])), "the role is there");
    let before = std::mem::replace(&mut database.place.connector, connector);
    drop(before);
    run(&database).await.expect_held(40);
    database.place.sql(&format!("drop owned by {role}")).await;
    database.finish().await;
}
