//! References: a record waits for the one it refers to (protocol 1.7).

use syncline_sdk::{LinkId, Value};

use super::lone::null_field;
use super::plan::Outgoing;
use super::slot::Slot;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId, NoImage};
use crate::model::{HintReason, LinkState, ReviewKind, UnitState, UnitStatus, Verdict};

impl Workset<'_> {
    /// A reference whose record is not on the target yet: the create waits a while, then goes
    /// without it, where the target allows null. False when the create is put off.
    pub(super) fn defer_reference(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
        out: &mut Outgoing,
    ) -> bool {
        let to = from.other();
        let tries = match self.slots[&id].link.field_state.unit(at).status {
            UnitStatus::Awaiting(tries) => tries,
            _ => 0,
        };
        let fields = mapping.units[at].fields(to);
        let nullable = fields.clone().all(|field| mapping.sides[to].fields[field].nullable);
        if tries >= 2 && nullable {
            out.fields.extend(fields.map(null_field));
            return true;
        }
        let asked = tries > self.round.limits.parent_tries_max && !nullable;
        let why = asked.then(|| String::from("of a required reference"));
        self.await_parent(id, mapping, at, from, tries, why);
        false
    }

    /// A reference waits for its record; after many tries a person is asked.
    pub(super) fn wait_for_parent(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
    ) {
        let tries = match self.slots[&id].link.field_state.unit(at).status {
            UnitStatus::Awaiting(tries) => tries,
            UnitStatus::Held => self.round.limits.parent_tries_max,
            _ => {
                self.decided(id, mapping, at, Verdict::AwaitParent);
                0
            }
        };
        let asked = tries >= self.round.limits.parent_tries_max;
        let why = asked.then(|| self.parent_names(id, mapping, at, from));
        self.await_parent(id, mapping, at, from, tries, why);
    }

    fn parent_names(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
    ) -> String {
        let link = &self.slots[&id].link;
        let names: Vec<String> = mapping.units[at]
            .pairs
            .iter()
            .filter(|pair| pair.reference.is_some())
            .map(|pair| link.observed(from, pair.on(from)).to_string())
            .collect();
        names.join(", ")
    }

    /// Looks for the record later, each time after a longer wait. After the question, which names
    /// it in words, one more look follows, since it may have come just before. Then nothing looks
    /// for it: its arrival wakes what waits (see [`Workset::await_arrival`]), and so does whatever
    /// else reads that record.
    fn await_parent(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
        tries: u8,
        asked: Option<String>,
    ) {
        let state = self.slots[&id].link.field_state.unit(at);
        let most = self.round.limits.parent_tries_max.saturating_add(1);
        let status = UnitStatus::Awaiting(tries.saturating_add(1).min(most));
        self.set_unit(id, at, UnitState { status, ..state });
        let kind = asked.map(|name| ReviewKind::NoImage(from.other(), NoImage::NoParent(name)));
        let stands = kind.as_ref().is_some_and(|kind| self.is_asked(id, at, kind));
        if let Some(key) = self.slots[&id].link.keys[from].clone().filter(|_| !stands) {
            let wait = self.doubled(tries);
            self.hint_later(mapping, from, key, wait, HintReason::Parent);
        }
        if let Some(kind) = kind {
            self.await_arrival(id, mapping, at, from);
            self.ask(id, mapping, Some(at), kind);
        }
    }

    /// Whether the records that a unit refers to are on the target.
    pub(super) fn parents_ready(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        to: Side,
    ) -> bool {
        let from = to.other();
        mapping.units[at].pairs.iter().all(|pair| {
            let Some(parents) = pair.reference else { return true };
            match self.slots[&id].link.observed(from, pair.on(from)) {
                Value::Link(parent) => self.referred_to(parents, *parent).is_some_and(|slot| {
                    slot.link.keys[to].is_some()
                        && matches!(slot.link.state, LinkState::Linked | LinkState::Held)
                }),
                _ => true,
            }
        })
    }

    /// The link that a reference leads to. It may have moved to another mapping of the same
    /// entities since, where it has the same id.
    pub(super) fn referred_to(&self, parents: MappingId, link: LinkId) -> Option<&Slot> {
        let slot = self.slots.get(&(parents, link));
        let moved = || {
            let own = self.round.mappings.get(&parents)?;
            let mut others = self.siblings(own);
            others.find_map(|other| self.slots.get(&(other, link)).filter(|slot| is_there(slot)))
        };
        let found = slot.filter(|slot| is_there(slot)).or_else(moved).or(slot);
        found.map(|slot| &**slot)
    }

    /// The parents that touched links refer to and that are not loaded.
    #[must_use]
    pub fn parents_wanted(&self) -> Vec<(MappingId, LinkId)> {
        let mut wanted = std::collections::BTreeSet::new();
        for (id, slot) in self.slots.iter().filter(|(_, slot)| slot.touched) {
            let Some(mapping) = self.round.mappings.get(&id.0) else { continue };
            for pair in mapping.units.iter().flat_map(|unit| &unit.pairs) {
                let Some(parents) = pair.reference else { continue };
                for side in Side::BOTH {
                    let Value::Link(parent) = slot.link.observed(side, pair.on(side)) else {
                        continue;
                    };
                    match self.slots.get(&(parents, *parent)) {
                        None => drop(wanted.insert((parents, *parent))),
                        Some(slot) if is_there(slot) => {}
                        Some(_) => {
                            let own = self.round.mappings.get(&parents);
                            let others = own.into_iter().flat_map(|own| self.siblings(own));
                            let others = others.map(|other| (other, *parent));
                            wanted.extend(others.filter(|id| !self.slots.contains_key(id)));
                        }
                    }
                }
            }
        }
        wanted.into_iter().collect()
    }
}

/// Whether a link still has a record.
fn is_there(slot: &Slot) -> bool {
    slot.link.keys.left.is_some() || slot.link.keys.right.is_some()
}
