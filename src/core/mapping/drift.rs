//! Schema drift: what a side says of a field now, beside what its mapping was bound to (protocol
//! 1.10).

use std::fmt;
use std::sync::Arc;

use syncline_sdk::{FieldName, FieldSchema, FieldType, Precision};

use super::Mapping;
use crate::{Side, Sides};

/// A field that is observed and not written, until somebody takes it as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drifted {
    /// The field.
    pub field: FieldName,
    /// What it is now.
    pub what: Drift,
}

impl Drifted {
    /// Whether the field is not there, so that what it shows later is not what was agreed.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.what, Drift::Gone | Drift::Back)
    }
}

/// How a field differs from what a mapping was bound to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Drift {
    /// Whatever it could hold it can hold still.
    Wider,
    /// It can hold less, or may not be written any more.
    Narrower(String),
    /// It is not there, or not shown to us.
    Gone,
    /// It was gone. What it shows now may be another thing.
    Back,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wider => f.write_str("it can hold more"),
            Self::Narrower(how) => f.write_str(how),
            Self::Gone => f.write_str("it is gone, or hidden from us"),
            Self::Back => f.write_str("it was gone and is back"),
        }
    }
}

impl Drift {
    /// What has become of a field; nothing where that does not matter to a mapping.
    #[must_use]
    pub fn of(was: &FieldSchema, now: Option<&FieldSchema>) -> Option<Self> {
        let Some(now) = now else { return Some(Self::Gone) };
        let mut less = Vec::new();
        let mut more = false;
        match fits(&was.kind, &now.kind) {
            Ok(wider) => more |= wider,
            Err(how) if was.native == now.native => less.push(how),
            Err(how) => less.push(format!("{how} ({} was {})", now.native, was.native)),
        }
        let mut right = |had: bool, has: bool, lost: &str| match (had, has) {
            (true, false) => less.push(lost.to_owned()),
            (false, true) => more = true,
            _ => {}
        };
        right(was.nullable, now.nullable, "it may not be empty any more");
        right(was.updatable, now.updatable, "it may not be changed any more");
        right(was.creatable, now.creatable, "it may not be set in new records any more");
        match less.is_empty() {
            false => Some(Self::Narrower(less.join("; "))),
            true => more.then_some(Self::Wider),
        }
    }
    /// Whether the field is to be left alone until somebody takes it as it is.
    #[must_use]
    pub fn freezes(&self) -> bool {
        *self != Self::Wider
    }
}

/// Whether a type holds all that another held, and more than that; else what it does not.
fn fits(was: &FieldType, now: &FieldType) -> Result<bool, String> {
    use FieldType as T;
    let bound = |was: Option<u32>, now: Option<u32>, what: &str| match (was, now) {
        (Some(was), Some(now)) if now < was => Err(format!("it holds {now} {what}, not {was}")),
        (None, Some(now)) => Err(format!("it holds {now} {what} by now")),
        (was, now) => Ok(was != now),
    };
    match (was, now) {
        (T::Text { chars_max: was }, T::Text { chars_max: now }) => bound(*was, *now, "characters"),
        (T::Int { min, max }, T::Int { min: least, max: most }) => {
            match least > min || most < max {
                true => Err(format!("it holds numbers from {least} to {most}")),
                false => Ok((least, most) != (min, max)),
            }
        }
        (T::Decimal { precision: was, scale: had }, T::Decimal { precision: now, scale: has }) => {
            let digits = bound(*was, *now, "digits")?;
            Ok(bound(*had, *has, "digits behind the point")? || digits)
        }
        (T::Enum { values, restricted }, T::Enum { values: now, restricted: closed })
        | (T::Set { values, restricted }, T::Set { values: now, restricted: closed }) => {
            listed((values, *restricted), (now, *closed))
        }
        (T::Instant { precision: was }, T::Instant { precision: now }) => {
            match fineness(*now) < fineness(*was) {
                true => Err("it holds times less finely".to_owned()),
                false => Ok(now != was),
            }
        }
        (T::Reference { entities: was }, T::Reference { entities: now }) => {
            match was.iter().find(|entity| !now.contains(entity)) {
                Some(entity) => Err(format!("it does not refer to {entity} any more")),
                None => Ok(now.len() > was.len()),
            }
        }
        (T::List(was), T::List(now)) => fits(was, now),
        (was, now) if was == now => Ok(false),
        _ => Err("it has another type".to_owned()),
    }
}

type Listed<'a> = (&'a [Arc<str>], bool);

