//! A system that is waited for: its streams have not begun in this process, so nothing is read
//! from it or written to it yet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use syncline_ledger::Ledger;
use syncline_sdk::{
    BatchId, Capabilities, ChangesRequest, Connector, Context, EntityName, EntitySchema, Error,
    ErrorKind, Feed, FetchRequest, Fetched, Health, HistoryEntry, HistoryRequest, Instant, Page,
    Position, Result, ScanRequest, Selection, Settlement, SystemName, UnknownWrite, Usage, Version,
    VersionOrder, WriteBatch, WriteOutcome,
};

use crate::engine::Engine;
use crate::limits;
use crate::system::System;

/// Why a system is waited for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Away {
    /// What kind of error it was.
    pub kind: ErrorKind,
    /// What it said, with the remedy.
    pub why: String,
    /// How long it is left alone before it is called the first time.
    pub wait: Duration,
}

/// Stands for the connector of a system that is waited for. Whether the system answers by now can
/// be asked; every other call is refused at once, without one to the system. So it is certain that
/// nothing is read or written there before the streams of its side have begun, and no round waits
/// for a system that gives no answer.
pub(crate) struct Shut {
    pub connector: Arc<dyn Connector>,
    pub away: Away,
}

impl Shut {
    fn refuse<T>(&self, operation: &'static str) -> Result<T> {
        // The login is refused as long as it is; whatever else it was, the system is out of reach.
        let kind = match self.away.kind {
            ErrorKind::Auth => ErrorKind::Auth,
            _ => ErrorKind::Unavailable,
        };
        let why = &self.away.why;
        Err(Error::new(kind, operation, format!("the system is waited for: {why}"))
            .advise("it is done once the system answers"))
    }
}

#[async_trait]
impl Connector for Shut {
    fn capabilities(&self) -> &Capabilities {
        self.connector.capabilities()
    }

    fn effective(&self, selection: &Selection) -> Capabilities {
        self.connector.effective(selection)
    }

    fn usage(&self) -> Usage {
        self.connector.usage()
    }

    async fn check(&self, cx: &Context, selections: &[&Selection]) -> Result<Health> {
        self.connector.check(cx, selections).await
    }

    async fn prepare(&self, cx: &Context, selections: &[&Selection]) -> Result<()> {
        self.connector.prepare(cx, selections).await
    }

    async fn describe(&self, _: &Context, _: &EntityName) -> Result<EntitySchema> {
        self.refuse("describe")
    }

    async fn scan(&self, _: &Context, _: ScanRequest) -> Result<Page> {
        self.refuse("scan")
    }

    async fn changes(&self, _: &Context, _: ChangesRequest) -> Result<Page> {
        self.refuse("poll changes")
    }

    async fn open_feed(
        &self,
        _: &Context,
        _: &[&Selection],
        _: Option<&Position>,
    ) -> Result<Box<dyn Feed>> {
        self.refuse("open a feed")
    }

    async fn feed_start(&self, _: &Context) -> Result<Option<Position>> {
        self.refuse("feed start")
    }

    async fn fetch(&self, _: &Context, _: FetchRequest) -> Result<Fetched> {
        self.refuse("look up")
    }

    async fn push(&self, _: &Context, _: WriteBatch) -> Result<Vec<WriteOutcome>> {
        self.refuse("push")
    }

    async fn settle(&self, _: &Context, _: &[UnknownWrite]) -> Result<Vec<Settlement>> {
        self.refuse("settle")
    }

    async fn history(&self, _: &Context, _: HistoryRequest) -> Result<Vec<HistoryEntry>> {
        self.refuse("read history")
    }

    async fn forget(&self, _: &Context, _: &[BatchId]) -> Result<()> {
        self.refuse("forget")
    }

    fn order(&self, a: &Version, b: &Version) -> VersionOrder {
        self.connector.order(a, b)
    }
}

impl<L: Ledger> Engine<L> {
    /// Whether a system is waited for.
    pub(crate) fn is_away(&self, system: &SystemName) -> bool {
        self.intake.system(system).is_some_and(|system| system.away.is_some())
    }

    /// The systems that nothing is to be sent to for now, each with how long what waits for it is
    /// put off, microseconds.
    pub(crate) fn silent(&self, now: Instant) -> BTreeMap<SystemName, i64> {
        let left = |(name, system): (&SystemName, &System)| {
            let left = system.silent(now).or_else(|| self.flights.stuck(name, now.micros()));
            let left = left.map(|left| left.min(limits::PUT_OFF_MAX));
            let quiet = self.quiet(name, now).map(|left| left.min(limits::QUIET_LOOK));
            Some((name.clone(), left.max(quiet)?))
        };
        self.intake.systems.iter().filter_map(left).collect()
    }
}
