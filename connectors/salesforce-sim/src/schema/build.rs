//! Short words for the standard schema: each makes a field that is then qualified.

use std::collections::BTreeSet;

use super::field::{FieldDef, FieldType, PicklistValue};
use crate::org::value::Value;

fn field(name: &str, label: &str, ty: FieldType, length: u32) -> FieldDef {
    FieldDef {
        name: name.to_owned(),
        label: label.to_owned(),
        ty,
        length,
        precision: 0,
        scale: 0,
        nillable: true,
        createable: true,
        updateable: true,
        external_id: false,
        unique: false,
        id_lookup: false,
        case_sensitive: false,
        calculated: false,
        auto_number: false,
        defaulted_on_create: false,
        default: Value::Null,
        restricted: false,
        picklist: Vec::new(),
        reference_to: Vec::new(),
        relationship: None,
        child_relationship: None,
        cascade_delete: false,
        compound: None,
        name_field: false,
        custom: name.ends_with("__c"),
        tracked: false,
        hidden_for: BTreeSet::new(),
        removed: false,
    }
}

pub(crate) fn of_type(name: &str, label: &str, ty: FieldType) -> FieldDef {
    let length = match ty {
        FieldType::Id | FieldType::Reference => 18,
        FieldType::Email => 80,
        FieldType::Phone => 40,
        FieldType::Url | FieldType::Picklist | FieldType::String | FieldType::Combobox => 255,
        FieldType::TextArea => 32000,
        FieldType::MultiPicklist => 4099,
        _ => 0,
    };
    let mut made = field(name, label, ty, length);
    match ty {
        FieldType::Boolean => {
            made.nillable = false;
            made.defaulted_on_create = true;
            made.default = Value::Bool(false);
        }
        FieldType::Int => made.precision = 8,
        FieldType::Currency => made = made.digits(18, 2),
        FieldType::Percent => made = made.digits(3, 0),
        FieldType::Double => made = made.digits(18, 0),
        FieldType::Address => {
            made.createable = false;
            made.updateable = false;
        }
        _ => {}
    }
    made
}

pub(crate) fn text(name: &str, label: &str, length: u32) -> FieldDef {
    field(name, label, FieldType::String, length)
}
pub(crate) fn long_text(name: &str, label: &str, length: u32) -> FieldDef {
    field(name, label, FieldType::TextArea, length)
}
pub(crate) fn picklist(name: &str, label: &str, values: &[&str]) -> FieldDef {
    of_type(name, label, FieldType::Picklist).values(values)
}
pub(crate) fn reference(name: &str, label: &str, to: &[&str], relationship: &str) -> FieldDef {
    let mut made = field(name, label, FieldType::Reference, 18);
    made.reference_to = to.iter().map(|&name| name.to_owned()).collect();
    made.relationship = Some(relationship.to_owned());
    made
}

impl FieldDef {
    pub(crate) fn digits(mut self, precision: u32, scale: u32) -> Self {
        self.precision = precision;
        self.scale = scale;
        self
    }
    pub(crate) fn values(mut self, values: &[&str]) -> Self {
        self.picklist = values
            .iter()
            .map(|&value| PicklistValue { value: value.to_owned(), active: true, default: false })
            .collect();
        self
    }
    pub(crate) fn restrict(mut self) -> Self {
        self.restricted = true;
        self
    }
    pub(crate) fn require(mut self) -> Self {
        self.nillable = false;
        self
    }
    pub(crate) fn read_only(mut self) -> Self {
        self.createable = false;
        self.updateable = false;
        self
    }
    pub(crate) fn default_to(mut self, value: Value) -> Self {
        for entry in &mut self.picklist {
            entry.default = value.as_text() == Some(entry.value.as_str());
        }
        self.default = value;
        self.defaulted_on_create = true;
        self
    }
    pub(crate) fn external_key(mut self, unique: bool) -> Self {
        self.external_id = true;
        self.id_lookup = true;
        self.unique = unique;
        self
    }
    pub(crate) fn id_lookup(mut self) -> Self {
        self.id_lookup = true;
        self
    }
    pub(crate) fn children(mut self, name: &str, cascade: bool) -> Self {
        self.child_relationship = Some(name.to_owned());
        self.cascade_delete = cascade;
        self
    }
    pub(crate) fn part_of(mut self, compound: &str) -> Self {
        self.compound = Some(compound.to_owned());
        self
    }
    pub(crate) fn name_field(mut self) -> Self {
        self.name_field = true;
        self
    }
    pub(crate) fn auto_number(mut self) -> Self {
        self.auto_number = true;
        self.nillable = false;
        self.defaulted_on_create = true;
        self.read_only()
    }
}

/// The compound address field and its parts, `Billing` → `BillingStreet` and so on.
pub(crate) fn address(prefix: &str) -> Vec<FieldDef> {
    let compound = format!("{prefix}Address");
    let part = |name: &str, length: u32, ty: FieldType| {
        let full = format!("{prefix}{name}");
        field(&full, &format!("{prefix} {name}"), ty, length).part_of(&compound)
    };
    vec![
        part("Street", 255, FieldType::TextArea),
        part("City", 40, FieldType::String),
        part("State", 80, FieldType::String),
        part("PostalCode", 20, FieldType::String),
        part("Country", 80, FieldType::String),
        of_type(&compound, &format!("{prefix} Address"), FieldType::Address),
    ]
}
