//! The tables, and what is read from them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Alias, Awaits, Batch, BatchState, Changeset, Claim, Entry, EntryId, Fence, Figure, Gap, Hint,
    Link, Parked, RecordName, Review, ReviewKey, ReviewStatus, StreamPosition, Tally,
};
use syncline_sdk::{BatchId, EntityName, Instant, Key, LinkId, SystemName};

use crate::fold;
use crate::{
    Awaited, Delivery, Description, LinkQuery, Loaded, MappingRevision, OpenBatch, Owner,
    Ownership, Snapshot,
};

/// A record's name within a mapping.
pub(super) type RecordKey = (MappingId, Side, Key);

/// Everything that is durable.
#[derive(Default)]
pub(super) struct State {
    pub(super) lease: Option<Owner>,
    pub(super) next_commit: i64,
    /// Commit numbers that are decided: whether the commit happened.
    pub(super) decided: BTreeMap<i64, bool>,
    pub(super) under_way: BTreeMap<i64, Changeset>,
    pub(super) links: BTreeMap<(MappingId, LinkId), Link>,
    pub(super) keys: BTreeMap<RecordKey, LinkId>,
    pub(super) aliases: BTreeMap<RecordKey, Alias>,
    pub(super) claims: BTreeMap<(MappingId, String), LinkId>,
    pub(super) entries: BTreeMap<EntryId, Entry>,
    pub(super) batches: BTreeMap<BatchId, Batch>,
    pub(super) hints: BTreeMap<RecordName, Hint>,
    pub(super) awaits: BTreeSet<Awaits>,
    pub(super) last_seq: i64,
    pub(super) reviews: BTreeMap<ReviewKey, Review>,
    pub(super) last_review: i64,
    pub(super) positions: BTreeMap<String, StreamPosition>,
    pub(super) parked: BTreeMap<(MappingId, LinkId), Parked>,
    pub(super) gaps: BTreeMap<(String, i64), Gap>,
    pub(super) figures: BTreeMap<Figure, i64>,
    pub(super) tallies: BTreeMap<Tally, i64>,
    pub(super) install: Option<String>,
    pub(super) mappings: Vec<(MappingRevision, Vec<String>)>,
    pub(super) snapshots: BTreeMap<(SystemName, EntityName), Snapshot>,
    pub(super) descriptions: BTreeMap<(MappingId, Side), Description>,
    pub(super) awaited: Vec<Awaited>,
    pub(super) sweeps: BTreeMap<MappingId, i64>,
    pub(super) tokens: BTreeMap<(SystemName, String), String>,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) last_delivery: i64,
    pub(super) notices: BTreeMap<(SystemName, String), i64>,
}

impl State {
    pub(super) fn own(&mut self, owner: &str, now: Instant, until: Instant) -> Ownership {
        let epoch = match &self.lease {
            None => 1,
            Some(lease) if lease.owner == owner => lease.epoch,
            Some(lease) if lease.until <= now.micros() => lease.epoch + 1,
            Some(lease) => return Ownership::Taken { until: lease.until },
        };
        self.lease = Some(Owner { owner: owner.to_owned(), epoch, until: until.micros() });
        Ownership::Owned(Fence { epoch })
    }

    pub(super) fn reserve(&mut self, count: i64) -> Range<i64> {
        let first = self.next_commit + 1;
        self.next_commit += count.max(0);
        first..self.next_commit + 1
    }

    /// Decides an undecided commit: it never happens.
    pub(super) fn committed(&mut self, commit: i64) -> bool {
        self.under_way.remove(&commit);
        *self.decided.entry(commit).or_insert(false)
    }

    pub(super) fn load(&self, queries: &[LinkQuery]) -> Loaded {
        let mut wanted = BTreeSet::new();
        let mut loaded = Loaded::default();
        let mut aliases = BTreeMap::new();
        let mut claims = BTreeMap::new();
        for query in queries {
            let mapping = query.mapping;
            wanted.extend(query.links.iter().map(|link| (mapping, *link)));
            for (side, keys) in query.keys.iter() {
                for key in keys {
                    let name = (mapping, side, key.clone());
                    if let Some(link) = self.keys.get(&name) {
                        wanted.insert((mapping, *link));
                    } else if let Some(alias) = self.aliases.get(&name) {
                        wanted.insert((mapping, alias.link));
                        aliases.insert(name, alias.clone());
                    }
                }
            }
            for key in &query.claims {
                if let Some(link) = self.claims.get(&(mapping, key.clone())) {
                    wanted.insert((mapping, *link));
                    claims.insert((mapping, key.clone()), *link);
                }
            }
        }
        loaded.links = wanted.iter().filter_map(|name| self.links.get(name)).cloned().collect();
        loaded.aliases = aliases.into_values().collect();
        loaded.claims =
            claims.into_iter().map(|((mapping, key), link)| Claim { mapping, key, link }).collect();
        loaded.reviews = loaded
            .links
            .iter()
            .filter(|link| fold::may_have_reviews(link))
            .flat_map(|link| self.reviews_of(link.mapping, link.id))
            .collect();
        loaded
    }

