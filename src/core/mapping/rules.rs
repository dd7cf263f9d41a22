//! The rules of one mapping, ready for use.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use syncline_sdk::{
    Capabilities, FieldName, FieldSchema, FieldType, Filter, Normalizer, Selection, SystemName,
    Value,
};

use super::expression::Expression;
use super::{Drifted, Former, Mode, Objective, Priority, ValueTable};
use crate::{Side, Sides};

/// The number of a mapping in the ledger; its name never changes it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MappingId(pub i32);

impl fmt::Display for MappingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One mapping.
#[derive(Clone, PartialEq, Debug)]
pub struct Mapping {
    /// Its number in the ledger.
    pub id: MappingId,
    /// Its name.
    pub name: Arc<str>,
    /// The revision of its rules; stored with each base.
    pub revision: i32,
    /// The former revisions that its links may still be written in.
    pub former: BTreeMap<i32, Former>,
    /// Its two sides.
    pub sides: Sides<MappedSide>,
    /// Its units, in the order of the file.
    pub units: Vec<Unit>,
    /// How existing records find each other; the first rule that decides wins.
    pub matches: Vec<MatchRule>,
    /// What becomes of pairs that differ when they are first matched.
    pub initial: Initial,
    /// Which records each side owns, by a condition on its own record: what [`Policy::Row`] asks.
    pub owners: Sides<Option<Filter>>,
    /// On which sides missing records may be created.
    pub create: Sides<bool>,
    /// What a deletion seen on a side does to the other side.
    pub delete: Sides<DeleteRule>,
    /// What becomes of a linked record that leaves the filter.
    pub leave: LeaveRule,
    /// Whether it writes.
    pub mode: Mode,
    /// How much its writes matter.
    pub priority: Priority,
    /// What it is to attain, where the file says so.
    pub objective: Option<Objective>,
    /// The fields of each side's image that are not what the mapping was bound to (protocol 1.10).
    pub drifted: Sides<Vec<Drifted>>,
}

/// One side of a mapping.
#[derive(Clone, PartialEq, Debug)]
pub struct MappedSide {
    /// The system.
    pub system: SystemName,
    /// What is read of it. Its fields are the fields of the image, in image order, and behind
    /// them the fields that only match rules, filters and the actor need.
    pub selection: Arc<Selection>,
    /// One description a field of the selection.
    pub fields: Vec<MappedField>,
    /// How many of the fields are the image: those that belong to a unit.
    pub image_len: usize,
    /// What the side can do for this entity.
    pub capabilities: Capabilities,
}

/// What the planner knows of one field of a side.
#[derive(Clone, PartialEq, Debug)]
pub struct MappedField {
    /// Its name.
    pub name: FieldName,
    /// Its type.
    pub kind: FieldType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether a create may set it.
    pub creatable: bool,
    /// Whether an update may set it.
    pub updatable: bool,
    /// What the side does to a value when it stores it.
    pub normalizers: Vec<Normalizer>,
    /// Whether its values are kept encrypted and shown to nobody unasked.
    pub sensitive: bool,
    /// Whether its side gives a new record a value of its own where it is given none.
    pub filled: bool,
}

impl MappedField {
    /// A field as its system describes it.
    #[must_use]
    pub fn of(field: &FieldSchema) -> Self {
        Self {
            name: field.name.clone(),
            kind: field.kind.clone(),
            nullable: field.nullable,
            creatable: field.creatable,
            updatable: field.updatable,
            normalizers: field.normalizers.clone(),
            sensitive: false,
            filled: field.filled.is_some(),
        }
    }
}

/// Fields that are agreed together.
#[derive(Clone, PartialEq, Debug)]
pub struct Unit {
    /// Its name: the field pair's names where it has one pair.
    pub name: Arc<str>,
    /// The field pairs.
    pub pairs: Vec<Pair>,
    /// The fields that are computed from fields of the other side.
    pub computed: Vec<Computed>,
    /// Which way edits travel.
    pub direction: Direction,
    /// What decides when both sides changed it to different values.
    pub conflict: Policy,
    /// What becomes of an edit on the side that does not lead it.
    pub foreign: ForeignEdits,
    /// Why it is observed and not written: what has become of its fields since the mapping was
    /// bound (protocol 1.10).
    pub frozen: Option<Arc<str>>,
}

impl Unit {
    /// A unit of one field pair that travels both ways and asks a person.
    #[must_use]
    pub fn of(name: &str, pair: Pair) -> Self {
        Self {
            name: name.into(),
            pairs: vec![pair],
            computed: Vec::new(),
            direction: Direction::Both,
            conflict: Policy::Review,
            foreign: ForeignEdits::Keep,
            frozen: None,
        }
    }
    /// The fields of a side's image that belong to the unit: those of the pairs, then those of
    /// the computed groups.
    pub fn fields(&self, side: Side) -> impl Iterator<Item = usize> + Clone + '_ {
        let computed = self.computed.iter().flat_map(move |group| group.fields[side].iter());
        self.pairs.iter().map(move |pair| pair.on(side)).chain(computed.copied())
    }
    /// Whether a field of a side belongs to the unit.
    #[must_use]
    pub fn has(&self, side: Side, field: usize) -> bool {
        self.fields(side).any(|at| at == field)
    }
    /// Whether a side has nothing of the unit: the other side's fields are constants.
    #[must_use]
    pub fn is_missing(&self, side: Side) -> bool {
        self.fields(side).next().is_none()
    }
}

