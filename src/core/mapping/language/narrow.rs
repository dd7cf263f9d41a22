//! Fields that are too narrow and cannot be made wider: standard fields of a vendor.

use syncline_sdk::{FieldSchema, FieldType};

use super::bind::Binder;
use super::bind_pairs::HELD;
use super::fit::named;
use crate::Side;

impl Binder<'_> {
    /// Whether nobody on a side can make a field hold more. A list can be given values.
    pub(super) fn is_fixed(&self, side: Side, field: &FieldSchema) -> bool {
        let listed = matches!(field.kind, FieldType::Enum { .. } | FieldType::Set { .. });
        !listed && self.schemas[side].fixed.contains(&field.name)
    }

    /// Tells of all of a side at once: nothing can be done about any of them.
    pub(super) fn narrow(&mut self, side: Side) {
        let narrow = std::mem::take(&mut self.narrow[side]);
        let Some((span, _, first)) = narrow.first() else { return };
        let names: Vec<&str> = narrow.iter().map(|(_, name, _)| name.as_str()).collect();
        let message = format!(
            "{} of {} cannot hold all that the {} side can",
            named(&names),
            self.schemas[side].entity,
            side.other()
        );
        let rest = narrow.iter().skip(1).map(|(_, name, which)| format!("`{name}`: not {which}"));
        let mut notes: Vec<String> = rest.collect();
        notes.push(HELD.to_owned());
        let diagnostic =
            self.warning(*span, message).label(format!("not {first}")).note(notes.join("; ")).help(
                "nothing need be done: standard fields cannot be made wider; whoever is asked \
                 about such a value shortens it, or leaves both sides as they are",
            );
        self.note(diagnostic);
    }
}
