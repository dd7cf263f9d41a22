//! What a mapping does with an entity: the rights that it needs follow from it.

use std::sync::Arc;

use syncline_sdk::{FieldName, Need};

use super::overlap::may_be;
use super::tree::Scalar;
use super::{Condition, Literal, Located, MappingSpec, ModeSpec};
use crate::Side;
use crate::mapping::{DeleteRule, LeaveRule};

/// A text that no condition names.
const OTHER: &str = "\u{0}";

impl MappingSpec {
    /// What the mapping does with the entity of a side.
    #[must_use]
    pub fn need(&self, side: Side) -> Need {
        let selection = self.draft_selection(side);
        if *self.mode == ModeSpec::Observe {
            return Need::reading(selection);
        }
        let other = side.other();
        let pairs = self.fields.iter().filter(|pair| pair.direction.reaches(side));
        let written = pairs.flat_map(|pair| &pair.fields[side]).map(|field| field.value.clone());
        let written: Vec<FieldName> = written.collect();
        let creates = self.create[side];
        let follows = self.sides[other].condition.is_some() && *self.leave == LeaveRule::Delete;
        // A copy of ours that came second to somebody's own is taken back.
        let deletes = creates || follows || self.delete[other] == DeleteRule::Propagate;
        let texts = written.iter();
        let texts = texts.filter_map(|name| Some((name.clone(), self.texts(side, name)?)));
        Need { selection, texts: texts.collect(), written, creates, deletes }
    }

    /// The texts that may be written to a field, where a value table or the side's condition
    /// leaves no others.
    fn texts(&self, side: Side, name: &FieldName) -> Option<Vec<Arc<str>>> {
        let condition = self.sides[side].condition.as_ref().map(|it| &it.value);
        let pair = self.fields.iter().find(|pair| pair.fields[side].iter().any(|it| **it == *name));
        let table = pair.and_then(|pair| pair.values.as_ref()).map(|rows| {
            let of = |row: &(Located<Scalar>, Located<Scalar>)| match side {
                Side::Left => Arc::clone(&row.0.text),
                Side::Right => Arc::clone(&row.1.text),
            };
            rows.iter().map(of).collect::<Vec<_>>()
        });
        let named = || {
            let mut named = Vec::new();
            condition.into_iter().for_each(|it| texts_of(it, name, &mut named));
            let bounded = !may_be(condition, name, &OTHER.into());
            bounded.then_some(named)
        };
        let mut texts = table.or_else(named)?;
        texts.retain(|text| may_be(condition, name, text));
        texts.sort();
        texts.dedup();
        Some(texts)
    }
}

/// The texts that a condition compares a field with.
fn texts_of(condition: &Condition, name: &FieldName, found: &mut Vec<Arc<str>>) {
    let text = |literal: &Literal| match literal {
        Literal::Text(text) => Some(Arc::clone(text)),
        _ => None,
    };
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| texts_of(part, name, found));
        }
        Condition::Not(part) => texts_of(part, name, found),
        Condition::Compare { field, literal, .. } if **field == *name => {
            found.extend(text(literal));
        }
        Condition::In { field, literals } if **field == *name => {
            found.extend(literals.iter().filter_map(|literal| text(literal)));
        }
        Condition::Compare { .. } | Condition::In { .. } => {}
    }
}
