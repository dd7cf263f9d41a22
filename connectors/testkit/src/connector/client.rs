//! A client of the in-memory system.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use syncline_sdk::{
    BatchId, Capabilities, ChangesRequest, Connector, Context, EntityName, EntityOutline,
    EntitySchema, Error, ErrorKind, Feed, FeedKind, FetchRequest, Fetched, Guarantee, Health,
    HistoryEntry, HistoryRequest, Page, Piece, Position, Quota, Result, ScanRequest, Selection,
    Settlement, UnknownWrite, Usage, Version, VersionOrder, WriteBatch, WriteOutcome,
};

use crate::feed::MemoryFeed;
use crate::history::Told;
use crate::system::{MemorySystem, Watched, World, no_entity};
use crate::{Gate, Open, Operation, Point, Step, Verdict, version};

/// A client of a [`MemorySystem`]. Several may exist at once, also after a crash of the engine:
/// nothing of a client outlives it but the requests it sent.
pub struct MemoryConnector {
    pub(super) system: MemorySystem,
    pub(super) gate: Arc<dyn Gate>,
    capabilities: Capabilities,
    pub(super) calls: AtomicU64,
    /// Held only inside the system's own lock.
    watched: Arc<Mutex<Watched>>,
}

impl MemoryConnector {
    /// A client whose calls pass at once.
    #[must_use]
    pub fn new(system: &MemorySystem) -> Self {
        Self::gated(system, Arc::new(Open))
    }
    /// A client whose calls wait at each scheduling point for the gate.
    #[must_use]
    pub fn gated(system: &MemorySystem, gate: Arc<dyn Gate>) -> Self {
        Self {
            system: system.clone(),
            gate,
            capabilities: system.profile().capabilities,
            calls: AtomicU64::new(0),
            watched: Arc::default(),
        }
    }
    /// The system.
    #[must_use]
    pub fn system(&self) -> &MemorySystem {
        &self.system
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that changes nothing: two scheduling points with the look at the system between
    /// them.
    async fn read<T>(
        &self,
        cx: &Context,
        operation: Operation,
        look: impl FnOnce(&mut World) -> Result<T> + Send,
    ) -> Result<T>
    where
        T: Send,
    {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let request = self.system.with(|world| world.begin(cx, operation, None))?;
        let point = |step| Point {
            system: self.system.name(),
            request,
            operation,
            step,
            batch: None,
            copy: None,
        };
        let arrived = self.pass(point(Step::Arrive)).await;
        let answer = match arrived {
            Ok(()) => self.system.with(look),
            Err(error) => Err(error),
        };
        let answer = match answer {
            Ok(answer) => self.pass(point(Step::Answer)).await.map(|()| answer),
            Err(error) => Err(error),
        };
        let told = if answer.is_ok() { Told::Answer } else { Told::Error };
        self.system.with(|world| world.told(request, told));
        answer
    }
    pub(super) async fn pass(&self, point: Point) -> Result<()> {
        let operation = point.operation.as_str();
        match self.gate.pass(point).await {
            Verdict::Go | Verdict::Duplicate => Ok(()),
            Verdict::Refuse(error) => Err(error),
            Verdict::Lose | Verdict::Delay => {
                let text = format!("no answer from {}", self.system.name());
                Err(Error::new(ErrorKind::Unavailable, operation, text))
            }
        }
    }
}

#[async_trait]
impl Connector for MemoryConnector {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn effective(&self, selection: &Selection) -> Capabilities {
        self.system.with(|world| world.effective(selection))
    }

    fn usage(&self) -> Usage {
        let quota = self
            .system
            .with(|world| world.conditions.quota.map(|max| Quota { used: world.quota_used, max }));
        Usage { calls: self.calls.load(Ordering::Relaxed), quota, log_retained: None }
    }

    async fn check(&self, cx: &Context, selections: &[&Selection]) -> Result<Health> {
        let look = |world: &mut World| Ok(health(world, selections));
        self.read(cx, Operation::Check, look).await
    }

    async fn prepare(&self, cx: &Context, selections: &[&Selection]) -> Result<()> {
        let look = |world: &mut World| {
            let missing = selections.iter().find(|one| world.table(&one.entity).is_none());
            match missing {
                Some(one) => Err(no_entity(Operation::Prepare, world, &one.entity)),
                None => Ok(()),
            }
        };
        self.read(cx, Operation::Prepare, look).await
    }

    async fn entities(&self, cx: &Context) -> Result<Vec<EntityOutline>> {
        let look = |world: &mut World| {
            let outline = |schema: &EntitySchema| EntityOutline {
                entity: schema.entity.clone(),
                label: None,
                writable: schema.creatable,
                records: None,
            };
            Ok(world.tables.values().map(|table| outline(&table.model.schema)).collect())
        };
        self.read(cx, Operation::Describe, look).await
    }

