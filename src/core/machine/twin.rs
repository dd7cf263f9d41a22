//! Twins: both sides made the same entity in the same minute, and our create went through beside
//! somebody's own record (protocol C6). A record of ours that nobody touched is taken back, and
//! the one that it was made of finds theirs; else a person chooses.

use syncline_sdk::{ActorKind, Cas, LinkId, VersionOrder};

use super::batching::reference_to;
use super::delete::first_phase;
use super::made::Made;
use super::observation::Missing;
use super::refusal::outcome;
use super::retry::is_parked;
use super::settle::Settling;
use super::slot::Fresh;
use super::workset::{Want, Workset};
use crate::Side;
use crate::mapping::{DeleteRule, Mapping, MappingId};
use crate::model::{Figure, HintReason, LinkState, Outcome, Verdict};

/// How long a record waits for its twin to be told apart, microseconds.
const WAIT: i64 = 1_000_000;

/// What is to be done about two records of one business key on one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Twin {
    /// It cannot be told yet.
    Waits,
    /// One of them is ours alone: it is taken back.
    Retract,
    /// A person chooses.
    Ask,
}

impl Workset<'_> {
    /// What must be read before a record can be told from the other of its business key.
    pub(super) fn twin_wants(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        of: LinkId,
        wants: &mut Vec<Want>,
    ) {
        let pair = (id.0, of);
        let Some(other) = self.slots.get(&pair) else { return };
        for (at, slot) in [(id, &self.slots[&id]), (pair, other)] {
            if slot.fresh[side] == Fresh::No
                && let Some(key) = slot.link.keys[side].clone()
            {
                wants.push(Want::Fresh { mapping: at.0, link: at.1, side, key });
            }
        }
        let slot = &self.slots[&id];
        if let (Some(values), (rule, [])) =
            (&slot.read[side], (slot.candidates.0, slot.candidates.1.as_slice()))
        {
            // Should a person have to choose, then among all.
            wants.extend(self.match_want(id, mapping, side, values, rule));
        }
        if other.link.is_open() || !self.may_retract(mapping, side) {
            return;
        }
        if other.made.is_none() {
            wants.push(Want::Journal { mapping: id.0, link: of });
        } else if other.referred.is_none() && self.is_ours(pair, side) {
            wants.extend(self.referring(pair, mapping, side));
        }
    }

    /// Whether the mapping and the system allow to take a record of ours back: where the
    /// deletions of the other side are carried over, and a delete is guarded.
    fn may_retract(&self, mapping: &Mapping, side: Side) -> bool {
        let capabilities = &mapping.sides[side].capabilities;
        let guarded = capabilities.conditional_delete || capabilities.recycle_bin.is_some();
        guarded && mapping.delete[side.other()] == DeleteRule::Propagate
    }

    /// Whether the journal says that a create of ours made the record, lately, and nobody else
    /// did anything to it.
    fn is_ours(&self, pair: (MappingId, LinkId), side: Side) -> bool {
        match self.slots[&pair].made {
            Some(Made::Ours(at, decided)) => {
                at == side && self.now() - decided <= self.round.limits.twin_within
            }
            _ => false,
        }
    }

    /// The searches for records that refer to a link's record.
    fn referring(&self, to: (MappingId, LinkId), mapping: &Mapping, side: Side) -> Vec<Want> {
        let Some(key) = &self.slots[&to].link.keys[side] else { return Vec::new() };
        let system = &mapping.sides[side].system;
        let mut wants = Vec::new();
        for children in self.round.mappings.values() {
            let Some(at) = Side::BOTH
                .into_iter()
                .find(|at| *at == side && children.sides[*at].system == *system)
                .or_else(|| children.side_of(system))
            else {
                continue;
            };
            for pair in children.units.iter().flat_map(|unit| &unit.pairs) {
                if pair.reference == Some(to.0) {
                    let field = pair.on(at);
                    let value = reference_to(key, &children.sides[at].fields[field].kind);
                    wants.push(Want::Referring {
                        mapping: children.id,
                        side: at,
                        field,
                        to,
                        value,
                    });
                }
            }
        }
        wants
    }

    /// Answers [`Want::Referring`]: whether some record refers to the link's.
    pub fn referred(&mut self, to: (MappingId, LinkId), any: bool) {
        if let Some(slot) = self.slots.get_mut(&to) {
            slot.referred = Some(any || slot.referred == Some(true));
        }
    }

    /// Decides about a record whose business key another record of its side has, which is paired.
    pub(super) fn plan_twin(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        of: LinkId,
    ) {
        let pair = (id.0, of);
        let key = self.slots[&id].link.keys[side].clone();
        match self.tell_apart(id, mapping, side, pair) {
            Twin::Ask => {
                let other = self.slots.get(&pair);
                let partner = other.and_then(|slot| slot.link.keys[side.other()].clone());
                let slot = self.slots.get_mut(&id).expect("the link is in the workset");
                let mut candidates = std::mem::take(&mut slot.candidates.1);
                // One that was just made may not be found yet.
                candidates.extend(partner.filter(|key| !candidates.contains(key)));
                self.hold_ambiguous(id, mapping, candidates);
                return;
            }
            Twin::Retract => self.retract(pair, mapping, side),
            Twin::Waits => {}
        }
        // It is looked at again: its own search finds what became of the other.
        if let Some(key) = key {
            self.hint_later(mapping, side, key, WAIT, HintReason::Claimed);
        }
    }

    fn tell_apart(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        pair: (MappingId, LinkId),
    ) -> Twin {
        let Some(other) = self.slots.get(&pair) else { return Twin::Waits };
        let Fresh::Read { unclaimed, .. } = self.slots[&id].fresh[side] else { return Twin::Waits };
        let link = &other.link;
        if is_parked(link, self.round.limits.refusals_max) {
            return Twin::Ask;
        }
        if link.is_open() || (link.state == LinkState::Linked && !link.exists(side)) {
            return Twin::Waits;
        }
        let is_pair = link.state == LinkState::Linked
            && Side::BOTH.into_iter().all(|at| link.exists(at) && link.base_exists(at));
        let may = self.may_retract(mapping, side) && self.is_live(pair, mapping);
        if !is_pair || !unclaimed || !may {
            return Twin::Ask;
        }
        if other.made.is_none() || other.fresh[side] == Fresh::No {
            return Twin::Waits;
        }
        if !self.is_ours(pair, side) || !self.is_untouched(pair, mapping, side) {
            return Twin::Ask;
        }
        let referred = self.slots[&pair].referred;
        match referred {
            Some(true) => Twin::Ask,
            None if !self.referring(pair, mapping, side).is_empty() => Twin::Waits,
            _ if !self.is_closed(pair, mapping, side) => Twin::Waits,
            _ => Twin::Retract,
        }
    }

    /// Whether a record shows what was agreed, as we left it.
    fn is_untouched(&self, pair: (MappingId, LinkId), mapping: &Mapping, side: Side) -> bool {
        let slot = &self.slots[&pair];
        let place = &mapping.sides[side];
        // A version that stands for a whole reading tells nothing of one record.
        let of_record = place.capabilities.cas != Cas::ExactField;
        let (known, newest) = (&slot.known[side], &slot.link.versions[side]);
        let moved = of_record
            && !known.is_none()
            && self.order(&place.system, known, newest) != VersionOrder::Same;
        let by_somebody =
            matches!(slot.changed_by[side], ActorKind::Person | ActorKind::Automation);
        slot.link.pending[side].is_empty() && !moved && !by_somebody
    }

    /// Takes the record of a side back that a create of ours made there.
    fn retract(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        let Some(key) = self.slots[&id].link.keys[side].clone() else { return };
        self.note(id, Verdict::Retract(side));
        let state = LinkState::Retracting(side, first_phase(mapping, side));
        self.begin_delete(id, mapping, state, key);
    }

    pub(super) fn is_retracting(&self, id: (MappingId, LinkId)) -> bool {
        matches!(self.slots[&id].link.state, LinkState::Retracting(..))
    }

    /// The record of ours is gone. The one that it was made of is alone again: it looks for a
    /// partner, and one is made anew where nobody's is there any more.
    pub(super) fn retracted(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        outcome: Outcome,
    ) {
        if outcome == Outcome::Applied {
            self.count(Figure::Deletes, 1);
            self.count(Figure::Writes, 1);
        }
        self.close_intent(id, side, outcome);
        if let Some(key) = self.slots[&id].link.keys[side].clone() {
            self.alias(mapping.id, side, key, id.1, "retracted");
            self.set_key(id, side, None);
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.field_state.refusals = 0;
        if slot.link.exists(side.other()) {
            self.alone(id, mapping, side.other());
        } else {
            self.both_gone(id, mapping);
        }
    }

    /// The delete of a record of ours did not take effect. Is the record gone all the same, then
    /// somebody was faster; else the pair goes on, and what was asked is decided anew.
    pub(super) fn not_retracted(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        settling: &Settling,
    ) {
        let gone = matches!(settling, Settling::Missing(Some(Missing::Deleted)));
        if gone || !self.slots[&id].link.exists(side) {
            self.retracted(id, mapping, side, outcome(settling));
            return;
        }
        self.stop_delete(id, side, outcome(settling));
        match settling {
            Settling::Stale(Some(seen)) => self.fold(id, mapping, side, seen),
            _ => self.await_read(id, mapping, side),
        }
    }
}
