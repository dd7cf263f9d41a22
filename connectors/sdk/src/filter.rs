//! Filters: which records of an entity a mapping is about.

use serde::{Deserialize, Serialize};

use crate::{FieldName, Value};

/// How a field is compared with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Equal; `Equal` with null asks for null.
    Equal,
    /// Not equal; a null field differs from every value but null.
    NotEqual,
    /// Less than; never true of null.
    Less,
    /// At most; never true of null.
    LessOrEqual,
    /// Greater than; never true of null.
    Greater,
    /// At least; never true of null.
    GreaterOrEqual,
}

/// A condition on one record. Two-valued: a comparison with a null field is decided as
/// [`Comparison`] says, so that a connector's translation and the engine's own evaluation agree.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// All of them.
    And(Vec<Filter>),
    /// At least one of them.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// A field compared with a constant.
    Compare {
        /// The field.
        field: FieldName,
        /// How.
        comparison: Comparison,
        /// With what; of the field's own type.
        value: Value,
    },
    /// The field is one of the constants (none of them null).
    In {
        /// The field.
        field: FieldName,
        /// The constants.
        values: Vec<Value>,
    },
}

impl Filter {
    /// The fields that the filter reads, in the order of their first use.
    #[must_use]
    pub fn fields(&self) -> Vec<&FieldName> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }
    fn collect<'a>(&'a self, found: &mut Vec<&'a FieldName>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.collect(found));
            }
            Self::Not(part) => part.collect(found),
            Self::Compare { field, .. } | Self::In { field, .. } => {
                if !found.contains(&field) {
                    found.push(field);
                }
            }
        }
    }
}
