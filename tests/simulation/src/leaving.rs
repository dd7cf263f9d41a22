//! People who take records out of the filter of their mapping, and bring them back.

use syncline_core::Side;
use syncline_sdk::{FieldName, Value};

use crate::desk::Inner;
use crate::people::People;
use crate::setup::{INSIDE, ITEMS, OUTSIDE, PLACE, entity_of};

impl People {
    /// Where a new record stands, if there is a filter: mostly inside.
    pub(super) fn place(&self, inner: &mut Inner) -> Option<(FieldName, Value)> {
        self.plan.filter?;
        let place = if inner.choices.chance(800) { INSIDE } else { OUTSIDE };
        Some((FieldName::new(PLACE), place.into()))
    }

    /// A record leaves the filter, or comes back.
    pub(super) fn leave(&mut self, inner: &mut Inner, side: Side) {
        let entity = entity_of(ITEMS);
        let Some(key) = self.any_record(inner, side, &entity) else { return };
        let place = FieldName::new(PLACE);
        let now = self.systems[side].value(&entity, &key, &place);
        let inside = now.as_ref().and_then(Value::as_text) == Some(INSIDE);
        inner.coverage.hit(if inside { "people: leave" } else { "people: come back" });
        self.write(inner, side, &key, place, Value::from(if inside { OUTSIDE } else { INSIDE }));
    }
}
