//! Settlement: what became of intents, and where the base moves (protocol P7, 1.5).

use syncline_sdk::{
    Error, ErrorKind, IntentId, Key, LinkId, Normalizer, Value, Version, VersionOrder,
};

use super::batching::{Carried, Step};
use super::observe::{Missing, Observation};
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    Base, DeletePhase, Figure, Half, HintReason, Intent, IntentKind, LinkState, Origin, Outcome,
    Parked, Settled, UnitState, UnitStatus, Verdict,
};

/// What is proved about a write.
#[derive(Debug)]
pub enum Settling {
    /// It was applied.
    Applied {
        /// The version it produced, where the side tells.
        version: Option<Version>,
        /// The whole record as it stored it, only with evidence.
        stored: Option<Vec<Value>>,
        /// The key of a created record.
        key: Option<Key>,
    },
    /// What it expected was gone; what is there instead, where it was read.
    Stale(Option<Box<Observation>>),
    /// The record was gone.
    Missing(Option<Missing>),
    /// The record was locked, or the system asked for patience.
    Busy,
    /// The system refused it.
    Refused(Error),
    /// It was cancelled before any copy could take effect.
    Cancelled,
    /// Nothing is proved, and no copy can arrive any more: only for the unconditional delete of
    /// a guarded delete, whose look decides (protocol 1.4.1 iii).
    Expired,
}

/// One write and what is proved about it.
#[derive(Debug)]
pub struct SettleInput {
    /// The write.
    pub carried: Carried,
    /// What is proved.
    pub settling: Settling,
}

