//! The connector itself: each call of the seam, handed to the module that does it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use syncline_sdk::{
    BatchId, Capabilities, Cas, Connector, Context, EntityName, EntityOutline, EntitySchema,
    ErrorKind, Feed, FeedKind, FetchBy, FetchRequest, Fetched, Grant, Health, HistoryKind, Key,
    Need, Page, Position, ReceiptKind, Result, ScanRequest, Selection, Settlement, SystemName,
    UnknownWrite, Usage, Version, VersionOrder, WriteBatch, WriteOutcome,
};

use crate::receipt::Home;
use crate::session::within;
use crate::shared::Shared;
use crate::{
    PostgresSettings, catalog, check, feed, grants, matching, prepare, push, read, settle, version,
};

/// The most writes of one batch: beyond it a batch holds rows for too long.
const PUSH_WRITES_MAX: usize = 1_000;
/// The most keys of one look-up.
const FETCH_KEYS_MAX: usize = 10_000;

/// One Postgres database.
pub struct PostgresConnector {
    shared: Arc<Shared>,
    capabilities: Capabilities,
}

impl PostgresConnector {
    /// A connector for the settings of a system. Makes no call: the first one connects.
    ///
    /// # Errors
    /// `Config` when the settings name no server, or one that may not be spoken to.
    pub fn connect(settings: PostgresSettings, system: SystemName) -> Result<Self> {
        let horizon = Duration::from_millis(u64::from(settings.statement_timeout_ms));
        let receipt = if settings.receipt_table.as_deref() == Some("none") {
            ReceiptKind::Stream
        } else {
            ReceiptKind::Table
        };
        let capabilities = Capabilities {
            cas: Cas::ExactField,
            receipt,
            history: HistoryKind::None,
            feed: FeedKind::Images,
            unique_external_id: true,
            conditional_delete: true,
            recycle_bin: None,
            transactional: true,
            stored_image: true,
            search_lag: Duration::ZERO,
            request_horizon: horizon,
            push_writes_max: PUSH_WRITES_MAX,
            push_guarded_max: PUSH_WRITES_MAX,
            fetch_keys_max: FETCH_KEYS_MAX,
        };
        Ok(Self { shared: Arc::new(Shared::new(settings, system)?), capabilities })
    }

    /// Forgets what is known of an entity's table when an error says that it has changed.
    fn noted<T>(&self, entity: &EntityName, answer: Result<T>) -> Result<T> {
        if let Err(error) = &answer
            && error.kind == ErrorKind::Schema
        {
            self.shared.forget_table(entity);
        }
        answer
    }
}

#[async_trait]
impl Connector for PostgresConnector {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn effective(&self, selection: &Selection) -> Capabilities {
        let mut found = self.capabilities.clone();
        found.unique_external_id = self.shared.has_unique_link_id(selection);
        if matches!(self.shared.known_home(), Some(Home::Stream(_))) {
            found.receipt = ReceiptKind::Stream;
        }
        found
    }

    fn usage(&self) -> Usage {
        Usage { calls: self.shared.calls(), quota: None, log_retained: self.shared.lag.bytes() }
    }

    fn grants(&self, install: &str, needs: &[Need]) -> Vec<Grant> {
        grants::grants(&self.shared, install, needs)
    }

    fn grants_by_description(&self) -> bool {
        true
    }

    async fn check(&self, cx: &Context, selections: &[&Selection]) -> Result<Health> {
        self.shared.count_call();
        within(cx, "check", check::check(&self.shared, cx, selections)).await
    }

    async fn prepare(&self, cx: &Context, selections: &[&Selection]) -> Result<()> {
        self.shared.count_call();
        within(cx, "prepare", prepare::prepare(&self.shared, cx, selections)).await
    }

    async fn entities(&self, cx: &Context) -> Result<Vec<EntityOutline>> {
        self.shared.count_call();
        within(cx, "list entities", async {
            let mut conn = self.shared.pools.reader("list entities").await?;
            catalog::list(&mut conn, self.shared.receipt_table().as_ref()).await
        })
        .await
    }

    async fn describe(&self, cx: &Context, entity: &EntityName) -> Result<EntitySchema> {
        self.shared.count_call();
        within(cx, "describe", async {
            let mut conn = self.shared.pools.reader("describe").await?;
            self.shared.forget_table(entity);
            Ok(self.shared.fresh_table(&mut conn, entity).await?.schema())
        })
        .await
    }

    async fn scan(&self, cx: &Context, request: ScanRequest) -> Result<Page> {
        self.shared.count_call();
        let answer = within(cx, "scan", async {
            let layout = self.shared.layout("scan", &request.selection).await?;
            let mut conn = self.shared.pools.reader("scan").await?;
            read::scan(&mut conn, &layout, &request).await
        })
        .await;
        self.noted(&request.selection.entity, answer)
    }

