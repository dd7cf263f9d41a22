//! Whether a link is written, or only observed.

use syncline_sdk::Filter;

use crate::Side;
use crate::mapping::{Mapping, Mode, Pilot, holds};
use crate::model::Link;

/// Whether what is decided about a link is written: not where its mapping observes, nor outside a
/// pilot. A record of which a condition of the pilot cannot be told is outside.
#[must_use]
pub fn is_live(mapping: &Mapping, link: &Link) -> bool {
    match &mapping.mode {
        Mode::Live => true,
        Mode::Observe => false,
        Mode::Pilot(Pilot { conditions, share }) => {
            let meets = |side: Side| {
                let condition = conditions[side].as_ref();
                condition
                    .is_none_or(|condition| meets(mapping, link, side, condition) == Some(true))
            };
            Side::BOTH.into_iter().all(meets) && share.is_none_or(|share| share.holds(link.id))
        }
    }
}

/// Whether the record of a side meets a condition on fields of its image, by what it showed last;
/// nothing where that hangs on a value that was not delivered.
pub(super) fn meets(
    mapping: &Mapping,
    link: &Link,
    side: Side,
    condition: &Filter,
) -> Option<bool> {
    let place = &mapping.sides[side];
    let image = place.selection.fields.iter().take(place.image_len);
    let names: Vec<_> = image.collect();
    let value =
        |field: &_| names.iter().position(|name| *name == field).map(|at| link.observed(side, at));
    holds(condition, value)
}
