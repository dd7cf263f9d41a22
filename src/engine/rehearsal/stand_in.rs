//! A system that is read and never written: what is sent to it stays in memory, over what the
//! system shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use syncline_sdk::{
    Absence, BatchId, Capabilities, ChangesRequest, Connector, Context, Current, EntityName,
    EntitySchema, FetchBy, FetchRequest, Fetched, FieldName, Health, HistoryEntry, HistoryRequest,
    Key, LinkId, Normalizer, Page, Position, Record, Result, ScanRequest, Selection, Settlement,
    UnknownWrite, Usage, Value, Version, VersionOrder, Write, WriteBatch, WriteOp, WriteOutcome,
};

use crate::clock::Clock;

/// What the keys of records begin with that a create would make.
const MADE: &str = "planned-";

/// A record as what was sent would leave it.
#[derive(Clone, Debug, Default)]
struct Written {
    /// The link of a record that a create would make.
    made: Option<LinkId>,
    /// Whether it would be deleted.
    gone: bool,
    /// The fields that were written.
    values: BTreeMap<FieldName, Value>,
}

/// All of them.
#[derive(Default)]
struct Book {
    records: BTreeMap<(EntityName, Key), Written>,
    made: u64,
    /// The fields of an entity that its system fills itself where a create gives them null.
    filled: BTreeMap<EntityName, BTreeSet<FieldName>>,
}

/// Stands in for a connector. Of that it calls nothing but what reads; writes are answered as if
/// they had passed.
pub(super) struct StandIn {
    system: Arc<dyn Connector>,
    book: Mutex<Book>,
    clock: Arc<dyn Clock>,
    /// How long the system took for what it was asked, microseconds.
    spent: AtomicI64,
}

impl StandIn {
    pub(super) fn new(system: Arc<dyn Connector>, clock: Arc<dyn Clock>) -> Self {
        Self { system, book: Mutex::default(), clock, spent: AtomicI64::new(0) }
    }

    /// How long the calls of the system took together, microseconds.
    pub(super) fn spent(&self) -> i64 {
        self.spent.load(Ordering::Relaxed)
    }

    /// Whether a key is that of a record that a create would make.
    pub(super) fn would_make(&self, key: &Key) -> bool {
        let number = key.as_str().strip_prefix(MADE).and_then(|number| number.parse().ok());
        number.is_some_and(|number: u64| (1..=self.book().made).contains(&number))
    }

    /// Waits for the answer to a call, by a clock that nobody sets ahead meanwhile.
    async fn timed<T>(&self, call: impl Future<Output = T>) -> T {
        let began = self.clock.now().micros();
        let answer = call.await;
        let took = self.clock.now().micros().saturating_sub(began);
        self.spent.fetch_add(took, Ordering::Relaxed);
        answer
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns what the system fills of entities that creates give null to, each once. One that
    /// answers with what it stores takes a null as null, and fills what is left out.
    async fn learn_filled(&self, cx: &Context, batch: &WriteBatch) -> Result<()> {
        if self.capabilities().stored_image {
            return Ok(());
        }
        let gives_null = |write: &&Write| match &write.op {
            WriteOp::Insert { values } => values.iter().any(|(_, value)| value.is_null()),
            _ => false,
        };
        let entities = batch.writes.iter().filter(gives_null).map(|of| &of.selection.entity);
        for entity in entities.collect::<BTreeSet<_>>() {
            if self.book().filled.contains_key(entity) {
                continue;
            }
            let described = self.describe(cx, entity).await?.fields.into_iter();
            let filled = described.filter(|field| field.filled.is_some()).map(|field| field.name);
            self.book().filled.insert(entity.clone(), filled.collect());
        }
        Ok(())
    }
}

impl Book {
    fn write(&mut self, write: &Write) -> WriteOutcome {
        let entity = &write.selection.entity;
        let key = match write.op.key() {
            Some(key) => key.clone(),
            None => {
                self.made += 1;
                Key::new(format!("{MADE}{}", self.made))
            }
        };
        let record = self.records.entry((entity.clone(), key.clone())).or_default();
        let mut made = None;
        match &write.op {
            WriteOp::Insert { values } => {
                // What the system puts there instead is not known.
                let filled = self.filled.get(entity);
                let known = |(field, value): &&(FieldName, Value)| {
                    !value.is_null() || filled.is_none_or(|filled| !filled.contains(field))
                };
                record.values.extend(values.iter().filter(known).cloned());
                record.made = Some(write.link);
                made = Some(key);
            }
            WriteOp::Update { values, .. } => record.values.extend(values.iter().cloned()),
            WriteOp::Fence { .. } => {}
            WriteOp::Delete { .. } => record.gone = true,
            WriteOp::Undelete { .. } => record.gone = false,
        }
        WriteOutcome::Applied { version: None, stored: None, key: made }
    }

    /// A record as it would be; nothing where it would be gone.
    fn over(&self, selection: &Selection, mut record: Record) -> Option<Record> {
        let Some(written) = self.records.get(&(selection.entity.clone(), record.key.clone()))
        else {
            return Some(record);
        };
        for (field, value) in selection.fields.iter().zip(&mut record.values) {
            if let Some(written) = written.values.get(field) {
                value.clone_from(written);
            }
        }
        (!written.gone).then_some(record)
    }

