//! Records without a partner: searched for one, then created on the other side (protocol 1.6).

use syncline_sdk::{LinkId, Value};

use super::batching::Step;
use super::plan::Outgoing;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId, NoImage};
use crate::model::{
    HintReason, Intent, IntentKind, LinkState, ReviewKind, UnitStatus, Verdict, Would, WrittenField,
};
use crate::reconcile::written_fields;

/// How long a record rests of which a field is hidden that it could find its partner by,
/// microseconds: somebody has to give a right back.
const HIDDEN_REST: i64 = 300_000_000;

impl Workset<'_> {
    /// A record without a partner.
    pub(super) fn plan_lone(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        let slot = &self.slots[&id];
        if !slot.link.exists(side) {
            self.both_gone(id, mapping);
            return;
        }
        if slot.link.field_state.outside[side] {
            return;
        }
        if let Some(key) = slot.returning.clone() {
            let wait = self.backoff(id);
            self.hint_later(mapping, side.other(), key, wait, HintReason::Again);
            return;
        }
        if let Some(of) = slot.twin {
            self.plan_twin(id, mapping, side, of);
            return;
        }
        if self.hides_itself(id, mapping) {
            if let Some(key) = slot.link.keys[side].clone() {
                self.hint_later(mapping, side, key, HIDDEN_REST, HintReason::Again);
            }
            return;
        }
        if self.search_want(id, mapping).is_some() {
            let key = slot.link.keys[side].clone();
            if let Some(key) = key {
                let away = (self.round.away)(&mapping.sides[side.other()].system);
                let wait = self.backoff(id).max(away.unwrap_or(0));
                self.hint_later(mapping, side, key, wait, HintReason::Again);
            }
            return;
        }
        if mapping.create[side.other()] {
            if self.holds_claims(id, mapping, side) {
                self.plan_create(id, mapping, side);
            }
            return;
        }
        // It waits for a partner to appear; its values are read again then.
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.pending[side].values.clear();
        slot.dirty = true;
    }

    fn plan_create(&mut self, id: (MappingId, LinkId), mapping: &Mapping, from: Side) {
        let to = from.other();
        if self.is_away(id, mapping, to) {
            return;
        }
        let complete = {
            let link = &self.slots[&id].link;
            (0..mapping.sides[from].image_len).any(|at| link.observed(from, at).is_present())
        };
        if !complete {
            self.await_read(id, mapping, from);
            return;
        }
        let parked = |at| self.slots[&id].link.field_state.unit(at).status == UnitStatus::Parked;
        if (0..mapping.units.len()).any(parked) {
            return;
        }
        if self.is_excluded(id, mapping, to) {
            return;
        }
        if !self.is_live(id, mapping) {
            self.watch_pair(id, Would::Create(to));
            return;
        }
        let mut out = Outgoing::default();
        let mut waits = false;
        for at in 0..mapping.units.len() {
            if !mapping.units[at].direction.reaches(to) {
                self.keep_unreached(id, mapping, at, from);
                continue;
            }
            if mapping.units[at].frozen.is_some() {
                leave_empty(mapping, at, to, &mut out);
                continue;
            }
            let unit = u16::try_from(at).unwrap_or(u16::MAX);
            if self.slots[&id].link.field_state.unit(at).status == UnitStatus::LeftOut {
                out.units.push(unit);
                out.fields.extend(mapping.units[at].fields(to).map(null_field));
                continue;
            }
            let parents = self.parents_ready(id, mapping, at, to);
            match written_fields(mapping, &self.slots[&id].link, at, to) {
                Ok(fields) if parents => {
                    if self.slots[&id].link.field_state.unit(at).status == UnitStatus::Held {
                        self.free_unit(id, at);
                    }
                    out.units.push(unit);
                    out.fields.extend(fields);
                }
                Ok(_) | Err(NoImage::NoParent(_)) => {
                    if !self.defer_reference(id, mapping, at, from, &mut out) {
                        return;
                    }
                }
                Err(NoImage::Absent) => {}
                Err(NoImage::NotNullable) => {
                    // Null for a field that may not be null: the target's own default stands,
                    // and comes back as its edit.
                }
                // All that the create waits for is asked at once.
                Err(reason) => waits |= !self.leave_out(id, mapping, at, to, reason, &mut out),
            }
        }
        if waits {
            return;
        }
        self.note(id, Verdict::Create(to));
        let mut intent = self.make_intent(id, mapping, to, IntentKind::Create, out.fields);
        intent.units = out.units;
        intent.source = self.source_of_create(id, mapping, from, &intent);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Creating(to);
        self.send(id, to, intent, Step::Write, None);
    }

    /// Whether the record that would be made stands outside the filter of its side, as far as it is
    /// known what it would hold: then it is nobody's business there, and none is made. Else it
    /// would leave the mapping the moment it is made, and its original with it.
    fn is_excluded(&mut self, id: (MappingId, LinkId), mapping: &Mapping, to: Side) -> bool {
        let link = &self.slots[&id].link;
        let there = &mapping.sides[to];
        let mut image = vec![Value::Absent; there.selection.fields.len()];
        let told = mapping.units.iter().enumerate().filter(|(_, unit)| {
            // By which key a reference is known there is the other system's affair.
            let refers = unit.pairs.iter().any(|pair| pair.reference.is_some());
            unit.direction.reaches(to) && unit.frozen.is_none() && !refers
        });
        for field in told.filter_map(|(at, _)| written_fields(mapping, link, at, to).ok()).flatten()
        {
            // What a side puts in the place of null is not known.
            let filled = there.fields.get(usize::from(field.field)).is_some_and(|of| of.filled);
            if !field.image.is_null() || !filled || there.capabilities.stored_image {
                image[usize::from(field.field)] = field.image;
            }
        }
        let excluded = mapping.scope(to, &image) == Some(false);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if slot.link.field_state.outside[to] != excluded {
            slot.link.field_state.outside[to] = excluded;
            slot.dirty = true;
            if excluded {
                self.note(id, Verdict::Excluded(to));
            }
        }
        excluded
    }

    /// A value that does not travel is written down with the decision, since the side that leads
    /// may replace it later. One that a constant replaces is told of with that write.
    fn keep_unreached(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
    ) {
        let link = &self.slots[&id].link;
        let unit = &mapping.units[at];
        let shows = unit.fields(from).any(|at| !link.observed(from, at).is_null());
        if shows && !unit.is_missing(from.other()) {
            self.decided(id, mapping, at, Verdict::Kept(from));
        }
    }

    pub(super) fn await_read(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        if let Some(key) = self.slots[&id].link.keys[side].clone() {
            self.hint_later(mapping, side, key, 0, HintReason::Again);
        }
    }

    /// The values of the other side that a create carries. Units whose value is left out for now
    /// are recorded as null on both sides, so that the value stays pending (protocol 1.7).
    fn source_of_create(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        from: Side,
        intent: &Intent,
    ) -> Vec<(u16, Value)> {
        let link = &self.slots[&id].link;
        let mut source = Vec::new();
        for (at, unit) in mapping.units.iter().enumerate() {
            let carried = intent.units.contains(&u16::try_from(at).unwrap_or(u16::MAX));
            let mut fields = intent.fields.iter().map(|field| usize::from(field.field));
            let left_out = !carried && fields.any(|at| unit.has(from.other(), at));
            if !carried && !left_out && (unit.frozen.is_some() || unit.is_missing(from.other())) {
                // Nothing is agreed of it: it is a first match once it is written again, or once
                // the other side, which has nothing but constants for it, is there.
                continue;
            }
            for at in unit.fields(from) {
                let field = u16::try_from(at).unwrap_or(u16::MAX);
                let value = if left_out { Value::Null } else { link.observed(from, at).clone() };
                source.push((field, value));
            }
        }
        source
    }

    /// A value without image is left out of a create where the target allows null, and asked
    /// about; else the create waits for a person. False when it does.
    fn leave_out(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        to: Side,
        reason: NoImage,
        out: &mut Outgoing,
    ) -> bool {
        self.hold_unit(id, mapping, at, ReviewKind::NoImage(to, reason));
        let fields = mapping.units[at].fields(to);
        let nullable = fields.clone().all(|field| mapping.sides[to].fields[field].nullable);
        if nullable {
            out.fields.extend(fields.map(null_field));
        }
        nullable
    }
}

/// Leaves the fields of a unit that is not written empty in a new record, where they may be:
/// then its value stays pending.
fn leave_empty(mapping: &Mapping, at: usize, to: Side, out: &mut Outgoing) {
    if may_be_left_out(mapping, at, to) {
        out.fields.extend(mapping.units[at].fields(to).map(null_field));
    }
}

/// Whether a new record of a side may be made without the values of a unit.
#[must_use]
pub fn may_be_left_out(mapping: &Mapping, at: usize, to: Side) -> bool {
    mapping.units[at].fields(to).all(|at| {
        let field = &mapping.sides[to].fields[at];
        field.nullable && field.creatable
    })
}

/// A field written as null, because its value has no image for now.
pub(super) fn null_field(field: usize) -> WrittenField {
    WrittenField {
        field: u16::try_from(field).unwrap_or(u16::MAX),
        value: Value::Null,
        image: Value::Null,
        expected: Value::Absent,
    }
}
