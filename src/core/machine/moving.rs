//! Records that move between mappings of the same two entities: the pair stays a pair. Its link
//! ends in the one mapping and begins in the other in one commit, under the same id.

use syncline_sdk::{Key, LinkId, Value, VersionOrder};

use super::claims::claims_of;
use super::observation::Observation;
use super::slot::Slot;
use super::workset::Workset;
use crate::mapping::{Mapping, MappingId, Pair, Unit};
use crate::model::{Base, FieldState, HintReason, Link, LinkState, Pending, Verdict};
use crate::{Side, Sides};

/// How long a record waits until it is known whether another mapping takes it, microseconds.
const WAIT: i64 = 1_000_000;

impl Mapping {
    /// Whether another mapping joins the same two entities, by other conditions.
    #[must_use]
    pub fn shares_entities(&self, other: &Self) -> bool {
        let same = |side: Side| {
            let (mine, theirs) = (&self.sides[side], &other.sides[side]);
            mine.system == theirs.system && mine.selection.entity == theirs.selection.entity
        };
        self.id != other.id && Side::BOTH.into_iter().all(same)
    }
}

impl Workset<'_> {
    /// The other mappings of the same two entities.
    pub(super) fn siblings<'m>(
        &'m self,
        mapping: &'m Mapping,
    ) -> impl Iterator<Item = MappingId> + 'm {
        let all = self.round.mappings.values();
        all.filter(|other| mapping.shares_entities(other)).map(|other| other.id)
    }

    /// The pair of another mapping of the same entities that a record belongs to.
    pub(super) fn pair_elsewhere(
        &self,
        mapping: &Mapping,
        side: Side,
        key: &Key,
    ) -> Option<(MappingId, LinkId)> {
        self.siblings(mapping).find_map(|other| {
            let id = (other, self.link_of(other, side, key)?);
            let link = &self.slots.get(&id)?.link;
            let whole = link.keys[side].as_ref() == Some(key) && link.keys[side.other()].is_some();
            let ends = matches!(
                link.state,
                LinkState::Ended | LinkState::Merged(_) | LinkState::Tombstone | LinkState::Seen(_)
            );
            (whole && !ends).then_some(id)
        })
    }

    /// Notes that a record was looked for in this mapping within the round.
    pub(super) fn note_looked(&mut self, mapping: MappingId, side: Side, key: &Key) {
        if self.reading {
            self.looked.insert((mapping, side, key.clone()));
        }
    }

    /// The readings that tell whether another mapping takes a record which left its own.
    pub(super) fn elsewhere_wants(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
    ) -> Vec<(MappingId, Key)> {
        let Some(key) = &self.slots[&id].link.keys[side] else { return Vec::new() };
        let unknown = |other: &MappingId| !self.looked.contains(&(*other, side, key.clone()));
        self.siblings(mapping).filter(unknown).map(|other| (other, key.clone())).collect()
    }

    /// Whether no other mapping takes a record that left its own; if that is not known yet, the
    /// record is put off.
    pub(super) fn is_nowhere(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
    ) -> bool {
        let Some((_, key)) = self.elsewhere_wants(id, mapping, side).pop() else { return true };
        self.hint_later(mapping, side, key, WAIT, HintReason::Again);
        false
    }

    /// A record of this mapping that none of its links knows is one of a pair of another mapping:
    /// the pair moves here, if the record has moved. True when it is not new.
    pub(super) fn arrive_from_elsewhere(
        &mut self,
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
        values: &[Value],
    ) -> bool {
        let Some(from) = self.pair_elsewhere(mapping, side, &seen.key) else { return false };
        let link = &self.slots[&from].link;
        if link.field_state.stays[side] == Some(mapping.id) {
            // The other record moved there, and this one did not follow so far.
            return true;
        }
        if link.is_open() || link.state.deleting().is_some() {
            let wait = self.round.limits.retry_min;
            self.hint_later(mapping, side, seen.key.clone(), wait, HintReason::Again);
            return true;
        }
        let outside = link.field_state.outside[side];
        let known = link.versions[side].clone();
        match self.order(&mapping.sides[side].system, &seen.version, &known) {
            VersionOrder::Older => return true,
            VersionOrder::Newer => {}
            VersionOrder::Same | VersionOrder::Unknown if outside || self.reading => {}
            VersionOrder::Same | VersionOrder::Unknown => {
                // Its own mapping knows it inside at the same time: a reading of now tells.
                self.unsure.insert((mapping.id, side, seen.key.clone()), from.1);
                return true;
            }
        }
        if !self.makes_room(mapping, side.other(), from) {
            return false;
        }
        self.move_pair(from, mapping, side, values);
        self.take_in((mapping.id, from.1), mapping, side, seen);
        true
    }

    /// Whether a pair may have its other record in this mapping: a link that holds it alone, or
    /// has ended, gives it up.
    fn makes_room(&mut self, mapping: &Mapping, side: Side, from: (MappingId, LinkId)) -> bool {
        let there = self.slots.get(&(mapping.id, from.1)).map(|slot| slot.link.state);
        if there.is_some_and(|state| state != LinkState::Ended) {
            return false;
        }
        let Some(key) = self.slots[&from].link.keys[side].clone() else { return false };
        let holder = self.link_of(mapping.id, side, &key).map(|link| (mapping.id, link));
        let holder = holder.filter(|id| {
            self.slots.get(id).is_some_and(|slot| slot.link.keys[side].as_ref() == Some(&key))
        });
        let Some(holder) = holder else { return true };
        let link = &self.slots[&holder].link;
        match link.state {
            LinkState::Seen(_) if !link.is_open() => self.join(mapping, side, holder.1, from.1),
            LinkState::Ended => self.set_key(holder, side, None),
            _ => return false,
        }
        true
    }

    /// Ends the link in its mapping and begins it in another, with the base of every unit that
    /// both have alike; the others are as at a first match.
    fn move_pair(
        &mut self,
        from: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        values: &[Value],
    ) {
        let Some(before) = self.mapping(from.0) else { return };
        let old = self.slots[&from].link.clone();
        self.close_all(from);
        self.note(from, Verdict::MoveTo(mapping.id));
        self.release_claims(from, &before);
        for side in Side::BOTH {
            self.set_key(from, side, None);
        }
        let slot = self.slots.get_mut(&from).expect("the link was found");
        slot.link.state = LinkState::Ended;
        slot.link.pending = Sides::default();
        slot.link.field_state = FieldState::default();
        slot.touched = false;

        let id = (mapping.id, from.1);
        let mut link = moved(&old, &before, mapping);
        link.epoch = self.round.fence.epoch;
        let other = side.other();
        let follows = old.field_state.stays[other] == Some(mapping.id);
        let stays = (!old.field_state.outside[other]).then_some(from.0);
        link.field_state.outside[other] = !follows;
        link.field_state.stays[other] = stays.filter(|_| !follows);
        for at in Side::BOTH {
            if let Some(key) = link.keys[at].clone() {
                self.by_key.insert((mapping.id, at, key), from.1);
            }
        }
        match self.slots.get_mut(&id) {
            Some(slot) => {
                link.sync_version = link.sync_version.max(slot.link.sync_version + 1);
                link.last_entry = slot.link.last_entry;
                slot.link = link;
                slot.keys_changed = true;
                slot.dirty = true;
            }
            None => {
                let slot = Slot { dirty: true, ..Slot::new(link) };
                self.slots.insert(id, Box::new(slot));
            }
        }
        self.note(id, Verdict::MoveFrom(from.0));
        for claim in claims_of(mapping, side, values) {
            if !self.claims.contains_key(&(mapping.id, claim.clone())) {
                self.claim(mapping.id, claim, from.1);
            }
        }
        // What this mapping reads of the other record is more, perhaps, than is known.
        if let Some(key) = old.keys[other].clone() {
            self.hint_later(mapping, other, key, 0, HintReason::Again);
        }
    }
}

