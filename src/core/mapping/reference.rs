//! References: whose record a field names, and by which name.

use syncline_sdk::{Key, Value};

use super::Mapping;
use crate::Side;

impl Mapping {
    /// The side of the mapping that a reference leads to on which the records stand that this
    /// side's records refer to.
    #[must_use]
    pub fn side_of_parents(&self, side: Side, parents: &Self) -> Option<Side> {
        let system = &self.sides[side].system;
        let same = parents.sides[side].system == *system;
        if same { Some(side) } else { parents.side_of(system) }
    }
}

/// The name of the record that a reference holds as its side shows it; nothing where it holds none.
#[must_use]
pub fn named(value: &Value) -> Option<Key> {
    match value {
        Value::Text(text) | Value::Raw(text) => Some(Key::new(text.clone())),
        Value::Int(number) => Some(Key::new(number.to_string())),
        Value::Uuid(uuid) => Some(Key::new(uuid.to_string())),
        _ => None,
    }
}
