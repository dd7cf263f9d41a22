//! A mapping as its file says it: checked in itself, not yet against the systems.

use std::sync::Arc;

use syncline_sdk::{EntityName, FieldName, Normalizer, Selection, SystemName};

use super::tree::Scalar;
use super::{Condition, Located, Source, Span};
use crate::mapping::{DeleteRule, Direction, Initial, LeaveRule, Policy};
use crate::{Side, Sides};

/// What one file says. Every rule is decided; whether the systems have these fields is not known
/// yet. [`super::bind`] makes a [`crate::mapping::Mapping`] of it.
#[derive(Clone, PartialEq, Debug)]
pub struct MappingSpec {
    /// The file.
    pub source: Arc<Source>,
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
    /// On which sides missing records may be created; the place of the rule.
    pub create: Located<Sides<bool>>,
    /// What a deletion seen on a side does to the other side; the place of the rule.
    pub delete: Located<Sides<DeleteRule>>,
    /// What becomes of a linked record that leaves the filter; the place of the rule.
    pub leave: Located<LeaveRule>,
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
    /// The two fields.
    pub fields: Sides<Located<FieldName>>,
    /// Which way edits travel; its place is that of the pair where the file does not say it.
    pub direction: Located<Direction>,
    /// What decides a conflict.
    pub conflict: Policy,
    /// The value table, left and right.
    pub values: Option<Located<ValueRows>>,
    /// What is done to both values before they are compared and stored.
    pub normalize: Vec<Located<Normalizer>>,
    /// The mapping whose links the field refers to.
    pub reference: Option<Located<Arc<str>>>,
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
        let (left, right) = (&self.fields.left, &self.fields.right);
        if left == right {
            left.as_str().into()
        } else {
            format!("{}/{}", left.value, right.value).into()
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
        self.fields.iter().for_each(|pair| add(&pair.fields[side]));
        let spec = &self.sides[side];
        self.matches.iter().for_each(|rule| add(&rule.fields[side]));
        if let Some(condition) = &spec.condition {
            condition.fields().into_iter().for_each(&mut add);
        }
        spec.actor.iter().for_each(add);
        let pairs = &self.fields;
        let image_len =
            found.iter().filter(|name| pairs.iter().any(|pair| pair.fields[side] == ***name));
        let image_len = image_len.count();
        (found, image_len)
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
