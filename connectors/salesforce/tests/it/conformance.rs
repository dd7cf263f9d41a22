//! The conformance suite against a simulated org.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::{date, time};
use salesforce_sim::{FieldPatch, Id};
use serde_json::{Map, Value as Json};
use syncline_sdk::{
    Connector, Context, FieldName, Instant, Key, Precision, Purpose, Selection, Value,
};
use syncline_testkit::conformance::{Fixture, run};

use crate::world::World;

/// Two free texts, the required name, and a field of each kind.
const FIELDS: [&str; 13] = [
    "AccountNumber",
    "Site",
    "Name",
    "Description",
    "Score__c",
    "NumberOfEmployees",
    "Tags__c",
    "Renewal__c",
    "Last_Seen__c",
    "Opens_At__c",
    "Vip__c",
    "Tier__c",
    "Fax",
];
const HIDDEN: &str = "Fax";

struct OrgFixture {
    world: World,
    selection: Arc<Selection>,
}

impl OrgFixture {
    async fn start(change: impl FnOnce(&mut Selection)) -> Self {
        let world = World::start().await;
        let mut selection =
            Selection { fields: FIELDS.map(FieldName::new).into(), ..(*world.selection).clone() };
        change(&mut selection);
        let made = Self { world, selection: Arc::new(selection) };
        let tracked = made.texts().map(|name| name.to_string());
        made.world.org.track_history("Account", &tracked).unwrap();
        made.connector().prepare(&made.context(), &[&made.selection]).await.unwrap();
        made
    }
    fn hidden(&self, from: &[&str]) {
        let hidden_for = Some(from.iter().map(|name| (*name).to_owned()).collect());
        let patch = FieldPatch { hidden_for, ..FieldPatch::default() };
        self.world.org.change_field("Account", HIDDEN, &patch).unwrap();
    }
}

fn body(values: Vec<(FieldName, Value)>) -> Map<String, Json> {
    let json = |value: Value| match value {
        Value::Null => Json::Null,
        Value::Text(text) => Json::from(&*text),
        other => panic!("a person types texts, not {other:?}"),
    };
    values.into_iter().map(|(name, value)| (name.to_string(), json(value))).collect()
}

fn id(key: &Key) -> Id {
    Id::parse(key.as_str()).unwrap()
}

#[async_trait]
impl Fixture for OrgFixture {
    fn connector(&self) -> &dyn Connector {
        &self.world.crm
    }
    fn selection(&self) -> Arc<Selection> {
        self.selection.clone()
    }
    fn context(&self) -> Context {
        Context {
            install: "install-1".into(),
            now: Instant::from_micros(self.world.org.now_ms() * 1000),
            timeout: Duration::from_secs(30),
            purpose: Purpose::Sync,
        }
    }
    fn texts(&self) -> [FieldName; 2] {
        ["AccountNumber".into(), "Site".into()]
    }
    fn others(&self, number: u64) -> Vec<(FieldName, Value)> {
        vec![("Name".into(), Value::from(format!("Account {number}")))]
    }
    fn samples(&self) -> Vec<(FieldName, Vec<Value>)> {
        let decimals = ["0", "-0.10", "123456.789", "1e-7"];
        let decimals = decimals.iter().map(|text| Value::Decimal(text.parse().unwrap()));
        let moments = [0, 1_700_000_000_123_456].map(Instant::from_micros);
        let second = Instant::new(1_000_000, Precision::Second);
        let moments = moments.into_iter().chain([second]).map(Value::Instant);
        let list = |items: &[&str]| Value::List(items.iter().map(|item| (*item).into()).collect());
        vec![
            ("AccountNumber".into(), vec![" ä\u{1f600} 'q' \\ ".into(), Value::Null, "".into()]),
            ("Description".into(), vec!["a\r\nb".into(), "\u{a0}x".into()]),
            ("Score__c".into(), decimals.collect()),
            ("NumberOfEmployees".into(), vec![0.into(), Value::Int(-99_999_999), Value::Null]),
            ("Tags__c".into(), vec![list(&["Gold", "Red"]), list(&[]), Value::Null]),
            ("Renewal__c".into(), vec![Value::Date(date(2024, 2, 29)), Value::Null]),
            ("Last_Seen__c".into(), moments.collect()),
            ("Opens_At__c".into(), vec![Value::Time(time(23, 59, 59, 999_000_000))]),
            ("Vip__c".into(), vec![true.into(), false.into(), Value::Null]),
            ("Tier__c".into(), vec!["Gold".into(), "silver".into(), Value::Null]),
        ]
    }
    fn refused(&self) -> Option<(FieldName, Value)> {
        Some(("Tier__c".into(), "Tin".into()))
    }
    fn unknown_key(&self) -> Key {
        Key::new("001000000000999AAA")
    }
    async fn create(&self, values: Vec<(FieldName, Value)>) -> Key {
        let made = self.world.person().create("Account", &body(values)).await.unwrap();
        Key::new(made.as_str())
    }
    async fn edit(&self, key: &Key, values: Vec<(FieldName, Value)>) {
        // A person's save is never of the same second as what was read before it.
        self.world.pass(1);
        self.world.person().update(id(key), &body(values)).await.unwrap();
    }
    async fn delete(&self, key: &Key) {
        self.world.person().delete(id(key)).await.unwrap();
    }
    async fn read(&self, key: &Key) -> Option<Vec<Value>> {
        let record = self.world.org.record(id(key))?;
        if record.contains_key("deletedBy") {
            return None;
        }
        let shown = |name: &FieldName| match &record[name.as_str()] {
            Json::Null => Value::Null,
            Json::Bool(truth) => Value::Bool(*truth),
            Json::String(text) => Value::from(text.as_str()),
            other => Value::Raw(other.to_string().into()),
        };
        Some(self.selection.fields.iter().map(shown).collect())
    }
    async fn wait(&self, at_least: Duration) {
        let ms = i64::try_from(at_least.as_millis()).unwrap();
        self.world.org.advance_clock_ms(ms + 1_000);
    }
    async fn lock(&self, key: &Key) -> bool {
        self.world.org.lock_row(id(key), 60_000);
        true
    }
    async fn unlock(&self, _: &Key) {
        self.world.org.unlock_rows();
    }
    async fn hide_field(&self) -> Option<FieldName> {
        self.hidden(&["*"]);
        Some(HIDDEN.into())
    }
    async fn show_field(&self) {
        self.hidden(&[]);
        // A right that comes back is noticed within ten minutes.
        self.world.pass(601);
    }
}

#[tokio::test]
async fn an_org_with_both_fields_keeps_the_contract() {
    let fixture = OrgFixture::start(|_| {}).await;
    run(&fixture).await.expect_held(46);
}

#[tokio::test]
async fn an_org_without_a_marker_field_keeps_the_contract() {
    let fixture = OrgFixture::start(|selection| selection.marker = None).await;
    run(&fixture).await.expect_held(36);
}

#[tokio::test]
async fn an_org_without_any_field_of_ours_keeps_the_contract() {
    let fixture = OrgFixture::start(|selection| {
        selection.marker = None;
        selection.external_id = None;
    });
    run(&fixture.await).await.expect_held(30);
}
