//! Edits that stand in their question and nowhere else in their pair: one that a write of ours
//! replaced unseen, one of a record whose partner was merged away.

use syncline_sdk::{LinkId, Value};

use super::answer::UNREAD;
use super::batching::Step;
use super::halves::Maker;
use super::workset::Workset;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    Answer, IntentKind, Review, ReviewKind, ReviewStatus, Shown, UnitState, UnitStatus,
    WrittenField,
};
use crate::reconcile::written_fields;
use crate::{Side, Sides};

impl Workset<'_> {
    /// Asks a person of such an edit; until then nothing else is decided about its unit.
    pub(super) fn hold_edit(
        &mut self,
        id: (MappingId, LinkId),
        at: usize,
        kind: ReviewKind,
        shown: Sides<Shown>,
    ) {
        let state = self.slots[&id].link.field_state.unit(at);
        self.set_unit(id, at, UnitState { status: UnitStatus::Held, ..state });
        self.ask_showing(id, Some(at), kind, shown);
    }

    /// The open question about such an edit of a unit, and the edit's side.
    pub(super) fn asked_of_edit(
        &self,
        id: (MappingId, LinkId),
        at: usize,
    ) -> Option<(Side, &Review)> {
        let review = &self.slots[&id].asked.get(&Some(number(at)))?.review;
        let side = review.kind.edit().filter(|_| review.status != ReviewStatus::Closed)?;
        Some((side, review))
    }

    /// Whether a unit waits for a person because of such an edit. The question is brought up to
    /// date; it closes where somebody gave the side that very value.
    pub(super) fn waits_for_edit(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
    ) -> bool {
        let Some((side, review)) = self.asked_of_edit(id, at) else { return false };
        let shown = self.shown_as(id, mapping, Some(at), review);
        if shown[side].values == shown[side].base {
            self.free_unit(id, at);
            return false;
        }
        let kind = review.kind.clone();
        self.hold_edit(id, at, kind, shown);
        true
    }

    /// What both sides show of a question by now. Of an edit that stands in it its values stay.
    pub(super) fn shown_as(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        unit: Option<usize>,
        review: &Review,
    ) -> Sides<Shown> {
        let mut shown = Sides::from_fn(|side| self.shown(id, mapping, side, unit));
        if let Some(side) = review.kind.edit() {
            let Shown { exists, values: base, .. } = std::mem::take(&mut shown[side]);
            let edit = review.shown[side].clone();
            shown[side] = Shown { exists, base, ..edit };
        }
        shown
    }

    /// A question about such an edit, under the place that its unit has by now.
    pub(super) fn move_edit(&mut self, review: Review, at: u16) {
        let id = (review.key.mapping, review.key.link);
        let Some(mapping) = self.mapping(id.0).filter(|_| review.kind.edit().is_some()) else {
            return;
        };
        let unit = usize::from(at);
        if unit < mapping.units.len() && self.slots.contains_key(&id) {
            self.hold_edit(id, unit, review.kind, review.shown);
        }
    }

    /// The edit is wanted: its side gets it, over what stands there now, and the other side what
    /// the mapping makes of it.
    pub(super) fn put_edit(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        review: &Review,
        answer: &Answer,
    ) -> Result<(), String> {
        let Some(side) = review.kind.edit() else {
            return Err("the question holds no edit".to_owned());
        };
        let link = &self.slots[&id].link;
        if !link.exists(Side::Left) || !link.exists(Side::Right) {
            return Err("one of the records is gone".to_owned());
        }
        let values = &review.shown[side].values;
        if !values.iter().all(Value::is_present) {
            return Err(format!(
                "the {side} side did not keep the value: look it up there, and type it"
            ));
        }
        let mut there = link.clone();
        let places: Vec<usize> = mapping.units[at].fields(side).collect();
        let mut fields: Sides<Vec<WrittenField>> = Sides::default();
        for (place, value) in places.into_iter().zip(values) {
            let field = u16::try_from(place).unwrap_or(u16::MAX);
            fields[side].push(WrittenField {
                field,
                value: value.clone(),
                image: value.clone(),
                expected: link.observed(side, place).clone(),
            });
            let pending = &mut there.pending[side].values;
            pending.retain(|(of, _)| *of != field);
            pending.push((field, value.clone()));
            pending.sort_by_key(|(of, _)| *of);
        }
        let travels = mapping.units[at].direction.reaches(side.other());
        if travels {
            fields[side.other()] = written_fields(mapping, &there, at, side.other())
                .map_err(|why| format!("the {} side cannot store it: {why}", side.other()))?;
        }
        let is_idle = |of: Side| fields[of].iter().all(|field| !field.is_written());
        let written: Vec<Side> = Side::BOTH.into_iter().filter(|of| !is_idle(*of)).collect();
        if written.iter().any(|of| !self.is_closed(id, mapping, *of)) {
            return Err(UNREAD.to_owned());
        }
        if written.iter().any(|of| fields[*of].iter().any(|field| !field.expected.is_present())) {
            return Err("a value that would be replaced is not known".to_owned());
        }
        self.settle_unit(id, at);
        match written.as_slice() {
            [] => self.agree(id, mapping, at, &Side::BOTH),
            [to] => {
                let (to, fields) = (*to, std::mem::take(&mut fields[*to]));
                self.send_answer(id, mapping, at, to, fields, answer);
            }
            _ => self.open_halves(id, mapping, &[number(at)], fields, &Maker::of(answer)),
        }
        Ok(())
    }

    /// One value of a unit goes to a side, because a person said so.
    pub(super) fn send_answer(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        to: Side,
        fields: Vec<WrittenField>,
        answer: &Answer,
    ) {
        let units = vec![number(at)];
        let mut intent = self.make_intent(id, mapping, to, IntentKind::Update, fields);
        intent.source = self.source(id, mapping, to.other(), &units);
        intent.units = units;
        let Maker { actor, at } = Maker::of(answer);
        (intent.actor, intent.edited_at) = (actor, at);
        let key = self.slots[&id].link.keys[to].clone();
        self.send(id, to, intent, Step::Write, key);
    }
}

/// A unit as questions and the journal name it.
pub(super) fn number(unit: usize) -> u16 {
    u16::try_from(unit).unwrap_or(u16::MAX)
}
