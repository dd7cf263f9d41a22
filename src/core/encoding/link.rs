//! What a link row keeps: base, pending, field state, origins.

use super::primitive::write_list;
use super::shape::{choices, fields};
use super::{DecodeError, Encoded, Reader, Writer};
use crate::model::{
    Base, BothHalves, FieldState, Half, Origin, Pending, UnitState, UnitStatus,
};

fields!(Base { exists, image });
fields!(Pending { exists, values, actor, at, foreign, closed, entry });
fields!(Origin { side, actor, entry, at });
choices!(UnitStatus, "status of a unit" {
    0 = Free, 1 = Held, 2 = Parked, 3 = Frozen, 4 = Awaiting(tries),
});
fields!(UnitState { status, bounces });
choices!(Half, "half of a decision" { 0 = Open, 1 = Applied(image), 2 = Refused });
fields!(BothHalves { units, seen, halves });
fields!(FieldState { units, outside, both, evidence, refusals });

/// The origins of a link's units. Most units of a link come from the same one or two decisions,
/// so each origin is stored once and the units refer to it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origins(pub Vec<Option<Origin>>);

impl Encoded for Origins {
    fn write(&self, out: &mut Writer) {
        let mut distinct: Vec<Option<Origin>> = Vec::with_capacity(4);
        let places: Vec<usize> = self
            .0
            .iter()
            .map(|origin| {
                distinct.iter().position(|known| known == origin).unwrap_or_else(|| {
                    distinct.push(*origin);
                    distinct.len() - 1
                })
            })
            .collect();
        write_list(&distinct, out);
        out.length(places.len());
        if distinct.len() > 1 {
            places.into_iter().for_each(|place| out.length(place));
        }
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let distinct = Vec::<Option<Origin>>::read(input)?;
        let units = u16::read(input)?;
        if let [only] = distinct.as_slice() {
            return Ok(Self(vec![*only; usize::from(units)]));
        }
        let place = |input: &mut Reader<'_>| {
            let place = u16::read(input)?;
            distinct.get(usize::from(place)).copied().ok_or(DecodeError::Invalid("origin"))
        };
        (0..units).map(|_| place(input)).collect::<Result<_, _>>().map(Self)
    }
}
