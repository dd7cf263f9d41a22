//! Sensitive fields of a mapping.

use super::Mapping;
use crate::Side;

/// What stands for a value that is not shown. Texts are shown in quotes and this is not, so that it
/// is no value.
pub const MASK: &str = "(masked)";

impl Mapping {
    /// Whether a field of it is sensitive: then all that is kept of its links is encrypted.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.sides.iter().any(|(_, side)| side.fields.iter().any(|field| field.sensitive))
    }
    /// Whether a field of a unit is sensitive: then nothing is told of its values.
    #[must_use]
    pub fn is_unit_sensitive(&self, unit: usize) -> bool {
        let field = |side: Side, at: usize| {
            self.sides[side].fields.get(at).is_some_and(|field| field.sensitive)
        };
        self.units.get(unit).is_some_and(|unit| {
            Side::BOTH.into_iter().any(|side| unit.fields(side).any(|at| field(side, at)))
        })
    }
}
