//! Undeletes: of a record whose partner came back, and of one that a guarded delete took with an
//! edit that nobody had seen (protocol 1.4, 1.4.1).

use syncline_sdk::{Error, Key, LinkId, Value, Version};

use super::batching::{Carried, Step};
use super::observation::Observation;
use super::refusal::{outcome, passes};
use super::settle::Settling;
use super::slot::Fresh;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{DeletePhase, Figure, HintReason, Intent, IntentKind, Outcome, Verdict};

/// How long an undelete waits that its system could not make for now, microseconds.
const WAIT: i64 = 1_000_000;
/// How long until a record is looked at again that its system refuses to bring back.
const REST: i64 = 900_000_000;

impl Workset<'_> {
    /// The look found that our own delete took a record with an edit: that is written down, and
    /// the record is brought back.
    pub(super) fn undelete_ours(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
        values: &[Value],
    ) {
        if self.slots[&id].link.field_state.refusals >= self.round.limits.refusals_max {
            // It is set aside: somebody frees what is in its way, or brings it back.
            self.look_again(id, mapping, side, REST);
            return;
        }
        let changed: Vec<(u16, Value, Value)> = (0..mapping.sides[side].image_len)
            .filter_map(|at| {
                let now = values.get(at).filter(|now| now.is_present())?;
                let base = self.slots[&id].link.base_value(side, at);
                let field = u16::try_from(at).unwrap_or(u16::MAX);
                (base != now).then(|| (field, base.clone(), now.clone()))
            })
            .collect();
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.pending[side].values =
            changed.iter().map(|(field, _, now)| (*field, now.clone())).collect();
        slot.link.pending[side].foreign = true;
        slot.link.state = slot.link.state.in_phase(DeletePhase::Undelete);
        slot.dirty = true;
        let (Some(key), Some(open)) = (slot.link.keys[side].clone(), slot.link.open[side]) else {
            return;
        };
        self.journal_observed(id, side, seen, None, changed);
        self.note(id, Verdict::Undelete(side));
        let intent = of_delete(open, side, key);
        let (mapping, link) = id;
        let step = Step::Undelete;
        let carried = Carried { mapping, link, intent, step, claim: false, group: None };
        self.sends.push(carried);
    }

    /// What became of an undelete.
    pub(super) fn undeleted(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        settling: &Settling,
    ) {
        let applied = matches!(settling, Settling::Applied { .. });
        let state = self.slots[&id].link.state;
        let guarded = matches!(state.deleting(), Some((_, DeletePhase::Undelete)));
        match (guarded, applied) {
            (true, true) => {
                let slot = self.slots.get_mut(&id).expect("the link is in the workset");
                slot.link.field_state.refusals = 0;
                // A page may have shown meanwhile that our own delete took it.
                slot.link.pending[side].exists = Some(true);
                slot.settle_pending(side);
                self.stop_delete(id, side, Outcome::Stale);
                self.again(id, mapping, side);
            }
            (true, false) => {
                if let Settling::Refused(error) = settling {
                    self.not_brought_back(id, mapping, side, error);
                }
                self.look_again(id, mapping, side, WAIT.max(self.backoff(id)));
            }
            (false, true) => {
                self.close_intent(id, side, Outcome::Applied);
                self.count(Figure::Writes, 1);
                let slot = self.slots.get_mut(&id).expect("the link is in the workset");
                slot.link.pending[side].exists = Some(true);
                self.revive(id);
                self.again(id, mapping, side);
            }
            (false, false) => self.not_undeleted(id, mapping, side, settling),
        }
    }

    /// The system refused to bring a record back that our delete took with an edit. Refused often
    /// enough, it is set aside with the system's own words: the edit stays in the bin and in the
    /// journal until somebody mends what is in its way.
    fn not_brought_back(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        error: &Error,
    ) {
        if passes(error.kind) {
            return;
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let refusals = slot.link.field_state.refusals.saturating_add(1);
        slot.link.field_state.refusals = refusals;
        if refusals != self.round.limits.refusals_max {
            return;
        }
        for at in 0..mapping.units.len() {
            let pending = &self.slots[&id].link.pending[side];
            if mapping.units[at].fields(side).any(|at| pending.value(at).is_some()) {
                self.decided(id, mapping, at, Verdict::DeleteUpdate(side.other()));
            }
        }
        self.set_aside(id, side, error);
    }

    /// The record with the edit still lies in the bin, or somebody brought it back meanwhile: the
    /// look tells, again and again until one of both is so.
    fn look_again(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side, wait: i64) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = slot.link.state.in_phase(DeletePhase::Look);
        slot.dirty = true;
        slot.fresh[side] = Fresh::No;
        if let Some(key) = slot.link.keys[side].clone() {
            self.hint_later(mapping, side, key, wait, HintReason::Look);
        }
    }

    /// The partner of a record that came back was not brought back. One that its system does not
    /// have any more is made anew; what only failed for now is tried again.
    fn not_undeleted(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        settling: &Settling,
    ) {
        self.close_intent(id, side, outcome(settling));
        let gone = match settling {
            Settling::Missing(_) => true,
            Settling::Refused(error) => !passes(error.kind),
            _ => false,
        };
        if gone {
            self.again(id, mapping, side);
            return;
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.deferred = true;
        for at in Side::BOTH {
            if let Some(key) = self.slots[&id].link.keys[at].clone() {
                self.hint_later(mapping, at, key, WAIT, HintReason::Again);
            }
        }
    }
}

/// The open intent of a delete, for its undelete.
fn of_delete(id: syncline_sdk::IntentId, side: Side, key: Key) -> Intent {
    Intent {
        id,
        side,
        kind: IntentKind::Delete,
        key: Some(key),
        units: Vec::new(),
        fields: Vec::new(),
        version: Version::default(),
        source: Vec::new(),
        half: false,
        actor: syncline_sdk::Actor::default(),
        edited_at: None,
    }
}
