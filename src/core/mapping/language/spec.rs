//! A mapping as its file says it: checked in itself, not yet against the systems.

use std::sync::Arc;

use syncline_sdk::{EntityName, FieldName, Normalizer, Selection, SystemName};

use super::tree::Scalar;
use super::{CaseSpec, Condition, Located, Source, Span, TableFiles};
use crate::mapping::expression::Expression;
use crate::mapping::{
    DeleteRule, Direction, ForeignEdits, Initial, LeaveRule, Objective, Policy, Priority, Share,
};
use crate::{Side, Sides};

/// What one file says. Every rule is decided; whether the systems have these fields is not known
/// yet. [`super::bind`] makes a [`crate::mapping::Mapping`] of it.
#[derive(Clone, PartialEq, Debug)]
pub struct MappingSpec {
    /// The file.
    pub source: Arc<Source>,
    /// The files that it has tables in, each with a text that changes with what is in it.
    pub table_digests: Vec<(Arc<str>, String)>,
    /// What is in them.
    pub table_files: TableFiles,
    /// The name of the mapping.
    pub name: Located<Arc<str>>,
    /// Its two sides.
    pub sides: Sides<SideSpec>,
    /// How existing records find each other.
    pub matches: Vec<MatchSpec>,
    /// What becomes of pairs that differ when they are first matched.
    pub initial: Initial,
    /// The field pairs.
    pub fields: Vec<FieldSpec>,
    /// The units that they make up.
    pub units: Vec<UnitSpec>,
    /// The tests of the mapping.
    pub cases: Vec<CaseSpec>,
    /// The conditions by which each side owns a record.
    pub owners: Sides<Option<Located<Condition>>>,
    /// On which sides missing records may be created; the place of the rule.
    pub create: Located<Sides<bool>>,
    /// What a deletion seen on a side does to the other side; the place of the rule.
    pub delete: Located<Sides<DeleteRule>>,
    /// What becomes of a linked record that leaves the filter; the place of the rule.
    pub leave: Located<LeaveRule>,
    /// What at least guards the edits that a write could meet; the place of the rule.
    pub guard: Located<GuardRule>,
    /// Whether it writes; the place of the word.
    pub mode: Located<ModeSpec>,
    /// How much its writes matter.
    pub priority: Priority,
    /// What it is to attain.
    pub objective: Option<Objective>,
}

/// Whether a mapping writes, as a file says it.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum ModeSpec {
    /// It writes.
    #[default]
    Live,
    /// It writes nothing, and compares.
    Observe,
    /// It writes some records, and observes the others.
    Pilot(Box<PilotSpec>),
}

impl ModeSpec {
    /// The word that says it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Observe => "observe",
            Self::Pilot(_) => "pilot",
        }
    }
}

/// The records of a pilot, as a file says them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PilotSpec {
    /// What the record of a side must be like.
    pub conditions: Sides<Option<Located<Condition>>>,
    /// How many of all.
    pub share: Option<Share>,
}

/// What a mapping asks of the systems that it writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GuardRule {
    /// Every write is conditional: no edit is overwritten unseen.
    Prevent,
    /// Where a system has no conditional writes, its history tells what was overwritten.
    #[default]
    Detect,
}

/// What a file says of one side.
#[derive(Clone, PartialEq, Debug)]
pub struct SideSpec {
    /// The place of the side.
    pub span: Span,
    /// The system, by its name in the settings.
    pub system: Located<SystemName>,
    /// The entity.
    pub entity: Located<EntityName>,
    /// Which records the mapping is about.
    pub condition: Option<Located<Condition>>,
    /// The field that holds the link id.
    pub external_id: Option<Located<FieldName>>,
    /// The field that holds the marker.
    pub marker: Option<Located<FieldName>>,
    /// The field that tells who changed a record.
    pub actor: Option<Located<FieldName>>,
}

/// The rows of a value table: left and right value as written.
pub type ValueRows = Vec<(Located<Scalar>, Located<Scalar>)>;

/// One field pair.
#[derive(Clone, PartialEq, Debug)]
pub struct FieldSpec {
    /// The place of the pair.
    pub span: Span,
    /// The fields of each side: one on both for a plain pair, none on the side that has nothing
    /// of a constant.
    pub fields: Sides<Vec<Located<FieldName>>>,
    /// Which way edits travel; its place is that of the pair where the file does not say it.
    pub direction: Located<Direction>,
    /// What decides a conflict.
    pub conflict: Policy,
    /// What becomes of edits on the side that does not lead it.
    pub foreign: Option<ForeignEdits>,
    /// The value table, left and right.
    pub values: Option<Located<ValueRows>>,
    /// What is done to both values before they are compared and stored.
    pub normalize: Vec<Located<Normalizer>>,
    /// The mapping whose links the field refers to.
    pub reference: Option<Located<Arc<str>>>,
    /// What each side is given where the other has nothing.
    pub default: Sides<Option<Located<Scalar>>>,
    /// What the one side that has a field is always given.
    pub constant: Option<Located<Scalar>>,
    /// What each field of a side is computed with, in the order of the fields; empty for plain
    /// pairs, and for a side that is not written.
    pub formulas: Sides<Vec<Expression>>,
    /// What one side shows less of.
    pub view: Option<Located<ViewSpec>>,
    /// Where the file says that its values are kept encrypted and shown to nobody unasked;
    /// nothing where it does not.
    pub sensitive: Option<Span>,
}

