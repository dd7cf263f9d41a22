//! Observations: what a side shows, folded into its link.

use std::sync::Arc;

use syncline_sdk::{
    Actor, ActorKind, Cas, FeedKind, Instant, IntentId, Key, LinkId, Value, Version, VersionOrder,
};

use super::slot::Fresh;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    DeletePhase, Figure, HintReason, LinkState, Observed, Pending, UnitState, UnitStatus,
};

/// Why a record is not there any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    /// It was deleted, with positive evidence.
    Deleted,
    /// It is gone since a gap and nothing proves that it was deleted: a person decides.
    Suspected,
    /// It was merged into this record.
    MergedInto(Key),
}

/// How an observation came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// With a pushed feed: it may be older than what is known.
    Feed,
    /// With a page of a poll or a scan, read in this round.
    Page,
    /// We looked this very record up in this round.
    Read,
}

/// A deleted record as the recycle bin shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Bin {
    /// The values in the order of the selection.
    pub values: Vec<Value>,
    /// Whether our own user deleted it.
    pub ours: bool,
}

/// What a side shows of a record. References are links already, where they could be resolved.
#[derive(Clone, PartialEq, Debug)]
pub struct Observation {
    /// The record.
    pub key: Key,
    /// Its id before, where the change moved it.
    pub old_key: Option<Key>,
    /// How new it is.
    pub version: Version,
    /// The values in the order of the selection, or why there are none.
    pub content: Result<Vec<Value>, Missing>,
    /// Of a deleted record: what the recycle bin still shows of it, and whether our own user
    /// deleted it (protocol 1.4.1).
    pub bin: Option<Bin>,
    /// The link id that it carries.
    pub external_id: Option<LinkId>,
    /// Whether the version can no longer be shared by a later change.
    pub closed: bool,
    /// Who changed it.
    pub actor: Actor,
    /// When, by the side's own clock.
    pub at: Option<Instant>,
    /// The side's clock when it was read.
    pub server_time: Option<Instant>,
    /// The transaction it came in.
    pub group: Option<u64>,
    /// The marker of ours that it came with.
    pub marker: Option<Arc<str>>,
    /// The intents of the batch that the marker names, while that batch is not settled.
    pub marked: Arc<[IntentId]>,
    /// How it came.
    pub source: Source,
}

impl Workset<'_> {
    /// Folds an observation into its link, or into a new one.
    pub fn observe(&mut self, mapping: MappingId, side: Side, seen: &Observation) {
        let Some(mapping) = self.mapping(mapping) else { return };
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
            LinkState::Merged(_) if seen.content.is_err() => return self.close_all(id),
            _ => {}
        }
        let order =
            self.order(&mapping.sides[side].system, &seen.version, &slot.link.versions[side]);
        let overtaken = order == VersionOrder::Same && slot.link.field_state.overtaken[side];
        match order {
            // A notice of absence has no version: it is taken as it comes.
            _ if seen.version.is_none() => {}
            _ if order == VersionOrder::Older || overtaken => {
                // What it was looked up for is due all the same, planned from what is known.
                if seen.source == Source::Read {
                    self.touch(id.0, id.1);
                }
                return;
            }
            VersionOrder::Unknown if seen.source == Source::Feed => {
                let key = seen.key.clone();
                self.hint_later(mapping, side, key, 0, HintReason::Again);
                return;
            }
            _ => {}
        }
        if slot.link.state == LinkState::Deleting(side, DeletePhase::Look)
            && seen.source == Source::Read
        {
            self.look(id, mapping, side, seen);
            return;
        }
        match &seen.content {
            Ok(values) => self.fold_record(id, mapping, side, seen, values, order),
            Err(Missing::MergedInto(winner)) => self.merge(id, mapping, side, winner, seen),
            // The proof of a deletion on a side with a feed is the feed's own event: a record
            // that a look-up does not find may have vanished in a truncation (protocol O7).
            Err(Missing::Deleted) if mapping.has_feed(side) && seen.source != Source::Feed => {}
            // The pair cannot be planned now, and what is suspected is not kept: it is looked at
            // again.
            Err(Missing::Suspected) if slot.link.is_open() => {
                let wait = self.round.limits.retry_min;
                self.hint_later(mapping, side, seen.key.clone(), wait, HintReason::Sweep);
            }
            Err(missing) => self.fold_gone(id, side, seen, missing),
        }
    }

    fn fold_gone(
        &mut self,
        id: (MappingId, LinkId),
        side: Side,
        seen: &Observation,
        missing: &Missing,
    ) {
        let slot = self.slots.get_mut(&id).expect("the link was found");
        slot.touched = true;
        slot.fresh[side] = Fresh::Read { closed: true, unclaimed: false };
        if !slot.link.exists(side) {
            return;
        }
        slot.link.field_state.refusals = 0;
        slot.dirty = true;
        slot.suspected[side] = *missing == Missing::Suspected;
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
        if coarse && order == VersionOrder::Same && !seen.version.is_none() && !self.reading {
            let slot = self.slots.get_mut(&id).expect("the link was found");
            let differs = image
                .iter()
                .enumerate()
                .any(|(at, now)| now.is_present() && slot.link.observed(side, at) != now);
            if differs || !slot.link.exists(side) {
                slot.reread[side] = true;
                slot.touched = true;
                return;
            }
        }
        let slot = self.slots.get_mut(&id).expect("the link was found");
        if seen.source != Source::Feed {
            let unclaimed = seen.external_id.is_none();
            slot.fresh[side] = Fresh::Read { closed: seen.closed, unclaimed };
            slot.read[side] = Some(values.to_vec());
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
        slot.link.versions[side] = seen.version.clone();
        slot.link.field_state.overtaken[side] = false;
        if changed.is_empty() && !appeared {
            slot.link.pending[side].closed = seen.closed;
            if own_open && feed {
                let shown = slot.link.pending[side].values.clone();
                slot.link.field_state.evidence[side] = Some(shown);
                slot.dirty = true;
            }
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
        let foreign = is_foreign(seen);
        let slot = self.slots.get_mut(&id).expect("the link was found");
        slot.touched = true;
        slot.dirty = true;
        let base_exists = slot.link.base_exists(side);
        let pending = &mut slot.link.pending[side];
        for (at, _, now) in changed {
            match pending.values.binary_search_by_key(at, |(field, _)| *field) {
                Ok(place) => pending.values[place].1 = now.clone(),
                Err(place) => pending.values.insert(place, (*at, now.clone())),
            }
        }
        pending.exists = (!base_exists).then_some(true);
        mark(pending, seen);
        slot.settle_pending(side);
        let lone = matches!(slot.link.state, LinkState::Seen(_));
        let all = 0..if lone { mapping.units.len() } else { 0 };
        let units = changed.iter().filter_map(|(at, _, _)| mapping.unit_of(side, usize::from(*at)));
        for unit in units.chain(all) {
            let mut state = slot.link.field_state.unit(unit);
            if foreign {
                state.bounces = 0;
            }
            if state.status == UnitStatus::Parked {
                state = UnitState { status: UnitStatus::Free, ..state };
            }
            slot.link.field_state.set_unit(unit, state);
        }
    }

    /// An event of a write of ours that is settled by now shows another image of what that very
    /// write wrote: what the target made of it. It becomes the base while the base still comes
    /// from that write (protocol E2). True when every change was of that kind.
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
                origin.is_some_and(|from| from.entry == last && from.side != side)
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

    fn journal_observed(
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
