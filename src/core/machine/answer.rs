//! Answers of people, folded (protocol P4).

use syncline_sdk::{Cas, LinkId, Value};

use super::halves::Maker;
use super::question::shows_other;
use super::slot::Fresh;
use super::workset::Workset;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    Answer, Choice, LinkState, Review, ReviewKind, ReviewStatus, UnitState, Verdict, WrittenField,
};
use crate::reconcile::{both_written, written_fields};
use crate::{Side, Sides};

/// Why an answer is not carried out where a record that it would write was not read in its round;
/// for the end of an open tick it waits.
pub(super) const UNREAD: &str = "a record that would be written could not be read afresh";

impl Workset<'_> {
    /// Folds the answer to a question of a loaded link, after its records were read afresh. An
    /// answer to values that moved since is journalled as not applied, and the question stands
    /// again with the new values. Returns false when the answer waits: the link has an intent open,
    /// what was read of a record must be read again before it is believed, or a record that may be
    /// written was changed within a tick that is not over, by a write of ours perhaps.
    pub fn answer(&mut self, mapping: MappingId, link: LinkId, unit: Option<u16>) -> bool {
        let id = (mapping, link);
        let Some(mapping) = self.mapping(id.0) else { return true };
        let Some(slot) = self.slots.get(&id) else { return true };
        let Some(asked) = slot.asked.get(&unit) else { return true };
        if asked.review.status != ReviewStatus::Answered {
            return true;
        }
        if slot.link.is_open() || slot.reread.left || slot.reread.right {
            return false;
        }
        let review = asked.review.clone();
        let Some(answer) = review.answer.clone() else { return true };
        let writes = matches!(answer.choice, Choice::Take(_) | Choice::Typed(_));
        if writes && Side::BOTH.into_iter().any(|side| self.is_in_open_tick(id, &mapping, side)) {
            return false;
        }
        if let Some(asked) = self.slots.get_mut(&id).and_then(|slot| slot.asked.get_mut(&unit)) {
            // From here on it is being folded: it is journalled below, applied or not.
            asked.review.status = ReviewStatus::Open;
            asked.review.answer = None;
            asked.changed = true;
        }
        let at = unit.map(usize::from);
        let moved = shows_other(&review, &review.kind, &self.shown_as(id, &mapping, at, &review));
        let applied = if moved {
            Err("a value moved after the question was shown".to_owned())
        } else if writes && !self.is_live(id, &mapping) {
            Err("the mapping only observes the record: nothing is written".to_owned())
        } else {
            match at {
                Some(at) => self.answer_unit(id, &mapping, at, &review, &answer),
                None => self.answer_pair(id, &mapping, &review.kind, &answer),
            }
        };
        match applied {
            Ok(()) => {
                let verdict = Verdict::Answered(format!("{} by {}", answer.choice, answer.by));
                self.note_answer(id, &mapping, at, verdict);
            }
            Err(reason) => self.reopen(id, &mapping, at, &review, &answer, reason),
        }
        self.touch(id.0, id.1);
        true
    }

    /// Whether a record was read in this round under a version that a later change may share.
    fn is_in_open_tick(&self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) -> bool {
        let coarse = matches!(mapping.sides[side].capabilities.cas, Cas::Coarse { .. });
        coarse && matches!(self.slots[&id].fresh[side], Fresh::Read { closed: false, .. })
    }

    fn note_answer(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: Option<usize>,
        verdict: Verdict,
    ) {
        match at {
            Some(at) => self.decided(id, mapping, at, verdict),
            None => self.note(id, verdict),
        }
    }

    fn reopen(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: Option<usize>,
        review: &Review,
        answer: &Answer,
        reason: String,
    ) {
        let told = format!("{} by {}: {reason}", answer.choice, answer.by);
        self.note_answer(id, mapping, at, Verdict::AnswerNotApplied(told));
        let shown = self.shown_as(id, mapping, at, review);
        let number = at.map(|at| u16::try_from(at).unwrap_or(u16::MAX));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if let Some(asked) = slot.asked.get_mut(&number) {
            asked.review.revision += 1;
            asked.review.status = ReviewStatus::Open;
            asked.review.answer = None;
            asked.review.shown = shown;
            asked.changed = true;
        }
    }

    fn answer_unit(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        review: &Review,
        answer: &Answer,
    ) -> Result<(), String> {
        if let Some(why) = &mapping.units[at].frozen {
            return Err(format!("it is not written for now: {why}"));
        }
        match (review.kind.edit(), &answer.choice) {
            (Some(side), Choice::Take(taken)) if side == *taken => {
                return self.put_edit(id, mapping, at, review, answer);
            }
            (Some(_), Choice::Take(_)) => {
                // What stands there is planned as any other value.
                self.settle_unit(id, at);
                return Ok(());
            }
            (Some(_), Choice::Retry) => {
                return Err("choose one of the values, or type one".to_owned());
            }
            _ => {}
        }
        if let LinkState::Seen(side) = self.slots[&id].link.state {
            return self.answer_lone(id, mapping, at, side, answer);
        }
        match &answer.choice {
            Choice::Take(side) => self.take_side(id, mapping, at, *side, answer),
            Choice::Typed(values) => self.typed(id, mapping, at, values, answer),
            Choice::Retry => {
                self.settle_unit(id, at);
                Ok(())
            }
            // What a side cannot store stays where it is: agreed as it stands.
            Choice::Separate if matches!(review.kind, ReviewKind::NoImage(..)) => {
                self.settle_unit(id, at);
                self.agree(id, mapping, at, &Side::BOTH);
                Ok(())
            }
            Choice::Adopt(_) | Choice::Separate => {
                Err("this answer is for a question about the pair".to_owned())
            }
        }
    }

    /// One side's value goes to the other.
    fn take_side(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        side: Side,
        answer: &Answer,
    ) -> Result<(), String> {
        let to = side.other();
        let link = &self.slots[&id].link;
        if !link.exists(Side::Left) || !link.exists(Side::Right) {
            return Err("one of the records is gone".to_owned());
        }
        if !mapping.units[at].direction.reaches(to) {
            // What does not travel stays where it is.
            self.settle_unit(id, at);
            self.agree(id, mapping, at, &Side::BOTH);
            return Ok(());
        }
        let fields = written_fields(mapping, link, at, to)
            .map_err(|reason| format!("the {to} side cannot store the value: {reason}"))?;
        if fields.iter().any(|field| matches!(field.expected, Value::Absent)) {
            return Err(format!("the {to} side's value is not known"));
        }
        if fields.iter().all(|field| !field.is_written()) {
            self.settle_unit(id, at);
            self.agree(id, mapping, at, &Side::BOTH);
            return Ok(());
        }
        if !self.is_closed(id, mapping, to) {
            return Err(UNREAD.to_owned());
        }
        self.settle_unit(id, at);
        self.send_answer(id, mapping, at, to, fields, answer);
        Ok(())
    }

    pub(super) fn settle_unit(&mut self, id: (MappingId, LinkId), at: usize) {
        self.set_unit(id, at, UnitState::default());
        self.close(id, Some(at));
    }

    /// A value of its own goes to both sides (protocol P7'); typing one side's value is taking
    /// that side.
    fn typed(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        values: &[Value],
        answer: &Answer,
    ) -> Result<(), String> {
        let fields = self.typed_fields(id, mapping, at, values)?;
        for side in Side::BOTH {
            if fields[side].iter().all(|field| !field.is_written()) {
                return self.take_side(id, mapping, at, side, answer);
            }
        }
        let direction = mapping.units[at].direction;
        if Side::BOTH.into_iter().any(|side| !direction.reaches(side)) {
            return Err("the field is written in one direction only".to_owned());
        }
        if Side::BOTH.into_iter().any(|side| !self.is_closed(id, mapping, side)) {
            return Err(UNREAD.to_owned());
        }
        self.settle_unit(id, at);
        let units = [u16::try_from(at).unwrap_or(u16::MAX)];
        self.open_halves(id, mapping, &units, fields, &Maker::of(answer));
        Ok(())
    }

    /// What a typed value is on both sides.
    pub(super) fn typed_fields(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        values: &[Value],
    ) -> Result<Sides<Vec<WrittenField>>, String> {
        let places = mapping.units[at].fields(Side::Left).count();
        if values.len() != places || places == 0 {
            return Err(format!("the unit has {places} fields on the left side"));
        }
        both_written(mapping, &self.slots[&id].link, at, values.to_vec())
            .map_err(|(side, why)| format!("the {side} side cannot store the value: {why}"))
    }
}
