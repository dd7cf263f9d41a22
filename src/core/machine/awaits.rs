//! What waits for a record that it refers to, and the arrival of that record (protocol 1.7).

use std::collections::BTreeSet;

use syncline_sdk::{Key, LinkId, Value};

use super::slot::Slot;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId, NoImage, named};
use crate::model::{Awaits, LinkState, RecordName, Review, ReviewKind, ReviewStatus};

impl Workset<'_> {
    /// Notes that a link waits for the records that a unit refers to: nothing looks for them any
    /// more, and the one that gets a partner wakes it.
    pub(super) fn await_arrival(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
    ) {
        let link = &self.slots[&id].link;
        let Some(key) = link.keys[from].clone() else { return };
        let child = name(mapping, from, key);
        let mut parents: Vec<RecordName> = Vec::new();
        for pair in &mapping.units[at].pairs {
            let Some(of) = pair.reference else { continue };
            let Some(rules) = self.mapping(of) else { continue };
            let Some(side) = mapping.side_of_parents(from, &rules) else { continue };
            let key = match link.observed(from, pair.on(from)) {
                Value::Link(parent) => {
                    self.referred_to(of, *parent).and_then(|slot| slot.link.keys[side].clone())
                }
                value => named(value),
            };
            parents.extend(key.map(|key| name(&rules, side, key)));
        }
        let awaits = parents.into_iter().map(|parent| Awaits { parent, child: child.clone() });
        self.out.awaits.extend(awaits);
    }

    /// Notes that a question is over, and with it the waiting for a record.
    pub(super) fn await_no_more(&mut self, id: (MappingId, LinkId), question: &Review) {
        let ReviewKind::NoImage(to, NoImage::NoParent(_)) = question.kind else { return };
        let Some(mapping) = self.mapping(id.0) else { return };
        let child = self.slots[&id].link.keys[to.other()].clone();
        self.out.awaits_done.extend(child.map(|key| name(&mapping, to.other(), key)));
    }

    /// Whether this is what a person is asked about a unit.
    pub(super) fn is_asked(&self, id: (MappingId, LinkId), at: usize, kind: &ReviewKind) -> bool {
        let asked = u16::try_from(at).ok().and_then(|unit| self.slots[&id].asked.get(&Some(unit)));
        asked.is_some_and(|asked| {
            asked.review.status != ReviewStatus::Closed && asked.review.kind == *kind
        })
    }

    /// Notes the records that have a partner since this round, by the names that others refer to
    /// them by. One that was merged stands for another from now on.
    pub(super) fn note_arrived(&mut self) {
        let pairs = self.round.mappings.values().flat_map(|of| &of.units).flat_map(|of| &of.pairs);
        let mut referred: BTreeSet<MappingId> = pairs.filter_map(|pair| pair.reference).collect();
        let of = referred.iter().filter_map(|id| self.round.mappings.get(id));
        let siblings: Vec<MappingId> = of.flat_map(|of| self.siblings(of)).collect();
        referred.extend(siblings);
        let mut arrived = Vec::new();
        for (id, slot) in self.slots.iter().filter(|(id, _)| referred.contains(&id.0)) {
            let Some(mapping) = self.round.mappings.get(&id.0).filter(|_| has_arrived(slot)) else {
                continue;
            };
            let keys = slot.link.keys.iter();
            let names = keys.filter_map(|(side, key)| Some(name(mapping, side, key.clone()?)));
            arrived.extend(names);
        }
        self.out.arrived.extend(arrived);
    }
}

fn has_arrived(slot: &Slot) -> bool {
    let merged = matches!(slot.link.state, LinkState::Merged(_));
    let news = slot.keys_changed || !slot.was_ready;
    slot.dirty && news && (merged || slot.is_ready())
}

fn name(mapping: &Mapping, side: Side, key: Key) -> RecordName {
    let place = &mapping.sides[side];
    (place.system.clone(), place.selection.entity.clone(), key)
}
