//! One field of an object.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::org::value::Value;

/// The field types of the org that the simulator knows (REST guide, describe).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// `id`.
    Id,
    /// `string`.
    String,
    /// `textarea`.
    TextArea,
    /// `boolean`.
    Boolean,
    /// `int`.
    Int,
    /// `double`.
    Double,
    /// `currency`.
    Currency,
    /// `percent`.
    Percent,
    /// `date`.
    Date,
    /// `datetime`.
    DateTime,
    /// `time`.
    Time,
    /// `email`.
    Email,
    /// `phone`.
    Phone,
    /// `url`.
    Url,
    /// `picklist`.
    Picklist,
    /// `multipicklist`.
    MultiPicklist,
    /// `combobox`.
    Combobox,
    /// `reference`.
    Reference,
    /// `address`.
    Address,
    /// `anyType`: a value of some other field.
    AnyType,
}

impl FieldType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::String => "string",
            Self::TextArea => "textarea",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Double => "double",
            Self::Currency => "currency",
            Self::Percent => "percent",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Time => "time",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Picklist => "picklist",
            Self::MultiPicklist => "multipicklist",
            Self::Combobox => "combobox",
            Self::Reference => "reference",
            Self::Address => "address",
            Self::AnyType => "anyType",
        }
    }

    pub(crate) fn soap(self) -> &'static str {
        match self {
            Self::Id | Self::Reference => "tns:ID",
            Self::Boolean => "xsd:boolean",
            Self::Int => "xsd:int",
            Self::Double | Self::Currency | Self::Percent => "xsd:double",
            Self::Date => "xsd:date",
            Self::DateTime => "xsd:dateTime",
            Self::Time => "xsd:time",
            Self::Address => "urn:address",
            Self::AnyType => "xsd:anyType",
            _ => "xsd:string",
        }
    }

    /// Kept as text on the record.
    pub(crate) fn is_text(self) -> bool {
        matches!(
            self,
            Self::String
                | Self::TextArea
                | Self::Email
                | Self::Phone
                | Self::Url
                | Self::Picklist
                | Self::MultiPicklist
                | Self::Combobox
        )
    }

    pub(crate) fn is_decimal(self) -> bool {
        matches!(self, Self::Double | Self::Currency | Self::Percent)
    }

    pub(crate) fn is_picklist(self) -> bool {
        matches!(self, Self::Picklist | Self::MultiPicklist)
    }
}

/// One value of a picklist, in the order of definition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PicklistValue {
    pub(crate) value: String,
    pub(crate) active: bool,
    pub(crate) default: bool,
}

/// What an org knows about a field.
#[derive(Clone, Debug)]
pub(crate) struct FieldDef {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) ty: FieldType,
    pub(crate) length: u32,
    pub(crate) precision: u32,
    pub(crate) scale: u32,
    pub(crate) nillable: bool,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) external_id: bool,
    pub(crate) unique: bool,
    pub(crate) id_lookup: bool,
    pub(crate) case_sensitive: bool,
    pub(crate) calculated: bool,
    pub(crate) auto_number: bool,
    pub(crate) defaulted_on_create: bool,
    pub(crate) default: Value,
    pub(crate) restricted: bool,
    pub(crate) picklist: Vec<PicklistValue>,
    pub(crate) reference_to: Vec<String>,
    pub(crate) relationship: Option<String>,
    pub(crate) child_relationship: Option<String>,
    pub(crate) cascade_delete: bool,
    pub(crate) compound: Option<String>,
    pub(crate) name_field: bool,
    pub(crate) custom: bool,
    /// Its changes are kept in the object's history.
    pub(crate) tracked: bool,
    /// Users who may not see it; `*` is everybody who calls the API.
    pub(crate) hidden_for: BTreeSet<String>,
    /// Removed from the schema: its values are gone, its slot stays.
    pub(crate) removed: bool,
}

impl FieldDef {
    /// Long text, which SOQL can neither filter nor sort (SOQL guide, field expression).
    pub(crate) fn is_long_text(&self) -> bool {
        self.ty == FieldType::TextArea && self.length > 255
    }

    /// May a query filter or sort by it.
    pub(crate) fn filterable(&self) -> bool {
        !self.is_long_text() && !matches!(self.ty, FieldType::Address | FieldType::AnyType)
    }

    /// Has an index of its own: upserts, lookups by key and uniqueness go through it.
    pub(crate) fn is_key(&self) -> bool {
        self.external_id || self.unique || (self.id_lookup && self.ty != FieldType::Id)
    }

    /// Visible to a user.
    pub(crate) fn visible_to(&self, username: Option<&str>) -> bool {
        if self.removed {
            return false;
        }
        username
            .is_none_or(|name| !self.hidden_for.contains("*") && !self.hidden_for.contains(name))
    }

    /// Required on create: createable, not nillable, not defaulted (REST guide, describe).
    pub(crate) fn required(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted_on_create
    }
}
