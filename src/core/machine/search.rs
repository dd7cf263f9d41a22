//! The search for the partner of a lone record (protocol C2, C4).

use syncline_sdk::{Key, LinkId, Normalizer, Value};

use super::observation::Observation;
use super::slot::Search;
use super::workset::{Want, Workset};
use crate::Side;
use crate::mapping::{Mapping, MappingId, MatchRule};
use crate::model::{HintReason, LinkState, Pending, Verdict, Would};

impl Workset<'_> {
    /// The reading that the search of a lone record needs next.
    pub(super) fn search_want(&self, id: (MappingId, LinkId), mapping: &Mapping) -> Option<Want> {
        let slot = &self.slots[&id];
        let LinkState::Seen(side) = slot.link.state else { return None };
        let other = side.other();
        let Search::Rule(rule) = slot.search else { return None };
        let has_external_id = mapping.sides[other].selection.external_id.is_some();
        if slot.link.field_state.refusals > 0 && has_external_id && !slot.external_id_searched {
            return Some(Want::ExternalId { mapping: id.0, link: id.1, side: other });
        }
        let Some(values) = &slot.read[side] else {
            let key = slot.link.keys[side].clone()?;
            return Some(Want::Fresh { mapping: id.0, link: id.1, side, key });
        };
        self.match_want(id, mapping, side, values, rule)
    }

    /// The look-up by the first match rule from `rule` on that has a value to look for.
    pub(super) fn match_want(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        values: &[Value],
        mut rule: usize,
    ) -> Option<Want> {
        let other = side.other();
        while let Some(found) = mapping.matches.get(rule) {
            let value = values.get(found.on(side)).cloned().unwrap_or_default();
            if !value.is_present() {
                // A later rule must not decide what this one may have to say.
                return None;
            }
            let in_field = &mapping.sides[other].fields[found.on(other)];
            if let Some(value) = found.sought(value, in_field) {
                return Some(Want::Match { mapping: id.0, link: id.1, side: other, rule, value });
            }
            rule += 1;
        }
        None
    }

    /// Whether the side of a lone record does not show what tells if it belongs to the mapping and
    /// by what it finds its partner: a field that is hidden from us. Then it waits. Without the key
    /// it would be doubled, without the filter it may be nobody's to copy.
    pub(super) fn hides_itself(&self, id: (MappingId, LinkId), mapping: &Mapping) -> bool {
        let slot = &self.slots[&id];
        let (LinkState::Seen(side), Search::Rule(rule)) = (slot.link.state, slot.search) else {
            return false;
        };
        let Some(values) = &slot.read[side] else { return false };
        let absent = |rule: &MatchRule| values.get(rule.on(side)).is_none_or(|of| !of.is_present());
        mapping.scope(side, values).is_none() || mapping.matches.iter().skip(rule).any(absent)
    }

    /// Answers a search by external id: the record found, if any.
    pub fn found_external(
        &mut self,
        mapping: MappingId,
        link: LinkId,
        side: Side,
        found: Option<&Observation>,
    ) {
        let Some(mapping) = self.mapping(mapping) else { return };
        let id = (mapping.id, link);
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.external_id_searched = true;
        }
        let free = found.filter(|seen| self.link_of(mapping.id, side, &seen.key).is_none());
        if let Some(seen) = free {
            self.adopt(id, &mapping, side, seen);
        }
    }

    /// Answers a search by a match rule: the records of the side that match, those of other
    /// links included. One free match is adopted, none goes on to the next rule, anything else
    /// waits for a person. Of a record that has a twin it only tells who could be the partner.
    pub fn found(
        &mut self,
        mapping: MappingId,
        link: LinkId,
        side: Side,
        rule: usize,
        value: &Value,
        candidates: &[Observation],
    ) {
        let Some(mapping) = self.mapping(mapping) else { return };
        let id = (mapping.id, link);
        let Some(found) = mapping.matches.get(rule) else { return };
        let same = |seen: &&Observation| {
            seen.content.as_ref().is_ok_and(|values| {
                let theirs = values.get(found.on(side)).cloned().unwrap_or_default();
                Normalizer::apply_all(&found.normalize, theirs) == *value
            })
        };
        let matching: Vec<&Observation> = candidates.iter().filter(same).collect();
        let keys: Vec<Key> = matching.iter().map(|seen| seen.key.clone()).collect();
        let Some(slot) = self.slots.get_mut(&id) else { return };
        if slot.twin.is_some() {
            slot.candidates = (rule + 1, keys);
            return;
        }
        if matching.is_empty() {
            slot.search = Search::Rule(rule + 1);
            return;
        }
        match matching.as_slice() {
            [one] if self.is_free(&mapping, side, one) => {
                if let Some(lone) = self.link_of(mapping.id, side, &one.key) {
                    self.join(&mapping, side, lone, link);
                }
                self.adopt(id, &mapping, side, one);
            }
            [one] if self.is_unsettled(&mapping, side, one) => {
                if let Some(slot) = self.slots.get_mut(&id) {
                    slot.deferred = true;
                }
                let key = self.slots[&id].link.keys[side.other()].clone();
                if let Some(key) = key {
                    let wait = self.round.limits.retry_min;
                    self.hint_later(&mapping, side.other(), key, wait, HintReason::Claimed);
                }
            }
            [one] if self.is_rival(id, &mapping, side, &one.key) => {}
            _ => self.hold_ambiguous(id, &mapping, keys),
        }
    }

    /// Whether the record found has a partner already, beside the one that looks: that is told
    /// apart once both were read (protocol C6).
    fn is_rival(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        found: &Key,
    ) -> bool {
        let Some(of) = self.link_of(mapping.id, side, found) else { return false };
        let holder = self.slots.get(&(mapping.id, of)).map(|slot| &slot.link);
        let paired = holder.is_some_and(|link| {
            let is_pair = link.state == LinkState::Linked
                || matches!(link.state, LinkState::Retracting(at, _) if at == side.other());
            is_pair && link.keys[side].as_ref() == Some(found) && link.keys[side.other()].is_some()
        });
        if paired && let Some(slot) = self.slots.get_mut(&id) {
            slot.twin = Some(of);
            slot.candidates.1 = vec![found.clone()];
            slot.search = Search::Over;
        }
        paired
    }

    /// Whether a record may be adopted: in scope, and known to no link or to a lone one.
    fn is_free(&self, mapping: &Mapping, side: Side, seen: &Observation) -> bool {
        let in_scope = seen.content.as_ref().is_ok_and(|values| mapping.in_scope(side, values));
        let lone = match self.link_of(mapping.id, side, &seen.key) {
            None => seen.marked.is_empty(),
            Some(link) => self.slots.get(&(mapping.id, link)).is_some_and(|slot| {
                slot.link.state == LinkState::Seen(side) && !slot.link.is_open()
            }),
        };
        in_scope && lone && self.pair_elsewhere(mapping, side, &seen.key).is_none()
    }

    /// Whether it is not known yet whose record this is: one that a create of ours may have made,
    /// or that is on its way from another mapping.
    fn is_unsettled(&self, mapping: &Mapping, side: Side, seen: &Observation) -> bool {
        !seen.marked.is_empty()
            || self.is_being_made(mapping, side, seen)
            || self.pair_elsewhere(mapping, side, &seen.key).is_some()
    }

    fn is_being_made(&self, mapping: &Mapping, side: Side, seen: &Observation) -> bool {
        self.link_of(mapping.id, side, &seen.key)
            .and_then(|link| self.slots.get(&(mapping.id, link)))
            .is_some_and(|slot| matches!(slot.link.state, LinkState::Creating(_)))
    }

    /// A lone link's record becomes the missing side of another: the lone link goes into it.
    pub(super) fn join(&mut self, mapping: &Mapping, side: Side, lone: LinkId, into: LinkId) {
        let id = (mapping.id, lone);
        self.release_claims(id, mapping);
        self.set_key(id, side, None);
        self.came_of_pair(id, |would| matches!(would, Would::Create(_)));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Merged(into);
        slot.link.pending = crate::Sides::<Pending>::default();
        slot.touched = false;
        self.note(id, Verdict::MergeInto(into));
    }
}
