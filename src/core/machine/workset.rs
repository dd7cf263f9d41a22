//! The working memory of a round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_sdk::{EntityName, IntentId, Key, LinkId, SystemName, Value, Version, VersionOrder};

use super::batching::{Carried, OutBatch};
use super::retry::is_parked;
use super::round::Round;
use super::slot::{Asked, Search, Slot};
use super::winner::Merging;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    Alias, Changeset, Claim, Decided, Entry, EntryId, Figure, Link, LinkChange, LinkState, Review,
    ReviewChange, ReviewStatus, UnitState, UnitStatus, Verdict,
};

/// What else must be read before a link can be planned.
#[derive(Clone, PartialEq, Debug)]
pub enum Want {
    /// The partner is searched on this side by a match rule.
    Match {
        /// The mapping.
        mapping: MappingId,
        /// The link that looks for a partner.
        link: LinkId,
        /// The side searched.
        side: Side,
        /// The match rule by index.
        rule: usize,
        /// The normalised value looked for.
        value: Value,
    },
    /// The partner is searched on this side by the link id in the external-id field (protocol
    /// C4).
    ExternalId {
        /// The mapping.
        mapping: MappingId,
        /// The link.
        link: LinkId,
        /// The side searched.
        side: Side,
    },
    /// The record must be read afresh.
    Fresh {
        /// The mapping.
        mapping: MappingId,
        /// The link.
        link: LinkId,
        /// The side read.
        side: Side,
        /// The record.
        key: Key,
    },
    /// The link's journal is read, for what became of the record that our create made.
    Journal {
        /// The mapping.
        mapping: MappingId,
        /// The link.
        link: LinkId,
    },
    /// Records that refer to a link's are searched on this side.
    Referring {
        /// The mapping of the records that are searched.
        mapping: MappingId,
        /// The side searched.
        side: Side,
        /// Their reference, by index in the image.
        field: usize,
        /// The link that they may refer to, and its mapping.
        to: (MappingId, LinkId),
        /// The record's id, as the reference holds it.
        value: Value,
    },
}

/// The working memory of one round.
pub struct Workset<'a> {
    pub(super) round: Round<'a>,
    /// In boxes: a slot is large, and a tree moves its neighbours at every insertion.
    pub(super) slots: BTreeMap<(MappingId, LinkId), Box<Slot>>,
    pub(super) by_key: BTreeMap<(MappingId, Side, Key), LinkId>,
    pub(super) aliases: BTreeMap<(MappingId, Side, Key), LinkId>,
    pub(super) claims: BTreeMap<(MappingId, String), LinkId>,
    pub(super) sends: Vec<Carried>,
    /// Links whose record was merged into one that no link knows.
    pub(super) merging: BTreeMap<(MappingId, LinkId), Merging>,
    /// What the round does beyond its links.
    pub out: Changeset,
    /// Where each record's hint is in the changeset.
    pub(super) hinted: BTreeMap<(SystemName, EntityName, Key), usize>,
    ordinal: i32,
    figures: BTreeMap<Figure, i64>,
    /// Whether what is observed from here on was read within the round.
    pub(super) reading: bool,
    /// Records that were looked for in a mapping within the round.
    pub(super) looked: BTreeSet<(MappingId, Side, Key)>,
    /// Records that two mappings show inside at one time, each with its link: they are read.
    pub(super) unsure: BTreeMap<(MappingId, Side, Key), LinkId>,
}

