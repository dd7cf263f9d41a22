//! A ledger that is read and never written: what is committed stays in memory, over what another
//! ledger holds.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    BatchState, Changeset, Entry, Gap, Hint, Link, LinkState, Parked, Review, ReviewKey,
    ReviewStatus, StreamPosition,
};
use syncline_sdk::{BatchId, Instant, Key, LinkId, SystemName};

use crate::memory::Memory;
use crate::{Committed, Encrypting, Ledger, LinkQuery, Loaded, OpenBatch, Ownership, Result};

/// Commit numbers of an overlay lie above all of the ledger below: an entry never names a later
/// one.
const COMMITS_ABOVE: i64 = 1 << 40;

/// What was committed in memory, over another ledger. Of that it calls nothing but what reads, so
/// that a plan made on it provably changes nothing there. Streams, hints, gaps and batches begin
/// empty: a plan reads everything anew, and what is under way below stays as it is.
pub struct Overlay {
    below: Option<Arc<dyn Ledger>>,
    above: Memory,
    lent: Mutex<Lent>,
}

/// Where a link stood in the ledger below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stood {
    /// Its state.
    pub state: LinkState,
    /// Whether one of its records was outside the mapping's filter.
    pub outside: bool,
}

impl Stood {
    /// Where a link stands.
    #[must_use]
    pub fn of(link: &Link) -> Self {
        let outside = &link.field_state.outside;
        Self { state: link.state, outside: outside.left || outside.right }
    }
}

/// What was taken from below: each thing once, so that what was changed above stays changed.
#[derive(Default)]
struct Lent {
    /// Each with where it stood.
    links: BTreeMap<(MappingId, LinkId), Stood>,
    aliases: BTreeSet<(MappingId, Side, Key)>,
    claims: BTreeSet<(MappingId, String)>,
    questions: BTreeSet<(ReviewKey, i32)>,
}

impl Overlay {
    /// An overlay of a ledger, or of none where no sync has run yet.
    #[must_use]
    pub fn new(below: Option<Arc<dyn Ledger>>) -> Self {
        Self { below, above: Memory::default(), lent: Mutex::default() }
    }

    /// All links that were loaded or made, each with where it stands in the ledger below; nothing
    /// where that does not know it.
    #[must_use]
    pub fn links(&self) -> Vec<(Link, Option<Stood>)> {
        let lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let with = |link: Link| {
            let known = lent.links.get(&(link.mapping, link.id)).copied();
            (link, known)
        };
        self.above.links().into_iter().map(with).collect()
    }

    /// The questions that are open above, each with whether it was asked so below.
    #[must_use]
    pub fn questions(&self) -> Vec<(Review, bool)> {
        let lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |review: &Review| review.status == ReviewStatus::Open;
        let with = |review: Review| {
            let known = lent.questions.contains(&(review.key, review.revision));
            (review, known)
        };
        self.above.all_reviews().into_iter().filter(open).map(with).collect()
    }

    /// Where the streams of the ledger below stand. Above they begin empty.
    ///
    /// # Errors
    /// When the ledger below gives no answer.
    pub async fn positions_below(&self) -> Result<Vec<StreamPosition>> {
        match &self.below {
            Some(below) => below.positions().await,
            None => Ok(Vec::new()),
        }
    }

    /// How many answers were given and not carried out.
    #[must_use]
    pub fn answered(&self) -> usize {
        let answered = |review: &&Review| review.status == ReviewStatus::Answered;
        self.above.all_reviews().iter().filter(answered).count()
    }

    /// How many records are still to be looked at.
    #[must_use]
    pub fn hinted(&self) -> Vec<Hint> {
        self.above.all_hints()
    }

