//! Edits that a write of ours replaced unseen: put before people, and put back where they say so
//! (protocol W1).

use syncline_sdk::{LinkId, Value};

use super::batching::Step;
use super::halves::Maker;
use super::workset::Workset;
use crate::audit::Overwritten;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    Answer, Decided, IntentKind, LinkState, Review, ReviewKind, ReviewStatus, Shown, UnitState,
    UnitStatus, Verdict, WrittenField,
};
use crate::reconcile::written_fields;
use crate::{Side, Sides};

impl Workset<'_> {
    /// Takes what the history of a side tells of writes to a loaded link's record there: each edit
    /// is journalled with its value, and a person is asked of the last one. What stands there by
    /// now needs nobody.
    pub fn overwritten(
        &mut self,
        mapping: MappingId,
        link: LinkId,
        side: Side,
        found: &[Overwritten],
    ) {
        let id = (mapping, link);
        let Some(mapping) = self.mapping(mapping) else { return };
        if !self.slots.contains_key(&id) {
            return;
        }
        for (at, unit) in mapping.units.iter().enumerate() {
            let fields: Vec<usize> = unit.fields(side).collect();
            let of_unit = |edit: &&Overwritten| fields.contains(&usize::from(edit.field));
            let edits: Vec<&Overwritten> = found.iter().filter(of_unit).collect();
            let Some(last) = edits.last() else { continue };
            let mut shown = Sides::from_fn(|of| self.shown(id, &mapping, of, Some(at)));
            shown[side].base = shown[side].values.clone();
            for edit in &edits {
                let place = fields.iter().position(|field| *field == usize::from(edit.field));
                let place = place.and_then(|place| shown[side].values.get_mut(place));
                place.into_iter().for_each(|value| *value = edit.value.clone());
                let decided = Decided {
                    unit: Some(number(at)),
                    verdict: Verdict::Overwritten(side),
                    left: shown.left.values.clone(),
                    right: shown.right.values.clone(),
                };
                self.entry(id, false).decided.push(decided);
            }
            (shown[side].actor, shown[side].at) = (last.actor.clone(), last.at);
            self.slots.get_mut(&id).expect("the link is in the workset").dirty = true;
            let pair = matches!(self.slots[&id].link.state, LinkState::Linked | LinkState::Held);
            if pair && shown[side].values != shown[side].base {
                self.hold_overwritten(id, at, side, shown);
            }
        }
    }

    fn hold_overwritten(
        &mut self,
        id: (MappingId, LinkId),
        at: usize,
        side: Side,
        shown: Sides<Shown>,
    ) {
        let state = self.slots[&id].link.field_state.unit(at);
        self.set_unit(id, at, UnitState { status: UnitStatus::Held, ..state });
        self.ask_showing(id, Some(at), ReviewKind::Overwritten(side), shown);
    }

    /// The open question about an edit of a unit that was overwritten.
    pub(super) fn asked_of_overwritten(
        &self,
        id: (MappingId, LinkId),
        at: usize,
    ) -> Option<(Side, &Review)> {
        let review = &self.slots[&id].asked.get(&Some(number(at)))?.review;
        match review.kind {
            ReviewKind::Overwritten(side) if review.status != ReviewStatus::Closed => {
                Some((side, review))
            }
            _ => None,
        }
    }

    /// Whether a unit waits for a person because an edit of it was overwritten: nothing else is
    /// decided about it until then. The question is brought up to date; it closes where somebody
    /// gave the side that very value again.
    pub(super) fn waits_overwritten(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
    ) -> bool {
        let Some((side, review)) = self.asked_of_overwritten(id, at) else { return false };
        let shown = self.shown_as(id, mapping, Some(at), review);
        if shown[side].values == shown[side].base {
            self.free_unit(id, at);
            return false;
        }
        self.hold_overwritten(id, at, side, shown);
        true
    }

    /// What both sides show of a question by now. Of an edit that was overwritten its values stay.
    pub(super) fn shown_as(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        unit: Option<usize>,
        review: &Review,
    ) -> Sides<Shown> {
        let mut shown = Sides::from_fn(|side| self.shown(id, mapping, side, unit));
        if let ReviewKind::Overwritten(side) = review.kind {
            let Shown { exists, values: base, .. } = std::mem::take(&mut shown[side]);
            let edit = review.shown[side].clone();
            shown[side] = Shown { exists, base, ..edit };
        }
        shown
    }

    /// A question about an overwritten edit, under the place that its unit has by now.
    pub(super) fn move_overwritten(&mut self, review: Review, at: u16) {
        let id = (review.key.mapping, review.key.link);
        let (Some(mapping), ReviewKind::Overwritten(side)) = (self.mapping(id.0), review.kind)
        else {
            return;
        };
        let unit = usize::from(at);
        if unit < mapping.units.len() && self.slots.contains_key(&id) {
            self.hold_overwritten(id, unit, side, review.shown);
        }
    }

    /// The overwritten edit is wanted back: its side gets it again, over what stands there now,
    /// and the other side what the mapping makes of it.
    pub(super) fn put_back(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        review: &Review,
        answer: &Answer,
    ) -> Result<(), String> {
        let ReviewKind::Overwritten(side) = review.kind else {
            return Err("nothing of the unit was overwritten".to_owned());
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
            return Err("a record was changed within the current tick".to_owned());
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

fn number(unit: usize) -> u16 {
    u16::try_from(unit).unwrap_or(u16::MAX)
}
