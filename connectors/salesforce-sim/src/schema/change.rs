//! Changes to the metadata while the org runs, as an administrator makes them.

use serde::Deserialize;
use serde_json::{Map, Value as Raw};

use super::build::of_type;
use super::field::{FieldDef, FieldType, PicklistValue};
use super::object::ObjectDef;
use crate::org::value::Value;

/// A new custom object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewObject {
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    #[serde(default)]
    pub(crate) fields: Vec<NewField>,
}

/// A new field of an object.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Raw>")]
pub struct NewField {
    /// API name; a custom one ends in `__c`.
    pub name: String,
    /// Type.
    pub ty: FieldType,
    /// Everything else.
    pub patch: FieldPatch,
}

/// A flattened member would take what nobody knows in silence.
impl TryFrom<Map<String, Raw>> for NewField {
    type Error = String;

    fn try_from(mut members: Map<String, Raw>) -> Result<Self, String> {
        let mut own = |name: &str| {
            members.remove(name).ok_or_else(|| format!("a field needs the member `{name}`"))
        };
        let (name, ty) = (own("name")?, own("type")?);
        let told = |error: serde_json::Error| error.to_string();
        Ok(Self {
            name: serde_json::from_value(name).map_err(told)?,
            ty: serde_json::from_value(ty).map_err(told)?,
            patch: serde_json::from_value(Raw::Object(members)).map_err(told)?,
        })
    }
}

/// What may be altered on a field; an absent member stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldPatch {
    /// Shown name.
    pub label: Option<String>,
    /// Characters of text.
    pub length: Option<u32>,
    /// All digits of a number.
    pub precision: Option<u32>,
    /// Digits behind the point.
    pub scale: Option<u32>,
    /// Needs a value.
    pub required: Option<bool>,
    /// May be set on create.
    pub createable: Option<bool>,
    /// May be set on update.
    pub updateable: Option<bool>,
    /// Is a formula: nobody writes it.
    pub calculated: Option<bool>,
    /// Is an external id.
    pub external_id: Option<bool>,
    /// Holds a value once.
    pub unique: Option<bool>,
    /// Key matching minds case.
    pub case_sensitive: Option<bool>,
    /// The picklist refuses other values.
    pub restricted: Option<bool>,
    /// Picklist values in order.
    pub values: Option<Vec<String>>,
    /// Value of a create that leaves it out.
    pub default: Option<Raw>,
    /// Objects a reference may point at.
    pub reference_to: Option<Vec<String>>,
    /// Name of the way to the parent.
    pub relationship: Option<String>,
    /// Name of the way to the children.
    pub child_relationship: Option<String>,
    /// Children go with their parent.
    pub cascade_delete: Option<bool>,
    /// Another type.
    #[serde(rename = "change_type")]
    pub new_type: Option<FieldType>,
    /// Users who may not see the field; `["*"]` hides it from every API user.
    pub hidden_for: Option<Vec<String>>,
}

impl NewField {
    pub(crate) fn build(&self) -> FieldDef {
        let label = self.name.trim_end_matches("__c").replace('_', " ");
        let mut made = of_type(&self.name, &label, self.ty);
        self.patch.apply(&mut made);
        made
    }
}

impl FieldPatch {
    pub(crate) fn apply(&self, field: &mut FieldDef) {
        fn set<T: Clone>(slot: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                *slot = value.clone();
            }
        }
        set(&mut field.label, self.label.as_ref());
        set(&mut field.ty, self.new_type.as_ref());
        set(&mut field.length, self.length.as_ref());
        set(&mut field.precision, self.precision.as_ref());
        set(&mut field.scale, self.scale.as_ref());
        set(&mut field.createable, self.createable.as_ref());
        set(&mut field.updateable, self.updateable.as_ref());
        set(&mut field.external_id, self.external_id.as_ref());
        set(&mut field.unique, self.unique.as_ref());
        set(&mut field.case_sensitive, self.case_sensitive.as_ref());
        set(&mut field.restricted, self.restricted.as_ref());
        set(&mut field.reference_to, self.reference_to.as_ref());
        set(&mut field.cascade_delete, self.cascade_delete.as_ref());
        if let Some(calculated) = self.calculated {
            field.calculated = calculated;
            field.createable &= !calculated;
            field.updateable &= !calculated;
        }
        if let Some(required) = self.required {
            field.nillable = !required;
        }
        if let Some(name) = &self.relationship {
            field.relationship = Some(name.clone());
        }
        if let Some(name) = &self.child_relationship {
            field.child_relationship = Some(name.clone());
        }
        if let Some(users) = &self.hidden_for {
            field.hidden_for = users.iter().cloned().collect();
        }
        if let Some(values) = &self.values {
            field.picklist = values
                .iter()
                .map(|value| PicklistValue { value: value.clone(), active: true, default: false })
                .collect();
        }
        if let Some(default) = &self.default {
            field.default = simple_value(default);
            field.defaulted_on_create = !field.default.is_null();
        }
        field.id_lookup |= field.external_id;
        if field.ty == FieldType::Reference && field.relationship.is_none() {
            field.relationship = Some(relationship_name(&field.name));
        }
    }
}

impl NewObject {
    /// The object under the given key prefix, with a text name and an owner.
    pub(crate) fn build(&self, prefix: &str) -> ObjectDef {
        let label = self.label.clone().unwrap_or_else(|| self.name.replace("__c", ""));
        let name = super::build::text("Name", &format!("{label} Name"), 80).name_field();
        ObjectDef::new(&self.name, &label, &format!("{label}s"), prefix)
            .with([name])
            .owned_by_queues()
            .with(self.fields.iter().map(NewField::build))
    }
}

/// `Parent__c` → `Parent__r`, `ParentId` → `Parent`.
fn relationship_name(field: &str) -> String {
    match field.strip_suffix("__c") {
        Some(stem) => format!("{stem}__r"),
        None => field.strip_suffix("Id").unwrap_or(field).to_owned(),
    }
}

fn simple_value(value: &Raw) -> Value {
    match value {
        Raw::Bool(value) => Value::Bool(*value),
        Raw::Number(number) => match number.as_i64() {
            Some(whole) if !number.is_f64() => Value::Int(whole),
            _ => Value::Double(number.as_f64().unwrap_or_default()),
        },
        Raw::String(text) => Value::text(text),
        _ => Value::Null,
    }
}
