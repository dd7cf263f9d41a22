//! Values of sensitive fields, as people and programs are told of them: not at all, unless the
//! person at the command line asks for them. The one way from a value of the ledger to its words.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use syncline_core::Side;
use syncline_core::mapping::MASK;
use syncline_core::mapping::language::MappingSpec;
use syncline_core::model::{Choice, Outcome, Parked, ReviewKind, Verdict};
use syncline_sdk::{FieldName, Value};

use super::desk::KnownMapping;
use super::question::{choice, choice_json};
use super::words;

/// The sensitive fields of a side, as a file says them.
pub(super) fn sensitive(spec: &MappingSpec, side: Side) -> BTreeSet<FieldName> {
    let pairs = spec.fields.iter().filter(|pair| pair.sensitive.is_some());
    pairs.flat_map(|pair| &pair.fields[side]).map(|name| name.value.clone()).collect()
}

/// A value that is not told, as JSON: a kind that no value has.
pub fn masked_json() -> Json {
    json!({ "kind": "masked", "value": null })
}

fn told(value: &Value, masked: bool) -> String {
    // That a value is not known is no value.
    if masked && value.is_present() { MASK.to_owned() } else { words::value(value) }
}

fn told_json(value: &Value, masked: bool) -> Json {
    if masked && value.is_present() { masked_json() } else { words::value_json(value) }
}

impl KnownMapping {
    /// A value of a field of a side's image, for people.
    pub fn value(&self, side: Side, at: usize, value: &Value) -> String {
        told(value, self.masks(side, at))
    }

    /// The same as JSON.
    pub fn value_json(&self, side: Side, at: usize, value: &Value) -> Json {
        told_json(value, self.masks(side, at))
    }

    /// A value among those of a unit's fields, or of the whole image where it is about the pair.
    pub fn value_in(&self, side: Side, unit: Option<u16>, at: usize, value: &Value) -> String {
        told(value, self.masks_in(side, unit, at))
    }

    /// The same as JSON.
    pub fn value_in_json(&self, side: Side, unit: Option<u16>, at: usize, value: &Value) -> Json {
        told_json(value, self.masks_in(side, unit, at))
    }

    /// The values of a unit's fields, or of the whole image where it is about the pair.
    pub fn values(&self, side: Side, unit: Option<u16>, values: &[Value]) -> String {
        let each = values.iter().enumerate();
        let texts: Vec<String> =
            each.map(|(at, value)| self.value_in(side, unit, at, value)).collect();
        texts.join(", ")
    }

    /// The same as JSON.
    pub fn values_json(&self, side: Side, unit: Option<u16>, values: &[Value]) -> Json {
        let each = values.iter().enumerate();
        each.map(|(at, value)| self.value_in_json(side, unit, at, value)).collect()
    }

    /// Values of a unit's fields whose order is that of another time: all or none.
    pub fn sample(&self, unit: Option<u16>, values: &[Value]) -> String {
        let masked = self.masks_unit(unit);
        let texts: Vec<String> = values.iter().map(|value| told(value, masked)).collect();
        texts.join(", ")
    }

    /// The same as JSON.
    pub fn sample_json(&self, unit: Option<u16>, values: &[Value]) -> Json {
        let masked = self.masks_unit(unit);
        values.iter().map(|value| told_json(value, masked)).collect()
    }

    /// A decision about a unit, as it is told.
    pub fn verdict(&self, unit: Option<u16>, verdict: &Verdict) -> Verdict {
        if self.masks_unit(unit) { verdict.masked() } else { verdict.clone() }
    }

    /// What is asked about a unit, as it is told.
    pub fn kind(&self, unit: Option<u16>, kind: &ReviewKind) -> ReviewKind {
        if self.masks_unit(unit) { kind.masked() } else { kind.clone() }
    }

    /// What was chosen about a unit, for people.
    pub fn choice(&self, unit: Option<u16>, chosen: &Choice) -> String {
        match chosen {
            Choice::Typed(_) if self.masks_unit(unit) => format!("value {MASK}"),
            chosen => choice(chosen),
        }
    }

    /// The same as JSON.
    pub fn choice_json(&self, unit: Option<u16>, chosen: &Choice) -> Json {
        match chosen {
            Choice::Typed(typed) if self.masks_unit(unit) => {
                json!({ "value": vec![masked_json(); typed.len()] })
            }
            chosen => choice_json(chosen),
        }
    }

    /// What became of a write, as it is told: a system that refuses a value may repeat it.
    pub fn outcome(&self, outcome: &Outcome) -> Outcome {
        match outcome {
            Outcome::Refused(kind, _) if self.masks_any() => {
                Outcome::Refused(kind.clone(), MASK.to_owned())
            }
            outcome => outcome.clone(),
        }
    }

    /// Why a record is parked, as it is told; the same.
    pub fn parked(&self, mut parked: Parked) -> Parked {
        if self.masks_any() {
            MASK.clone_into(&mut parked.message);
        }
        parked
    }

    /// Whether values of a field are not told.
    fn masks(&self, side: Side, at: usize) -> bool {
        let name = || self.images[side].get(at);
        !self.reveal && name().map_or(self.masks_any(), |name| self.sensitive[side].contains(name))
    }

