//! The connector: one org behind the contract.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use syncline_sdk::{
    Capabilities, Cas, ChangesRequest, Connector, Context, EntityName, EntityOutline, EntitySchema,
    Error, ErrorKind, FeedKind, FetchRequest, Fetched, Grant, Health, HistoryEntry, HistoryKind,
    HistoryRequest, Need, Page, ReceiptKind, Result, ScanRequest, Selection, Settlement,
    UnknownWrite, Usage, Version, VersionOrder, Webhook, WriteBatch, WriteOutcome,
};

use crate::auth::TokenStore;
use crate::limits::{
    COMPOSITE_MAX, GRAPHS_MAX, GRAPHS_SINCE, RECYCLE_BIN, RETRIEVE_IDS_MAX, WRITE_ROWS_MAX,
};
use crate::org::Org;
use crate::settings::SalesforceSettings;
use crate::webhook::OutboundMessages;
use crate::wire::Described;
use crate::{check, grants, read, version, write};

/// One Salesforce org.
pub struct Salesforce {
    org: Org,
    declared: Capabilities,
}

impl std::fmt::Debug for Salesforce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Salesforce").field("url", &self.org.settings.url).finish_non_exhaustive()
    }
}

impl Salesforce {
    /// Makes a connector from its settings. Calls nobody: the first call logs in.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] naming the setting and the remedy.
    pub fn new(settings: SalesforceSettings, tokens: Arc<dyn TokenStore>) -> Result<Self> {
        // A graph is all or nothing, and 75 guarded updates are one call.
        let graphs = settings.api_version.is_at_least(GRAPHS_SINCE);
        let guarded_max = if graphs { GRAPHS_MAX } else { COMPOSITE_MAX };
        let declared = Capabilities {
            cas: Cas::Coarse { tick: Duration::from_secs(1) },
            receipt: ReceiptKind::MarkerField,
            // Which fields it tells of is the administrator's choice, which nothing shows: no class
            // rests on it. What it does tell finds the writes that a guard on seconds lets through.
            history: HistoryKind::FullValues,
            feed: FeedKind::Polled,
            unique_external_id: true,
            conditional_delete: false,
            recycle_bin: Some(RECYCLE_BIN),
            transactional: graphs,
            stored_image: false,
            // Look-ups are queries of the database itself, not of the search index.
            search_lag: Duration::ZERO,
            request_horizon: settings.request_horizon,
            push_writes_max: WRITE_ROWS_MAX,
            push_guarded_max: settings.guarded_rows.min(guarded_max),
            fetch_keys_max: RETRIEVE_IDS_MAX,
        };
        Ok(Self { org: Org::new(settings, tokens)?, declared })
    }

    /// A read within its time.
    async fn within<T>(
        &self,
        cx: &Context,
        operation: &'static str,
        read: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        // Reads nest deep; on the heap they do not swell the futures of their callers.
        match tokio::time::timeout(cx.timeout, Box::pin(read)).await {
            Ok(answer) => answer,
            Err(_) => {
                let what = format!("{} gave no answer in {:?}", self.org.settings.url, cx.timeout);
                Err(Error::new(ErrorKind::Unavailable, operation, what)
                    .advise("it is tried again; if it stays, lower page_rows"))
            }
        }
    }
}

/// Whether the field that a selection names for the link id can hold it, and keeps it unique.
pub(crate) fn external_id_fits(selection: &Selection, described: &Described) -> bool {
    let field = selection.external_id.as_ref().and_then(|name| described.schema.field(name));
    let unique = field.is_some_and(|field| field.external_id && field.unique);
    unique && described.link_field(selection).is_some()
}

#[async_trait]
impl Connector for Salesforce {
    fn capabilities(&self) -> &Capabilities {
        &self.declared
    }

    fn effective(&self, selection: &Selection) -> Capabilities {
        let mut effective = self.declared.clone();
        // What was not looked at is not promised.
        let Some(described) = self.org.measured(&selection.entity) else {
            effective.receipt = ReceiptKind::None;
            effective.unique_external_id = false;
            effective.recycle_bin = None;
            return effective;
        };
        if described.marker_field(selection).is_none() {
            effective.receipt = ReceiptKind::None;
        }
        effective.unique_external_id = external_id_fits(selection, &described);
        if described.stamp.is_none() {
            effective.cas = Cas::None;
        }
        if !described.has("IsDeleted") || !described.undeletable {
            effective.recycle_bin = None;
        }
        effective
    }

    fn usage(&self) -> Usage {
        let transport = &self.org.transport;
        Usage { calls: transport.calls(), quota: transport.quota(), log_retained: None }
    }

    fn grants(&self, _: &str, needs: &[Need]) -> Vec<Grant> {
        grants::grants(&self.org.settings, needs, &|entity| self.org.measured(entity))
    }

    fn grants_by_description(&self) -> bool {
        true
    }

    async fn check(&self, cx: &Context, selections: &[&Selection]) -> Result<Health> {
        self.within(cx, "check", check::check(&self.org, selections)).await
    }

    /// Makes nothing: the fields that Syncline would like are made by an administrator.
    async fn prepare(&self, cx: &Context, selections: &[&Selection]) -> Result<()> {
        self.within(cx, "prepare", check::prepare(&self.org, selections)).await
    }

    async fn entities(&self, cx: &Context) -> Result<Vec<EntityOutline>> {
        self.within(cx, "list entities", read::entities(&self.org)).await
    }

    async fn describe(&self, cx: &Context, entity: &EntityName) -> Result<EntitySchema> {
        let described = self.within(cx, "describe", self.org.describe(entity)).await?;
        Ok(described.schema.clone())
    }

    async fn scan(&self, cx: &Context, request: ScanRequest) -> Result<Page> {
        self.within(cx, "scan", read::scan(&self.org, &request)).await
    }

    async fn changes(&self, cx: &Context, request: ChangesRequest) -> Result<Page> {
        self.within(cx, "poll changes", read::changes(&self.org, cx, &request)).await
    }

    async fn fetch(&self, cx: &Context, request: FetchRequest) -> Result<Fetched> {
        self.within(cx, "look up", read::fetch(&self.org, &request)).await
    }

    async fn push(&self, cx: &Context, batch: WriteBatch) -> Result<Vec<WriteOutcome>> {
        Box::pin(write::push(&self.org, cx, &batch)).await
    }

    async fn settle(&self, cx: &Context, unknown: &[UnknownWrite]) -> Result<Vec<Settlement>> {
        self.within(cx, "settle", write::settle(&self.org, cx, unknown)).await
    }

    async fn history(&self, cx: &Context, request: HistoryRequest) -> Result<Vec<HistoryEntry>> {
        self.within(cx, "read history", read::history(&self.org, &request)).await
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        let org = self.org.transport.login().known_org();
        Some(Arc::new(OutboundMessages::new(org)))
    }

    fn order(&self, a: &Version, b: &Version) -> VersionOrder {
        version::order(a, b)
    }
}