impl Workset<'_> {
    /// Settles a write. One whose intent is not open any more was settled before: nothing
    /// happens.
    pub fn settle(&mut self, input: &SettleInput) {
        let SettleInput { carried, settling } = input;
        let id = (carried.mapping, carried.link);
        let side = carried.intent.side;
        let Some(mapping) = self.mapping(id.0) else { return };
        let Some(slot) = self.slots.get(&id) else { return };
        if slot.link.open[side] != Some(carried.intent.id) {
            return;
        }
        match (carried.step, settling) {
            (Step::Write, Settling::Applied { version, stored, key }) => {
                let (version, key) = (version.clone(), key.clone());
                self.applied(id, &mapping, &carried.intent, version, stored.as_deref(), key);
            }
            (Step::Fence, Settling::Applied { .. }) => self.fenced(id, carried),
            (Step::Delete, Settling::Applied { .. } | Settling::Expired) => {
                if mapping.sides[side].capabilities.conditional_delete {
                    self.deleted(id, &mapping, side);
                } else {
                    self.look_due(id, &mapping, side);
                }
            }
            (Step::Undelete, settled) => self.undeleted(id, &mapping, side, carried, settled),
            (_, Settling::Expired) => {}
            (_, refused) => self.refused(id, &mapping, carried, refused),
        }
    }

    fn applied(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        intent: &Intent,
        version: Option<Version>,
        stored: Option<&[Value]>,
        key: Option<Key>,
    ) {
        let side = intent.side;
        if intent.kind == IntentKind::Create {
            let Some(key) = key else { return };
            self.created(id, mapping, side, key);
        }
        let link = &self.slots[&id].link;
        let known = &link.versions[side];
        // How the newest observation relates to this write.
        let relation = match &version {
            Some(version) => self.order(&mapping.sides[side].system, known, version),
            None if *known == intent.version => VersionOrder::Older,
            None => VersionOrder::Newer,
        };
        let images = self.images(id, side, intent, stored, relation);
        if intent.half {
            self.half_applied(id, mapping, intent, images, relation);
        } else {
            self.move_base(id, mapping, intent, &images, relation);
        }
        if intent.kind == IntentKind::Create {
            self.base_of_unreached(id, mapping, side, stored);
        }
        if relation != VersionOrder::Newer {
            self.overtake(id, mapping, side, intent, stored, relation, version);
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.open[side] = None;
        slot.link.field_state.evidence[side] = None;
        slot.link.field_state.refusals = 0;
        slot.link.sync_version += 1;
        slot.link.mapping_rev = mapping.revision;
        slot.dirty = true;
        slot.touched = true;
        for at in Side::BOTH {
            slot.settle_pending(at);
        }
        self.count(Figure::Writes, 1);
        if intent.kind == IntentKind::Create {
            self.count(Figure::Creates, 1);
            self.count(Figure::Linked, 1);
            let settled = Settled { intent: intent.id, side, outcome: Outcome::Applied };
            self.entry(id, false).settled.push(settled);
        }
    }

    fn created(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side, key: Key) {
        self.set_key(id, side, Some(key));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Linked;
        // The record that it was made from may be gone by now.
        let gone = !slot.link.exists(side.other());
        for at in Side::BOTH {
            let image = vec![Value::Absent; mapping.sides[at].image_len];
            slot.link.base[at] = Some(Base { exists: true, image });
        }
        slot.link.origins = vec![None; mapping.units.len()];
        slot.link.pending[side.other()].exists = gone.then_some(false);
    }

    /// A unit that never travels to the created side has there what the side gives a new record
    /// by itself. That is no edit of anybody: it is where the base begins.
    fn base_of_unreached(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        stored: Option<&[Value]>,
    ) {
        let unreached = mapping.units.iter().filter(|unit| !unit.direction.reaches(side));
        let images: Vec<(u16, Value)> = unreached
            .flat_map(|unit| &unit.pairs)
            .map(|pair| {
                let at = pair.on(side);
                let target = &mapping.sides[side].fields[at];
                let empty = Normalizer::apply_all(&target.normalizers, Value::Null);
                let shown = stored.and_then(|stored| stored.get(at)).filter(|now| now.is_present());
                (u16::try_from(at).unwrap_or(u16::MAX), shown.cloned().unwrap_or(empty))
            })
            .collect();
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        set_images(&mut slot.link.base[side], &images);
    }

    /// The images of the written fields, from the best evidence there is (protocol N2, N3, E2).
    fn images(
        &self,
        id: (MappingId, LinkId),
        side: Side,
        intent: &Intent,
        stored: Option<&[Value]>,
        relation: VersionOrder,
    ) -> Vec<(u16, Value)> {
        let link = &self.slots[&id].link;
        let evidence = link.field_state.evidence[side].as_deref();
        let image = |field: &crate::model::WrittenField| {
            let at = usize::from(field.field);
            if let Some(stored) = stored.and_then(|stored| stored.get(at))
                && stored.is_present()
            {
                return stored.clone();
            }
            if let Some(evidence) = evidence {
                let shown = evidence.iter().find(|(shown, _)| *shown == field.field);
                return shown.map_or_else(|| link.base_value(side, at), |(_, value)| value).clone();
            }
            if relation == VersionOrder::Same && link.observed(side, at).is_present() {
                return link.observed(side, at).clone();
            }
            field.image.clone()
        };
        intent.fields.iter().map(|field| (field.field, image(field))).collect()
    }

    /// The base moves to what was pushed, never to what is current (protocol P7).
    fn move_base(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        intent: &Intent,
        images: &[(u16, Value)],
        relation: VersionOrder,
    ) {
        let side = intent.side;
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if relation == VersionOrder::Newer {
            slot.rebase(side, images);
        } else {
            set_images(&mut slot.link.base[side], images);
        }
        slot.rebase(side.other(), &intent.source);
        slot.link.origins.resize(mapping.units.len(), None);
        for unit in &intent.units {
            slot.link.origins[usize::from(*unit)] = Some(origin(intent));
        }
    }

    /// Everything that was observed before this write is overtaken by it.
    #[expect(clippy::too_many_arguments, reason = "the parts of one settlement")]
    fn overtake(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        intent: &Intent,
        stored: Option<&[Value]>,
        relation: VersionOrder,
        version: Option<Version>,
    ) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let written: Vec<u16> = intent.fields.iter().map(|field| field.field).collect();
        if relation == VersionOrder::Older && !intent.half {
            slot.link.pending[side].values.retain(|(field, _)| !written.contains(field));
        }
        if let (Some(stored), VersionOrder::Older) = (stored, relation) {
            // The other fields, as read under the lock of this write.
            let mut found = false;
            for at in 0..mapping.sides[side].image_len {
                let field = u16::try_from(at).unwrap_or(u16::MAX);
                let Some(now) = stored.get(at).filter(|now| now.is_present()) else { continue };
                if written.contains(&field) || slot.link.observed(side, at) == now {
                    continue;
                }
                found = true;
                slot.show(side, field, now.clone());
            }
            if found {
                slot.link.pending[side].foreign = true;
                slot.link.pending[side].closed = true;
            }
        }
        if let Some(version) = version {
            slot.link.versions[side] = version;
        }
    }

    /// One half of a decision on both sides was applied (protocol P7').
    fn half_applied(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        intent: &Intent,
        images: Vec<(u16, Value)>,
        relation: VersionOrder,
    ) {
        let side = intent.side;
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if relation != VersionOrder::Newer {
            // The base stays while the other half is open, so this is what the side shows now.
            for (field, now) in &images {
                slot.show(side, *field, now.clone());
            }
        }
        if let Some(both) = &mut slot.link.field_state.both {
            both.halves[side] = Half::Applied(images);
        }
        self.settle_halves(id, mapping, intent);
    }

    /// Moves the base of a decision on both sides, once both halves are settled.
    fn settle_halves(&mut self, id: (MappingId, LinkId), mapping: &Mapping, intent: &Intent) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let Some(both) = &slot.link.field_state.both else { return };
        if Side::BOTH.into_iter().any(|side| both.halves[side] == Half::Open) {
            return;
        }
        let both = slot.link.field_state.both.take().expect("it is there");
        let units: Vec<u16> = both.units.clone();
        match (&both.halves.left, &both.halves.right) {
            (Half::Applied(left), Half::Applied(right)) => {
                slot.rebase(Side::Left, left);
                slot.rebase(Side::Right, right);
                slot.link.origins.resize(mapping.units.len(), None);
                for unit in &units {
                    slot.link.origins[usize::from(*unit)] = Some(origin(intent));
                }
            }
            (Half::Applied(_), _) => self.one_half(id, mapping, Side::Left, &both.seen),
            (_, Half::Applied(_)) => self.one_half(id, mapping, Side::Right, &both.seen),
            _ => self.note(id, Verdict::HalfWritten),
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.dirty = true;
        for side in Side::BOTH {
            slot.settle_pending(side);
        }
    }

    /// Only the half on `side` was applied: the base becomes the value that the other side had
    /// when the decision was made, as image on both sides; what was written is an ordinary
    /// pending change above it.
    fn one_half(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        seen: &crate::Sides<Vec<(u16, Value)>>,
    ) {
        let other = side.other();
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.rebase(other, &seen[other]);
        let mut images = Vec::new();
        for pair in mapping.units.iter().flat_map(|unit| &unit.pairs) {
            let at = u16::try_from(pair.on(other)).unwrap_or(u16::MAX);
            let Some((_, value)) = seen[other].iter().find(|(field, _)| *field == at) else {
                continue;
            };
            let field = u16::try_from(pair.on(side)).unwrap_or(u16::MAX);
            let target = &mapping.sides[side].fields[pair.on(side)];
            // Without an image the base of that side stays absent, which holds the unit.
            let image = pair.image(side, value, target).unwrap_or(Value::Absent);
            images.push((field, image));
        }
        slot.rebase(side, &images);
        self.note(id, Verdict::HalfWritten);
    }

    /// The intent did not take effect and never will.
    fn refused(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        carried: &Carried,
        settling: &Settling,
    ) {
        let Carried { intent, .. } = carried;
        let side = intent.side;
        let outcome = match settling {
            Settling::Stale(_) => Outcome::Stale,
            Settling::Missing(_) => Outcome::Missing,
            Settling::Busy => Outcome::Busy,
            Settling::Refused(error) => {
                Outcome::Refused(error.kind.as_str().to_owned(), error.to_string())
            }
            _ => Outcome::Cancelled,
        };
        self.close_intent(id, side, outcome);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = match slot.link.state {
            LinkState::Creating(at) => LinkState::Seen(at.other()),
            LinkState::Deleting(..) => LinkState::Linked,
            state => state,
        };
        if intent.half {
            if let Some(both) = &mut slot.link.field_state.both {
                both.halves[side] = Half::Refused;
            }
            self.settle_halves(id, mapping, intent);
        }
        match settling {
            Settling::Stale(current) => {
                self.count(Figure::Stale, 1);
                match current {
                    Some(seen) => self.fold(id, mapping, side, seen),
                    None => self.again(id, mapping, side),
                }
            }
            // On a side with a feed the deletion comes with it, or else a truncation.
            Settling::Missing(Some(Missing::Deleted)) if mapping.has_feed(side) => {
                self.again(id, mapping, side);
            }
            Settling::Missing(Some(missing)) => {
                let seen = gone(intent, missing.clone());
                self.fold(id, mapping, side, &seen);
            }
            Settling::Busy => self.later(id, mapping, side, HintReason::Busy),
            Settling::Refused(error) => self.turned_down(id, mapping, carried, error),
            _ => self.again(id, mapping, side),
        }
    }

    /// The record is read again soon; the back-off grows with each refusal.
    fn again(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        self.later(id, mapping, side, HintReason::Again);
    }

    fn later(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        reason: HintReason,
    ) {
        let wait = self.backoff(id);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.field_state.refusals = slot.link.field_state.refusals.saturating_add(1);
        slot.deferred = true;
        slot.dirty = true;
        let keys = slot.link.keys.clone();
        for at in [side, side.other()] {
            if let Some(key) = keys[at].clone() {
                self.hint_later(mapping, at, key, wait, reason);
            }
        }
    }

    /// The system said no: later, or set aside until something is mended.
    fn turned_down(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        carried: &Carried,
        error: &Error,
    ) {
        let side = carried.intent.side;
        let refusals = self.slots[&id].link.field_state.refusals;
        let create = carried.intent.kind == IntentKind::Create;
        match error.kind {
            ErrorKind::Unavailable
            | ErrorKind::Throttled
            | ErrorKind::Quota
            | ErrorKind::Auth
            | ErrorKind::Locked => self.later(id, mapping, side, HintReason::Again),
            // The record may exist already: it is searched before the create is tried again
            // (protocol C4).
            ErrorKind::Duplicate if create && refusals < self.round.limits.refusals_max => {
                self.later(id, mapping, side, HintReason::Again);
            }
            _ => self.park(id, mapping, carried, error),
        }
    }

    /// Sets the units of a write aside, with the system's own words.
    fn park(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        carried: &Carried,
        error: &Error,
    ) {
        let side = carried.intent.side;
        let named = error.field.as_deref().and_then(|name| {
            let selection = &mapping.sides[side].selection;
            let at = selection
                .fields
                .iter()
                .position(|field| field.as_str().eq_ignore_ascii_case(name))?;
            let unit = mapping.unit_of(side, at)?;
            u16::try_from(unit).ok().filter(|unit| carried.intent.units.contains(unit))
        });
        let update = carried.intent.kind == IntentKind::Update;
        let units = match named {
            Some(unit) if update => vec![unit],
            _ => carried.intent.units.clone(),
        };
        for unit in &units {
            let at = usize::from(*unit);
            let state = self.slots[&id].link.field_state.unit(at);
            self.set_unit(id, at, UnitState { status: UnitStatus::Parked, ..state });
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if carried.intent.kind == IntentKind::Delete {
            slot.link.field_state.refusals = self.round.limits.refusals_max;
        }
        // A create or delete is set aside as a whole: it is not planned again before the record
        // changes or a person asks for it.
        slot.deferred = !update;
        let parked = Parked {
            mapping: id.0,
            link: id.1,
            side,
            kind: error.kind.as_str().to_owned(),
            message: error.to_string(),
            advice: error.advice.clone().unwrap_or_default(),
            entry: slot.link.last_entry,
            at: self.round.clock.now.micros(),
        };
        self.out.parked.push(parked);
        self.count(Figure::Parked, 1);
    }

    fn undeleted(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        carried: &Carried,
        settling: &Settling,
    ) {
        let guarded =
            matches!(self.slots[&id].link.state, LinkState::Deleting(_, DeletePhase::Undelete));
        if guarded {
            self.stop_delete(id, side, Outcome::Stale);
            self.again(id, mapping, side);
            return;
        }
        if let Settling::Applied { .. } = settling {
            self.close_intent(id, side, Outcome::Applied);
            self.count(Figure::Writes, 1);
            let slot = self.slots.get_mut(&id).expect("the link is in the workset");
            slot.link.pending[side].exists = Some(true);
            self.revive(id);
            self.again(id, mapping, side);
            return;
        }
        self.refused(id, mapping, carried, settling);
    }
}

fn set_images(base: &mut Option<Base>, images: &[(u16, Value)]) {
    let Some(base) = base else { return };
    for (field, value) in images {
        if let Some(place) = base.image.get_mut(usize::from(*field)) {
            *place = value.clone();
        }
    }
}

fn origin(intent: &Intent) -> Origin {
    Origin {
        side: intent.side.other(),
        actor: intent.actor.kind,
        entry: IntentId { ..intent.id },
        at: intent.edited_at.map_or(0, syncline_sdk::Instant::micros),
    }
}

/// The observation that a write found its record gone.
fn gone(intent: &Intent, missing: Missing) -> Observation {
    Observation {
        key: intent.key.clone().unwrap_or_else(|| Key::new("")),
        old_key: None,
        version: Version::default(),
        content: Err(missing),
        bin: None,
        external_id: None,
        closed: true,
        actor: syncline_sdk::Actor::default(),
        at: None,
        server_time: None,
        group: None,
        marker: None,
        marked: std::sync::Arc::from([]),
        source: super::observe::Source::Read,
    }
}
