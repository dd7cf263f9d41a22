//! Records made again: one that carries a link's id turned up where the link's own is gone.
//!
//! It may be a late copy of our own create (protocol C3, W6): the target refuses that only while
//! the first record is there. What it shows is what was agreed when it was made. Taken for
//! somebody's edits, its old values would replace what was edited since; so the create is taken
//! as applied once more, and what changed since is pending above it.

use syncline_sdk::{LinkId, Value, Version, VersionOrder};

use super::observation::Observation;
use super::workset::Workset;
use crate::mapping::{Mapping, MappingId};
use crate::model::{Base, Entry, HintReason, Intent, IntentKind, LinkState, Verdict};
use crate::{Side, Sides};

impl Workset<'_> {
    /// Whether a record that carries the link's id can stand for the one that is gone on a side.
    pub(super) fn may_be_made_again(&self, id: (MappingId, LinkId), side: Side) -> bool {
        let link = &self.slots[&id].link;
        matches!(link.state, LinkState::Linked | LinkState::Tombstone | LinkState::Held)
            && link.keys[side].is_some()
            && !link.exists(side)
            && !link.is_open()
    }

    /// Keeps the record until the link's journal is read.
    pub(super) fn await_journal(
        &mut self,
        id: (MappingId, LinkId),
        side: Side,
        seen: &Observation,
    ) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.remade = Some(Box::new((side, seen.clone())));
        slot.touched = true;
    }

    /// Records whose journal could not be read in this round are looked at again.
    pub(super) fn hint_remade(&mut self) {
        let mut left = Vec::new();
        for (id, slot) in &mut self.slots {
            if let Some(remade) = slot.remade.take() {
                slot.deferred = true;
                left.push((id.0, *remade));
            }
        }
        for (mapping, (side, seen)) in left {
            let Some(mapping) = self.mapping(mapping) else { continue };
            self.see_later(&mapping, side, &seen);
        }
    }

    fn see_later(&mut self, mapping: &Mapping, side: Side, seen: &Observation) {
        let wait = self.round.limits.retry_min;
        self.hint_later(mapping, side, seen.key.clone(), wait, HintReason::Claimed);
    }

    /// Takes the record for the one that is gone, now that the journal is known, newest entry
    /// first. Without a create of ours in it, somebody made the record, and what it shows are
    /// edits as any other.
    pub(super) fn made_again(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
        journal: &[Entry],
    ) {
        if !self.may_be_made_again(id, side) {
            self.see_later(mapping, side, seen);
            return;
        }
        if let Some(old) = self.slots[&id].link.keys[side].clone() {
            self.alias(mapping.id, side, old, id.1, "re-created");
        }
        self.set_key(id, side, Some(seen.key.clone()));
        self.note(id, Verdict::Rekey(side));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        // How new the record before it was tells nothing of this one.
        slot.link.versions[side] = Version::default();
        slot.link.field_state.overtaken[side] = false;
        let shown = seen.content.as_deref().unwrap_or_default();
        let copied = nearest_create(journal, mapping, side, shown);
        if let Some(create) = copied {
            self.base_of_copy(id, mapping, create, shown);
        }
        self.take_in(id, mapping, side, seen);
        // A buried pair is not brought back by a copy: its partner is gone, so the copy goes too.
        if copied.is_some() && self.slots[&id].link.state == LinkState::Tombstone {
            self.revive(id);
        }
    }

    /// The base becomes what the create agreed upon; what the other side shows stands above it.
    fn base_of_copy(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        create: &Intent,
        shown: &[Value],
    ) {
        let (side, other) = (create.side, create.side.other());
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let image = 0..mapping.sides[other].image_len;
        let there: Vec<Value> = image.map(|at| slot.link.observed(other, at).clone()).collect();
        slot.link.base = Sides::from_fn(|at| {
            let image = vec![Value::Absent; mapping.sides[at].image_len];
            Some(Base { exists: slot.link.base_exists(at), image })
        });
        slot.link.origins = vec![None; mapping.units.len()];
        slot.link.pending[side].values.clear();
        for (at, value) in there.into_iter().enumerate().filter(|(_, value)| value.is_present()) {
            slot.show(other, u16::try_from(at).unwrap_or(u16::MAX), value);
        }
        let images: Vec<(u16, Value)> =
            create.fields.iter().map(|field| (field.field, field.image.clone())).collect();
        self.move_base(id, mapping, create, &images, VersionOrder::Newer);
        self.base_of_unreached(id, mapping, side, Some(shown));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.sync_version += 1;
        slot.link.mapping_rev = mapping.revision;
        slot.dirty = true;
    }
}

/// The create of ours on a side that the record shows most of, the newest of equals.
fn nearest_create<'a>(
    newest_first: &'a [Entry],
    mapping: &Mapping,
    side: Side,
    shown: &[Value],
) -> Option<&'a Intent> {
    let (ours, theirs) = (mapping.sides[side].image_len, mapping.sides[side.other()].image_len);
    newest_first
        .iter()
        .filter_map(|entry| entry.intent.as_ref())
        .filter(|intent| intent.kind == IntentKind::Create && intent.side == side)
        // One of a mapping with other fields tells nothing.
        .filter(|intent| intent.units.iter().all(|at| usize::from(*at) < mapping.units.len()))
        .filter(|intent| intent.fields.iter().all(|field| usize::from(field.field) < ours))
        .filter(|intent| intent.source.iter().all(|(at, _)| usize::from(*at) < theirs))
        .min_by_key(|intent| {
            let differs = |at: u16, image: &Value| shown.get(usize::from(at)) != Some(image);
            intent.fields.iter().filter(|field| differs(field.field, &field.image)).count()
        })
}
