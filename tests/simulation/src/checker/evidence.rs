//! Evidence: everything that the checker looks at, and what a run violated.

use std::collections::BTreeMap;

use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::{Entry, EntryId, Link, Parked, Review, ReviewKind, ReviewStatus};
use syncline_core::{Side, Sides};
use syncline_ledger::{Ledger as _, People as _};
use syncline_sdk::{Key, LinkId};
use syncline_testkit::{LogEntry, WriteEntry, complete};

use crate::world::World;

/// What a run violated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The invariant, by its id.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
}

/// Everything that the checker looks at.
pub struct Evidence<'a> {
    pub(super) world: &'a World,
    pub(super) history: Sides<Vec<LogEntry>>,
    pub(super) writes: Sides<Vec<WriteEntry>>,
    pub(super) entries: BTreeMap<EntryId, Entry>,
    pub(super) by_link: BTreeMap<LinkId, Vec<EntryId>>,
    pub(super) reviews: Vec<Review>,
    pub(super) links: BTreeMap<LinkId, Link>,
    pub(super) parked: Vec<Parked>,
    pub(super) link_of: BTreeMap<(MappingId, Side, Key), LinkId>,
}

impl<'a> Evidence<'a> {
    pub(super) fn gather(world: &'a World) -> Self {
        let mut entries = world.ledger.entries();
        for entry in &mut entries {
            if let Some(mapping) = world.mappings.get(&entry.mapping) {
                entry.relay(mapping).expect("its revision is known");
            }
        }
        let mut by_link: BTreeMap<LinkId, Vec<EntryId>> = BTreeMap::new();
        for entry in &entries {
            by_link.entry(entry.link).or_default().push(entry.id);
        }
        let mut links = world.ledger.links();
        for link in &mut links {
            if let Some(mapping) = world.mappings.get(&link.mapping) {
                link.relay(mapping).expect("its revision is known");
            }
        }
        let mut evidence = Self {
            world,
            history: Sides::from_fn(|side| world.systems[side].history()),
            writes: Sides::from_fn(|side| world.systems[side].writes()),
            entries: entries.into_iter().map(|entry| (entry.id, entry)).collect(),
            by_link,
            reviews: world.ledger.all_reviews(),
            links: links.into_iter().map(|link| (link.id, link)).collect(),
            parked: complete(world.ledger.parked(None, usize::MAX)).unwrap_or_default(),
            link_of: BTreeMap::new(),
        };
        evidence.name_links();
        evidence
    }
    /// Which link each record belongs to, by an old name too.
    fn name_links(&mut self) {
        for (mapping_id, mapping) in &self.world.mappings {
            for side in Side::BOTH {
                let entity = &mapping.sides[side].selection.entity;
                let lines = self.history[side].iter().filter(|line| line.entity == *entity);
                let keys: std::collections::BTreeSet<Key> =
                    lines.map(|line| line.key.clone()).collect();
                for key in keys {
                    let found = complete(self.world.ledger.find(*mapping_id, side, &key));
                    if let Ok(Some(link)) = found {
                        self.link_of.insert((*mapping_id, side, key), link.id);
                    }
                }
            }
        }
    }
    /// Whether a record is or was that of a link: one that was merged away goes by another link's
    /// name since.
    pub(super) fn belonged(&self, link: LinkId, side: Side, key: &Key) -> bool {
        let now = self.link_of.get(&(crate::setup::ITEMS, side, key.clone()));
        let made = || {
            self.history[side].iter().any(|line| {
                line.key == *key && line.origin.as_ref().is_some_and(|origin| origin.link == link)
            })
        };
        let observed = || {
            let entries = self.by_link.get(&link).into_iter().flatten();
            entries.filter_map(|id| self.entries.get(id)).any(|entry| {
                entry.observed.iter().any(|seen| seen.side == side && seen.key == *key)
            })
        };
        now == Some(&link) || made() || observed()
    }
    pub(super) fn mapping_of(&self, entity: &syncline_sdk::EntityName) -> Option<&Mapping> {
        let mut mappings = self.world.mappings.values();
        mappings.find(|mapping| mapping.sides.left.selection.entity == *entity).map(|m| &**m)
    }
    /// Whether a question about a link's unit, or about the pair, is open.
    pub(super) fn is_asked(&self, link: LinkId, unit: Option<usize>) -> bool {
        self.reviews.iter().any(|review| {
            review.key.link == link
                && review.status == ReviewStatus::Open
                && (review.key.unit.is_none()
                    || unit.is_none()
                    || review.key.unit.map(usize::from) == unit)
        })
    }
    pub(super) fn is_parked(&self, link: LinkId) -> bool {
        self.parked.iter().any(|parked| parked.link == link)
    }
    /// Creates of a side that were applied and of which nothing told which record they made: a
    /// person is asked about the link that each was for (protocol C5). The record is taken for
    /// somebody else's from there on.
    pub(super) fn ambiguous_creates(&self, side: Side) -> usize {
        let asked = |link: LinkId| {
            self.reviews.iter().any(|review| {
                let unfound =
                    matches!(&review.kind, ReviewKind::Ambiguous(keys) if keys.is_empty());
                review.key.link == link && unfound
            })
        };
        let inserts = self.writes[side]
            .iter()
            .filter(|write| write.verb == "insert" && write.effect == "applied");
        let of = inserts.filter_map(|write| self.entries.get(&write.intent));
        of.filter(|entry| asked(entry.link)).count()
    }
    /// The decisions journalled for a link.
    pub(super) fn decided(
        &self,
        link: LinkId,
    ) -> impl Iterator<Item = &syncline_core::model::Decided> {
        let entries = self.by_link.get(&link).into_iter().flatten();
        entries.filter_map(|id| self.entries.get(id)).flat_map(|entry| &entry.decided)
    }
}

pub(super) fn violation(invariant: &'static str, what: String) -> Violation {
    Violation { invariant, what }
}