impl<'a> Workset<'a> {
    /// An empty one.
    #[must_use]
    pub fn new(round: Round<'a>) -> Self {
        let out = Changeset {
            commit: round.commit,
            fence: round.fence,
            at: round.clock.now.micros(),
            ..Changeset::default()
        };
        Self {
            round,
            slots: BTreeMap::new(),
            by_key: BTreeMap::new(),
            aliases: BTreeMap::new(),
            claims: BTreeMap::new(),
            sends: Vec::new(),
            merging: BTreeMap::new(),
            out,
            hinted: BTreeMap::new(),
            ordinal: 0,
            figures: BTreeMap::new(),
            reading: false,
            looked: BTreeSet::new(),
            unsure: BTreeMap::new(),
        }
    }
    /// Takes in what the ledger gave. A link that is here already stays as it is.
    pub fn take(
        &mut self,
        links: Vec<Link>,
        aliases: Vec<Alias>,
        claims: Vec<Claim>,
        reviews: Vec<Review>,
    ) {
        for link in links {
            let id = (link.mapping, link.id);
            if self.slots.contains_key(&id) {
                continue;
            }
            for side in Side::BOTH {
                if let Some(key) = &link.keys[side] {
                    self.by_key.entry((link.mapping, side, key.clone())).or_insert(link.id);
                }
            }
            let was_parked = is_parked(&link, self.round.limits.refusals_max);
            let slot = Slot { was_parked, ..Slot::loaded(link) };
            self.slots.insert(id, Box::new(slot));
        }
        for alias in aliases {
            self.aliases.insert((alias.mapping, alias.side, alias.key), alias.link);
        }
        for claim in claims {
            self.claims.entry((claim.mapping, claim.key)).or_insert(claim.link);
        }
        for review in reviews {
            if review.status == ReviewStatus::Closed {
                continue;
            }
            if let Some(slot) = self.slots.get_mut(&(review.key.mapping, review.key.link)) {
                slot.asked.entry(review.key.unit).or_insert_with(|| Asked {
                    read: (review.revision, review.status),
                    review,
                    changed: false,
                    new: false,
                });
            }
        }
    }
    /// Takes note of links that were laid out anew, with their questions about units that are
    /// elsewhere by now: those are closed, and asked anew where they still stand.
    pub fn relaid(
        &mut self,
        links: Vec<(MappingId, LinkId)>,
        outdated: Vec<(Review, Option<u16>)>,
    ) {
        for id in links {
            if let Some(slot) = self.slots.get_mut(&id) {
                slot.touched = true;
                slot.dirty = true;
            }
        }
        for (review, now) in outdated {
            self.outdate(review, now);
        }
    }
    /// Takes note that a field of a unit is back on a side of a link: nothing is agreed of it, and
    /// what it shows is read anew.
    pub fn returned(&mut self, mapping: MappingId, link: LinkId, unit: usize, side: Side) {
        let Some(rules) = self.mapping(mapping) else { return };
        let (Some(of), Some(slot)) = (rules.units.get(unit), self.slots.get_mut(&(mapping, link)))
        else {
            return;
        };
        let pair = matches!(slot.link.state, LinkState::Linked | LinkState::Held);
        if !pair {
            return;
        }
        if slot.link.is_open() {
            let changed = UnitState { status: UnitStatus::Changed, ..UnitState::default() };
            slot.link.field_state.set_unit(unit, changed);
            slot.dirty = true;
            return;
        }
        slot.disagree(of, unit);
        let gone = |(at, _): &(u16, Value)| of.has(side, usize::from(*at));
        slot.link.pending[side].values.retain(|value| !gone(value));
        let returned = UnitState { status: UnitStatus::Returned, ..UnitState::default() };
        slot.link.field_state.set_unit(unit, returned);
        slot.touched = true;
    }
    /// The link of a record, where one is loaded or was made in this round. A record merged or
    /// re-keyed is found by its old id too.
    #[must_use]
    pub fn link_of(&self, mapping: MappingId, side: Side, key: &Key) -> Option<LinkId> {
        let name = (mapping, side, key.clone());
        self.by_key.get(&name).or_else(|| self.aliases.get(&name)).copied()
    }
    /// The link as it stands in this round.
    #[must_use]
    pub fn link(&self, mapping: MappingId, link: LinkId) -> Option<&Link> {
        self.slots.get(&(mapping, link)).map(|slot| &slot.link)
    }
    /// The mapping of that number.
    #[must_use]
    pub fn mapping(&self, id: MappingId) -> Option<Arc<Mapping>> {
        self.round.mappings.get(&id).cloned()
    }
    /// Says that everything observed from here on is read within this round: nothing that was
    /// folded before can be newer.
    pub fn begin_reading(&mut self) {
        self.reading = true;
    }
    /// Asks for the link to be planned at the end of the round, whatever was observed.
    pub fn touch(&mut self, mapping: MappingId, link: LinkId) {
        if let Some(slot) = self.slots.get_mut(&(mapping, link)) {
            slot.touched = true;
        }
    }
    /// Adds to a running figure.
    pub fn count(&mut self, figure: Figure, by: i64) {
        *self.figures.entry(figure).or_default() += by;
    }
    pub(super) fn now(&self) -> i64 {
        self.round.clock.now.micros()
    }
    pub(super) fn order(&self, system: &SystemName, a: &Version, b: &Version) -> VersionOrder {
        match (a.is_none(), b.is_none()) {
            (true, true) => VersionOrder::Same,
            (true, false) => VersionOrder::Older,
            (false, true) => VersionOrder::Newer,
            (false, false) => (self.round.order)(system, a, b),
        }
    }
    /// The next place in the round's commit.
    fn next_entry(&mut self) -> EntryId {
        let id = EntryId { commit: self.round.commit, ordinal: self.ordinal };
        self.ordinal += 1;
        id
    }
    /// The link's entry of this round, made on first use. A second intent needs an entry of its
    /// own: `fresh` makes one.
    pub(super) fn entry(&mut self, id: (MappingId, LinkId), fresh: bool) -> &mut Entry {
        let needs = self.slots.get(&id).is_none_or(|slot| slot.entries.is_empty()) || fresh;
        let next = if needs { Some(self.next_entry()) } else { None };
        let at = self.round.clock.now;
        let revision = self.round.mappings.get(&id.0).map_or(0, |mapping| mapping.revision);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if let Some(next) = next {
            slot.entries.push(Entry {
                id: next,
                mapping: id.0,
                link: id.1,
                previous: slot.link.last_entry,
                at,
                revision,
                observed: Vec::new(),
                decided: Vec::new(),
                intent: None,
                settled: Vec::new(),
            });
            slot.link.last_entry = Some(next);
            slot.dirty = true;
        }
        slot.entries.last_mut().expect("an entry was made")
    }
    /// Journals a decision on the whole pair.
    pub(super) fn note(&mut self, id: (MappingId, LinkId), verdict: Verdict) {
        let decided = Decided { unit: None, verdict, left: Vec::new(), right: Vec::new() };
        self.entry(id, false).decided.push(decided);
    }
    /// Journals an intent in an entry that carries none, and opens it.
    pub(super) fn open_entry(&mut self, id: (MappingId, LinkId)) -> IntentId {
        let taken = self.slots[&id].entries.last().is_none_or(|entry| entry.intent.is_some());
        self.entry(id, taken).id
    }
    /// A new link of a record that no link knew.
    pub(super) fn new_link(&mut self, mapping: &Mapping, side: Side, key: Key) -> LinkId {
        let id = (self.round.new_id)();
        let link = Link {
            epoch: self.round.fence.epoch,
            mapping_rev: mapping.revision,
            keys: crate::Sides::from_fn(|at| (at == side).then(|| key.clone())),
            ..Link::new(mapping.id, id, LinkState::Seen(side))
        };
        self.by_key.insert((mapping.id, side, key), id);
        let slot = Slot { dirty: true, ..Slot::new(link) };
        self.slots.insert((mapping.id, id), Box::new(slot));
        id
    }
    /// Gives a link the key of a record.
    pub(super) fn set_key(&mut self, id: (MappingId, LinkId), side: Side, key: Option<Key>) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if slot.link.keys[side] == key {
            return;
        }
        if let Some(old) = slot.link.keys[side].take() {
            self.by_key.remove(&(id.0, side, old));
        }
        if let Some(key) = &key {
            self.by_key.insert((id.0, side, key.clone()), id.1);
        }
        slot.link.keys[side] = key;
        slot.keys_changed = true;
        slot.dirty = true;
        slot.search = Search::Over;
    }
    /// Ends the round: plans what was touched and gives the changeset and the batches to send
    /// once it is committed.
    #[must_use]
    pub fn finish(mut self) -> (Changeset, Vec<OutBatch>) {
        self.plan_touched();
        self.note_arrived();
        let batches = self.fold_batches();
        let epoch = self.round.fence.epoch;
        for slot in self.slots.into_values() {
            for asked in slot.asked.into_values().filter(|asked| asked.changed) {
                self.out.reviews.push(review_change(asked));
            }
            self.out.entries.extend(slot.entries);
            if !slot.dirty {
                continue;
            }
            let mut link = slot.link;
            if slot.was_parked && !is_parked(&link, self.round.limits.refusals_max) {
                self.out.unparked.push((link.mapping, link.id));
            }
            link.epoch = epoch;
            self.out.links.push(match slot.guard {
                None => LinkChange::Insert(link),
                Some(guard) => LinkChange::Update { guard, link, keys_changed: slot.keys_changed },
            });
        }
        self.out.figures = self.figures.into_iter().filter(|(_, by)| *by != 0).collect();
        (self.out, batches)
    }
}

/// What becomes of a question.
pub(super) fn review_change(asked: Asked) -> ReviewChange {
    let Asked { review, read: (read_revision, read_status), new, .. } = asked;
    match review.status {
        ReviewStatus::Closed => ReviewChange::Close { key: review.key, read_revision, read_status },
        _ if new => ReviewChange::Ask(review),
        _ => ReviewChange::Show { review, read_revision, read_status },
    }
}