    /// Takes from below what was not taken before.
    fn lend(&self, loaded: Loaded) {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let Loaded { mut links, mut aliases, mut claims, mut reviews } = loaded;
        links.retain(|link| match lent.links.entry((link.mapping, link.id)) {
            Slot::Vacant(vacant) => {
                vacant.insert(Stood::of(link));
                true
            }
            Slot::Occupied(_) => false,
        });
        aliases.retain(|alias| lent.aliases.insert((alias.mapping, alias.side, alias.key.clone())));
        claims.retain(|claim| lent.claims.insert((claim.mapping, claim.key.clone())));
        reviews.retain(|review| {
            let of = |link: &Link| (link.mapping, link.id) == (review.key.mapping, review.key.link);
            links.iter().any(of)
        });
        lent.questions.extend(reviews.iter().map(|review| (review.key, review.revision)));
        self.above.lend(Loaded { links, aliases, claims, reviews });
    }
}

#[async_trait]
impl Ledger for Overlay {
    async fn own(&self, owner: &str, now: Instant, until: Instant) -> Result<Ownership> {
        self.above.own(owner, now, until).await
    }

    async fn reserve(&self, count: i64) -> Result<Range<i64>> {
        let range = self.above.reserve(count).await?;
        Ok(range.start + COMMITS_ABOVE..range.end + COMMITS_ABOVE)
    }

    async fn load(&self, queries: &[LinkQuery]) -> Result<Loaded> {
        if let Some(below) = &self.below {
            self.lend(below.load(queries).await?);
        }
        self.above.load(queries).await
    }

    async fn open_batches(&self, max: usize) -> Result<Vec<OpenBatch>> {
        self.above.open_batches(max).await
    }

    async fn spent_batches(
        &self,
        system: &SystemName,
        state: BatchState,
        dead_before: Instant,
        max: usize,
    ) -> Result<Vec<BatchId>> {
        self.above.spent_batches(system, state, dead_before, max).await
    }

    async fn unaudited_batches(
        &self,
        system: &SystemName,
        dead_before: Instant,
        after: Option<BatchId>,
        max: usize,
    ) -> Result<Vec<OpenBatch>> {
        self.above.unaudited_batches(system, dead_before, after, max).await
    }

    async fn remove_batches(&self, batches: &[BatchId]) -> Result<()> {
        self.above.remove_batches(batches).await
    }

    async fn hints(&self, system: &SystemName, now: Instant, max: usize) -> Result<Vec<Hint>> {
        self.above.hints(system, now, max).await
    }

    async fn answers(&self, max: usize) -> Result<Vec<Review>> {
        self.above.answers(max).await
    }

    async fn positions(&self) -> Result<Vec<StreamPosition>> {
        self.above.positions().await
    }

    async fn page(
        &self,
        mapping: MappingId,
        after: Option<LinkId>,
        max: usize,
    ) -> Result<Vec<Link>> {
        if let Some(below) = &self.below {
            let links = below.page(mapping, after, max).await?;
            let ids: Vec<LinkId> = links.iter().map(|link| link.id).collect();
            let query = LinkQuery { mapping, links: ids, ..LinkQuery::default() };
            // With what hangs on them.
            self.lend(below.load(&[query]).await?);
        }
        self.above.page(mapping, after, max).await
    }

    async fn encrypt(
        &self,
        mapping: MappingId,
        from: Encrypting,
        max: usize,
    ) -> Result<Option<Encrypting>> {
        self.above.encrypt(mapping, from, max).await
    }

    async fn gaps(&self) -> Result<Vec<Gap>> {
        self.above.gaps().await
    }

    async fn parked(&self, mapping: Option<MappingId>, max: usize) -> Result<Vec<Parked>> {
        self.above.parked(mapping, max).await
    }

    async fn sweeps_asked(&self) -> Result<Vec<(MappingId, i64)>> {
        self.above.sweeps_asked().await
    }

    async fn commit(&self, changeset: &Changeset) -> Result<Committed> {
        self.above.commit(changeset).await
    }

    async fn committed(&self, commit: i64) -> Result<bool> {
        self.above.committed(commit).await
    }

    async fn explain(&self, mapping: MappingId, link: LinkId, max: usize) -> Result<Vec<Entry>> {
        let mut entries = self.above.explain(mapping, link, max).await?;
        if let Some(below) = &self.below {
            let room = max.saturating_sub(entries.len());
            entries.extend(below.explain(mapping, link, room).await?);
        }
        Ok(entries)
    }
}