    /// The record that a create would make. What was not sent is not known.
    fn made(&self, selection: &Selection, key: &Key) -> Option<Record> {
        let written = self.records.get(&(selection.entity.clone(), key.clone()))?;
        let link = written.made.filter(|_| !written.gone)?;
        let value = |field| written.values.get(field).cloned().unwrap_or(Value::Absent);
        Some(Record {
            key: key.clone(),
            version: Version::default(),
            values: selection.fields.iter().map(value).collect(),
            external_id: selection.external_id.as_ref().map(|_| link),
            marker: None,
            actor: syncline_sdk::Actor::default(),
            changed_at: None,
            closed: true,
        })
    }

    /// The records of an entity that creates would make and that pass a test.
    fn made_like(&self, selection: &Selection, is: impl Fn(&Written) -> bool) -> Vec<Record> {
        let first = (selection.entity.clone(), Key::new(""));
        self.records
            .range(first..)
            .take_while(|((entity, _), _)| *entity == selection.entity)
            .filter(|(_, written)| written.made.is_some() && is(written))
            .filter_map(|((_, key), _)| self.made(selection, key))
            .collect()
    }

    /// The keys of a look-up that only a rehearsed create has given.
    fn split(&self, entity: &EntityName, keys: Vec<Key>) -> (Vec<Key>, Vec<Key>) {
        let made = |key: &Key| {
            let written = self.records.get(&(entity.clone(), key.clone()));
            written.is_some_and(|written| written.made.is_some())
        };
        keys.into_iter().partition(made)
    }
}

#[async_trait]
impl Connector for StandIn {
    fn capabilities(&self) -> &Capabilities {
        self.system.capabilities()
    }

    fn effective(&self, selection: &Selection) -> Capabilities {
        self.system.effective(selection)
    }

    fn usage(&self) -> Usage {
        self.system.usage()
    }

    async fn check(&self, cx: &Context, selections: &[&Selection]) -> Result<Health> {
        self.timed(self.system.check(cx, selections)).await
    }

    async fn prepare(&self, _: &Context, _: &[&Selection]) -> Result<()> {
        Ok(())
    }

    async fn describe(&self, cx: &Context, entity: &EntityName) -> Result<EntitySchema> {
        self.timed(self.system.describe(cx, entity)).await
    }

    async fn scan(&self, cx: &Context, request: ScanRequest) -> Result<Page> {
        let selection = request.selection.clone();
        let mut page = self.timed(self.system.scan(cx, request)).await?;
        let book = self.book();
        let records = std::mem::take(&mut page.records).into_iter();
        page.records = records.filter_map(|record| book.over(&selection, record)).collect();
        Ok(page)
    }

    async fn changes(&self, cx: &Context, request: ChangesRequest) -> Result<Page> {
        self.timed(self.system.changes(cx, request)).await
    }

    async fn feed_start(&self, _: &Context) -> Result<Option<Position>> {
        Ok(None)
    }

    async fn fetch(&self, cx: &Context, request: FetchRequest) -> Result<Fetched> {
        let FetchRequest { selection, by } = request;
        let (by, made) = {
            let book = self.book();
            match by {
                FetchBy::Keys(keys) => {
                    let (made, others) = book.split(&selection.entity, keys);
                    let made = made.iter().filter_map(|key| book.made(&selection, key)).collect();
                    (FetchBy::Keys(others), made)
                }
                FetchBy::ExternalIds(links) => {
                    let asked: BTreeSet<&LinkId> = links.iter().collect();
                    let is = |one: &Written| one.made.is_some_and(|link| asked.contains(&link));
                    let made = book.made_like(&selection, is);
                    (FetchBy::ExternalIds(links), made)
                }
                FetchBy::Matching { field, normalize, values } => {
                    let is = |one: &Written| {
                        let value = one.values.get(&field).cloned().unwrap_or_default();
                        values.contains(&Normalizer::apply_all(&normalize, value))
                    };
                    let made = book.made_like(&selection, is);
                    (FetchBy::Matching { field, normalize, values }, made)
                }
            }
        };
        let nothing = matches!(&by, FetchBy::Keys(keys) if keys.is_empty());
        let mut fetched = match nothing {
            true => Fetched::default(),
            false => {
                let selection = selection.clone();
                self.timed(self.system.fetch(cx, FetchRequest { selection, by })).await?
            }
        };
        let book = self.book();
        let mut records: Vec<Record> = made;
        for record in std::mem::take(&mut fetched.records) {
            let key = record.key.clone();
            match book.over(&selection, record) {
                Some(record) => records.push(record),
                None => {
                    let absence = Absence::Deleted { by: None, at: None, image: None };
                    fetched.missing.push((key, absence));
                }
            }
        }
        Ok(Fetched { records, ..fetched })
    }

    async fn push(&self, cx: &Context, batch: WriteBatch) -> Result<Vec<WriteOutcome>> {
        self.learn_filled(cx, &batch).await?;
        let mut book = self.book();
        Ok(batch.writes.iter().map(|write| book.write(write)).collect())
    }

    async fn settle(&self, _: &Context, unknown: &[UnknownWrite]) -> Result<Vec<Settlement>> {
        let undecided = |_| Settlement::Undecided { current: Current::Unread };
        Ok(unknown.iter().map(undecided).collect())
    }

    async fn history(&self, cx: &Context, request: HistoryRequest) -> Result<Vec<HistoryEntry>> {
        self.timed(self.system.history(cx, request)).await
    }

    async fn forget(&self, _: &Context, _: &[BatchId]) -> Result<()> {
        Ok(())
    }

    fn order(&self, a: &Version, b: &Version) -> VersionOrder {
        self.system.order(a, b)
    }
}
