//! A connector that promises more than its system keeps: the suite must find it out.

use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use syncline_sdk::{
    Capabilities, Cas, ChangesRequest, Connector, Context, EntityName, EntitySchema, Feed,
    FetchRequest, Fetched, FieldName, Health, HistoryEntry, HistoryRequest, Key, Page, Position,
    ReceiptKind, Result, ScanRequest, Selection, Settlement, UnknownWrite, Usage, Value, Version,
    VersionOrder, WriteBatch, WriteOutcome,
};

use super::fixture::Memory;
use crate::conformance::{Fixture, run};
use crate::{Profile, complete};

struct Liar {
    truth: Memory,
    claimed: Capabilities,
}

#[async_trait]
impl Connector for Liar {
    fn capabilities(&self) -> &Capabilities {
        &self.claimed
    }
    fn effective(&self, _: &Selection) -> Capabilities {
        self.claimed.clone()
    }
    fn usage(&self) -> Usage {
        self.truth.client.usage()
    }
    async fn check(&self, cx: &Context, selections: &[&Selection]) -> Result<Health> {
        self.truth.client.check(cx, selections).await
    }
    async fn prepare(&self, cx: &Context, selections: &[&Selection]) -> Result<()> {
        self.truth.client.prepare(cx, selections).await
    }
    async fn describe(&self, cx: &Context, entity: &EntityName) -> Result<EntitySchema> {
        self.truth.client.describe(cx, entity).await
    }
    async fn scan(&self, cx: &Context, request: ScanRequest) -> Result<Page> {
        self.truth.client.scan(cx, request).await
    }
    async fn changes(&self, cx: &Context, request: ChangesRequest) -> Result<Page> {
        self.truth.client.changes(cx, request).await
    }
    async fn open_feed(
        &self,
        cx: &Context,
        selections: &[&Selection],
        from: Option<&Position>,
    ) -> Result<Box<dyn Feed>> {
        self.truth.client.open_feed(cx, selections, from).await
    }
    async fn feed_start(&self, cx: &Context) -> Result<Option<Position>> {
        self.truth.client.feed_start(cx).await
    }
    async fn fetch(&self, cx: &Context, request: FetchRequest) -> Result<Fetched> {
        self.truth.client.fetch(cx, request).await
    }
    async fn push(&self, cx: &Context, batch: WriteBatch) -> Result<Vec<WriteOutcome>> {
        self.truth.client.push(cx, batch).await
    }
    async fn settle(&self, cx: &Context, unknown: &[UnknownWrite]) -> Result<Vec<Settlement>> {
        self.truth.client.settle(cx, unknown).await
    }
    async fn history(&self, cx: &Context, request: HistoryRequest) -> Result<Vec<HistoryEntry>> {
        self.truth.client.history(cx, request).await
    }
    fn order(&self, a: &Version, b: &Version) -> VersionOrder {
        self.truth.client.order(a, b)
    }
}

#[async_trait]
impl Fixture for Liar {
    fn connector(&self) -> &dyn Connector {
        self
    }
    fn selection(&self) -> Arc<Selection> {
        self.truth.selection()
    }
    fn context(&self) -> Context {
        self.truth.context()
    }
    fn texts(&self) -> [FieldName; 2] {
        self.truth.texts()
    }
    fn unknown_key(&self) -> Key {
        self.truth.unknown_key()
    }
    async fn create(&self, values: Vec<(FieldName, Value)>) -> Key {
        self.truth.create(values).await
    }
    async fn edit(&self, key: &Key, values: Vec<(FieldName, Value)>) {
        self.truth.edit(key, values).await;
    }
    async fn delete(&self, key: &Key) {
        self.truth.delete(key).await;
    }
    async fn read(&self, key: &Key) -> Option<Vec<Value>> {
        self.truth.read(key).await
    }
    async fn wait(&self, at_least: Duration) {
        self.truth.wait(at_least).await;
    }
}

#[track_caller]
fn caught(profile: Profile, lie: impl FnOnce(&mut Capabilities), by: &str) {
    let mut claimed = profile.capabilities.clone();
    lie(&mut claimed);
    let liar = Liar { truth: Memory::new(profile), claimed };
    let report = complete(run(&liar));
    let found = report.broken.iter().any(|(name, _)| *name == by);
    assert!(found, "{by} did not find it out; broken: {:?}", report.broken);
}

#[test]
fn an_unguarded_write_is_found_out() {
    let by = "an_update_of_a_changed_field_is_stale";
    caught(Profile::bare(), |can| can.cas = Cas::ExactField, by);
}

#[test]
fn a_coarse_delete_without_condition_is_found_out() {
    let by = "a_delete_of_a_changed_record_is_stale";
    caught(Profile::crm(), |can| can.conditional_delete = true, by);
}

#[test]
fn a_missing_fence_is_found_out() {
    let by = "a_cancelled_batch_never_passes";
    caught(Profile::postgres_stream(), |can| can.receipt = ReceiptKind::Table, by);
}

#[test]
fn a_second_record_of_one_link_is_found_out() {
    let by = "a_second_copy_of_an_insert_makes_no_second_record";
    caught(Profile::bare(), |can| can.unique_external_id = true, by);
}

#[test]
fn an_index_that_lags_is_found_out() {
    let by = "matching_misses_nothing_that_matches_when_normalised";
    caught(Profile::bare(), |can| can.search_lag = Duration::ZERO, by);
}

#[test]
fn a_version_that_is_open_too_long_is_found_out() {
    let tick = Duration::from_millis(1);
    let by = "order_is_reflexive_and_antisymmetric";
    caught(Profile::crm(), |can| can.cas = Cas::Coarse { tick }, by);
}