fn listed((was, restricted): Listed<'_>, (now, closed): Listed<'_>) -> Result<bool, String> {
    if closed && !restricted {
        return Err("it takes the values of its list only".to_owned());
    }
    match was.iter().find(|value| !now.contains(value)) {
        Some(value) if closed => Err(format!("`{value}` is not in its list any more")),
        _ => Ok(restricted != closed || now.iter().any(|value| !was.contains(value))),
    }
}

fn fineness(precision: Precision) -> u8 {
    match precision {
        Precision::Second => 0,
        Precision::Milli => 1,
        Precision::Micro => 2,
    }
}

impl Mapping {
    /// The fields of a side's image, in its order.
    pub fn image(&self, side: Side) -> impl Iterator<Item = &FieldName> {
        let place = &self.sides[side];
        place.fields.iter().take(place.image_len).map(|field| &field.name)
    }
    /// Leaves fields alone that have drifted: the units that they belong to are observed and not
    /// written.
    pub fn freeze(&mut self, drifted: Sides<Vec<Drifted>>) {
        for side in Side::BOTH {
            for one in &drifted[side] {
                let image = &mut self.sides[side].fields;
                let Some(at) = image.iter().position(|field| field.name == one.field) else {
                    continue;
                };
                image[at].creatable &= one.what != Drift::Gone;
                let why = format!("{side} field {}: {}", one.field, one.what);
                for unit in self.units.iter_mut().filter(|unit| unit.has(side, at)) {
                    unit.frozen = Some(match &unit.frozen {
                        Some(before) => format!("{before}; {why}").into(),
                        None => why.as_str().into(),
                    });
                }
            }
        }
        self.drifted = drifted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldType) -> FieldSchema {
        FieldSchema {
            name: "f".into(),
            native: format!("{kind:?}").into(),
            kind,
            nullable: true,
            creatable: true,
            updatable: true,
            required: false,
            unique: false,
            external_id: false,
            normalizers: Vec::new(),
            filled: None,
        }
    }

    fn between(was: FieldType, now: FieldType) -> Option<Drift> {
        Drift::of(&field(was), Some(&field(now)))
    }

    fn listed(values: &[&str], restricted: bool) -> FieldType {
        let values = values.iter().map(|value| Arc::from(*value)).collect();
        FieldType::Enum { values, restricted }
    }

    #[test]
    fn what_holds_all_that_was_held_is_wider() {
        let text = |chars_max| FieldType::Text { chars_max };
        let decimal = |precision, scale| FieldType::Decimal { precision, scale };
        let wider = [
            (text(Some(80)), text(Some(81))),
            (text(Some(80)), text(None)),
            (FieldType::Int { min: 0, max: 9 }, FieldType::Int { min: -1, max: 9 }),
            (decimal(Some(9), Some(2)), decimal(Some(11), Some(2))),
            (listed(&["a"], true), listed(&["b", "a"], true)),
            (listed(&["a"], true), listed(&["a"], false)),
        ];
        for (was, now) in wider {
            assert_eq!(between(was.clone(), was.clone()), None, "{was:?}");
            assert_eq!(between(was.clone(), now.clone()), Some(Drift::Wider), "{was:?}");
            let back = between(now, was.clone());
            assert!(back.is_some_and(|drift| drift.freezes()), "{was:?}");
        }
    }

    #[test]
    fn another_type_a_lost_right_and_a_lost_field_freeze() {
        let text = FieldType::Text { chars_max: Some(80) };
        assert!(between(text.clone(), FieldType::Bool).is_some_and(|drift| drift.freezes()));
        for lose in [
            (|field: &mut FieldSchema| field.updatable = false) as fn(&mut FieldSchema),
            |field| field.creatable = false,
            |field| field.nullable = false,
        ] {
            let mut now = field(text.clone());
            lose(&mut now);
            let drift = Drift::of(&field(text.clone()), Some(&now)).unwrap();
            assert!(matches!(drift, Drift::Narrower(_)));
            assert_eq!(Drift::of(&now, Some(&field(text.clone()))), Some(Drift::Wider));
        }
        assert_eq!(Drift::of(&field(text), None), Some(Drift::Gone));
    }

    #[test]
    fn both_a_gain_and_a_loss_are_a_loss() {
        let now = FieldSchema { updatable: false, ..field(FieldType::Text { chars_max: None }) };
        let drift = Drift::of(&field(FieldType::Text { chars_max: Some(1) }), Some(&now));
        assert_eq!(drift, Some(Drift::Narrower("it may not be changed any more".into())));
    }
}
