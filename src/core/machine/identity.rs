//! Identity: which link a record belongs to (protocol 1.6, O2', O8).

use syncline_sdk::{FeedKind, Key, LinkId, Value};

use super::claims::claims_of;
use super::observation::{Observation, Source};
use super::slot::Search;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{Alias, HintReason, LinkState, ReviewKind, Verdict, Would};

impl Workset<'_> {
    /// A record that no link knows by its id.
    pub(super) fn arrive(&mut self, mapping: &Mapping, side: Side, seen: &Observation) {
        if !seen.marked.is_empty() {
            // A create of ours whose reply has not been settled may have made it: the link learns
            // the key then. What became of it since, its deletion too, is read again.
            let gone = seen.source == Source::Feed && seen.content.is_err();
            let reason = if gone { HintReason::Deleted } else { HintReason::Claimed };
            self.hint_later(mapping, side, seen.key.clone(), self.round.limits.retry_min, reason);
            return;
        }
        let Ok(values) = &seen.content else { return };
        if !mapping.in_scope(side, values) {
            return;
        }
        if self.arrive_from_elsewhere(mapping, side, seen, values) {
            return;
        }
        if self.arrive_by_external_id(mapping, side, seen) {
            return;
        }
        if self.arrive_by_claim(mapping, side, seen, values) {
            return;
        }
        let link = self.new_link(mapping, side, seen.key.clone());
        let id = (mapping.id, link);
        for claim in claims_of(mapping, side, values) {
            if !self.claims.contains_key(&(mapping.id, claim.clone())) {
                self.claim(mapping.id, claim, link);
            }
        }
        self.take_in(id, mapping, side, seen);
    }

    /// Folds the observation and keeps the whole reading for the match rules.
    pub(super) fn take_in(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
    ) {
        self.fold(id, mapping, side, seen);
        if let (Some(slot), Ok(values)) = (self.slots.get_mut(&id), &seen.content) {
            // A feed may leave out what did not change, and a key among it: then it is read.
            let whole = seen.source != Source::Feed || values.iter().all(Value::is_present);
            slot.read[side] = whole.then(|| values.clone());
            slot.touched = true;
        }
    }

    /// The record carries a link's id (protocol O2').
    fn arrive_by_external_id(&mut self, mapping: &Mapping, side: Side, seen: &Observation) -> bool {
        let Some(link) = seen.external_id else { return false };
        let id = (mapping.id, link);
        let Some(slot) = self.slots.get(&id) else { return false };
        match (slot.link.state, &slot.link.keys[side]) {
            (LinkState::Creating(at), _) if at == side => {
                self.hint_later(
                    mapping,
                    side,
                    seen.key.clone(),
                    self.round.limits.retry_min,
                    HintReason::Claimed,
                );
                true
            }
            (LinkState::Seen(at), None) if at != side => {
                self.adopt(id, mapping, side, seen);
                true
            }
            _ if self.may_be_made_again(id, side) => {
                self.await_journal(id, side, seen);
                true
            }
            _ => false,
        }
    }

    /// The record's business key is claimed by a link (protocol C1, C6).
    fn arrive_by_claim(
        &mut self,
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
        values: &[Value],
    ) -> bool {
        for claim in claims_of(mapping, side, values) {
            let Some(link) = self.claims.get(&(mapping.id, claim.clone())).copied() else {
                continue;
            };
            let id = (mapping.id, link);
            let Some(slot) = self.slots.get(&id) else { continue };
            match slot.link.state {
                LinkState::Seen(at) if at != side && !slot.link.is_open() => {
                    self.adopt(id, mapping, side, seen);
                }
                LinkState::Creating(_) => {
                    self.hint_later(
                        mapping,
                        side,
                        seen.key.clone(),
                        self.round.limits.retry_min,
                        HintReason::Claimed,
                    );
                }
                LinkState::Tombstone | LinkState::Merged(_) | LinkState::Ended => {
                    self.release(mapping.id, &claim, link);
                    continue;
                }
                _ if self.claim_is_stale(mapping, id, side, &claim) => {
                    self.release(mapping.id, &claim, link);
                    continue;
                }
                _ => self.duplicate(mapping, side, seen, link),
            }
            return true;
        }
        false
    }

    /// A second record of a business key that is linked already: it is told from the first once
    /// both were read.
    fn duplicate(&mut self, mapping: &Mapping, side: Side, seen: &Observation, of: LinkId) {
        let link = self.new_link(mapping, side, seen.key.clone());
        let id = (mapping.id, link);
        self.take_in(id, mapping, side, seen);
        let slot = self.slots.get_mut(&id).expect("the link was made");
        slot.twin = Some(of);
        slot.search = Search::Over;
    }

    /// Sets a link aside whose partner cannot be told.
    pub(super) fn hold_ambiguous(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        candidates: Vec<Key>,
    ) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Held;
        slot.search = Search::Over;
        slot.dirty = true;
        self.note(id, Verdict::Ambiguous);
        self.ask(id, mapping, None, ReviewKind::Ambiguous(candidates));
    }

    /// Takes a record as the missing side of a link.
    pub(super) fn adopt(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
    ) {
        self.set_key(id, side, Some(seen.key.clone()));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        // A create of ours that was given up may have made it.
        let ours = slot.link.field_state.refusals > 0 || seen.external_id == Some(id.1);
        slot.link.state = LinkState::Linked;
        slot.search = Search::Over;
        slot.link.field_state.refusals = 0;
        self.count(crate::model::Figure::Linked, 1);
        self.note(id, Verdict::Adopt(side));
        self.came_of_pair(id, |would| matches!(would, Would::Create(_)));
        self.take_in(id, mapping, side, seen);
        if ours {
            self.empty_of_unreached(id, mapping, side);
        }
    }

    /// The record's own id changed.
    pub(super) fn rekey(&mut self, mapping: &Mapping, side: Side, old: &Key, new: &Key) {
        let Some(link) = self.link_of(mapping.id, side, old) else { return };
        // A key that it had before may be its own again.
        if self.link_of(mapping.id, side, new).is_some_and(|known| known != link) {
            return;
        }
        let id = (mapping.id, link);
        self.set_key(id, side, Some(new.clone()));
        self.alias(mapping.id, side, old.clone(), link, "re-keyed");
        self.note(id, Verdict::Rekey(side));
    }

    pub(super) fn alias(
        &mut self,
        mapping: MappingId,
        side: Side,
        key: Key,
        link: LinkId,
        reason: &str,
    ) {
        self.aliases.insert((mapping, side, key.clone()), link);
        self.out.aliases.push(Alias { mapping, side, key, link, reason: reason.to_owned() });
    }

    /// The record was merged into another (protocol 1.4.2). Never carried over as a plain
    /// delete: the loser's partner is held for a person with its values, and the loser's id
    /// leads to the winner's link.
    pub(super) fn merge(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        winner: &Key,
        seen: &Observation,
    ) {
        if self.slots[&id].link.is_open() {
            // It is looked up once the write is settled; should this process not live so long, a
            // little later.
            let wait = self.round.limits.retry_max;
            self.hint_later(mapping, side, seen.key.clone(), wait, HintReason::Again);
            return;
        }
        let Some(into) = self.link_of(mapping.id, side, winner) else {
            self.look_for_winner(id, side, winner, seen);
            return;
        };
        if into == id.1 {
            return;
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Merged(into);
        slot.dirty = true;
        let orphan = slot.link.keys[side.other()].clone();
        let had_partner = orphan.is_some() && slot.link.exists(side.other());
        self.close_all(id);
        self.note(id, Verdict::MergeInto(into));
        self.release_claims(id, mapping);
        self.alias(mapping.id, side, seen.key.clone(), into, "merged");
        self.set_key(id, side, None);
        if had_partner {
            self.bequeath(id, mapping, side.other(), into);
            self.ask_of_orphan(id, mapping, side.other(), into);
        }
    }

    /// Whether a record is known to a link by a name of before only.
    pub(super) fn is_former(
        &self,
        mapping: MappingId,
        link: LinkId,
        side: Side,
        key: &Key,
    ) -> bool {
        let slot = self.slots.get(&(mapping, link));
        slot.is_some_and(|slot| slot.link.keys[side].as_ref() != Some(key))
    }

    /// A record that its link left behind, merged or replaced, is heard of. That it is gone is
    /// known. One that is there again is the link's where that has none by now, else it is a
    /// record of its own.
    pub(super) fn return_of(
        &mut self,
        mapping: &Mapping,
        side: Side,
        link: LinkId,
        seen: &Observation,
    ) {
        let id = (mapping.id, link);
        let reading = self.reading;
        let slot = self.slots.get_mut(&id).expect("the link was found");
        if reading && slot.returning.as_ref() == Some(&seen.key) {
            slot.returning = None;
        }
        if seen.content.is_err() {
            return;
        }
        let link = &slot.link;
        let waits = link.state == LinkState::Seen(side.other()) && link.keys[side].is_none();
        if waits && !link.is_open() && !reading {
            // What was seen before this round may be of before it went.
            slot.returning = Some(seen.key.clone());
            slot.touched = true;
        } else if waits && !link.is_open() {
            self.adopt(id, mapping, side, seen);
        } else if matches!(link.state, LinkState::Creating(_)) {
            let wait = self.round.limits.retry_min;
            self.hint_later(mapping, side, seen.key.clone(), wait, HintReason::Claimed);
        } else if seen.source == Source::Page && !reading {
            // The page may have been read before the record went: it is read again.
            self.hint_later(mapping, side, seen.key.clone(), 0, HintReason::Again);
        } else {
            self.arrive(mapping, side, seen);
        }
    }
}

impl Mapping {
    /// Whether a side shows whole images through a feed.
    #[must_use]
    pub fn has_feed(&self, side: Side) -> bool {
        self.sides[side].capabilities.feed == FeedKind::Images
    }
}
