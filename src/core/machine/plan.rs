//! The plan: what is touched is decided, and intents are journalled and opened.

use syncline_sdk::{Instant, LinkId, Value};

use super::batching::Step;
use super::bounce;
use super::slot::{Fresh, Slot};
use super::workset::Workset;
use crate::mapping::{Initial, Mapping, MappingId, NoImage};
use crate::model::{
    Decided, HintReason, IntentKind, LinkState, Origin, ReviewKind, ReviewStatus, UnitState,
    UnitStatus, Verdict, WrittenField,
};
use crate::reconcile::{UnitPlan, decide_unit, is_first_match, times_decide};
use crate::{Side, Sides};

/// What goes to one side of one link.
#[derive(Default)]
pub(super) struct Outgoing {
    pub units: Vec<u16>,
    pub fields: Vec<WrittenField>,
    /// Whether an edit on this side is taken back with it.
    pub reverts: bool,
}

impl Workset<'_> {
    /// What should have been read again and could not be is read again later.
    fn hint_rereads(&mut self) {
        let again = |slot: &Slot, side: Side| slot.reread[side] && slot.fresh[side] == Fresh::No;
        let mut left = Vec::new();
        for (id, slot) in &self.slots {
            for side in Side::BOTH.into_iter().filter(|side| again(slot, *side)) {
                left.extend(slot.link.keys[side].clone().map(|key| (id.0, side, key)));
            }
        }
        for (mapping, side, key) in left {
            let Some(mapping) = self.mapping(mapping) else { continue };
            self.hint_later(&mapping, side, key, 1_000_000, HintReason::Again);
        }
    }

    /// Plans every touched link.
    pub(super) fn plan_touched(&mut self) {
        self.hint_rereads();
        self.hint_remade();
        self.merge_found();
        let touched: Vec<(MappingId, LinkId)> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.touched && !slot.deferred)
            .map(|(id, _)| *id)
            .collect();
        for id in touched {
            self.plan_link(id);
        }
    }

    /// Plans one link. With an intent open on either side nothing is planned (protocol P0).
    fn plan_link(&mut self, id: (MappingId, LinkId)) {
        let Some(mapping) = self.mapping(id.0) else { return };
        let slot = &self.slots[&id];
        if slot.link.is_open() {
            return;
        }
        let state = slot.link.state;
        if self.is_live(id, &mapping) {
            self.stop_watching(id);
        }
        match state {
            LinkState::Seen(side) => self.plan_lone(id, &mapping, side),
            LinkState::Linked | LinkState::Held => self.plan_pair(id, &mapping),
            LinkState::Tombstone => self.plan_tombstone(id, &mapping),
            LinkState::Creating(_)
            | LinkState::Deleting(..)
            | LinkState::Retracting(..)
            | LinkState::Merged(_)
            | LinkState::Ended => {}
        }
    }

    /// Decides every unit of a pair of which both records exist, and opens one intent a side.
    pub(super) fn plan_units(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        for side in Side::BOTH {
            let link = &self.slots[&id].link;
            if link.base[side].is_none() && link.pending[side].values.is_empty() {
                self.await_read(id, mapping, side);
                return;
            }
        }
        self.first_base(id, mapping);
        self.agree_anew(id, mapping);
        let mut out: Sides<Outgoing> = Sides::default();
        let waits: Vec<bool> =
            (0..mapping.units.len()).map(|at| self.waits_for_edit(id, mapping, at)).collect();
        let link = &self.slots[&id].link;
        let idle = |at: &usize| {
            let status = link.field_state.unit(*at).status;
            let drifted = mapping.units[*at].frozen.is_some();
            !drifted && !waits[*at] && !matches!(status, UnitStatus::Frozen | UnitStatus::Parked)
        };
        let plans: Vec<(usize, UnitPlan)> = (0..mapping.units.len())
            .filter(idle)
            .map(|at| match self.stays_asked(id, mapping, at) {
                true => (at, UnitPlan::Hold),
                false => (at, decide_unit(mapping, link, at)),
            })
            .collect();
        if !self.is_live(id, mapping) {
            self.watch_units(id, mapping, plans);
            return;
        }
        // One intent a side is open at a time: what goes to one side alone follows.
        let merged = self.plan_merges(id, mapping, &plans);
        for (at, plan) in plans {
            match plan {
                UnitPlan::Merge(_) => {}
                UnitPlan::Write { .. } if merged => {}
                plan => self.plan_unit(id, mapping, at, plan, &mut out),
            }
        }
        for side in Side::BOTH {
            let Outgoing { units, fields, reverts } = std::mem::take(&mut out[side]);
            if units.is_empty() {
                continue;
            }
            let mut intent = self.make_intent(id, mapping, side, IntentKind::Update, fields);
            intent.source = self.source(id, mapping, side.other(), &units);
            intent.units = units;
            if reverts {
                // What comes back soon after is measured from the edit that is taken back.
                let edited = self.slots[&id].link.pending[side].at;
                intent.edited_at = intent.edited_at.max(edited);
            }
            let key = self.slots[&id].link.keys[side].clone();
            self.send(id, side, intent, Step::Write, key);
        }
    }

    /// Whether a question that the times of two edits left open stands: both values are as they
    /// were asked about. A side tells only when its record was changed last, be it another field
    /// or our own doing, so a later time is no news of this unit.
    fn stays_asked(&self, id: (MappingId, LinkId), mapping: &Mapping, at: usize) -> bool {
        let slot = &self.slots[&id];
        let asked = u16::try_from(at).ok().and_then(|unit| slot.asked.get(&Some(unit)));
        let Some(review) = asked.map(|asked| &asked.review) else { return false };
        let by_time = match review.kind {
            ReviewKind::Conflict => times_decide(mapping, &slot.link, at),
            ReviewKind::Initial => mapping.initial == Initial::Newest,
            _ => false,
        };
        by_time
            && review.status != ReviewStatus::Closed
            && Side::BOTH.into_iter().all(|side| {
                let shown = mapping.units[at].fields(side);
                shown.map(|field| slot.link.observed(side, field)).eq(&review.shown[side].values)
            })
    }

    /// Gives a pair that was just matched the base of which nothing is agreed yet.
    fn first_base(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        let units = mapping.units.len();
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        for side in Side::BOTH {
            if slot.link.base[side].is_some() {
                continue;
            }
            let image = vec![Value::Absent; mapping.sides[side].image_len];
            slot.link.base[side] = Some(crate::model::Base { exists: true, image });
            slot.link.pending[side].exists = None;
            slot.link.origins.resize(units, None);
            slot.dirty = true;
        }
    }

    /// Takes back what was agreed upon under another rule: what both sides show is compared as at
    /// a first match (protocol 1.10).
    fn agree_anew(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let states = &slot.link.field_state.units;
        let changed = |(at, state): &(u16, UnitState)| {
            (state.status == UnitStatus::Changed).then_some(usize::from(*at))
        };
        let changed: Vec<usize> = states.iter().filter_map(changed).collect();
        for at in changed {
            if let Some(unit) = mapping.units.get(at) {
                slot.disagree(unit, at);
            }
        }
    }

    fn plan_unit(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        plan: UnitPlan,
        out: &mut Sides<Outgoing>,
    ) {
        match plan {
            UnitPlan::Rest => self.free_unit(id, at),
            UnitPlan::Unreadable | UnitPlan::Merge(_) => {}
            UnitPlan::Agree => {
                self.decided(id, mapping, at, Verdict::Agree);
                self.agree(id, mapping, at, Side::BOTH.as_slice());
                self.free_unit(id, at);
            }
            UnitPlan::Keep(side) => {
                self.decided(id, mapping, at, Verdict::Kept(side));
                self.agree(id, mapping, at, &[side]);
                self.free_unit(id, at);
            }
            UnitPlan::Hold => {
                let link = &self.slots[&id].link;
                let known = link.origins.get(at).is_some_and(Option::is_some);
                let kind = match (is_first_match(mapping, link, at), known) {
                    (false, _) => ReviewKind::Conflict,
                    (true, false) => ReviewKind::Initial,
                    (true, true) => ReviewKind::Anew,
                };
                if self.slots[&id].link.field_state.unit(at).status != UnitStatus::Held {
                    self.decided(id, mapping, at, Verdict::Hold);
                }
                self.hold_unit(id, mapping, at, kind);
            }
            UnitPlan::NoImage(side, NoImage::NoParent(_)) => {
                self.wait_for_parent(id, mapping, at, side.other());
            }
            UnitPlan::NoImage(side, reason) => {
                if self.slots[&id].link.field_state.unit(at).status != UnitStatus::Held {
                    self.decided(id, mapping, at, Verdict::NoImage(side, reason.clone()));
                }
                self.hold_unit(id, mapping, at, ReviewKind::NoImage(side, reason));
            }
            UnitPlan::Write { to, verdict, fields } => {
                self.plan_write(id, mapping, at, to, verdict, fields, out);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one decision")]
    fn plan_write(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        to: Side,
        verdict: Verdict,
        fields: Vec<WrittenField>,
        out: &mut Sides<Outgoing>,
    ) {
        if !self.parents_ready(id, mapping, at, to) {
            self.wait_for_parent(id, mapping, at, to.other());
            return;
        }
        if self.is_away(id, mapping, to) || !self.is_closed(id, mapping, to) {
            return;
        }
        // An edit that is taken back was made on the side that is written.
        let from = if verdict == Verdict::Reverted(to) { to } else { to.other() };
        let replaced = bounce::replaced(mapping, &self.slots[&id].link, at, to);
        if !self.may_write(id, mapping, at, &[from], replaced) {
            return;
        }
        out[to].reverts |= verdict == Verdict::Reverted(to);
        self.decided(id, mapping, at, verdict);
        out[to].units.push(u16::try_from(at).unwrap_or(u16::MAX));
        out[to].fields.extend(fields);
    }

    /// Counts a write of a unit that carries these sides' values. Too many without an edit from
    /// outside in between freeze the unit, and a person is asked (protocol P8a).
    pub(super) fn may_write(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: &[Side],
        replaced: u32,
    ) -> bool {
        let link = &self.slots[&id].link;
        let (bounces, most) = bounce::count(mapping, link, at, from, &self.round.limits);
        if bounces > most {
            let state = link.field_state.unit(at);
            self.decided(id, mapping, at, Verdict::Oscillates);
            self.set_unit(id, at, UnitState { status: UnitStatus::Frozen, bounces, ..state });
            self.ask(id, mapping, Some(at), ReviewKind::Oscillation);
            return false;
        }
        self.free_unit(id, at);
        self.set_unit(id, at, UnitState { status: UnitStatus::Free, bounces, replaced });
        true
    }

    /// Moves the base of a unit to what sides show, without a write.
    pub(super) fn agree(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        sides: &[Side],
    ) {
        let entry = self.entry(id, false).id;
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let from = sides.iter().copied().find(|side| {
            let pending = &slot.link.pending[*side];
            mapping.units[at].fields(*side).any(|field| pending.value(field).is_some())
        });
        let from = from.unwrap_or(sides[0]);
        for side in sides {
            for field in mapping.units[at].fields(*side) {
                let value = slot.link.observed(*side, field).clone();
                if let Some(base) = &mut slot.link.base[*side]
                    && let Some(place) = base.image.get_mut(field)
                {
                    *place = value;
                }
            }
        }
        let pending = &slot.link.pending[from];
        let origin = Origin {
            side: from,
            actor: pending.actor.kind,
            entry,
            at: pending.at.map_or(0, Instant::micros),
        };
        slot.link.origins.resize(mapping.units.len(), None);
        slot.link.origins[at] = Some(origin);
        slot.link.sync_version += 1;
        slot.link.mapping_rev = mapping.revision;
        for side in sides {
            slot.settle_pending(*side);
        }
        slot.dirty = true;
    }

    /// The unit is at rest: what kept it is over, and its question closes itself.
    pub(super) fn free_unit(&mut self, id: (MappingId, LinkId), at: usize) {
        let state = self.slots[&id].link.field_state.unit(at);
        let kept = matches!(
            state.status,
            UnitStatus::Held | UnitStatus::Awaiting(_) | UnitStatus::Returned | UnitStatus::LeftOut
        );
        if kept {
            self.set_unit(id, at, UnitState { status: UnitStatus::Free, ..state });
        }
        self.close(id, Some(at));
    }

    pub(super) fn hold_unit(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        kind: ReviewKind,
    ) {
        let state = self.slots[&id].link.field_state.unit(at);
        self.set_unit(id, at, UnitState { status: UnitStatus::Held, ..state });
        self.ask(id, mapping, Some(at), kind);
    }

    pub(super) fn set_unit(&mut self, id: (MappingId, LinkId), at: usize, state: UnitState) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if slot.link.field_state.unit(at) != state {
            slot.link.field_state.set_unit(at, state);
            slot.dirty = true;
        }
    }

    pub(super) fn decided(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        verdict: Verdict,
    ) {
        let link = &self.slots[&id].link;
        let shown = Sides::from_fn(|side| {
            let fields = mapping.units[at].fields(side);
            fields.map(|field| link.observed(side, field).clone()).collect::<Vec<_>>()
        });
        let decided = Decided {
            unit: Some(u16::try_from(at).unwrap_or(u16::MAX)),
            verdict,
            left: shown.left,
            right: shown.right,
        };
        self.entry(id, false).decided.push(decided);
    }
}
