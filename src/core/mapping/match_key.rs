//! What a match rule looks for on the other side.

use syncline_sdk::{FieldType, Normalizer, Value};

use super::{MappedField, MatchRule, convert};

impl MatchRule {
    /// What is looked for in a field of the other side, for a value of this one: in the rule's
    /// normal form, and as that field holds it. Nothing where no record can hold it, and for null,
    /// which is no key.
    #[must_use]
    pub fn sought(&self, value: Value, in_field: &MappedField) -> Option<Value> {
        let value = Normalizer::apply_all(&self.normalize, value);
        match (&in_field.kind, value) {
            (_, Value::Absent | Value::Null) => None,
            // What a side makes of a text when it stores it is no part of the rule.
            (FieldType::Text { .. } | FieldType::Enum { .. }, value @ Value::Text(_)) => {
                Some(value)
            }
            (_, value) => convert(value, in_field).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use syncline_sdk::Decimal;

    use super::*;

    fn sought(value: Value, kind: FieldType) -> Option<Value> {
        let rule = MatchRule { left: 0, right: 0, normalize: Vec::new() };
        let field = MappedField {
            name: "f".into(),
            kind,
            nullable: true,
            creatable: true,
            updatable: true,
            normalizers: Vec::new(),
            sensitive: false,
            filled: false,
        };
        rule.sought(value, &field)
    }

    #[test]
    fn a_key_is_looked_for_as_the_other_side_holds_it() {
        let int = FieldType::Int { min: 0, max: 99 };
        let decimal = FieldType::Decimal { precision: Some(4), scale: Some(0) };
        let text = FieldType::Text { chars_max: Some(2) };
        assert_eq!(sought("12".into(), int.clone()), Some(12.into()));
        assert_eq!(sought(12.into(), decimal.clone()), Some(Value::Decimal(Decimal::from(12))));
        assert_eq!(sought(12.into(), text.clone()), Some("12".into()));
        assert_eq!(sought("long".into(), text), Some("long".into()));
        for nobodys in ["Acme", "123", ""] {
            assert_eq!(sought(nobodys.into(), int.clone()), None, "{nobodys:?}");
        }
        assert_eq!(sought("Acme".into(), decimal), None);
        assert_eq!(sought(Value::Null, int), None);
    }
}