/// A link as it begins in another mapping.
fn moved(old: &Link, before: &Mapping, mapping: &Mapping) -> Link {
    let alike: Vec<Option<usize>> = mapping
        .units
        .iter()
        .map(|unit| before.units.iter().position(|known| is_alike(mapping, unit, before, known)))
        .collect();
    let place = |side: Side, at: usize| {
        let name = mapping.field_name(side, at);
        let known = before.sides[side].selection.fields.iter().take(before.sides[side].image_len);
        known.into_iter().position(|field| field == name)
    };
    let base = Sides::from_fn(|side| {
        let known = old.base[side].as_ref()?;
        let image = (0..mapping.sides[side].image_len).map(|at| {
            let unit = mapping.unit_of(side, at).filter(|unit| alike[*unit].is_some());
            let agreed = unit.and_then(|_| known.image.get(place(side, at)?));
            agreed.cloned().unwrap_or_default()
        });
        Some(Base { exists: known.exists, image: image.collect() })
    });
    let pending = Sides::from_fn(|side| {
        let known = &old.pending[side];
        let agreed = |at: usize| base[side].as_ref().and_then(|base| base.image.get(at));
        let values = (0..mapping.sides[side].image_len).filter_map(|at| {
            let now = old.observed(side, place(side, at)?);
            let differs = now.is_present() && agreed(at) != Some(now);
            differs.then(|| (u16::try_from(at).unwrap_or(u16::MAX), now.clone()))
        });
        let values: Vec<_> = values.collect();
        match values.is_empty() && known.exists.is_none() {
            true => Pending::default(),
            false => Pending { values, ..known.clone() },
        }
    });
    let origin = |known: &Option<usize>| (*known).and_then(|at| *old.origins.get(at)?);
    let overtaken = old.field_state.overtaken;
    Link {
        mapping: mapping.id,
        state: LinkState::Linked,
        mapping_rev: mapping.revision,
        sync_version: old.sync_version + 1,
        origins: alike.iter().map(origin).collect(),
        base,
        pending,
        complement: Vec::new(),
        field_state: FieldState { overtaken, ..FieldState::default() },
        last_entry: None,
        ..old.clone()
    }
}

/// Whether units of two mappings say the same of the same fields.
fn is_alike(mapping: &Mapping, unit: &Unit, before: &Mapping, known: &Unit) -> bool {
    let names = |mapping: &Mapping, unit: &Unit| {
        Sides::from_fn(|side| {
            let fields = unit.fields(side);
            fields.map(|at| mapping.field_name(side, at).clone()).collect::<Vec<_>>()
        })
    };
    let rules = |unit: &Unit| {
        let pairs = unit.pairs.iter();
        let pairs: Vec<_> = pairs
            .map(|pair| {
                let Pair { values, reference, default, view, normalize, .. } = pair.clone();
                (values, reference, default, view, normalize)
            })
            .collect();
        let formulas: Vec<_> = unit.computed.iter().map(|group| group.formulas.clone()).collect();
        (pairs, formulas)
    };
    names(mapping, unit) == names(before, known) && rules(unit) == rules(known)
}
