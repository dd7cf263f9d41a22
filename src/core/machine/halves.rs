//! Decisions that write both sides: each half settles on its own (protocol P7').

use syncline_sdk::{Actor, ActorKind, Instant, LinkId, Value, VersionOrder};

use super::batching::Step;
use super::settle::origin;
use super::workset::Workset;
use crate::mapping::{Mapping, MappingId};
use crate::model::{Answer, BothHalves, Half, Intent, IntentKind, Verdict, WrittenField};
use crate::{Side, Sides};

/// Who made a value that goes to both sides.
pub(super) struct Maker {
    pub actor: Actor,
    /// When; nothing where the edits that it was made of tell.
    pub at: Option<Instant>,
}

impl Maker {
    /// The person who answered.
    pub fn of(answer: &Answer) -> Self {
        let actor = Actor { id: Some(answer.by.as_str().into()), kind: ActorKind::Person };
        Self { actor, at: Some(answer.at) }
    }
}

impl Workset<'_> {
    /// Opens one intent a side that together write a decision on both.
    pub(super) fn open_halves(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        units: &[u16],
        mut fields: Sides<Vec<WrittenField>>,
        maker: &Maker,
    ) {
        let seen = Sides::from_fn(|side| self.source(id, mapping, side, units));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let halves = Sides::from_fn(|_| Half::Open);
        slot.link.field_state.both = Some(BothHalves { units: units.to_vec(), seen, halves });
        for side in Side::BOTH {
            let half = std::mem::take(&mut fields[side]);
            let mut intent = self.make_intent(id, mapping, side, IntentKind::Update, half);
            intent.source = self.source(id, mapping, side.other(), units);
            intent.units = units.to_vec();
            intent.half = true;
            intent.actor = maker.actor.clone();
            intent.edited_at = maker.at.or(intent.edited_at);
            let key = self.slots[&id].link.keys[side].clone();
            self.send(id, side, intent, Step::Write, key);
        }
    }

    /// One half of a decision on both sides was applied (protocol P7').
    pub(super) fn half_applied(
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
    pub(super) fn settle_halves(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        intent: &Intent,
    ) {
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
            (Half::Applied(_), _) => self.one_half(id, mapping, Side::Left, &units, &both.seen),
            (_, Half::Applied(_)) => self.one_half(id, mapping, Side::Right, &units, &both.seen),
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
        units: &[u16],
        seen: &Sides<Vec<(u16, Value)>>,
    ) {
        let other = side.other();
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.rebase(other, &seen[other]);
        let mut images = Vec::new();
        for unit in units.iter().map(|unit| &mapping.units[usize::from(*unit)]) {
            let of = |at: Side, field: usize| {
                let found = seen[at].iter().find(|(seen, _)| usize::from(*seen) == field);
                found.map_or(&Value::Absent, |(_, value)| value)
            };
            let written = unit.put(&mapping.sides, side, |at| of(other, at), |at| of(side, at));
            for at in unit.fields(side) {
                // Without an image the base of that side stays absent, which holds the unit.
                let put = written.iter().flatten().find(|put| put.field == at);
                let image = put.map_or(Value::Absent, |put| put.image.clone());
                images.push((u16::try_from(at).unwrap_or(u16::MAX), image));
            }
        }
        slot.rebase(side, &images);
        self.note(id, Verdict::HalfWritten);
    }
}
