//! The contract of the ledger.

use std::ops::Range;

use async_trait::async_trait;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    BatchState, Changeset, Entry, Gap, Hint, Link, Parked, Review, StreamPosition,
};
use syncline_sdk::{BatchId, Instant, LinkId, SystemName};

use super::state::State;
use super::{Call, Memory};
use crate::{Committed, Encrypting, Ledger, LinkQuery, Loaded, OpenBatch, Ownership, Result};

#[async_trait]
impl Ledger for Memory {
    async fn own(&self, owner: &str, now: Instant, until: Instant) -> Result<Ownership> {
        self.call(Call::Own, |state| state.own(owner, now, until)).await
    }

    async fn reserve(&self, count: i64) -> Result<Range<i64>> {
        self.call(Call::Reserve, |state| state.reserve(count)).await
    }

    async fn load(&self, queries: &[LinkQuery]) -> Result<Loaded> {
        self.call(Call::Load, |state| state.load(queries)).await
    }

    async fn page(
        &self,
        mapping: MappingId,
        after: Option<LinkId>,
        max: usize,
    ) -> Result<Vec<Link>> {
        self.call(Call::Page, |state| state.page(mapping, after, max)).await
    }

    async fn open_batches(&self, max: usize) -> Result<Vec<OpenBatch>> {
        self.call(Call::OpenBatches, |state| state.open_batches(max)).await
    }

    async fn spent_batches(
        &self,
        system: &SystemName,
        state: BatchState,
        dead_before: Instant,
        max: usize,
    ) -> Result<Vec<BatchId>> {
        let spent = |state_of: &mut State| state_of.spent_batches(system, state, dead_before, max);
        self.call(Call::SpentBatches, spent).await
    }

    async fn unaudited_batches(
        &self,
        system: &SystemName,
        dead_before: Instant,
        after: Option<BatchId>,
        max: usize,
    ) -> Result<Vec<OpenBatch>> {
        let unaudited = |state: &mut State| {
            let all = state.spent_batches(system, BatchState::Settled, dead_before, usize::MAX);
            let ids = all.into_iter().filter(|id| after.is_none_or(|after| *id > after));
            state.with_entries(&ids.take(max).collect::<Vec<_>>())
        };
        self.call(Call::SpentBatches, unaudited).await
    }

    async fn remove_batches(&self, batches: &[BatchId]) -> Result<()> {
        self.call(Call::RemoveBatches, |state| state.remove_batches(batches)).await
    }

    async fn hints(&self, system: &SystemName, now: Instant, max: usize) -> Result<Vec<Hint>> {
        self.call(Call::Hints, |state| state.due(system, now, max)).await
    }

    async fn answers(&self, max: usize) -> Result<Vec<Review>> {
        self.call(Call::Answers, |state| state.answers(max)).await
    }

    async fn positions(&self) -> Result<Vec<StreamPosition>> {
        self.call(Call::Positions, |state| state.positions.values().cloned().collect()).await
    }

    /// Nothing of it is kept beyond this process.
    async fn encrypt(
        &self,
        _mapping: MappingId,
        _from: Encrypting,
        _max: usize,
    ) -> Result<Option<Encrypting>> {
        Ok(None)
    }

    async fn gaps(&self) -> Result<Vec<Gap>> {
        self.call(Call::Gaps, |state| {
            state.gaps.values().filter(|gap| gap.closed_at.is_none()).cloned().collect()
        })
        .await
    }

    async fn parked(&self, mapping: Option<MappingId>, max: usize) -> Result<Vec<Parked>> {
        self.call(Call::Parked, |state| {
            let mut parked: Vec<Parked> = state
                .parked
                .values()
                .filter(|parked| mapping.is_none_or(|mapping| parked.mapping == mapping))
                .cloned()
                .collect();
            parked.sort_by_key(|parked| (-parked.at, parked.mapping, parked.link));
            parked.truncate(max);
            parked
        })
        .await
    }

    async fn sweeps_asked(&self) -> Result<Vec<(MappingId, i64)>> {
        self.call(Call::SweepsAsked, |state| {
            state.sweeps.iter().map(|(mapping, asked)| (*mapping, *asked)).collect()
        })
        .await
    }

    async fn commit(&self, changeset: &Changeset) -> Result<Committed> {
        self.pass_commit(changeset).await
    }

    async fn committed(&self, commit: i64) -> Result<bool> {
        self.call(Call::Committed, |state| state.committed(commit)).await
    }

    async fn explain(&self, mapping: MappingId, link: LinkId, max: usize) -> Result<Vec<Entry>> {
        self.call(Call::Explain, |state| state.explain(mapping, link, max)).await
    }
}
