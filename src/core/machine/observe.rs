//! Observations: what a side shows, folded into its link.

use syncline_sdk::{ActorKind, Cas, FeedKind, LinkId, Value, VersionOrder};

use super::bounce;
use super::observation::{Missing, Observation, Source};
use super::slot::Fresh;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    DeletePhase, Figure, HintReason, LinkState, Observed, Pending, UnitState, UnitStatus,
};

impl Workset<'_> {
    /// Folds an observation into its link, or into a new one.
    pub fn observe(&mut self, mapping: MappingId, side: Side, seen: &Observation) {
        let Some(mapping) = self.mapping(mapping) else { return };
        self.note_looked(mapping.id, side, &seen.key);
        self.winner_seen(mapping.id, side, seen);
        if let Some(old) = seen.old_key.clone() {
            self.rekey(&mapping, side, &old, &seen.key);
        }
        match self.link_of(mapping.id, side, &seen.key) {
            Some(link) if self.is_former(mapping.id, link, side, &seen.key) => {
                self.return_of(&mapping, side, link, seen);
            }
            Some(link) => self.fold((mapping.id, link), &mapping, side, seen),
            None => self.arrive(&mapping, side, seen),
        }
    }
    /// Folds an observation of a record whose link is known.
    pub(super) fn fold(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
    ) {
        let Some(slot) = self.slots.get(&id) else { return };
        match slot.link.state {
            LinkState::Ended => return,
            // The loser's partner, of which a person was asked, is gone too.
            LinkState::Merged(_) if seen.content.is_err() => {
                self.close_all(id);
                return self.fold_gone(id, side, seen, &Missing::Deleted);
            }
            _ => {}
        }
        let order =
            self.order(&mapping.sides[side].system, &seen.version, &slot.link.versions[side]);
        let overtaken = order == VersionOrder::Same && slot.link.field_state.overtaken[side];
        match order {
            // A notice of absence has no version: it is taken as it comes.
            _ if seen.version.is_none() => {}
            _ if order == VersionOrder::Older || overtaken => return self.asked_for(id, seen),
            VersionOrder::Unknown if seen.source == Source::Feed => {
                let key = seen.key.clone();
                self.hint_later(mapping, side, key, 0, HintReason::Again);
                return;
            }
            _ => {}
        }
        if slot.link.state.deleting() == Some((side, DeletePhase::Look))
            && seen.source == Source::Read
        {
            self.look(id, mapping, side, seen);
            return;
        }
        match &seen.content {
            Ok(values) => {
                let orphan = self.returning_orphan(id, side);
                self.fold_record(id, mapping, side, seen, values, order);
                if let Some(into) = orphan {
                    self.ask_of_orphan(id, mapping, side, into);
                }
            }
            Err(Missing::MergedInto(winner)) => self.merge(id, mapping, side, winner, seen),
            // The proof of a deletion on a side with a feed is the feed's own event: a record
            // that a look-up does not find may have vanished in a truncation (protocol O7). Once
            // that is known, what asked for the look-up is planned. Of a record that a person
            // chose as a partner unread the event may have passed before.
            Err(Missing::Deleted)
                if mapping.has_feed(side)
                    && seen.source != Source::Feed
                    && !self.slots[&id].link.is_unread(side)
                    && !self.round.limits.side_by_side =>
            {
                if !self.slots[&id].link.exists(side) {
                    self.asked_for(id, seen);
                }
            }
            // Our own delete, told by what was read before this round: it may have been brought
            // back since, and an absence does not tell how new it is.
            Err(Missing::Deleted) if self.is_past_delete(id, side, seen) => {
                let slot = self.slots.get_mut(&id).expect("the link was found");
                slot.reread[side] = true;
                slot.fresh[side] = Fresh::No;
                slot.touched = true;
            }
            // The pair cannot be planned now, and what is suspected is not kept: it is looked at
            // again.
            Err(Missing::Suspected) if slot.link.is_open() => {
                let wait = self.round.limits.retry_min;
                self.hint_later(mapping, side, seen.key.clone(), wait, HintReason::Sweep);
            }
            Err(missing) => self.fold_gone(id, side, seen, missing),
        }
    }

    fn is_past_delete(&self, id: (MappingId, LinkId), side: Side, seen: &Observation) -> bool {
        let link = &self.slots[&id].link;
        let ours = seen.actor.kind == ActorKind::Sync && seen.source != Source::Feed;
        ours && !self.reading && link.exists(side) && link.open[side].is_none()
    }

    /// A look-up that shows nothing new: what asked for it is planned all the same.
    fn asked_for(&mut self, id: (MappingId, LinkId), seen: &Observation) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.touched |= seen.source == Source::Read;
        }
    }

    pub(super) fn fold_gone(
        &mut self,
        id: (MappingId, LinkId),
        side: Side,
        seen: &Observation,
        missing: &Missing,
    ) {
        let slot = self.slots.get_mut(&id).expect("the link was found");
        slot.touched = true;
        slot.fresh[side] = Fresh::Read { closed: true, unclaimed: false };
        slot.suspect(side, *missing == Missing::Suspected);
        if !slot.link.exists(side) {
            return;
        }
        slot.link.field_state.refusals = 0;
        slot.dirty = true;
        let base_exists = slot.link.base_exists(side);
        let version = seen.version.clone();
        let pending = &mut slot.link.pending[side];
        pending.exists = base_exists.then_some(false);
        if !base_exists {
            *pending = Pending::default();
        }
        mark(pending, seen);
        if !version.is_none() {
            slot.link.versions[side] = version;
            slot.link.field_state.overtaken[side] = false;
        }
        self.journal_observed(id, side, seen, Some(false), Vec::new());
        self.count(Figure::EditsSeen, i64::from(is_foreign(seen)));
    }

    fn fold_record(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
        values: &[Value],
        order: VersionOrder,
    ) {
        self.scope(id, mapping, side, values);
        let slot = self.slots.get_mut(&id).expect("the link was found");
        let own_open = slot.link.open[side].is_some_and(|open| seen.marked.contains(&open));
        let feed = mapping.sides[side].capabilities.feed == FeedKind::Images;
        let late = feed && order == VersionOrder::Same && seen.marker.is_some() && !own_open;
        // On a coarse clock two readings may share a version, and nothing tells which of them is
        // older: only one made in this very round is surely the newer (protocol O3).
        let coarse = matches!(mapping.sides[side].capabilities.cas, Cas::Coarse { .. });
        let image = &values[..values.len().min(mapping.sides[side].image_len)];
        // Nor does a notice of absence say how new it is: what was read beside the rounds may be
        // from before the deletion.
        let slot = self.slots.get_mut(&id).expect("the link was found");
        if !feed && !self.reading && !slot.link.exists(side) && !slot.link.versions[side].is_none()
        {
            slot.reread[side] = true;
            slot.fresh[side] = Fresh::No;
            slot.touched = true;
            return;
        }
        if coarse && order == VersionOrder::Same && !seen.version.is_none() && !self.reading {
            let slot = self.slots.get_mut(&id).expect("the link was found");
            let differs = image
                .iter()
                .enumerate()
                .any(|(at, now)| now.is_present() && slot.link.observed(side, at) != now);
            if differs || !slot.link.exists(side) {
                slot.reread[side] = true;
                slot.fresh[side] = Fresh::No;
                slot.touched = true;
                return;
            }
        }
        let slot = self.slots.get_mut(&id).expect("the link was found");
        if seen.source != Source::Feed && (self.reading || !slot.reread[side]) {
            let unclaimed = seen.external_id.is_none();
            slot.fresh[side] = Fresh::Read { closed: seen.closed, unclaimed };
            slot.read[side] = Some(values.to_vec());
            slot.changed_by[side] = seen.actor.kind;
        }
        let mut changed = Vec::new();
        for (at, now) in image.iter().enumerate().filter(|(_, now)| now.is_present()) {
            let before = slot.link.observed(side, at);
            if before != now {
                changed.push((u16::try_from(at).unwrap_or(u16::MAX), before.clone(), now.clone()));
            }
        }
        let appeared = !slot.link.exists(side);
        // A lone record that gets no partner made keeps no values (they are read again once a
        // partner appears), so the same reading again shows nothing new.
        let waits = slot.link.state == LinkState::Seen(side)
            && !mapping.create[side.other()]
            && slot.link.pending[side].values.is_empty();
        if waits && !appeared && order == VersionOrder::Same {
            slot.touched |= seen.source == Source::Read;
            return;
        }
        // What a side shows while a write to it is under way stands above that write, if it is
        // newer: an edit that was taken back is known by nothing else.
        slot.dirty |= slot.link.open[side].is_some() && slot.link.versions[side] != seen.version;
        slot.link.versions[side] = seen.version.clone();
        slot.link.field_state.overtaken[side] = false;
        if changed.is_empty() && !appeared {
            slot.link.pending[side].closed = seen.closed;
            if own_open && feed {
                let shown = slot.link.pending[side].values.clone();
                slot.link.field_state.evidence[side] = Some(shown);
            }
            // An open write waits until its feed has passed it (protocol N3): that is kept.
            slot.dirty |= feed && slot.link.open[side].is_some();
            slot.touched |= seen.source == Source::Read;
            if seen.source != Source::Read {
                self.count(Figure::Echoes, 1);
            }
            return;
        }
        if late && self.late_evidence(id, mapping, side, &changed) {
            return;
        }
        self.set_pending(id, mapping, side, seen, &changed);
        if own_open && feed {
            let slot = self.slots.get_mut(&id).expect("the link was found");
            let shown = slot.link.pending[side].values.clone();
            slot.link.field_state.evidence[side] = Some(shown);
        }
        let exists = appeared.then_some(true);
        self.journal_observed(id, side, seen, exists, changed);
        if !own_open {
            self.count(Figure::EditsSeen, i64::from(is_foreign(seen)));
        }
    }

    /// Takes the changed fields into the pending part of a side.
    fn set_pending(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &Observation,
        changed: &[(u16, Value, Value)],
    ) {
        let within = self.round.limits.bounce_within;
        let slot = self.slots.get_mut(&id).expect("the link was found");
        slot.touched = true;
        slot.dirty = true;
        slot.suspect(side, false);
        for (at, _, now) in changed {
            slot.show(side, *at, now.clone());
        }
        let base_exists = slot.link.base_exists(side);
        let pending = &mut slot.link.pending[side];
        pending.exists = (!base_exists).then_some(true);
        mark(pending, seen);
        slot.settle_pending(side);
        let lone = matches!(slot.link.state, LinkState::Seen(_));
        let all = 0..if lone { mapping.units.len() } else { 0 };
        let units = changed.iter().filter_map(|(at, _, _)| mapping.unit_of(side, usize::from(*at)));
        for unit in units.chain(all) {
            let mut state = slot.link.field_state.unit(unit);
            if is_foreign(seen)
                && !bounce::is_return(mapping, &slot.link, unit, side, within)
                && !bounce::is_reaction(&slot.link, unit, side, within)
            {
                state.bounces = 0;
            }
            // What a person left out was the value that was shown.
            let shows = |(at, _, _): &(u16, Value, Value)| {
                mapping.unit_of(side, usize::from(*at)) == Some(unit)
            };
            let anew = state.status == UnitStatus::LeftOut && changed.iter().any(shows);
            if state.status == UnitStatus::Parked || anew {
                state = UnitState { status: UnitStatus::Free, ..state };
            }
            slot.link.field_state.set_unit(unit, state);
        }
    }

    /// An event of a write of ours that is settled by now shows another image of what that very
    /// write wrote: what the target made of it. It becomes the base while the base still comes
    /// from that write (protocol E2). True when every change was of that kind. Of a unit of several
    /// fields it is not known any more which the write sent: what shows another image may be the
    /// doing of an automation, and is an edit.
    fn late_evidence(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        changed: &[(u16, Value, Value)],
    ) -> bool {
        let slot = self.slots.get_mut(&id).expect("the link was found");
        let carried = slot.link.origins.iter().flatten().filter(|from| from.side != side);
        let Some(last) = carried.map(|from| from.entry).max() else { return false };
        let ours = |at: u16| {
            mapping.unit_of(side, usize::from(at)).is_some_and(|unit| {
                let origin = slot.link.origins.get(unit).copied().flatten();
                let alone = mapping.units[unit].fields(side).count() == 1;
                alone && origin.is_some_and(|from| from.entry == last && from.side != side)
            })
        };
        if slot.link.open[side].is_some() || !changed.iter().all(|(at, _, _)| ours(*at)) {
            return false;
        }
        if let Some(base) = &mut slot.link.base[side] {
            for (at, _, now) in changed {
                if let Some(place) = base.image.get_mut(usize::from(*at)) {
                    *place = now.clone();
                }
            }
        }
        slot.settle_pending(side);
        slot.dirty = true;
        slot.link.sync_version += 1;
        self.count(Figure::Echoes, 1);
        true
    }

    pub(super) fn journal_observed(
        &mut self,
        id: (MappingId, LinkId),
        side: Side,
        seen: &Observation,
        exists: Option<bool>,
        values: Vec<(u16, Value, Value)>,
    ) {
        let observed = Observed {
            side,
            key: seen.key.clone(),
            exists,
            values,
            version: seen.version.clone(),
            closed: seen.closed,
            actor: seen.actor.clone(),
            at: seen.at,
            server_time: seen.server_time,
            group: seen.group,
            marker: seen.marker.as_deref().map(str::to_owned),
        };
        let entry = self.entry(id, false);
        entry.observed.push(observed);
        let entry = entry.id;
        let slot = self.slots.get_mut(&id).expect("the link was found");
        if !slot.link.pending[side].is_empty() {
            slot.link.pending[side].entry = Some(entry);
        }
    }
}

/// Writes down who changed the record, when, and how firm the version is.
fn mark(pending: &mut Pending, seen: &Observation) {
    if pending.is_empty() {
        return;
    }
    pending.actor = seen.actor.clone();
    pending.at = seen.at;
    pending.foreign = is_foreign(seen);
    pending.closed = seen.closed;
}

/// Whether a change came from outside: not in a transaction of ours, and not by an automation
/// or our own user, as far as the side tells. Only used to count bounces and edits; what travels
/// is decided by content alone (protocol E3).
fn is_foreign(seen: &Observation) -> bool {
    seen.marker.is_none() && !matches!(seen.actor.kind, ActorKind::Automation | ActorKind::Sync)
}