    fn reviews_of(&self, mapping: MappingId, link: LinkId) -> impl Iterator<Item = Review> {
        let first = ReviewKey { mapping, link, unit: None, sync_version: i64::MIN };
        let last = ReviewKey { unit: Some(u16::MAX), sync_version: i64::MAX, ..first };
        self.reviews
            .range(first..=last)
            .map(|(_, review)| review.clone())
            .filter(|review| review.status != ReviewStatus::Closed)
    }

    pub(super) fn page(&self, mapping: MappingId, after: Option<LinkId>, max: usize) -> Vec<Link> {
        let first = LinkId(uuid::Uuid::nil());
        self.links
            .range((mapping, after.unwrap_or(first))..)
            .take_while(|((of, _), _)| *of == mapping)
            .filter(|((_, link), _)| after.is_none_or(|after| *link > after))
            .take(max)
            .map(|(_, link)| link.clone())
            .collect()
    }

    pub(super) fn open_batches(&self, max: usize) -> Vec<OpenBatch> {
        self.batches
            .values()
            .filter(|batch| batch.state == BatchState::Sent)
            .take(max)
            .map(|batch| self.with_its_entries(batch))
            .collect()
    }

    fn with_its_entries(&self, batch: &Batch) -> OpenBatch {
        let entries = batch.intents.iter().filter_map(|intent| self.entries.get(intent));
        OpenBatch { entries: entries.cloned().collect(), batch: batch.clone() }
    }

    pub(super) fn with_entries(&self, ids: &[BatchId]) -> Vec<OpenBatch> {
        let batches = ids.iter().filter_map(|id| self.batches.get(id));
        batches.map(|batch| self.with_its_entries(batch)).collect()
    }

    pub(super) fn spent_batches(
        &self,
        system: &SystemName,
        state: BatchState,
        dead_before: Instant,
        max: usize,
    ) -> Vec<BatchId> {
        let spent = |batch: &&Batch| {
            let stands = batch.system == *system && batch.state == state;
            stands && batch.die_after < dead_before.micros()
        };
        self.batches.values().filter(spent).take(max).map(|batch| batch.id).collect()
    }

    pub(super) fn remove_batches(&mut self, batches: &[BatchId]) {
        let open = |batch: &Batch| batch.state == BatchState::Sent;
        self.batches.retain(|id, batch| open(batch) || !batches.contains(id));
    }

    pub(super) fn due(&self, system: &SystemName, now: Instant, max: usize) -> Vec<Hint> {
        let mut due: Vec<&Hint> = self
            .hints
            .values()
            .filter(|hint| hint.system == *system && hint.due <= now.micros())
            .collect();
        due.sort_by_key(|hint| (hint.due, hint.seq));
        due.into_iter().take(max).cloned().collect()
    }

    pub(super) fn answers(&self, max: usize) -> Vec<Review> {
        let mut answered: Vec<&Review> = self
            .reviews
            .values()
            .filter(|review| review.status == ReviewStatus::Answered)
            .collect();
        answered.sort_by_key(|review| {
            (review.answer.as_ref().map_or(0, |answer| answer.at.micros()), review.id)
        });
        answered.into_iter().take(max).cloned().collect()
    }

    pub(super) fn explain(&self, mapping: MappingId, link: LinkId, max: usize) -> Vec<Entry> {
        let newest = self.links.get(&(mapping, link)).and_then(|link| link.last_entry);
        std::iter::successors(newest.and_then(|id| self.entries.get(&id)), |entry| {
            // An entry names an older one; anything else would walk in a circle.
            let previous = entry.previous.filter(|previous| *previous < entry.id)?;
            self.entries.get(&previous)
        })
        .take_while(|entry| entry.mapping == mapping && entry.link == link)
        .take(max)
        .cloned()
        .collect()
    }

    pub(super) fn add_hints(&mut self, hints: &[Hint]) {
        for (key, hint) in fold::hints(hints) {
            self.last_seq += 1;
            let hint = Hint { seq: self.last_seq, ..hint };
            let hint = fold::joined(self.hints.get(&key), hint);
            self.hints.insert(key, hint);
        }
    }
}
