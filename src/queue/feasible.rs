//! Which answers could be carried out, by what the ledger keeps of the two systems.

use anyhow::Context as _;
use syncline_core::machine::may_be_left_out;
use syncline_core::mapping::language::bind;
use syncline_core::mapping::{Mapping, NoImage};
use syncline_core::model::{Link, LinkState, Review, ReviewKind};
use syncline_core::reconcile::{both_written, written_fields};
use syncline_core::{Side, Sides};
use syncline_ledger::Setup as _;
use syncline_sdk::{EntitySchema, Value};

use super::desk::{Desk, KnownMapping};
use super::offer::Answer;
use crate::stop::Stop;

/// A mapping as it is bound to its two systems, for what people may answer.
#[derive(Clone)]
pub struct Feasible {
    mapping: Mapping,
    schemas: Sides<EntitySchema>,
}

impl Feasible {
    /// What the ledger keeps of a mapping; nothing before it was bound, and where what was bound
    /// does not fit any more: then nothing is known to be in the way.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn of(desk: &Desk, known: &KnownMapping) -> Result<Option<Self>, Stop> {
        let Some(spec) = &known.spec else { return Ok(None) };
        let mut kept = Vec::new();
        for side in Side::BOTH {
            let described = desk.ledger.description(known.id, side).await.context("the ledger")?;
            let Some(described) = described else { return Ok(None) };
            kept.push(described);
        }
        let [left, right] = kept.as_slice() else { return Ok(None) };
        let schemas = Sides { left: &left.schema, right: &right.schema };
        let capabilities =
            Sides { left: left.capabilities.clone(), right: right.capabilities.clone() };
        let outline = |of: &KnownMapping| Some(of.spec.as_ref()?.outline(of.id));
        let outlines: Vec<_> = desk.mappings.iter().filter_map(outline).collect();
        let bound = bind(spec, known.id, 0, schemas, capabilities, &outlines);
        Ok(bound.ok().map(|checked| Self {
            mapping: checked.value,
            schemas: Sides { left: left.schema.clone(), right: right.schema.clone() },
        }))
    }

    /// Whether nothing is known that would be in the way of an answer.
    pub fn admits(&self, review: &Review, link: Option<&Link>, answer: &Answer) -> bool {
        match (review.key.unit, answer) {
            (Some(unit), Answer::Null) => {
                link.is_none_or(|link| self.can_be_empty(link, usize::from(unit)))
            }
            (Some(unit), Answer::Take(side)) => {
                let carries = matches!(
                    review.kind,
                    ReviewKind::Conflict | ReviewKind::Initial | ReviewKind::NoImage(..)
                );
                let at = usize::from(unit);
                link.filter(|_| carries).is_none_or(|link| self.can_carry(link, at, *side))
            }
            (Some(unit), Answer::Separate) => match link.map(|link| link.state) {
                Some(LinkState::Seen(side)) => self.can_be_left_out(usize::from(unit), side),
                _ => true,
            },
            (None, Answer::Take(side)) => match review.kind {
                ReviewKind::DeleteUpdate(gone)
                | ReviewKind::Delete(gone)
                | ReviewKind::SuspectedDelete(gone) => match *side == gone {
                    true => self.schemas[gone.other()].deletable,
                    false => self.can_be_brought_back(gone),
                },
                ReviewKind::Leave(left) | ReviewKind::Merged(left, _) if *side == left => {
                    self.schemas[left.other()].deletable
                }
                _ => true,
            },
            _ => true,
        }
    }

    /// Whether both sides can hold the values that a person types for a unit; else the side that
    /// cannot, and why. What hangs on more than the values is for the engine to say.
    ///
    /// # Errors
    /// The side that cannot hold them.
    pub fn holds(&self, link: &Link, unit: u16, left: &[Value]) -> Result<(), (Side, NoImage)> {
        let at = usize::from(unit);
        if self.mapping.units.get(at).is_none_or(|of| of.fields(Side::Left).count() != left.len()) {
            return Ok(());
        }
        match both_written(&self.mapping, link, at, left.to_vec()) {
            Ok(_) | Err((_, NoImage::Absent | NoImage::NoParent(_) | NoImage::Expression(_))) => {
                Ok(())
            }
            Err(why) => Err(why),
        }
    }

    /// Whether all fields of a unit may be without a value, on both sides.
    fn can_be_empty(&self, link: &Link, unit: usize) -> bool {
        let Some(of) = self.mapping.units.get(unit) else { return true };
        let nothing = of.fields(Side::Left).map(|_| Value::Null).collect();
        both_written(&self.mapping, link, unit, nothing).is_ok()
    }

    /// Whether the record that is made of one of a side can be made without a unit.
    fn can_be_left_out(&self, unit: usize, side: Side) -> bool {
        unit >= self.mapping.units.len() || may_be_left_out(&self.mapping, unit, side.other())
    }

    /// Whether the other side can hold what a side shows of a unit.
    fn can_carry(&self, link: &Link, unit: usize, from: Side) -> bool {
        let Some(of) = self.mapping.units.get(unit) else { return true };
        if !of.direction.reaches(from.other()) {
            return true;
        }
        match written_fields(&self.mapping, link, unit, from.other()) {
            // What is not known is read, and who is not linked may be.
            Ok(_) | Err(NoImage::Absent | NoImage::NoParent(_)) => true,
            Err(_) => false,
        }
    }

    /// Whether a record that is gone can come back, or be made anew.
    fn can_be_brought_back(&self, gone: Side) -> bool {
        let bin = self.mapping.sides[gone].capabilities.recycle_bin.is_some();
        bin || (self.mapping.create[gone] && self.schemas[gone].creatable)
    }
}
