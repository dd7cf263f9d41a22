//! Claims: each business key belongs to one link, which alone may have a partner made of its
//! record (protocol C1).

use syncline_sdk::{Key, LinkId, Normalizer, Value};

use super::retry::is_parked;
use super::slot::Search;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{Claim, HintReason, LinkState};

/// How another link holds a claim.
enum Holding {
    /// Not any more.
    Past,
    /// It is not settled yet whether it does.
    Unsettled,
    /// With a record of its own; its partner's key, where it has one.
    Firm(Vec<Key>),
}

impl Workset<'_> {
    /// Whether the link holds the business keys of its record, so that it may have a partner made
    /// (protocol C1). What is free is taken: a record that came back had given its keys up. Where
    /// another link holds one, its own create is waited for, or a person chooses.
    pub(super) fn holds_claims(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
    ) -> bool {
        let slot = &self.slots[&id];
        let Some(values) = slot.read[side].clone().filter(|_| slot.search != Search::Over) else {
            // A person chose, or the record was not read: then it was just made.
            return true;
        };
        for claim in claims_of(mapping, side, &values) {
            let holder = self.claims.get(&(mapping.id, claim.clone())).copied();
            match holder {
                None => self.claim(mapping.id, claim, id.1),
                Some(own) if own == id.1 => {}
                Some(other) => match self.holding(mapping, (mapping.id, other), side, &claim) {
                    Holding::Past => {
                        self.release(mapping.id, &claim, other);
                        self.claim(mapping.id, claim, id.1);
                    }
                    Holding::Unsettled => {
                        if let Some(key) = self.slots[&id].link.keys[side].clone() {
                            let wait = self.round.limits.retry_min;
                            self.hint_later(mapping, side, key, wait, HintReason::Claimed);
                        }
                        return false;
                    }
                    Holding::Firm(candidates) => {
                        self.hold_ambiguous(id, mapping, candidates);
                        return false;
                    }
                },
            }
        }
        true
    }

    /// How another link holds a claim that a record of this side makes.
    fn holding(
        &self,
        mapping: &Mapping,
        id: (MappingId, LinkId),
        side: Side,
        claim: &str,
    ) -> Holding {
        let Some(slot) = self.slots.get(&id) else { return Holding::Unsettled };
        match slot.link.state {
            LinkState::Tombstone | LinkState::Merged(_) | LinkState::Ended => Holding::Past,
            _ if self.claim_is_stale(mapping, id, side, claim) => Holding::Past,
            // What is set aside waits for a person itself.
            _ if slot.link.is_open() && !is_parked(&slot.link, self.round.limits.refusals_max) => {
                Holding::Unsettled
            }
            _ => Holding::Firm(slot.link.keys[side.other()].iter().cloned().collect()),
        }
    }

    /// Whether the link's records hold another business key by now.
    pub(super) fn claim_is_stale(
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
        let known = self.known_values(mapping, id, side);
        let held = claims_of(mapping, side, &known);
        let rule = claim.split_once(':').map_or(claim, |(rule, _)| rule);
        let of_rule = |held: &&String| held.split_once(':').is_some_and(|(at, _)| at == rule);
        held.iter().find(of_rule).is_some_and(|held| held != claim)
    }

    /// What the link knows of its record; nothing of fields that only the match rules read.
    fn known_values(&self, mapping: &Mapping, id: (MappingId, LinkId), side: Side) -> Vec<Value> {
        let link = &self.slots[&id].link;
        let known = |at| {
            let inside = at < mapping.sides[side].image_len;
            if inside { link.observed(side, at).clone() } else { Value::Absent }
        };
        (0..mapping.sides[side].fields.len()).map(known).collect()
    }

    /// Takes a claim that nobody holds.
    pub(super) fn claim(&mut self, mapping: MappingId, claim: String, link: LinkId) {
        self.claims.insert((mapping, claim.clone()), link);
        self.out.claims.push(Claim { mapping, key: claim, link });
    }

    pub(super) fn release(&mut self, mapping: MappingId, claim: &str, link: LinkId) {
        let name = (mapping, claim.to_owned());
        if self.claims.get(&name) == Some(&link) {
            self.claims.remove(&name);
        }
        self.out.releases.push(Claim { mapping, key: claim.to_owned(), link });
    }

    /// Releases all claims that a link may hold by what its records show.
    pub(super) fn release_claims(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        for side in Side::BOTH {
            let known = self.known_values(mapping, id, side);
            for claim in claims_of(mapping, side, &known) {
                self.release(mapping.id, &claim, id.1);
            }
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
}
