//! The in-memory system as a fixture of the suite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::{date, time};
use syncline_sdk::{
    Connector, Context, EntityName, FieldName, FieldType, Instant, Key, Normalizer, Precision,
    Purpose, ReceiptKind, Selection, Value,
};
use uuid::Uuid;

use crate::conformance::Fixture;
use crate::profile::later;
use crate::{EntityModel, MemoryConnector, MemorySystem, Profile, Save};

/// One entity with a field of every kind.
pub(super) fn model() -> EntityModel {
    let list = FieldType::List(Box::new(FieldType::Int { min: -9, max: 9 }));
    EntityModel::new("Account", "Id")
        .text("Name")
        .text("City")
        .external_id("Link__c")
        .text("Marker__c")
        .field("Active", FieldType::Bool)
        .field("Count", FieldType::Int { min: i64::MIN, max: i64::MAX })
        .field("Amount", FieldType::Decimal { precision: None, scale: None })
        .field("Short", FieldType::Text { chars_max: Some(5) })
        .field("Email", FieldType::Text { chars_max: None })
        .save("Email", Save::Declared(Normalizer::Trim))
        .save("Email", Save::Declared(Normalizer::Lowercase))
        .save("Email", Save::Declared(Normalizer::EmptyToNull))
        .field("Blob", FieldType::Bytes)
        .field("Day", FieldType::Date)
        .field("Hour", FieldType::Time)
        .field("Moment", FieldType::Instant { precision: Precision::Micro })
        .field("Uid", FieldType::Uuid)
        .field("Doc", FieldType::Json)
        .field("Numbers", list)
        .field("Native", FieldType::Raw)
}

pub(super) fn selection() -> Arc<Selection> {
    let fields = [
        "Name", "City", "Active", "Count", "Amount", "Short", "Email", "Blob", "Day", "Hour",
        "Moment", "Uid", "Doc", "Numbers", "Native",
    ];
    Arc::new(Selection {
        entity: "Account".into(),
        fields: fields.iter().map(|name| FieldName::new(*name)).collect(),
        external_id: Some("Link__c".into()),
        marker: Some("Marker__c".into()),
        actor: Some("ChangedBy".into()),
        filter: None,
    })
}

/// An in-memory system with that entity, a client, and a person.
pub(super) struct Memory {
    pub system: MemorySystem,
    pub client: MemoryConnector,
    pub entity: EntityName,
}

impl Memory {
    pub fn new(profile: Profile) -> Self {
        let system = MemorySystem::new("memory", profile).entity(model());
        system.advance(Instant::from_micros(1_700_000_000_000_000));
        Self { client: MemoryConnector::new(&system), system, entity: "Account".into() }
    }
}

pub(super) fn context(now: Instant) -> Context {
    Context {
        install: "install-1".into(),
        now,
        timeout: Duration::from_secs(30),
        purpose: Purpose::Sync,
    }
}

#[async_trait]
impl Fixture for Memory {
    fn connector(&self) -> &dyn Connector {
        &self.client
    }
    fn selection(&self) -> Arc<Selection> {
        let mut selection = (*selection()).clone();
        if self.system.profile().capabilities.receipt != ReceiptKind::MarkerField {
            selection.marker = None;
        }
        Arc::new(selection)
    }
    fn context(&self) -> Context {
        context(self.system.now())
    }
    fn texts(&self) -> [FieldName; 2] {
        ["Name".into(), "City".into()]
    }
    fn samples(&self) -> Vec<(FieldName, Vec<Value>)> {
        let decimals = ["0", "-0.10", "123456789012345678901234567890.5", "1e-7"];
        let decimals = decimals.iter().map(|text| Value::Decimal(text.parse().unwrap()));
        let moments = [0, -1, 1_700_000_000_123_456].map(Instant::from_micros);
        vec![
            ("Name".into(), vec!["".into(), Value::Null, "ä\u{1f600} 'q' \\".into()]),
            ("Active".into(), vec![true.into(), false.into(), Value::Null]),
            ("Count".into(), vec![i64::MIN.into(), 0.into(), i64::MAX.into()]),
            ("Amount".into(), decimals.collect()),
            ("Short".into(), vec!["12345".into(), "äöü".into()]),
            ("Email".into(), vec![" A@B.c ".into(), "   ".into()]),
            ("Blob".into(), vec![Value::Bytes(vec![0, 255].into()), Value::Bytes(vec![].into())]),
            ("Day".into(), vec![Value::Date(date(2024, 2, 29))]),
            ("Hour".into(), vec![Value::Time(time(23, 59, 59, 999_999_000))]),
            ("Moment".into(), moments.map(Value::Instant).to_vec()),
            ("Uid".into(), vec![Value::Uuid(Uuid::from_u128(7))]),
            ("Doc".into(), vec![Value::Json("{\"a\": [1, null]}".into())]),
            ("Numbers".into(), vec![Value::List(vec![1.into(), Value::Null].into())]),
            ("Native".into(), vec![Value::Raw("[1,2)".into())]),
        ]
    }
    fn refused(&self) -> Option<(FieldName, Value)> {
        Some(("Short".into(), "123456".into()))
    }
    fn unknown_key(&self) -> Key {
        Key::new("Account-999999")
    }
    async fn create(&self, values: Vec<(FieldName, Value)>) -> Key {
        self.system.person("ann").create(&self.entity, values).unwrap()
    }
    async fn edit(&self, key: &Key, values: Vec<(FieldName, Value)>) {
        self.system.person("ann").edit(&self.entity, key, values).unwrap();
    }
    async fn delete(&self, key: &Key) {
        self.system.person("ann").delete(&self.entity, key).unwrap();
    }
    async fn read(&self, key: &Key) -> Option<Vec<Value>> {
        let shown = self.system.look(&self.entity, key)?.values;
        let selection = self.selection();
        Some(selection.fields.iter().map(|field| shown[field].clone()).collect())
    }
    async fn wait(&self, at_least: Duration) {
        self.system.advance(later(self.system.now(), at_least));
    }
    async fn lock(&self, key: &Key) -> bool {
        let until = later(self.system.now(), Duration::from_mins(1));
        self.system.lock(&self.entity, key, until);
        true
    }
    async fn unlock(&self, key: &Key) {
        self.system.unlock(&self.entity, key);
    }
    async fn hide_field(&self) -> Option<FieldName> {
        let field = FieldName::new("Count");
        self.system.hide_field(&self.entity, &field, true);
        Some(field)
    }
    async fn show_field(&self) {
        self.system.hide_field(&self.entity, &"Count".into(), false);
    }
}
