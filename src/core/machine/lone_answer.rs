//! Answers of people to what holds a record back that has no partner yet, folded (protocol P4).

use syncline_sdk::{LinkId, Value};

use super::answer::UNREAD;
use super::lone::may_be_left_out;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{Answer, Choice, UnitState, UnitStatus, WrittenField};

impl Workset<'_> {
    /// Carries out what was chosen for a unit of a record that the other side has none of.
    pub(super) fn answer_lone(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        side: Side,
        answer: &Answer,
    ) -> Result<(), String> {
        let to = side.other();
        match &answer.choice {
            Choice::Typed(values) => self.typed_alone(id, mapping, at, side, values, answer),
            Choice::Separate if !may_be_left_out(mapping, at, to) => {
                Err(format!("no record can be made on the {to} side without it"))
            }
            Choice::Separate => {
                self.settle_unit(id, at);
                let left_out = UnitState { status: UnitStatus::LeftOut, ..UnitState::default() };
                self.set_unit(id, at, left_out);
                Ok(())
            }
            Choice::Retry => {
                self.settle_unit(id, at);
                Ok(())
            }
            Choice::Take(_) => Err(format!("there is no record on the {to} side yet")),
            Choice::Adopt(_) => Err("this answer is for a question about the pair".to_owned()),
        }
    }

    /// A value of its own goes to the record that is there. The one that is made of it then
    /// carries the value as any other.
    fn typed_alone(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        side: Side,
        values: &[Value],
        answer: &Answer,
    ) -> Result<(), String> {
        if !self.slots[&id].link.exists(side) {
            return Err("the record is gone".to_owned());
        }
        let mut fields = self.typed_fields(id, mapping, at, values)?;
        let fields = std::mem::take(&mut fields[side]);
        if !fields.iter().any(WrittenField::is_written) {
            self.settle_unit(id, at);
            return Ok(());
        }
        if !mapping.units[at].direction.reaches(side) {
            return Err("the field is written in one direction only".to_owned());
        }
        if fields.iter().any(|field| !field.expected.is_present()) {
            return Err(format!("the {side} side's value is not known"));
        }
        if !self.is_closed(id, mapping, side) {
            return Err(UNREAD.to_owned());
        }
        self.settle_unit(id, at);
        self.send_answer(id, mapping, at, side, fields, answer);
        Ok(())
    }
}
