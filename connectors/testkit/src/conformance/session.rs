//! One run of the suite: ids, records and writes made for the checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use syncline_sdk::{
    BatchId, Capabilities, Cas, Connector, Context, Expect, FetchBy, FetchRequest, Fetched,
    FieldName, IntentId, Key, LinkId, Record, Selection, UnknownWrite, Value, Write, WriteBatch,
    WriteOp, WriteOutcome,
};
use uuid::Uuid;

use super::{Fixture, Stop};

/// One run of the suite against one fixture.
pub struct Session<'a> {
    /// The fixture.
    pub fixture: &'a dyn Fixture,
    numbers: AtomicU64,
}

/// What a check knows of a field value it makes up.
type Values = Vec<(FieldName, Value)>;

impl<'a> Session<'a> {
    pub(crate) fn new(fixture: &'a dyn Fixture) -> Self {
        Self { fixture, numbers: AtomicU64::new(0) }
    }
    pub(crate) fn connector(&self) -> &dyn Connector {
        self.fixture.connector()
    }
    pub(crate) fn cx(&self) -> Context {
        self.fixture.context()
    }
    pub(crate) fn selection(&self) -> Arc<Selection> {
        self.fixture.selection()
    }
    pub(crate) fn effective(&self) -> Capabilities {
        self.connector().effective(&self.selection())
    }
    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }
    /// A text that no other check uses.
    pub(crate) fn token(&self) -> Value {
        Value::from(format!("token {}", self.number()))
    }
    pub(crate) fn text(&self) -> FieldName {
        let [first, _] = self.fixture.texts();
        first
    }
    pub(crate) fn other_text(&self) -> FieldName {
        let [_, second] = self.fixture.texts();
        second
    }
    pub(crate) fn link(&self) -> LinkId {
        LinkId(Uuid::from_u128(
            0x5ca1_ab1e_0000_4000_8000_0000_0000_0000 | u128::from(self.number()),
        ))
    }

    /// The values of a new record.
    pub(crate) fn fresh(&self) -> Values {
        let mut values = vec![(self.text(), self.token()), (self.other_text(), self.token())];
        values.extend(self.fixture.others(self.number()));
        values
    }
    /// A record made by hand.
    pub(crate) async fn created(&self) -> Key {
        self.fixture.create(self.fresh()).await
    }
    /// A text field written by hand.
    pub(crate) async fn edited(&self, key: &Key, field: &FieldName) -> Value {
        let value = self.token();
        self.fixture.edit(key, vec![(field.clone(), value.clone())]).await;
        value
    }
    /// The stored value of a field, read by hand.
    pub(crate) async fn stored(&self, key: &Key, field: &FieldName) -> Option<Value> {
        let values = self.fixture.read(key).await?;
        values.get(self.place(field)).cloned()
    }
    /// The place of a field in the selection.
    pub(crate) fn place(&self, field: &FieldName) -> usize {
        let selection = self.selection();
        let place = selection.fields.iter().position(|known| known == field);
        place.unwrap_or(usize::MAX)
    }
    pub(crate) fn shown<'r>(&self, record: &'r Record, field: &FieldName) -> Option<&'r Value> {
        record.values.get(self.place(field))
    }

    pub(crate) async fn fetch(&self, by: FetchBy) -> Result<Fetched, Stop> {
        let request = FetchRequest { selection: self.selection(), by };
        Ok(self.connector().fetch(&self.cx(), request).await?)
    }
    /// A record as the connector reads it.
    pub(crate) async fn record(&self, key: &Key) -> Result<Record, Stop> {
        let fetched = self.fetch(FetchBy::Keys(vec![key.clone()])).await?;
        let found = fetched.records.into_iter().find(|record| record.key == *key);
        found.ok_or_else(|| {
            Stop::Broken(format!("fetch does not show {key}: {:?}", fetched.missing))
        })
    }
    /// A record read when its version can no longer be shared by a later change.
    pub(crate) async fn settled(&self, key: &Key) -> Result<Record, Stop> {
        self.next_tick().await;
        let record = self.record(key).await?;
        super::ensure!(
            record.closed,
            "the version of {key} is still open a tick after its last change"
        );
        Ok(record)
    }
    /// Lets a coarse clock tick.
    pub(crate) async fn next_tick(&self) {
        if let Cas::Coarse { tick } = self.effective().cas {
            self.fixture.wait(tick).await;
        }
    }
    /// Lets a search catch up.
    pub(crate) async fn search_catches_up(&self) {
        let lag = self.effective().search_lag;
        if lag > Duration::ZERO {
            self.fixture.wait(lag).await;
        }
    }

    /// What a write to these fields expects, planned on a reading.
    pub(crate) fn expect(&self, record: &Record, fields: &[FieldName]) -> Expect {
        let old = |field: &FieldName| self.shown(record, field).cloned().unwrap_or_default();
        let values = fields.iter().map(old).collect();
        Expect { values, version: record.version.clone(), ..Expect::default() }
    }
    pub(crate) fn write(&self, op: WriteOp) -> Write {
        let number = i64::try_from(self.number()).unwrap_or(i64::MAX);
        Write {
            intent: IntentId { commit: number, ordinal: 1 },
            ordinal: 1,
            link: self.link(),
            selection: self.selection(),
            op,
            group: None,
        }
    }
    /// An update of fields, planned on a reading.
    pub(crate) fn update(&self, record: &Record, values: Values) -> Write {
        let fields: Vec<FieldName> = values.iter().map(|(field, _)| field.clone()).collect();
        self.write(WriteOp::Update {
            key: record.key.clone(),
            expect: self.expect(record, &fields),
            values,
            claim: false,
        })
    }
    /// An update of the first text field to a new value.
    pub(crate) fn update_text(&self, record: &Record) -> (Write, Value) {
        let value = self.token();
        (self.update(record, vec![(self.text(), value.clone())]), value)
    }
    /// A delete, planned on a reading of the text fields.
    pub(crate) fn delete(&self, record: &Record) -> Write {
        let fields = vec![self.text(), self.other_text()];
        self.write(WriteOp::Delete {
            key: record.key.clone(),
            expect: self.expect(record, &fields),
            fields,
        })
    }
    pub(crate) fn batch(&self, writes: Vec<Write>) -> WriteBatch {
        let number = i64::try_from(self.number()).unwrap_or(i64::MAX);
        let mut batch = WriteBatch { batch: BatchId { commit: number, ordinal: 0 }, writes };
        for (place, write) in (1..).zip(&mut batch.writes) {
            write.ordinal = place;
        }
        batch
    }
    pub(crate) async fn push(&self, batch: &WriteBatch) -> Result<Vec<WriteOutcome>, Stop> {
        let outcomes = self.connector().push(&self.cx(), batch.clone()).await?;
        super::ensure!(
            outcomes.len() == batch.writes.len(),
            "push answered {} outcomes for {} writes",
            outcomes.len(),
            batch.writes.len()
        );
        Ok(outcomes)
    }
    /// One write in a batch of its own.
    pub(crate) async fn push_one(&self, write: &Write) -> Result<WriteOutcome, Stop> {
        let mut outcomes = self.push(&self.batch(vec![write.clone()])).await?;
        outcomes.pop().ok_or_else(|| Stop::Broken("push answered nothing".into()))
    }
    /// One write that has to be applied: version, stored image and key.
    pub(crate) async fn apply(&self, write: &Write) -> Result<Applied, Stop> {
        applied(self.push_one(write).await?)
    }
    pub(crate) async fn settle(
        &self,
        batch: &WriteBatch,
        may_arrive: bool,
    ) -> Result<Vec<syncline_sdk::Settlement>, Stop> {
        let unknown: Vec<UnknownWrite> = batch
            .writes
            .iter()
            .map(|write| UnknownWrite {
                batch: batch.batch,
                write: write.clone(),
                may_arrive,
                unseen: false,
            })
            .collect();
        let settled = self.connector().settle(&self.cx(), &unknown).await?;
        super::ensure!(
            settled.len() == unknown.len(),
            "settle answered {} for {} writes",
            settled.len(),
            unknown.len()
        );
        Ok(settled)
    }
}

/// What an applied write answered.
pub(crate) struct Applied {
    pub version: Option<syncline_sdk::Version>,
    pub stored: Option<Vec<Value>>,
    pub key: Option<Key>,
}

pub(crate) fn applied(outcome: WriteOutcome) -> Result<Applied, Stop> {
    match outcome {
        WriteOutcome::Applied { version, stored, key } => Ok(Applied { version, stored, key }),
        other => Err(Stop::Broken(format!("the write was not applied: {other:?}"))),
    }
}