    async fn open_feed(
        &self,
        cx: &Context,
        selections: &[&Selection],
        from: Option<&Position>,
    ) -> Result<Box<dyn Feed>> {
        self.shared.count_call();
        within(cx, "open feed", async {
            let feed = feed::open(&self.shared, cx, selections, from).await?;
            Ok(Box::new(feed) as Box<dyn Feed>)
        })
        .await
    }

    async fn feed_start(&self, cx: &Context) -> Result<Option<Position>> {
        self.shared.count_call();
        within(cx, "feed start", feed::start(&self.shared, cx)).await.map(Some)
    }

    async fn fetch(&self, cx: &Context, request: FetchRequest) -> Result<Fetched> {
        self.shared.count_call();
        let entity = request.selection.entity.clone();
        let answer = within(cx, "fetch", async {
            let layout = self.shared.layout("fetch", &request.selection).await?;
            let mut conn = self.shared.pools.reader("fetch").await?;
            match request.by {
                FetchBy::Keys(keys) => {
                    let mut unique: Vec<Key> = Vec::with_capacity(keys.len());
                    let mut seen = std::collections::HashSet::with_capacity(keys.len());
                    for key in keys {
                        if seen.insert(key.clone()) {
                            unique.push(key);
                        }
                    }
                    let lookup = read::by_keys(&mut conn, &layout, &unique).await?;
                    let why = read::absence(&layout);
                    Ok(Fetched {
                        records: lookup.found.into_iter().map(|found| found.record).collect(),
                        missing: lookup.missing.into_iter().map(|key| (key, why.clone())).collect(),
                        server_time: lookup.time,
                    })
                }
                FetchBy::ExternalIds(links) => matching::by_links(&mut conn, &layout, &links).await,
                FetchBy::Matching { field, normalize, values } => {
                    let place = layout.table.place("fetch", &field)?;
                    let column = &layout.table.columns[place];
                    matching::by_match(&mut conn, &layout, column, &normalize, &values).await
                }
            }
        })
        .await;
        self.noted(&entity, answer)
    }

    async fn push(&self, cx: &Context, batch: WriteBatch) -> Result<Vec<WriteOutcome>> {
        self.shared.count_call();
        let home = self.shared.home("push").await?;
        let mut layouts = Vec::with_capacity(batch.writes.len());
        let mut last: Option<(Arc<Selection>, Arc<crate::layout::Layout>)> = None;
        for write in &batch.writes {
            // A batch holds few selections, each shared by many writes.
            if let Some((selection, layout)) = &last
                && Arc::ptr_eq(selection, &write.selection)
            {
                layouts.push(Ok(layout.clone()));
                continue;
            }
            match self.shared.layout("push", &write.selection).await {
                Ok(layout) => {
                    last = Some((write.selection.clone(), layout.clone()));
                    layouts.push(Ok(layout));
                }
                Err(error) if error.kind == ErrorKind::Schema => layouts.push(Err(error)),
                Err(error) => return Err(error),
            }
        }
        let outcomes = push::push(&self.shared.pools, &home, cx, &batch, layouts).await?;
        for (write, outcome) in batch.writes.iter().zip(&outcomes) {
            if let WriteOutcome::Rejected { error, .. } = outcome
                && error.kind == ErrorKind::Schema
            {
                self.shared.forget_table(&write.selection.entity);
            }
        }
        Ok(outcomes)
    }

    async fn settle(&self, cx: &Context, unknown: &[UnknownWrite]) -> Result<Vec<Settlement>> {
        self.shared.count_call();
        within(cx, "settle", async {
            let home = self.shared.home("settle").await?;
            let mut writer = self.shared.pools.writer("settle").await?;
            let receipts = settle::receipts(writer.busy()?, &home, cx, unknown).await?;
            let mut settled = Vec::with_capacity(unknown.len());
            for write in unknown {
                let layout = self.shared.layout("settle", &write.write.selection).await.ok();
                let receipt = receipts.get(&cx.batch_marker(write.batch));
                settled.push(settle::settlement(writer.busy()?, layout, write, receipt).await?);
            }
            writer.settle();
            Ok(settled)
        })
        .await
    }

    async fn forget(&self, cx: &Context, batches: &[BatchId]) -> Result<()> {
        self.shared.count_call();
        within(cx, "forget", async {
            let home = self.shared.home("forget").await?;
            let mut writer = self.shared.pools.writer("forget").await?;
            settle::forget(writer.busy()?, &home, cx, batches).await?;
            writer.settle();
            Ok(())
        })
        .await
    }

    fn order(&self, a: &Version, b: &Version) -> VersionOrder {
        version::order(a, b)
    }
}
