//! How much of a plan is told.

use serde_json::Value as Json;
use syncline_core::Side;
use syncline_core::mapping::{MASK, Mapping};
use syncline_core::model::ReviewKind;
use syncline_engine::Asked;
use syncline_sdk::{FieldName, Value};

use crate::cli::words::{plain, value, value_json};
use crate::queue::masking::masked_json;

/// How much of a plan is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    /// The most examples of a kind.
    pub samples: usize,
    /// Whether values of sensitive fields are told too.
    pub reveal: bool,
}

impl Telling {
    /// A value of a field, for people.
    pub fn value(self, mapping: &Mapping, side: Side, field: &FieldName, of: &Value) -> String {
        if self.masks(mapping, side, field) { MASK.to_owned() } else { value(of) }
    }

    /// The same as JSON.
    pub fn value_json(self, mapping: &Mapping, side: Side, field: &FieldName, of: &Value) -> Json {
        if self.masks(mapping, side, field) { masked_json() } else { value_json(of) }
    }

    /// What a side shows of the unit that a question is about, field by field; of the first
    /// questions of a kind.
    pub fn shown<'a>(
        mapping: &'a Mapping,
        asked: &'a Asked,
        side: Side,
    ) -> Option<impl Iterator<Item = (&'a FieldName, &'a Value)>> {
        let unit = mapping.units.get(usize::from(asked.unit?))?;
        let shown = asked.keys[side].as_ref().and(asked.shown.as_ref())?;
        let fields = unit.fields(side).map(move |at| &mapping.sides[side].fields[at].name);
        Some(fields.zip(&shown[side]))
    }

    /// What a person would be asked.
    pub fn kind(self, mapping: &Mapping, asked: &Asked) -> ReviewKind {
        let masked = asked.unit.is_some_and(|unit| mapping.is_unit_sensitive(usize::from(unit)));
        if masked && !self.reveal { asked.kind.masked() } else { asked.kind.clone() }
    }

    /// Why a record would be set aside: a system may repeat a value.
    pub fn why(self, mapping: &Mapping, why: &str) -> String {
        if mapping.is_sensitive() && !self.reveal { MASK.to_owned() } else { plain(why) }
    }

    fn masks(self, mapping: &Mapping, side: Side, field: &FieldName) -> bool {
        let mut fields = mapping.sides[side].fields.iter();
        !self.reveal && fields.any(|known| known.name == *field && known.sensitive)
    }
}
