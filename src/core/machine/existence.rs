//! Existence: merged like a field (protocol 1.4).

use syncline_sdk::{LinkId, Value};

use super::slot::Fresh;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{DeleteRule, LeaveRule, Mapping, MappingId};
use crate::model::{
    FieldState, HintReason, IntentKind, LinkState, Pending, ReviewKind, UnitStatus, Verdict, Would,
};

impl Workset<'_> {
    /// Decides a pair whose two sides are known; goes on to its units when both exist and are in
    /// scope.
    pub(super) fn plan_pair(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        let slot = &self.slots[&id];
        let ambiguous = slot.asked.get(&None).is_some_and(|asked| {
            matches!(asked.review.kind, ReviewKind::Ambiguous(_))
                && asked.review.status != crate::model::ReviewStatus::Closed
        });
        if ambiguous {
            return;
        }
        let link = &slot.link;
        match (link.exists(Side::Left), link.exists(Side::Right)) {
            (true, true) => self.plan_present(id, mapping),
            (false, false) => self.both_gone(id, mapping),
            (false, true) => self.plan_gone(id, mapping, Side::Left),
            (true, false) => self.plan_gone(id, mapping, Side::Right),
        }
    }

    /// Notes whether the record stands inside the mapping's filter. Where that hangs on what its
    /// side does not show, it stands where it stood.
    pub(super) fn scope(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        values: &[Value],
    ) {
        let Some(inside) = mapping.scope(side, values) else { return };
        let outside = !inside;
        let slot = self.slots.get_mut(&id).expect("the link was found");
        if slot.link.field_state.outside[side] == outside {
            return;
        }
        slot.link.field_state.outside[side] = outside;
        slot.link.field_state.stays[side] = None;
        slot.dirty = true;
        slot.touched = true;
        let verdict = if outside { Verdict::Leave(side) } else { Verdict::Enter(side) };
        self.note(id, verdict);
    }

    /// The side whose record left the mapping's filter, unless it stays in that of the mapping
    /// from which the pair came.
    pub(super) fn left_scope(&self, id: (MappingId, LinkId)) -> Option<Side> {
        let FieldState { outside, stays, .. } = &self.slots[&id].link.field_state;
        Side::BOTH.into_iter().find(|side| outside[*side] && stays[*side].is_none())
    }

    fn plan_present(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        let left_scope = self.left_scope(id);
        match (left_scope, mapping.leave) {
            (None, _) => {
                self.resume(id);
                self.plan_units(id, mapping);
            }
            (Some(_), LeaveRule::Keep) => self.rest_outside(id, mapping),
            (Some(side), _) if !self.is_nowhere(id, mapping, side) => {}
            (Some(_), LeaveRule::Unlink) => self.end(id, mapping),
            (Some(side), LeaveRule::Review) => {
                self.hold(id, mapping, ReviewKind::Leave(side));
            }
            (Some(side), LeaveRule::Delete) => {
                let other = side.other();
                let changed = self.slots[&id].link.edits(other).next().is_some();
                if changed {
                    self.hold(id, mapping, ReviewKind::Leave(side));
                } else if self.slots[&id].link.base_exists(other) {
                    self.plan_delete(id, mapping, other);
                }
            }
        }
    }

    /// Nothing travels for a pair that rests outside, so there is nothing to choose. What differs
    /// is asked about when it is back. An edit that stands nowhere but in its question
    /// stays there.
    fn rest_outside(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        for at in 0..mapping.units.len() {
            let held = self.slots[&id].link.field_state.unit(at).status == UnitStatus::Held;
            if held && self.asked_of_edit(id, at).is_none() {
                self.free_unit(id, at);
            }
        }
    }

    /// The question about the pair, if any, has answered itself.
    fn resume(&mut self, id: (MappingId, LinkId)) {
        self.close(id, None);
        self.came_of_pair(id, |would| matches!(would, Would::Undelete(_)));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if slot.link.state == LinkState::Held {
            slot.link.state = LinkState::Linked;
            slot.dirty = true;
        }
        self.take_back(id);
    }

    /// No deletion stands any more: what was given up to one is an edit again.
    fn take_back(&mut self, id: (MappingId, LinkId)) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let given_up = std::mem::take(&mut slot.link.field_state.given_up);
        slot.dirty |= given_up != crate::Sides::default();
    }

    /// One record is gone, the other is there.
    fn plan_gone(&mut self, id: (MappingId, LinkId), mapping: &Mapping, gone: Side) {
        let stays = gone.other();
        let slot = &self.slots[&id];
        if !slot.link.base_exists(gone) || !slot.link.base_exists(stays) {
            self.unpair(id, mapping, gone);
            return;
        }
        let changed = slot.link.edits(stays).any(|(field, _)| {
            mapping
                .unit_of(stays, usize::from(*field))
                .is_some_and(|unit| mapping.units[unit].direction.reaches(gone))
        });
        let suspected = slot.link.field_state.suspected[gone];
        match mapping.delete[gone] {
            DeleteRule::Keep => self.end(id, mapping),
            _ if changed => {
                self.note_once(id, Verdict::DeleteUpdate(gone));
                self.hold(id, mapping, ReviewKind::DeleteUpdate(gone));
            }
            _ if slot.link.field_state.refusals >= self.round.limits.refusals_max => {
                self.hold(id, mapping, ReviewKind::Delete(gone));
            }
            _ if suspected => self.hold(id, mapping, ReviewKind::SuspectedDelete(gone)),
            DeleteRule::Review => self.hold(id, mapping, ReviewKind::Delete(gone)),
            DeleteRule::Propagate => self.plan_delete(id, mapping, stays),
        }
    }

    /// Journals a verdict on the pair unless this question is open already.
    fn note_once(&mut self, id: (MappingId, LinkId), verdict: Verdict) {
        if !self.slots[&id].asked.contains_key(&None) {
            self.note(id, verdict);
        }
    }

    /// Holds the pair for a person.
    pub(super) fn hold(&mut self, id: (MappingId, LinkId), mapping: &Mapping, kind: ReviewKind) {
        if !self.is_live(id, mapping) {
            self.watch_pair(id, Would::Ask);
            return;
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if slot.link.state != LinkState::Held {
            slot.link.state = LinkState::Held;
            slot.dirty = true;
        }
        self.ask(id, mapping, None, kind);
    }

    /// A pair of which nothing was ever agreed lost one record: the other is alone again.
    fn unpair(&mut self, id: (MappingId, LinkId), mapping: &Mapping, gone: Side) {
        if let Some(key) = self.slots[&id].link.keys[gone].clone() {
            self.alias(mapping.id, gone, key, id.1, "re-created");
            self.set_key(id, gone, None);
        }
        self.alone(id, mapping, gone.other());
    }

    /// Makes a link one of a lone record again; it is read again and looks for a partner.
    pub(super) fn alone(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        self.close_all(id);
        self.came_of_pair(id, |_| false);
        self.take_back(id);
        let image: Vec<_> = {
            let link = &self.slots[&id].link;
            (0..mapping.sides[side].image_len).map(|at| link.observed(side, at).clone()).collect()
        };
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let link = &mut slot.link;
        link.state = LinkState::Seen(side);
        link.base = crate::Sides::default();
        link.origins.clear();
        link.field_state.units.clear();
        link.field_state.watched.clear();
        link.field_state.suspected = crate::Sides::default();
        link.pending[side.other()] = Pending::default();
        link.versions[side.other()] = syncline_sdk::Version::default();
        link.sync_version += 1;
        let pending = &mut link.pending[side];
        pending.exists = Some(true);
        pending.values = image
            .into_iter()
            .enumerate()
            .filter(|(_, value)| value.is_present())
            .map(|(at, value)| (u16::try_from(at).unwrap_or(u16::MAX), value))
            .collect();
        slot.dirty = true;
        slot.deferred = true;
        if let Some(key) = slot.link.keys[side].clone() {
            self.hint_later(mapping, side, key, 0, HintReason::Again);
        }
    }

    /// Both records are gone.
    pub(super) fn both_gone(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        self.close_all(id);
        self.note(id, Verdict::BothGone);
        self.came_of_pair(id, |would| matches!(would, Would::Delete(_)));
        self.bury(id, mapping);
    }

    /// Makes the link a tombstone: keys and base are kept, for an undelete.
    pub(super) fn bury(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        self.close_all(id);
        self.take_back(id);
        self.release_claims(id, mapping);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let link = &mut slot.link;
        link.state = LinkState::Tombstone;
        link.sync_version += 1;
        link.field_state.units.clear();
        link.field_state.watched.clear();
        link.field_state.suspected = crate::Sides::default();
        link.field_state.refusals = 0;
        for side in Side::BOTH {
            if let Some(base) = &mut link.base[side] {
                base.exists = false;
            }
            link.pending[side] = Pending::default();
        }
        slot.dirty = true;
    }

    /// The link ends by a rule or a person; both records go their own way.
    pub(super) fn end(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        self.close_all(id);
        self.note(id, Verdict::End);
        self.release_claims(id, mapping);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Ended;
        slot.link.pending = crate::Sides::default();
        slot.link.field_state = crate::model::FieldState::default();
        slot.dirty = true;
    }

    /// A link whose records were gone: one of them, or both, may be there again.
    pub(super) fn plan_tombstone(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        let link = &self.slots[&id].link;
        let exists = crate::Sides::from_fn(|side| link.exists(side));
        match (exists.left, exists.right) {
            (false, false) => {}
            (true, true) => {
                self.revive(id);
                self.plan_pair(id, mapping);
            }
            (true, false) => self.return_alone(id, mapping, Side::Left),
            (false, true) => self.return_alone(id, mapping, Side::Right),
        }
    }

    /// One record of a buried pair is there again. It had given its business key up: the pair
    /// comes back only where nobody else took that (protocol C1).
    fn return_alone(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        let outside = self.slots[&id].link.field_state.outside[side];
        if outside || self.holds_claims(id, mapping, side) {
            self.bring_back(id, mapping, side);
        }
    }

    /// Both records existed again: the base of before holds.
    pub(super) fn revive(&mut self, id: (MappingId, LinkId)) {
        self.take_back(id);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Linked;
        slot.link.sync_version += 1;
        slot.link.field_state.suspected = crate::Sides::default();
        for side in Side::BOTH {
            // One of them may be gone again by now.
            let gone = !slot.link.exists(side);
            if let Some(base) = &mut slot.link.base[side] {
                base.exists = true;
            }
            slot.link.pending[side].exists = gone.then_some(false);
            slot.settle_pending(side);
        }
        slot.dirty = true;
    }

    /// The record of `side` is there again and its partner is not: the partner is brought back
    /// too, or made anew where its side cannot bring it back.
    pub(super) fn bring_back(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        let lost = side.other();
        let link = &self.slots[&id].link;
        if link.field_state.outside[side] {
            return;
        }
        if !self.is_live(id, mapping) {
            self.watch_pair(id, Would::Undelete(lost));
            return;
        }
        let can = mapping.sides[lost].capabilities.recycle_bin.is_some();
        let first_try = link.field_state.refusals == 0;
        let unread = self.slots[&id].fresh[lost] == Fresh::No;
        if can && !first_try && unread && link.state == LinkState::Tombstone {
            // Somebody may have brought it back: it is made anew only when it is known gone.
            if let Some(key) = self.slots[&id].link.keys[lost].clone() {
                self.hint_later(mapping, lost, key, 1_000_000, HintReason::Again);
            }
            return;
        }
        match (link.keys[lost].clone(), can && first_try) {
            (Some(_), true) if self.is_away(id, mapping, lost) => {}
            (Some(key), true) => {
                self.note(id, Verdict::Undelete(lost));
                let intent = self.make_intent(id, mapping, lost, IntentKind::Undelete, Vec::new());
                self.send(id, lost, intent, super::batching::Step::Undelete, Some(key));
            }
            (key, _) => {
                if let Some(key) = key {
                    self.alias(mapping.id, lost, key, id.1, "re-created");
                    self.set_key(id, lost, None);
                }
                self.alone(id, mapping, side);
            }
        }
    }
}