    async fn describe(&self, cx: &Context, entity: &EntityName) -> Result<EntitySchema> {
        let look = |world: &mut World| {
            let table =
                world.table(entity).ok_or_else(|| no_entity(Operation::Describe, world, entity))?;
            let mut schema = table.model.schema.clone();
            schema.fields.retain(|field| !table.model.hidden.contains(&field.name));
            Ok(schema)
        };
        self.read(cx, Operation::Describe, look).await
    }

    async fn scan(&self, cx: &Context, request: ScanRequest) -> Result<Page> {
        self.read(cx, Operation::Scan, |world| world.scan(&request)).await
    }

    async fn changes(&self, cx: &Context, request: ChangesRequest) -> Result<Page> {
        if self.capabilities.feed != FeedKind::Polled {
            return Err(Error::unsupported(Operation::Changes.as_str()));
        }
        self.read(cx, Operation::Changes, |world| world.changes(&request)).await
    }

    async fn open_feed(
        &self,
        cx: &Context,
        selections: &[&Selection],
        from: Option<&Position>,
    ) -> Result<Box<dyn Feed>> {
        if self.capabilities.feed != FeedKind::Images {
            return Err(Error::unsupported(Operation::OpenFeed.as_str()));
        }
        self.read(cx, Operation::OpenFeed, |_| Ok(())).await?;
        let (gate, watched) = (self.gate.clone(), self.watched.clone());
        let feed = MemoryFeed::open(&self.system, gate, watched, selections, from)?;
        Ok(Box::new(feed))
    }

    async fn feed_start(&self, cx: &Context) -> Result<Option<Position>> {
        let pushed = self.capabilities.feed == FeedKind::Images;
        let look = |world: &mut World| {
            self.watched().begin();
            Ok(pushed.then(|| world.stream.position(world.sequence)))
        };
        self.read(cx, Operation::FeedStart, look).await
    }

    async fn fetch(&self, cx: &Context, request: FetchRequest) -> Result<Fetched> {
        let look = |world: &mut World| match world.table(&request.selection.entity) {
            Some(_) => Ok(world.fetch(&request)),
            None => Err(no_entity(Operation::Fetch, world, &request.selection.entity)),
        };
        self.read(cx, Operation::Fetch, look).await
    }

    async fn push(&self, cx: &Context, batch: WriteBatch) -> Result<Vec<WriteOutcome>> {
        self.push_batch(cx, batch).await
    }

    async fn settle(&self, cx: &Context, unknown: &[UnknownWrite]) -> Result<Vec<Settlement>> {
        let look = |world: &mut World| {
            let mut watched = self.watched();
            Ok(unknown.iter().map(|unknown| world.settle(cx, unknown, &mut watched)).collect())
        };
        self.read(cx, Operation::Settle, look).await
    }

    async fn history(&self, cx: &Context, request: HistoryRequest) -> Result<Vec<HistoryEntry>> {
        self.read(cx, Operation::History, |world| world.remembered(&request)).await
    }

    async fn forget(&self, cx: &Context, batches: &[BatchId]) -> Result<()> {
        let look = |world: &mut World| {
            for batch in batches {
                let marker = cx.batch_marker(*batch);
                world.receipts.remove(marker.as_str());
                self.watched().forget(&marker);
            }
            Ok(())
        };
        self.read(cx, Operation::Forget, look).await
    }

    fn order(&self, a: &Version, b: &Version) -> VersionOrder {
        version::order(a, b)
    }
}

fn health(world: &World, selections: &[&Selection]) -> Health {
    let piece = |entity: &EntityName, what: &str, field: Option<&syncline_sdk::FieldName>| {
        let model = world.table(entity).map(|table| &table.model);
        let present = field.zip(model).is_some_and(|(field, model)| model.visible(field).is_some());
        Piece {
            name: format!("{what} of {entity}"),
            present,
            required: false,
            made: false,
            detail: format!("the {what} of {entity} gives proof of our own writes"),
        }
    };
    let mut pieces = Vec::new();
    for selection in selections {
        let entity = &selection.entity;
        pieces.push(Piece {
            name: format!("entity {entity}"),
            present: world.table(entity).is_some(),
            required: true,
            made: false,
            detail: format!("the records of {entity}"),
        });
        pieces.push(piece(entity, "external-id field", selection.external_id.as_ref()));
        if world.profile.capabilities.receipt == syncline_sdk::ReceiptKind::MarkerField {
            pieces.push(piece(entity, "marker field", selection.marker.as_ref()));
        }
    }
    let guarantee: Guarantee = world.profile.capabilities.guarantee();
    Health {
        version: format!("memory {}", world.profile.name),
        identity: world.name.to_string(),
        user: world.profile.user.id.as_deref().unwrap_or_default().to_owned(),
        guarantee,
        pieces,
    }
}
