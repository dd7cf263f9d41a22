//! A statement bound to the schema.

use std::collections::HashSet;

use super::ast::{Function, Op};
use super::operand::Operand;
use crate::org::ids::Id;
use crate::schema::{FieldDef, slots};

/// A statement that can run.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) table: usize,
    pub(crate) shape: Shape,
    pub(crate) test: Option<Test>,
    pub(crate) order: Vec<(Column, bool, bool)>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Rows(Vec<Node>),
    Count,
    Aggregate {
        group: Vec<(String, Column)>,
        items: Vec<(String, Function, Column)>,
        order: Vec<String>,
    },
}

/// One member of an answered record.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Field {
        name: String,
        slot: usize,
    },
    /// A parent: fields are found by name in the row that the reference points at.
    Parent {
        name: String,
        reference: String,
        nodes: Vec<Node>,
    },
    /// A field of a parent.
    ParentField {
        name: String,
    },
    /// Which object a parent is of, where it may be of several: `Owner.Type`.
    ParentType,
    /// Child rows: their reference slot to this row.
    Child {
        name: String,
        slot: usize,
        query: Box<Bound>,
    },
}

/// A field to compare or sort by: a slot, or a walk over parents to a named field.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) hops: Vec<String>,
    pub(crate) slot: usize,
    pub(crate) field: FieldDef,
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Compare { column: Column, op: Op, operand: Operand },
    In { column: Column, negated: bool, list: Vec<Operand>, ids: HashSet<Id> },
    Includes { column: Column, negated: bool, sets: Vec<Vec<String>> },
}

impl Column {
    /// A column of the row itself.
    pub(crate) fn own_slot(&self) -> Option<usize> {
        self.hops.is_empty().then_some(self.slot)
    }

    pub(crate) fn is_stamp(&self) -> bool {
        self.own_slot() == Some(slots::SYSTEM_MODSTAMP)
    }

    pub(crate) fn is_id(&self) -> bool {
        self.own_slot() == Some(slots::ID)
    }
}
