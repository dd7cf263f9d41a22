//! Settlement: what became of intents, and where the base moves (protocol P7, 1.5).

use syncline_sdk::{Cas, Error, IntentId, Key, LinkId, Normalizer, Value, Version, VersionOrder};

use super::batching::{Carried, Step};
use super::observation::{Missing, Observation};
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    Base, DeletePhase, Figure, Intent, IntentKind, LinkState, Origin, Outcome, Settled, UnitStatus,
    WrittenField,
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
    /// A create was applied or not, and nothing will ever tell which record it made (protocol C5).
    Unfindable(Error),
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
    /// Settles a write. One whose intent is not open any more, or is at a later step, was settled
    /// before: nothing happens.
    pub fn settle(&mut self, input: &SettleInput) {
        let SettleInput { carried, settling } = input;
        let id = (carried.mapping, carried.link);
        let side = carried.intent.side;
        let Some(mapping) = self.mapping(id.0) else { return };
        let Some(slot) = self.slots.get(&id) else { return };
        if slot.link.open[side] != Some(carried.intent.id) || is_over(slot.link.state, carried.step)
        {
            return;
        }
        match (carried.step, settling) {
            (Step::Write, Settling::Applied { version, stored, key }) => {
                let (version, key) = (version.clone(), key.clone());
                self.applied(id, &mapping, &carried.intent, version, stored.as_deref(), key);
            }
            (Step::Fence, Settling::Applied { .. }) => self.fenced(id, &mapping, carried),
            (Step::Delete, Settling::Applied { .. } | Settling::Expired)
                if !mapping.sides[side].capabilities.conditional_delete =>
            {
                self.look_due(id, &mapping, side);
            }
            (Step::Delete, Settling::Applied { .. } | Settling::Expired) => {
                if let Settling::Applied { version, .. } = settling {
                    self.raise(id, &mapping, side, version.as_ref());
                }
                self.deleted(id, &mapping, side);
            }
            (Step::Undelete, settled) => self.undeleted(id, &mapping, side, settled),
            (_, Settling::Expired) => {}
            (_, refused) => self.refused(id, &mapping, carried, refused),
        }
    }

    /// What was read before a write of ours is older than it, also when it took the record away
    /// (protocol E2').
    fn raise(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        version: Option<&Version>,
    ) {
        let Some(version) = version.filter(|version| !version.is_none()) else { return };
        let known = &self.slots[&id].link.versions[side];
        if self.order(&mapping.sides[side].system, known, version) == VersionOrder::Older {
            let slot = self.slots.get_mut(&id).expect("the link is in the workset");
            slot.link.versions[side] = version.clone();
            slot.link.field_state.overtaken[side] = false;
            slot.dirty = true;
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
            self.half_applied(id, mapping, intent, images.clone(), relation);
        } else {
            self.move_base(id, mapping, intent, &images, relation);
        }
        if intent.kind == IntentKind::Create {
            self.base_of_unreached(id, mapping, side, stored);
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.known[side] = version.clone().unwrap_or_default();
        if relation != VersionOrder::Newer {
            self.overtake(id, mapping, side, intent, stored, relation, version);
            self.show_without_base(id, side, &images);
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

    /// What a record without a partner holds after a write stands in no base: it is what the
    /// record shows.
    fn show_without_base(&mut self, id: (MappingId, LinkId), side: Side, images: &[(u16, Value)]) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if slot.link.base[side].is_none() {
            images.iter().for_each(|(at, now)| slot.show(side, *at, now.clone()));
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
        // What a person left out of it is agreed as it stands.
        slot.link.field_state.units.retain(|(_, state)| state.status != UnitStatus::LeftOut);
        slot.link.pending[side.other()].exists = gone.then_some(false);
    }

    /// A unit that never travels to the created side has there what the side gives a new record
    /// by itself. That is no edit of anybody: it is where the base begins.
    pub(super) fn base_of_unreached(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        stored: Option<&[Value]>,
    ) {
        let unreached = mapping.units.iter().filter(|unit| !unit.direction.reaches(side));
        let images: Vec<(u16, Value)> = unreached
            .flat_map(|unit| unit.fields(side))
            .map(|at| {
                let target = &mapping.sides[side].fields[at];
                let empty = Normalizer::apply_all(&target.normalizers, Value::Null);
                let shown = stored.and_then(|stored| stored.get(at)).filter(|now| now.is_present());
                (u16::try_from(at).unwrap_or(u16::MAX), shown.cloned().unwrap_or(empty))
            })
            .collect();
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        set_images(&mut slot.link.base[side], &images);
    }

    /// In a record that we may have made ourselves, an empty unit that never travels to its side is
    /// where the base begins too: else the side that leads would empty what it was never given.
    pub(super) fn empty_of_unreached(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
    ) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if slot.link.base[side].is_some() {
            return;
        }
        let unreached = mapping.units.iter().filter(|unit| !unit.direction.reaches(side));
        let empty: Vec<(u16, Value)> = unreached
            .flat_map(|unit| unit.fields(side))
            .filter(|at| slot.link.observed(side, *at).is_null())
            .map(|at| (u16::try_from(at).unwrap_or(u16::MAX), Value::Null))
            .collect();
        if empty.is_empty() {
            return;
        }
        let image = vec![Value::Absent; mapping.sides[side].image_len];
        slot.link.base[side] = Some(Base { exists: true, image });
        slot.link.origins.resize(mapping.units.len(), None);
        set_images(&mut slot.link.base[side], &empty);
        slot.settle_pending(side);
        slot.dirty = true;
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
        let image = |field: &WrittenField| {
            let at = usize::from(field.field);
            // It held its image before the write: another one shown after it is no doing of a
            // normaliser but of an automation that the write set off, an edit as any other.
            if !field.is_written() {
                return field.image.clone();
            }
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
    pub(super) fn move_base(
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
        if slot.link.base[side].is_none() {
            // Of a record without a partner nothing is agreed.
            return;
        }
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
        let guarded = mapping.sides[side].capabilities.cas != Cas::None;
        let written = |at: u16| {
            let mut fields = intent.fields.iter().filter(|field| field.field == at);
            fields.any(WrittenField::is_written)
        };
        if relation == VersionOrder::Older && !intent.half {
            // Under a guard the fields that were not sent were as the plan had them, too.
            let held = |at: u16| guarded && intent.fields.iter().any(|field| field.field == at);
            let values = &mut slot.link.pending[side].values;
            values.retain(|(field, _)| !written(*field) && !held(*field));
        }
        if let (Some(stored), VersionOrder::Older) = (stored, relation) {
            // The other fields, as read under the lock of this write.
            let mut found = false;
            for at in 0..mapping.sides[side].image_len {
                let field = u16::try_from(at).unwrap_or(u16::MAX);
                let Some(now) = stored.get(at).filter(|now| now.is_present()) else { continue };
                if written(field) || slot.link.observed(side, at) == now {
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
        slot.link.field_state.overtaken[side] =
            version.is_none() && relation == VersionOrder::Older;
        if let Some(version) = version {
            slot.link.versions[side] = version;
        }
    }
}

/// Whether a delete has left a step of its behind.
fn is_over(state: LinkState, step: Step) -> bool {
    let Some((_, phase)) = state.deleting() else { return false };
    match step {
        Step::Write => false,
        Step::Fence => phase != DeletePhase::Fence,
        Step::Delete => phase != DeletePhase::Delete,
        Step::Undelete => phase != DeletePhase::Undelete,
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

pub(super) fn origin(intent: &Intent) -> Origin {
    Origin {
        side: intent.side.other(),
        actor: intent.actor.kind,
        entry: IntentId { ..intent.id },
        at: intent.edited_at.map_or(0, syncline_sdk::Instant::micros),
    }
}