    /// Whether values at a place among those of a unit's fields are not told.
    fn masks_in(&self, side: Side, unit: Option<u16>, at: usize) -> bool {
        let place = match unit {
            Some(unit) => self.places(side, unit).get(at).copied(),
            None => Some(at),
        };
        // A place that no field has: nobody knows what it is.
        place.map_or_else(|| self.masks_any(), |place| self.masks(side, place))
    }

    /// Whether values of a unit's fields are not told; of the pair, whether any are not.
    pub(super) fn masks_unit(&self, unit: Option<u16>) -> bool {
        let Some(unit) = unit.filter(|_| self.spec.is_some()) else { return self.masks_any() };
        let masks = |side| self.places(side, unit).into_iter().any(|at| self.masks(side, at));
        Side::BOTH.into_iter().any(masks)
    }

    /// Whether values of any field are not told. Of rules that this release cannot read nobody
    /// knows.
    fn masks_any(&self) -> bool {
        let some = self.sensitive.iter().any(|(_, fields)| !fields.is_empty());
        !self.reveal && (some || self.spec.is_none())
    }
}

#[cfg(test)]
mod tests {
    use syncline_core::mapping::{MappingId, NoImage};

    use super::*;

    const TEXT: &str = "mapping: people\nleft: { system: crm, entity: Contact }\n\
        right: { system: ops, entity: people }\nmatch: []\nfields:\n\
        - { left: Name, right: name }\n- { left: SSN, right: ssn, sensitive: true }\n\
        - { left: City, right: city }\n- { left: Zip, right: zip, sensitive: true }\n\
        units: { address: [City, Zip] }\n";

    fn known(text: &str) -> KnownMapping {
        KnownMapping::new(MappingId(1), "people".to_owned(), Some(text.to_owned()))
    }

    fn image() -> [Value; 4] {
        ["Ada", "078", "Berlin", "10115"].map(Value::from)
    }

    #[test]
    fn sensitive_values_are_masked_field_by_field() {
        let mapping = known(TEXT);
        let shown = image();
        assert_eq!(
            mapping.values(Side::Left, None, &shown),
            "\"Ada\", (masked), \"Berlin\", (masked)"
        );
        assert_eq!(mapping.values(Side::Right, Some(2), &shown[2..]), "\"Berlin\", (masked)");
        assert_eq!(mapping.value(Side::Right, 1, &Value::Null), "(masked)");
        assert_eq!(mapping.value(Side::Right, 1, &Value::Absent), "(not known)");
        assert_eq!(mapping.value_json(Side::Left, 1, &shown[1]), masked_json());
        assert_eq!(mapping.value_json(Side::Left, 0, &shown[0])["value"], "Ada");
        // A text of that word is told in quotes.
        assert_eq!(mapping.value(Side::Left, 0, &Value::from(MASK)), "\"(masked)\"");
        // Places that no field has: nobody knows what they are.
        assert_eq!(mapping.values(Side::Left, Some(1), &shown[..2]), "(masked), (masked)");
        let mut open = mapping;
        open.reveal = true;
        assert_eq!(
            open.values(Side::Left, None, &shown),
            "\"Ada\", \"078\", \"Berlin\", \"10115\""
        );
    }

    #[test]
    fn words_about_sensitive_values_are_masked() {
        let mapping = known(TEXT);
        let reason = || NoImage::NotInList("078".to_owned());
        let verdict = |unit| mapping.verdict(Some(unit), &Verdict::NoImage(Side::Left, reason()));
        assert!(!format!("{:?}", verdict(1)).contains("078"));
        assert!(format!("{:?}", verdict(0)).contains("078"));
        let kind = mapping.kind(Some(1), &ReviewKind::NoImage(Side::Left, reason()));
        assert!(!format!("{kind:?}").contains("078"));
        let said = Verdict::Answered("value 078 by jane".to_owned());
        let told = mapping.verdict(Some(1), &said);
        assert_eq!(told, Verdict::Answered("(masked) by jane".to_owned()));
        let taken = Verdict::Answered("take left by jane".to_owned());
        assert_eq!(mapping.verdict(Some(1), &taken), taken);
        let typed = Choice::Typed(vec![Value::from("078")]);
        assert_eq!(mapping.choice(Some(1), &typed), "value (masked)");
        assert_eq!(mapping.choice_json(Some(1), &typed)["value"][0], masked_json());
        assert_eq!(mapping.choice(Some(0), &typed), "value \"078\"");
        let refused = Outcome::Refused("invalid".to_owned(), "078 is odd".to_owned());
        let masked = Outcome::Refused("invalid".to_owned(), MASK.to_owned());
        assert_eq!(mapping.outcome(&refused), masked);
        let plain = known(&TEXT.replace(", sensitive: true", ""));
        assert_eq!(plain.outcome(&refused), refused);
        assert_eq!(plain.verdict(Some(1), &said), said);
    }

    #[test]
    fn rules_that_cannot_be_read_tell_nothing() {
        let mapping = known("mapping: people\nsomething: new\n");
        assert_eq!(mapping.values(Side::Left, None, &image()[..1]), "(masked)");
        assert_eq!(mapping.value(Side::Left, 0, &image()[0]), "(masked)");
    }
}
