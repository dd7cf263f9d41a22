//! Deletes: conditional where the side can, else guarded by fence, look and undelete (protocol
//! 1.4.1).

use syncline_sdk::{Cas, Key, LinkId, Value};

use super::batching::Step;
use super::observation::{Missing, Observation};
use super::slot::Fresh;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    DeletePhase, Figure, HintReason, IntentKind, LinkState, Outcome, ReviewKind, Settled, Verdict,
    Would, WrittenField,
};

impl Workset<'_> {
    /// Plans the deletion of a side's record, which nobody changed since it was agreed on.
    pub(super) fn plan_delete(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        if !self.is_live(id, mapping) {
            self.watch_pair(id, Would::Delete(side));
            return;
        }
        let capabilities = &mapping.sides[side].capabilities;
        let Some(key) = self.slots[&id].link.keys[side].clone() else { return };
        let guarded = !capabilities.conditional_delete;
        if guarded && capabilities.recycle_bin.is_none() {
            self.hold(id, mapping, ReviewKind::Delete(side.other()));
            return;
        }
        if self.is_away(id, mapping, side) {
            return;
        }
        let fence = first_phase(mapping, side) == DeletePhase::Fence;
        if fence && !self.is_closed(id, mapping, side) {
            return;
        }
        self.close(id, None);
        // What does not travel is no reason to keep the record; the look compares with the image
        // that the plan is made from.
        let travels = |at: &usize| mapping.units[*at].direction.reaches(side.other());
        for at in (0..mapping.units.len()).filter(|at| !travels(at)) {
            let link = &self.slots[&id].link;
            let mut fields = mapping.units[at].fields(side);
            if fields.any(|at| link.pending[side].value(at).is_some()) {
                self.decided(id, mapping, at, Verdict::Kept(side));
                self.agree(id, mapping, at, &[side]);
                // What was given up of it before is not what the look finds.
                let slot = self.slots.get_mut(&id).expect("the link is in the workset");
                let given_up = &mut slot.link.field_state.given_up[side];
                given_up
                    .retain(|(field, _)| mapping.unit_of(side, usize::from(*field)) != Some(at));
            }
        }
        // What was given up and changed or agreed upon since is not what the plan is made from.
        let link = &mut self.slots.get_mut(&id).expect("the link is in the workset").link;
        let pending = &link.pending[side];
        link.field_state.given_up[side]
            .retain(|(field, value)| pending.value(usize::from(*field)) == Some(value));
        self.note(id, Verdict::Delete(side));
        let phase = first_phase(mapping, side);
        self.begin_delete(id, mapping, LinkState::Deleting(side, phase), key);
    }

    /// Opens the delete of a state that was just decided upon, and sends its first step.
    pub(super) fn begin_delete(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        state: LinkState,
        key: Key,
    ) {
        let Some((side, phase)) = state.deleting() else { return };
        let step = if phase == DeletePhase::Fence { Step::Fence } else { Step::Delete };
        let fields = self.whole_image(id, mapping, side);
        let intent = self.make_intent(id, mapping, side, IntentKind::Delete, fields);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = state;
        self.send(id, side, intent, step, Some(key));
    }

    /// Whether the side's record was read in this round and its version can no longer be shared
    /// (protocol O6); if not, it is put off.
    pub(super) fn is_closed(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
    ) -> bool {
        if mapping.sides[side].capabilities.cas == Cas::ExactField {
            return true;
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let (reason, wait) = match slot.fresh[side] {
            Fresh::Read { closed: true, .. } => return true,
            Fresh::Read { closed: false, .. } => {
                let tick = match mapping.sides[side].capabilities.cas {
                    Cas::Coarse { tick } => i64::try_from(tick.as_micros()).unwrap_or(0),
                    _ => 0,
                };
                (HintReason::OpenTick, tick)
            }
            // It could not be read: the system is out of reach, or does not show it.
            Fresh::No => (HintReason::Again, 1_000_000),
        };
        let key = self.slots[&id].link.keys[side].clone();
        if let Some(key) = key {
            self.hint_later(mapping, side, key, wait, reason);
        }
        false
    }

    /// The image that a delete is planned from.
    fn whole_image(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
    ) -> Vec<WrittenField> {
        let link = &self.slots[&id].link;
        (0..mapping.sides[side].image_len)
            .map(|at| (at, link.observed(side, at)))
            .filter(|(_, value)| value.is_present())
            .map(|(at, value)| WrittenField {
                field: u16::try_from(at).unwrap_or(u16::MAX),
                value: value.clone(),
                image: value.clone(),
                expected: value.clone(),
            })
            .collect()
    }

    /// The fence stands: the delete goes out under the same intent, unless the link is only
    /// observed by now.
    pub(super) fn fenced(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        carried: &super::Carried,
    ) {
        if !self.is_live(id, mapping) {
            self.count(Figure::Writes, 1);
            self.stop_delete(id, carried.intent.side, Outcome::Cancelled);
            return;
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = slot.link.state.in_phase(DeletePhase::Delete);
        slot.dirty = true;
        self.count(Figure::Writes, 1);
        self.sends.push(super::Carried { step: Step::Delete, ..carried.clone() });
    }

    /// The delete was made, or no copy of it can arrive any more: the bin is looked at.
    pub(super) fn look_due(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = slot.link.state.in_phase(DeletePhase::Look);
        slot.dirty = true;
        slot.fresh[side] = Fresh::No;
        if let Some(key) = slot.link.keys[side].clone() {
            self.hint_later(mapping, side, key, 0, HintReason::Look);
        }
    }

    /// What the look found.
    pub(super) fn look(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
    ) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        match (&seen.content, &seen.bin) {
            (Ok(_), _) if !self.reading => {
                // It may have been read before the delete arrived: only a reading that begins
                // now is the look.
                slot.reread[side] = true;
                slot.fresh[side] = Fresh::No;
                slot.touched = true;
                self.hint_later(mapping, side, seen.key.clone(), 1_000_000, HintReason::Look);
            }
            (Ok(_), _) => {
                // The record is there: the delete did not take it, or somebody brought it back.
                slot.link.field_state.refusals = 0;
                self.stop_delete(id, side, Outcome::Cancelled);
                self.fold(id, mapping, side, seen);
            }
            (Err(Missing::MergedInto(_)), _) => {
                self.stop_delete(id, side, Outcome::Cancelled);
                self.fold(id, mapping, side, seen);
            }
            (Err(_), Some(bin)) if bin.ours && self.differs(id, mapping, side, &bin.values) => {
                self.undelete_ours(id, mapping, side, seen, &bin.values);
            }
            (Err(_), _) => self.deleted(id, mapping, side),
        }
    }

    /// Whether a deleted record was changed after the plan to delete it was made. The plan is
    /// made only from a record of which nothing is pending but what was given up, so its image is
    /// the base with that.
    fn differs(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        values: &[Value],
    ) -> bool {
        let link = &self.slots[&id].link;
        (0..mapping.sides[side].image_len).any(|at| {
            let given_up = link.field_state.given_up[side].iter();
            let mut given_up = given_up.filter(|(field, _)| usize::from(*field) == at);
            let planned =
                given_up.next().map_or_else(|| link.base_value(side, at), |(_, value)| value);
            let shown = values.get(at).unwrap_or(&Value::Absent);
            planned.is_present() && shown.is_present() && planned != shown
        })
    }

    /// The delete took effect on a record that nobody had changed.
    pub(super) fn deleted(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        if self.is_retracting(id) {
            self.retracted(id, mapping, side, Outcome::Applied);
            return;
        }
        self.close_intent(id, side, Outcome::Applied);
        self.count(Figure::Deletes, 1);
        self.count(Figure::Writes, 1);
        let outside = self.slots[&id].link.exists(side.other());
        self.bury(id, mapping);
        if outside {
            // The partner is still there: it left the filter, or came back meanwhile. It is
            // read again and decided anew.
            let other = side.other();
            if let Some(key) = self.slots[&id].link.keys[other].clone() {
                self.hint_later(mapping, other, key, 0, HintReason::Again);
            }
        }
    }

    /// The delete ends without having taken effect, and the pair is planned again.
    pub(super) fn stop_delete(&mut self, id: (MappingId, LinkId), side: Side, outcome: Outcome) {
        self.close_intent(id, side, outcome);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Linked;
        slot.dirty = true;
        slot.touched = true;
    }

    /// Closes the open intent of a side and journals what became of it.
    pub(super) fn close_intent(&mut self, id: (MappingId, LinkId), side: Side, outcome: Outcome) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let Some(intent) = slot.link.open[side].take() else { return };
        slot.link.field_state.evidence[side] = None;
        slot.dirty = true;
        slot.touched = true;
        self.entry(id, false).settled.push(Settled { intent, side, outcome });
    }
}

/// The first step of a delete: where nothing guards the delete itself, a fence goes before it, if
/// the side can write under a guard.
pub(super) fn first_phase(mapping: &Mapping, side: Side) -> DeletePhase {
    let capabilities = &mapping.sides[side].capabilities;
    let fence = !capabilities.conditional_delete && capabilities.cas != Cas::None;
    if fence { DeletePhase::Fence } else { DeletePhase::Delete }
}