/// A coarser side, as a file says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ViewSpec {
    /// This side has so many digits behind the point.
    Round(Side, u32),
    /// This side has the first so many characters.
    Truncate(Side, u32),
    /// One side has the day of the other's instant, in the zone of this name.
    Zone(Arc<str>),
}

/// Field pairs that are agreed together.
#[derive(Clone, PartialEq, Debug)]
pub struct UnitSpec {
    /// The place of the unit.
    pub span: Span,
    /// Its name.
    pub name: Arc<str>,
    /// Its field pairs, by their place in the mapping's, ascending.
    pub fields: Vec<usize>,
}

/// One match rule.
#[derive(Clone, PartialEq, Debug)]
pub struct MatchSpec {
    /// The place of the rule.
    pub span: Span,
    /// The two fields.
    pub fields: Sides<Located<FieldName>>,
    /// What is done to both values before they are compared.
    pub normalize: Vec<Located<Normalizer>>,
}

impl FieldSpec {
    /// The name of the unit that the pair makes up.
    #[must_use]
    pub fn unit_name(&self) -> Arc<str> {
        let name = |side: Side| {
            let names: Vec<&str> = self.fields[side].iter().map(|name| name.as_str()).collect();
            names.join("+")
        };
        let (left, right) = (name(Side::Left), name(Side::Right));
        match (left.is_empty(), right.is_empty()) {
            (false, false) if left != right => format!("{left}/{right}").into(),
            (true, _) => right.into(),
            (_, _) => left.into(),
        }
    }
    /// Whether fields of the pair are computed.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        self.formulas.iter().any(|(_, formulas)| !formulas.is_empty())
    }
    /// The two fields of a plain pair.
    #[must_use]
    pub fn pair(&self) -> Option<Sides<&Located<FieldName>>> {
        if self.is_computed() {
            return None;
        }
        match (self.fields.left.as_slice(), self.fields.right.as_slice()) {
            ([left], [right]) => Some(Sides { left, right }),
            _ => None,
        }
    }
}

impl MappingSpec {
    /// The fields of a side in the order of the selection, each once: those of the field pairs
    /// in their order, then those that only match rules, the filter and the actor need. And how
    /// many of them belong to field pairs.
    #[must_use]
    pub fn fields_of(&self, side: Side) -> (Vec<&Located<FieldName>>, usize) {
        let mut found: Vec<&Located<FieldName>> = Vec::new();
        let mut add = |field| {
            if !found.contains(&field) {
                found.push(field);
            }
        };
        self.fields.iter().flat_map(|pair| &pair.fields[side]).for_each(&mut add);
        let spec = &self.sides[side];
        self.matches.iter().for_each(|rule| add(&rule.fields[side]));
        if let Some(condition) = &spec.condition {
            condition.fields().into_iter().for_each(&mut add);
        }
        spec.actor.iter().for_each(add);
        let pairs = &self.fields;
        let image_len =
            found.iter().filter(|name| pairs.iter().any(|pair| pair.fields[side].contains(name)));
        let image_len = image_len.count();
        (found, image_len)
    }

    /// A text that is another one whenever the rules are: that of the file, and what tells of the
    /// tables in files of their own.
    #[must_use]
    pub fn rules_text(&self) -> String {
        let mut text = self.source.text().to_owned();
        let digests = self.table_digests.iter();
        text.extend(digests.map(|(name, digest)| table_line(name, digest)));
        text
    }

    /// The tables in files that rules of this text had, as far as they are the same by now.
    #[must_use]
    pub fn tables_of(&self, text: &str) -> TableFiles {
        let same = self
            .table_digests
            .iter()
            .filter(|(name, digest)| text.contains(&table_line(name, digest)));
        let known = same.filter_map(|(name, _)| self.table_files.0.get_key_value(name));
        TableFiles(known.map(|(name, rows)| (Arc::clone(name), Arc::clone(rows))).collect())
    }

    /// The selection of a side without its filter: what a connector needs to say what it can do
    /// for the entity, before the mapping is bound.
    #[must_use]
    pub fn draft_selection(&self, side: Side) -> Selection {
        let spec = &self.sides[side];
        let name = |field: &Option<Located<FieldName>>| field.as_ref().map(|f| f.value.clone());
        Selection {
            entity: spec.entity.value.clone(),
            fields: self.fields_of(side).0.iter().map(|field| field.value.clone()).collect(),
            external_id: name(&spec.external_id),
            marker: name(&spec.marker),
            actor: name(&spec.actor),
            filter: None,
        }
    }
}

/// What tells in the text of rules what was in a file.
fn table_line(name: &str, digest: &str) -> String {
    format!("\n# {name} {digest}")
}
