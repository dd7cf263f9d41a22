//! Identity: which link a record belongs to (protocol 1.6, O2', O8).

use syncline_sdk::{FeedKind, Key, LinkId, Normalizer, Value};

use super::observation::{Observation, Source};
use super::slot::Search;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{Alias, Claim, HintReason, LinkState, ReviewKind, Verdict};

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
        if self.arrive_by_external_id(mapping, side, seen) {
            return;
        }
        if self.arrive_by_claim(mapping, side, seen, values) {
            return;
        }
        let link = self.new_link(mapping, side, seen.key.clone());
        let id = (mapping.id, link);
        for claim in claims_of(mapping, side, values) {
            self.claims.entry((mapping.id, claim.clone())).or_insert(link);
            if self.claims[&(mapping.id, claim.clone())] == link {
                self.out.claims.push(Claim { mapping: mapping.id, key: claim, link });
            }
        }
        self.take_in(id, mapping, side, seen);
    }

    /// Folds the observation and keeps the whole reading for the match rules.
    fn take_in(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
    ) {
        self.fold(id, mapping, side, seen);
        if let (Some(slot), Ok(values)) = (self.slots.get_mut(&id), &seen.content) {
            slot.read[side] = Some(values.clone());
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
            (LinkState::Linked | LinkState::Tombstone | LinkState::Held, Some(old))
                if !slot.link.exists(side) && !slot.link.is_open() =>
            {
                let old = old.clone();
                self.alias(mapping.id, side, old, link, "re-created");
                self.set_key(id, side, Some(seen.key.clone()));
                self.note(id, Verdict::Rekey(side));
                self.take_in(id, mapping, side, seen);
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

    /// Whether the link's records hold another business key by now.
    fn claim_is_stale(
        &self,
        mapping: &Mapping,
        id: (MappingId, LinkId),
        side: Side,
        claim: &str,
    ) -> bool {
        let link = &self.slots[&id].link;
        if link.is_open() || link.keys[side].is_none() {
            return false;
        }
        let known: Vec<Value> = (0..mapping.sides[side].fields.len())
            .map(|at| {
                let inside = at < mapping.sides[side].image_len;
                if inside { link.observed(side, at).clone() } else { Value::Absent }
            })
            .collect();
        let held = claims_of(mapping, side, &known);
        let rule = claim.split_once(':').map_or(claim, |(rule, _)| rule);
        let of_rule = |held: &&String| held.split_once(':').is_some_and(|(at, _)| at == rule);
        held.iter().find(of_rule).is_some_and(|held| held != claim)
    }

    pub(super) fn release(&mut self, mapping: MappingId, claim: &str, link: LinkId) {
        self.claims.remove(&(mapping, claim.to_owned()));
        self.out.releases.push(Claim { mapping, key: claim.to_owned(), link });
    }

    /// Releases all claims that a link may hold by what its records show.
    pub(super) fn release_claims(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        for side in Side::BOTH {
            let link = &self.slots[&id].link;
            let known: Vec<Value> = (0..mapping.sides[side].image_len)
                .map(|at| link.observed(side, at).clone())
                .collect();
            for claim in claims_of(mapping, side, &known) {
                self.release(mapping.id, &claim, id.1);
            }
        }
    }

    /// A second record of a business key that is linked already: a person chooses.
    fn duplicate(&mut self, mapping: &Mapping, side: Side, seen: &Observation, of: LinkId) {
        let candidates: Vec<Key> =
            self.slots[&(mapping.id, of)].link.keys[side.other()].iter().cloned().collect();
        let link = self.new_link(mapping, side, seen.key.clone());
        let id = (mapping.id, link);
        self.take_in(id, mapping, side, seen);
        self.hold_ambiguous(id, mapping, candidates);
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
        slot.link.state = LinkState::Linked;
        slot.search = Search::Over;
        slot.link.field_state.refusals = 0;
        self.count(crate::model::Figure::Linked, 1);
        self.note(id, Verdict::Adopt(side));
        self.take_in(id, mapping, side, seen);
    }

    /// The record's own id changed.
    pub(super) fn rekey(&mut self, mapping: &Mapping, side: Side, old: &Key, new: &Key) {
        let Some(link) = self.link_of(mapping.id, side, old) else { return };
        if self.link_of(mapping.id, side, new).is_some() {
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
            let wait = self.round.limits.retry_min;
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
        if seen.content.is_err() {
            return;
        }
        let id = (mapping.id, link);
        let link = &self.slots[&id].link;
        let waits = link.state == LinkState::Seen(side.other()) && link.keys[side].is_none();
        if waits && !link.is_open() {
            self.adopt(id, mapping, side, seen);
        } else if matches!(link.state, LinkState::Creating(_)) {
            let wait = self.round.limits.retry_min;
            self.hint_later(mapping, side, seen.key.clone(), wait, HintReason::Claimed);
        } else {
            self.arrive(mapping, side, seen);
        }
    }
}

/// The claims of a record: one per match rule with a value.
pub(super) fn claims_of(mapping: &Mapping, side: Side, values: &[Value]) -> Vec<String> {
    mapping
        .matches
        .iter()
        .enumerate()
        .filter_map(|(at, rule)| {
            let value = values.get(rule.on(side)).cloned().unwrap_or_default();
            let value = Normalizer::apply_all(&rule.normalize, value);
            let usable = value.is_present() && !value.is_null();
            usable.then(|| format!("{at}:{value}"))
        })
        .collect()
}

impl Mapping {
    /// The claims that a record of a side makes by its match keys.
    #[must_use]
    pub fn claims(&self, side: Side, values: &[Value]) -> Vec<String> {
        claims_of(self, side, values)
    }
    /// Whether a side shows whole images through a feed.
    #[must_use]
    pub fn has_feed(&self, side: Side) -> bool {
        self.sides[side].capabilities.feed == FeedKind::Images
    }
}
