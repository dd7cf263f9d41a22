//! A simulated org with a connector to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use salesforce_sim::{Id, Org, Person, Server};
use serde_json::{Map, Value as Json};
use syncline_salesforce::{MemoryTokenStore, Salesforce, SalesforceSettings};
use syncline_sdk::{
    BatchId, ChangesRequest, Connector, Cursor, Expect, FetchBy, FetchRequest, Fetched, FieldName,
    IntentId, Key, LinkId, Page, Record, Selection, UnknownWrite, Value, Write, WriteBatch,
    WriteOp, WriteOutcome,
};
use uuid::Uuid;

use crate::script::cx;

/// Eight o'clock on 2026-11-21, in milliseconds.
const EIGHT_MS: i64 = 1_795_248_000_000;

pub struct World {
    pub org: Org,
    pub server: Server,
    pub crm: Salesforce,
    pub selection: Arc<Selection>,
    next: AtomicI32,
}

pub const FIELDS: [&str; 11] = [
    "Name",
    "Phone",
    "Description",
    "Score__c",
    "Tags__c",
    "Renewal__c",
    "Last_Seen__c",
    "Opens_At__c",
    "Vip__c",
    "Tier__c",
    "ParentId",
];

impl World {
    /// An org whose clock stands still at eight until it is advanced.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }
    pub async fn with(change: impl FnOnce(&mut SalesforceSettings)) -> Self {
        let org = Org::new(7);
        org.freeze_clock(Some(EIGHT_MS));
        org.change_settings(|settings| settings.lock_wait_ms = 50);
        let server = Server::start(org.clone(), "127.0.0.1:0").await.unwrap();
        let login = org.credentials();
        let mut settings = SalesforceSettings::new(server.url(), login.client_id);
        settings.client_secret = Some(login.client_secret.into());
        settings.lag = Duration::ZERO;
        change(&mut settings);
        let crm = Salesforce::new(settings, Arc::new(MemoryTokenStore::default())).unwrap();
        let selection = Arc::new(Selection {
            entity: "Account".into(),
            fields: FIELDS.map(FieldName::new).into(),
            external_id: Some("Syncline_Id__c".into()),
            marker: Some("Syncline_Marker__c".into()),
            actor: None,
            filter: None,
        });
        let next = AtomicI32::new(0);
        Self { org, server, crm, selection, next }
    }
    pub fn person(&self) -> Person {
        self.org.person("ann@example.com").unwrap()
    }
    /// Lets seconds pass.
    pub fn pass(&self, seconds: i64) {
        self.org.advance_clock_ms(seconds * 1_000);
    }
    pub async fn made(&self, name: &str) -> Id {
        self.person().create("Account", &fields(&[("Name", name.into())])).await.unwrap()
    }
    /// One write, with an intent of its own.
    pub fn write(&self, op: WriteOp) -> Write {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Write {
            intent: IntentId { commit: 10, ordinal: number },
            ordinal: number,
            link: LinkId(Uuid::from_u128(u128::from(number.unsigned_abs()) + 1)),
            selection: self.selection.clone(),
            op,
            group: None,
        }
    }
    pub fn batch(&self, writes: Vec<Write>) -> WriteBatch {
        WriteBatch { batch: BatchId { commit: 10, ordinal: 0 }, writes }
    }
    pub async fn push(&self, write: &Write) -> WriteOutcome {
        let mut outcomes = self.crm.push(&cx(), self.batch(vec![write.clone()])).await.unwrap();
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }
    pub async fn settle(&self, write: &Write, may_arrive: bool) -> syncline_sdk::Settlement {
        let batch = BatchId { commit: 10, ordinal: 0 };
        let unknown = UnknownWrite { batch, write: write.clone(), may_arrive, unseen: false };
        self.crm.settle(&cx(), &[unknown]).await.unwrap().remove(0)
    }
    pub async fn fetch(&self, keys: &[&str]) -> Fetched {
        let keys = keys.iter().map(|key| Key::new(*key)).collect();
        let request = FetchRequest { selection: self.selection.clone(), by: FetchBy::Keys(keys) };
        self.crm.fetch(&cx(), request).await.unwrap()
    }
    pub async fn read(&self, id: Id) -> Record {
        self.fetch(&[id.as_str()]).await.records.remove(0)
    }
    /// A reading on a closed tick: what an update may be planned on.
    pub async fn read_closed(&self, id: Id) -> Record {
        self.pass(3);
        let record = self.read(id).await;
        assert!(record.closed);
        record
    }
    pub async fn poll(&self, since: Option<Cursor>, page_rows_max: usize) -> Page {
        let selection = self.selection.clone();
        let request = ChangesRequest { selection, since, page_rows_max };
        self.crm.changes(&cx(), request).await.unwrap()
    }
    /// Polls until there is no more at once.
    pub async fn drain(&self, mut since: Option<Cursor>) -> Drained {
        let mut drained = Drained::default();
        loop {
            let page = self.poll(since, 50).await;
            drained.names.extend(page.records.iter().map(name));
            drained.gone.extend(page.gone);
            since = page.next;
            if !page.more {
                drained.cursor = since;
                return drained;
            }
        }
    }
    /// Waits until a transaction of a person is open.
    pub async fn until_held(&self) {
        let opened = async {
            while self.org.held() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), opened).await.unwrap();
    }
    /// A poll that has shown everything so far.
    pub async fn polled(&self) -> Option<Cursor> {
        let start = self.poll(None, 50).await;
        self.pass(3);
        self.drain(start.next).await.cursor
    }
}

#[derive(Default)]
pub struct Drained {
    pub names: Vec<String>,
    pub gone: Vec<(Key, syncline_sdk::Absence)>,
    pub cursor: Option<Cursor>,
}

pub fn name(record: &Record) -> String {
    record.values[0].to_string()
}

pub fn fields(pairs: &[(&str, Json)]) -> Map<String, Json> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

pub fn insert(values: &[(&str, Value)]) -> WriteOp {
    let values = values.iter().map(|(name, value)| (FieldName::new(*name), value.clone()));
    WriteOp::Insert { values: values.collect() }
}

pub fn update(record: &Record, values: &[(&str, Value)]) -> WriteOp {
    let values = values.iter().map(|(name, value)| (FieldName::new(*name), value.clone()));
    WriteOp::Update {
        key: record.key.clone(),
        values: values.collect(),
        expect: Expect { version: record.version.clone(), ..Expect::default() },
        claim: false,
    }
}

pub fn delete(record: &Record) -> WriteOp {
    WriteOp::Delete { key: record.key.clone(), fields: Vec::new(), expect: Expect::default() }
}

pub fn word(outcome: &WriteOutcome) -> &'static str {
    match outcome {
        WriteOutcome::Applied { .. } => "applied",
        WriteOutcome::Stale { .. } => "stale",
        WriteOutcome::Missing { .. } => "missing",
        WriteOutcome::Busy { .. } => "busy",
        WriteOutcome::Rejected { .. } => "rejected",
        WriteOutcome::Unknown(_) => "unknown",
    }
}
