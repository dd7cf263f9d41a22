//! What the tests of several parts are made of.

use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::Sides;
use syncline_core::mapping::{
    DeleteRule, Initial, LeaveRule, MappedSide, Mapping, MappingId, Mode, Pair, Priority, Unit,
};
use syncline_sdk::{
    Capabilities, Cas, Connector, Context, EntityName, EntitySchema, Error, ErrorKind, FeedKind,
    FetchRequest, Fetched, Health, HistoryEntry, HistoryKind, HistoryRequest, Page, ReceiptKind,
    Result, ScanRequest, Selection, Settlement, UnknownWrite, Usage, Version, VersionOrder,
    WriteBatch, WriteOutcome,
};

/// What a system does when it is asked.
type Does<A, T> = Box<dyn Fn(&A) -> Result<T> + Send + Sync>;

/// A system that does what a test says, and refuses everything else.
pub(crate) struct Stub {
    pub capabilities: Capabilities,
    pub settles: Does<Context, Vec<Settlement>>,
    pub remembers: Does<HistoryRequest, Vec<HistoryEntry>>,
}

impl Stub {
    pub fn new(capabilities: Capabilities) -> Self {
        let (settles, remembers) = (Box::new(|_: &_| unused()), Box::new(|_: &_| unused()));
        Self { capabilities, settles, remembers }
    }
}

fn unused<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, "call", "nothing is scripted"))
}

#[async_trait]
impl Connector for Stub {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    fn effective(&self, _: &Selection) -> Capabilities {
        self.capabilities.clone()
    }
    fn usage(&self) -> Usage {
        Usage::default()
    }
    async fn check(&self, _: &Context, _: &[&Selection]) -> Result<Health> {
        unused()
    }
    async fn prepare(&self, _: &Context, _: &[&Selection]) -> Result<()> {
        unused()
    }
    async fn describe(&self, _: &Context, _: &EntityName) -> Result<EntitySchema> {
        unused()
    }
    async fn scan(&self, _: &Context, _: ScanRequest) -> Result<Page> {
        unused()
    }
    async fn fetch(&self, _: &Context, _: FetchRequest) -> Result<Fetched> {
        unused()
    }
    async fn push(&self, _: &Context, _: WriteBatch) -> Result<Vec<WriteOutcome>> {
        unused()
    }
    async fn settle(&self, cx: &Context, _: &[UnknownWrite]) -> Result<Vec<Settlement>> {
        (self.settles)(cx)
    }
    async fn history(&self, _: &Context, request: HistoryRequest) -> Result<Vec<HistoryEntry>> {
        (self.remembers)(&request)
    }
    fn order(&self, _: &Version, _: &Version) -> VersionOrder {
        VersionOrder::Unknown
    }
}

/// What a database can.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        cas: Cas::ExactField,
        receipt: ReceiptKind::Table,
        history: HistoryKind::None,
        feed: FeedKind::Images,
        unique_external_id: false,
        conditional_delete: true,
        recycle_bin: None,
        transactional: true,
        stored_image: true,
        search_lag: Default::default(),
        request_horizon: Default::default(),
        push_writes_max: 10,
        push_guarded_max: 10,
        fetch_keys_max: 10,
    }
}

/// A mapping of one field, between the systems `left` and `right`.
pub(crate) fn mapping(id: MappingId, reference: Option<MappingId>) -> Arc<Mapping> {
    let side = |system: &str| MappedSide {
        system: system.into(),
        selection: Arc::new(Selection {
            entity: "e".into(),
            fields: Arc::from(["f".into()]),
            external_id: None,
            marker: None,
            actor: None,
            filter: None,
        }),
        fields: Vec::new(),
        image_len: 1,
        capabilities: capabilities(),
    };
    Arc::new(Mapping {
        id,
        name: "m".into(),
        revision: 1,
        former: Default::default(),
        sides: Sides { left: side("left"), right: side("right") },
        units: vec![Unit::of("f", Pair { reference, ..Pair::plain(0, 0) })],
        matches: Vec::new(),
        initial: Initial::Review,
        owners: Sides::default(),
        create: Sides { left: true, right: true },
        delete: Sides { left: DeleteRule::Propagate, right: DeleteRule::Propagate },
        leave: LeaveRule::Keep,
        mode: Mode::Live,
        priority: Priority::Normal,
        objective: None,
        drifted: Sides::default(),
    })
}