/// Two fields that hold the same thing.
#[derive(Clone, PartialEq, Debug)]
pub struct Pair {
    /// Index of the left field in the left image.
    pub left: usize,
    /// Index of the right field in the right image.
    pub right: usize,
    /// The value table, where the two sides use different words.
    pub values: Option<ValueTable>,
    /// The mapping whose links the field refers to.
    pub reference: Option<MappingId>,
    /// What a side is given where the other has nothing.
    pub default: Sides<Option<Value>>,
    /// The side that shows less than the other, and what of it.
    pub view: Option<(Side, View)>,
    /// What is done to both values before they are compared and stored.
    pub normalize: Vec<Normalizer>,
}

impl Pair {
    /// A pair whose values are the same on both sides.
    #[must_use]
    pub fn plain(left: usize, right: usize) -> Self {
        let (default, normalize) = (Sides::default(), Vec::new());
        Self { left, right, values: None, reference: None, default, view: None, normalize }
    }
    /// The index of the field on a side.
    #[must_use]
    pub fn on(&self, side: Side) -> usize {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }
}

/// Fields of both sides of which some are computed from those of the other side.
#[derive(Clone, PartialEq, Debug)]
pub struct Computed {
    /// The fields of each side's image.
    pub fields: Sides<Vec<usize>>,
    /// What each field of a side is written with, in the order of the fields; empty for a side
    /// that is never written.
    pub formulas: Sides<Vec<Formula>>,
}

/// What a computed field is written with.
#[derive(Clone, PartialEq, Debug)]
pub enum Formula {
    /// Always this value.
    Constant(Value),
    /// The value of an expression over the other side's fields.
    Expression(Expression),
}

/// What a side holds less of than the other: a coarser view of the same value.
#[derive(Clone, PartialEq, Debug)]
pub enum View {
    /// A number rounded to so many digits behind the point, half away from zero.
    Round(u32),
    /// The first so many characters of a text.
    Truncate(u32),
    /// The day of an instant, in a time zone of this name.
    Day(Arc<str>),
}

/// Which way edits travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Both ways.
    Both,
    /// Only from right to left: the left field is never read for changes.
    ToLeft,
    /// Only from left to right.
    ToRight,
}

impl Direction {
    /// Whether an edit may travel to a side.
    #[must_use]
    pub fn reaches(self, side: Side) -> bool {
        matches!(
            (self, side),
            (Self::Both, _) | (Self::ToLeft, Side::Left) | (Self::ToRight, Side::Right)
        )
    }
}

/// What decides a conflict. The value that loses is always in the journal (protocol P2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The unit is held and a person asked.
    Review,
    /// This side's value wins.
    Wins(Side),
    /// The side that owns the record wins, by the mapping's conditions; where neither or both own
    /// it, the rest decides.
    Row(Unowned),
    /// The record changed last wins, by the sides' own clocks; as review where they are too
    /// close together to tell.
    Newest,
    /// The greater value wins.
    Max,
    /// The lesser value wins.
    Min,
    /// Both sides' changes of a number are added up: base + (left - base) + (right - base).
    Counter,
    /// Both sides' changes of a text are merged line by line; as review where they overlap.
    MergeText,
    /// Both sides' additions and removals of members are kept.
    MergeSet,
}

impl Policy {
    /// Whether its result may be a value that neither side has.
    #[must_use]
    pub fn merges(self) -> bool {
        matches!(self, Self::Counter | Self::MergeText | Self::MergeSet)
    }
}

/// What decides the conflicts of a record that no side owns alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unowned {
    /// The unit is held and a person asked.
    Review,
    /// This side's value wins.
    Wins(Side),
    /// The record changed last wins, as by [`Policy::Newest`].
    Newest,
}

/// What becomes of an edit on the side that does not lead a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignEdits {
    /// It stays there and goes nowhere.
    Keep,
    /// The leading side's value is written over it; what it was is in the journal.
    Revert,
    /// A person is asked.
    Review,
}

/// What becomes of pairs that differ when they are first matched, per unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// The unit is held and a person asked.
    Review,
    /// This side's value wins.
    Wins(Side),
    /// The record changed last wins, by the sides' own clocks; where that cannot be told, as
    /// review.
    Newest,
    /// A value fills an empty field; two different values are held.
    Fill,
}

/// What a deletion on one side does to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteRule {
    /// The other record is deleted, guarded.
    Propagate,
    /// A person is asked.
    Review,
    /// The other record stays; the link ends.
    Keep,
}

/// What becomes of a linked record that leaves the filter of its side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveRule {
    /// The link rests: nothing travels until the record is back; edits made meanwhile travel
    /// then.
    Keep,
    /// The link ends; both records stay.
    Unlink,
    /// The other record is deleted, guarded.
    Delete,
    /// A person is asked.
    Review,
}

/// How existing records find each other.
#[derive(Clone, PartialEq, Debug)]
pub struct MatchRule {
    /// Index of the left field in the left selection.
    pub left: usize,
    /// Index of the right field in the right selection.
    pub right: usize,
    /// What is done to both values before they are compared.
    pub normalize: Vec<Normalizer>,
}

impl MatchRule {
    /// The index of the field on a side.
    #[must_use]
    pub fn on(&self, side: Side) -> usize {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }
}

impl Mapping {
    /// The unit that a field of a side's image belongs to.
    #[must_use]
    pub fn unit_of(&self, side: Side, field: usize) -> Option<usize> {
        self.units.iter().position(|unit| unit.has(side, field))
    }
    /// The name of a field of a side.
    #[must_use]
    pub fn field_name(&self, side: Side, field: usize) -> &FieldName {
        &self.sides[side].selection.fields[field]
    }
    /// The side that a system stands on; a mapping of a system to itself has it on both.
    #[must_use]
    pub fn side_of(&self, system: &SystemName) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| self.sides[*side].system == *system)
    }
}
