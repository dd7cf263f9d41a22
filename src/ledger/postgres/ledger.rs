//! The contract of the ledger.

use std::ops::Range;

use async_trait::async_trait;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    BatchState, Changeset, Entry, Gap, Hint, Link, Parked, Review, StreamPosition,
};
use syncline_sdk::{BatchId, Instant, LinkId, SystemName};

use super::session::call;
use super::{
    Postgres, batch, counter, decided, encrypt, gap, hint, journal, link, load, owning, parked,
    position, review, sweep,
};
use crate::{Committed, Encrypting, Ledger, LinkQuery, Loaded, OpenBatch, Ownership, Result};

#[async_trait]
impl Ledger for Postgres {
    async fn own(&self, owner: &str, now: Instant, until: Instant) -> Result<Ownership> {
        owning::own(self, owner, now, until).await
    }

    async fn reserve(&self, count: i64) -> Result<Range<i64>> {
        call!(self, "reserve commit numbers", |connection| async {
            let range = counter::reserve(&mut *connection, count).await?;
            decided::forget(connection, range.start).await?;
            Ok(range)
        })
    }

    async fn load(&self, queries: &[LinkQuery]) -> Result<Loaded> {
        call!(self, "load links", |connection| load::load(connection, &self.keyring, queries))
    }

    async fn page(
        &self,
        mapping: MappingId,
        after: Option<LinkId>,
        max: usize,
    ) -> Result<Vec<Link>> {
        call!(self, "page through links", |connection| {
            link::page(connection, &self.keyring, mapping, after, max)
        })
    }

    async fn open_batches(&self, max: usize) -> Result<Vec<OpenBatch>> {
        call!(self, "load open batches", |connection| batch::open(connection, &self.keyring, max))
    }

    async fn spent_batches(
        &self,
        system: &SystemName,
        state: BatchState,
        dead_before: Instant,
        max: usize,
    ) -> Result<Vec<BatchId>> {
        call!(self, "look for spent batches", |connection| {
            batch::spent(connection, system, state, dead_before, max)
        })
    }

    async fn unaudited_batches(
        &self,
        system: &SystemName,
        dead_before: Instant,
        after: Option<BatchId>,
        max: usize,
    ) -> Result<Vec<OpenBatch>> {
        call!(self, "load settled batches", |connection| {
            batch::unaudited(connection, &self.keyring, system, dead_before, after, max)
        })
    }

    async fn remove_batches(&self, batches: &[BatchId]) -> Result<()> {
        call!(self, "remove batches", |connection| batch::remove(connection, batches))
    }

    async fn hints(&self, system: &SystemName, now: Instant, max: usize) -> Result<Vec<Hint>> {
        call!(self, "take hints", |connection| hint::due(connection, system, now, max))
    }

    async fn answers(&self, max: usize) -> Result<Vec<Review>> {
        call!(self, "load answers", |connection| review::answered(connection, &self.keyring, max))
    }

    async fn positions(&self) -> Result<Vec<StreamPosition>> {
        call!(self, "load positions", |connection| position::all(connection))
    }

    async fn encrypt(
        &self,
        mapping: MappingId,
        from: Encrypting,
        max: usize,
    ) -> Result<Option<Encrypting>> {
        call!(self, "encrypt what is kept of sensitive fields", |connection| {
            encrypt::encrypt(connection, &self.keyring, mapping, from, max)
        })
    }

    async fn gaps(&self) -> Result<Vec<Gap>> {
        call!(self, "load gaps", |connection| gap::open(connection))
    }

    async fn parked(&self, mapping: Option<MappingId>, max: usize) -> Result<Vec<Parked>> {
        call!(self, "list parked records", |connection| parked::list(
            connection,
            &self.keyring,
            mapping,
            max
        ))
    }

    async fn sweeps_asked(&self) -> Result<Vec<(MappingId, i64)>> {
        call!(self, "read what sweeps were asked for", |connection| sweep::asked(connection))
    }

    async fn commit(&self, changeset: &Changeset) -> Result<Committed> {
        self.make_durable(changeset).await
    }

    async fn committed(&self, commit: i64) -> Result<bool> {
        call!(self, "look for a commit", |connection| decided::ask(connection, commit))
    }

    async fn explain(&self, mapping: MappingId, link: LinkId, max: usize) -> Result<Vec<Entry>> {
        call!(self, "walk the journal", |connection| {
            journal::chain(connection, &self.keyring, mapping, link, None, max)
        })
    }
}
