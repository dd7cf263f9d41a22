//! What a change of a mapping's file does to links that are there.

use syncline_sdk::{FieldName, Normalizer};

use super::tree::Scalar;
use super::{FieldSpec, MappingSpec, UnitSpec, ValueRows, ViewSpec};
use crate::mapping::expression::Expression;
use crate::mapping::{Direction, Former};
use crate::{Side, Sides};

/// What has become of the fields and units of `former` in `present`, two revisions of one mapping.
#[must_use]
pub fn former(former: &MappingSpec, present: &MappingSpec) -> Former {
    let images = |spec: &MappingSpec| Sides::from_fn(|side| image(spec, side));
    let (old, new) = (images(former), images(present));
    let fields = Sides::from_fn(|side| {
        let names = old[side].iter();
        names.map(|name| place(new[side].iter().position(|known| known == name))).collect()
    });
    let (was, is) = (Outline::of(former), Outline::of(present));
    let place_of = |unit: &Outline<'_>| is.iter().position(|known| known.fields == unit.fields);
    let units: Vec<Option<u16>> = was.iter().map(|unit| place(place_of(unit))).collect();
    // A unit that is new has nothing that was agreed upon.
    let changed = |unit: &Outline<'_>| unit.knows(&old) && !was.contains(unit);
    let changed = is.iter().enumerate().filter(|(_, unit)| changed(unit));
    let fresh =
        Side::BOTH.into_iter().any(|side| new[side].iter().any(|name| !old[side].contains(name)));
    let condition = |spec: &MappingSpec, side: Side| spec.sides[side].condition.clone();
    let filtered =
        Side::BOTH.into_iter().any(|side| condition(former, side) != condition(present, side));
    let matches = |spec: &MappingSpec| -> Vec<_> {
        spec.matches.iter().map(|rule| (rule.fields.clone(), rule.normalize.clone())).collect()
    };
    Former {
        fields,
        units,
        changed: changed.filter_map(|(at, _)| place(Some(at))).collect(),
        image_len: Sides::from_fn(|side| new[side].len()),
        units_len: is.len(),
        widened: fresh || filtered || matches(former) != matches(present),
        filtered,
    }
}

fn place(at: Option<usize>) -> Option<u16> {
    at.and_then(|at| u16::try_from(at).ok())
}

/// The fields of a side's image, in its order.
fn image(spec: &MappingSpec, side: Side) -> Vec<FieldName> {
    let (fields, image_len) = spec.fields_of(side);
    fields.into_iter().take(image_len).map(|field| field.value.clone()).collect()
}

/// What a unit joins, and how; not what decides its conflicts.
#[derive(PartialEq)]
struct Outline<'a> {
    /// The fields of each side, in the order in which the ledger keeps their values.
    fields: Sides<Vec<&'a FieldName>>,
    rules: Vec<Rule<'a>>,
}

/// What says which values of a pair's two sides stand for one another.
#[derive(PartialEq)]
struct Rule<'a> {
    direction: Direction,
    values: Option<&'a ValueRows>,
    normalize: Vec<&'a Normalizer>,
    reference: Option<&'a str>,
    constant: Option<&'a Scalar>,
    formulas: &'a Sides<Vec<Expression>>,
    view: Option<&'a ViewSpec>,
}

impl<'a> Rule<'a> {
    fn of(pair: &'a FieldSpec) -> Self {
        Self {
            direction: pair.direction.value,
            values: pair.values.as_deref(),
            normalize: pair.normalize.iter().map(|step| &step.value).collect(),
            reference: pair.reference.as_ref().map(|name| &*name.value),
            constant: pair.constant.as_deref(),
            formulas: &pair.formulas,
            view: pair.view.as_deref(),
        }
    }
}

impl<'a> Outline<'a> {
    /// The units of a mapping.
    fn of(spec: &'a MappingSpec) -> Vec<Self> {
        let unit = |unit: &'a UnitSpec| {
            let pairs = || unit.fields.iter().filter_map(|at| spec.fields.get(*at));
            // Plain pairs come first, as they do in what the ledger keeps of a unit.
            let plain = pairs().filter(|pair| pair.pair().is_some());
            let ordered: Vec<&FieldSpec> =
                plain.chain(pairs().filter(|pair| pair.pair().is_none())).collect();
            let names = |side: Side| {
                let names = ordered.iter().flat_map(|pair| &pair.fields[side]);
                names.map(|name| &name.value).collect()
            };
            Self {
                fields: Sides::from_fn(names),
                rules: ordered.iter().map(|pair| Rule::of(pair)).collect(),
            }
        };
        spec.units.iter().map(unit).collect()
    }

    fn knows(&self, images: &Sides<Vec<FieldName>>) -> bool {
        let known = |side: Side| self.fields[side].iter().any(|name| images[side].contains(name));
        known(Side::Left) || known(Side::Right)
    }
}
