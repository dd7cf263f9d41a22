//! Values that the sync makes of both sides': written to both (protocol P7').

use syncline_sdk::LinkId;

use super::batching::Step;
use super::bounce;
use super::workset::Workset;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    BothHalves, Half, IntentKind, ReviewKind, UnitState, UnitStatus, Verdict, WrittenField,
};
use crate::reconcile::UnitPlan;
use crate::{Side, Sides};

impl Workset<'_> {
    /// Opens both halves of what was merged. False when nothing was, or a side cannot be written
    /// for now: it is planned again then.
    pub(super) fn plan_merges(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        plans: &[(usize, UnitPlan)],
    ) -> bool {
        let mut merges: Vec<(usize, &Sides<Vec<WrittenField>>)> = Vec::new();
        for (at, plan) in plans {
            if let UnitPlan::Merge(fields) = plan {
                merges.push((*at, fields));
            }
        }
        if merges.is_empty() || Side::BOTH.into_iter().any(|side| self.is_away(id, mapping, side)) {
            return false;
        }
        let closed = Side::BOTH.map(|side| self.is_closed(id, mapping, side));
        if closed.contains(&false) {
            return false;
        }
        let mut fields: Sides<Vec<WrittenField>> = Sides::default();
        let mut units = Vec::new();
        for (at, merged) in merges {
            if !self.may_merge(id, mapping, at) {
                continue;
            }
            self.decided(id, mapping, at, Verdict::Merged);
            units.push(u16::try_from(at).unwrap_or(u16::MAX));
            for side in Side::BOTH {
                fields[side].extend_from_slice(&merged[side]);
            }
        }
        if units.is_empty() {
            return false;
        }
        let seen = Sides::from_fn(|side| self.source(id, mapping, side, &units));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.field_state.both =
            Some(BothHalves { units: units.clone(), seen, halves: Sides::from_fn(|_| Half::Open) });
        for side in Side::BOTH {
            let half = std::mem::take(&mut fields[side]);
            let mut intent = self.make_intent(id, mapping, side, IntentKind::Update, half);
            intent.source = self.source(id, mapping, side.other(), &units);
            intent.units.clone_from(&units);
            intent.half = true;
            let key = self.slots[&id].link.keys[side].clone();
            self.send(id, side, intent, Step::Write, key);
        }
        true
    }

    /// Counts the merges of a unit without an edit from outside in between; too many freeze it
    /// (protocol P8a).
    fn may_merge(&mut self, id: (MappingId, LinkId), mapping: &Mapping, at: usize) -> bool {
        let limits = self.round.limits;
        let link = &self.slots[&id].link;
        let edited = Side::BOTH.into_iter().any(|side| {
            link.pending[side].foreign
                && !bounce::is_return(mapping, link, at, side, limits.bounce_within)
                && !bounce::is_reaction(link, at, side, limits.bounce_within)
        });
        let state = link.field_state.unit(at);
        let bounces = if edited { 0 } else { state.bounces.saturating_add(1) };
        if bounces > limits.bounces_max {
            self.decided(id, mapping, at, Verdict::Oscillates);
            self.set_unit(id, at, UnitState { status: UnitStatus::Frozen, bounces, ..state });
            self.ask(id, mapping, Some(at), ReviewKind::Oscillation);
            return false;
        }
        self.free_unit(id, at);
        self.set_unit(id, at, UnitState { status: UnitStatus::Free, bounces, replaced: 0 });
        true
    }
}
