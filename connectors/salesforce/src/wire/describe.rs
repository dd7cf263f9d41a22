//! What an entity's describe says, in our words.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use syncline_sdk::{
    EntityName, EntitySchema, FieldName, FieldSchema, FieldType, Normalizer, Precision, Selection,
};

use self::field_type::{field_type, filled, native};
use super::codec::Wire;
use super::record_type::{RECORD_TYPE, RECORD_TYPE_ID, RecordType, RecordTypes};
use crate::limits::{LINK_ID_CHARS, MARKER_CHARS};

mod field_type;

/// One entity, described and measured.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) schema: EntitySchema,
    fields: HashMap<String, FieldFacts>,
    pub(crate) record_types: RecordTypes,
    /// The field that moves with every save: `SystemModstamp`, or `LastModifiedDate` on the few
    /// entities without it.
    pub(crate) stamp: Option<&'static str>,
    /// Whether deleted records can be brought back.
    pub(crate) undeletable: bool,
    /// The `Last-Modified` of the describe, for the next look.
    pub(crate) last_modified: Option<String>,
}

impl Described {
    /// Whether a selection names a field that is not there for our user.
    pub(crate) fn lacks_a_field_of(&self, selection: &Selection) -> bool {
        let named = [&selection.external_id, &selection.marker, &selection.actor];
        let named = named.into_iter().flatten().chain(selection.fields.iter());
        named.into_iter().any(|field| !self.shows(field))
    }
    /// Whether our user may read a field. Of related records nothing is described here but the
    /// name of the record type.
    pub(crate) fn shows(&self, field: &FieldName) -> bool {
        let name = field.as_str();
        self.has(name) || (name.contains('.') && name != RECORD_TYPE)
    }
    /// What the wire needs to know of a field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&FieldFacts> {
        self.fields.get(name)
    }
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }
    /// The field of this name when it can carry a text of ours of so many characters, be found
    /// by it, and be written with each create and update.
    pub(crate) fn carrier<'a>(&self, name: Option<&'a FieldName>, chars: u32) -> Option<&'a str> {
        let name = name?;
        let field = self.schema.field(name)?;
        let long = match field.kind {
            FieldType::Text { chars_max } => chars_max.is_none_or(|most| most >= chars),
            _ => false,
        };
        let found = self.field(name.as_str()).is_some_and(|facts| facts.filterable);
        (long && found && field.creatable && field.updatable).then_some(name.as_str())
    }
    /// The field of a selection that carries the link id.
    pub(crate) fn link_field<'a>(&self, selection: &'a Selection) -> Option<&'a str> {
        self.carrier(selection.external_id.as_ref(), LINK_ID_CHARS)
    }
    /// The field of a selection that carries the marker. One that is unfit is not written: each
    /// write would be refused for it.
    pub(crate) fn marker_field<'a>(&self, selection: &'a Selection) -> Option<&'a str> {
        self.carrier(selection.marker.as_ref(), MARKER_CHARS)
    }
}

/// What the wire needs to know of one field.
#[derive(Clone, Debug)]
pub(crate) struct FieldFacts {
    pub(crate) wire: Wire,
    /// Whether a query may compare it.
    pub(crate) filterable: bool,
    /// Whether text is compared with its case.
    pub(crate) case_sensitive: bool,
    /// Whether it is a picklist: its values have one spelling.
    pub(crate) picklist: bool,
    /// Whether a right to it can be given by itself; nothing where the describe does not say.
    pub(crate) permissionable: Option<bool>,
    /// Whether nobody can write it: a formula, a roll-up, an automatic number.
    pub(crate) computed: bool,
    /// The compound field that it is a part of.
    pub(crate) compound: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDescribe {
    name: String,
    #[serde(default)]
    createable: bool,
    #[serde(default)]
    updateable: bool,
    #[serde(default)]
    deletable: bool,
    #[serde(default)]
    undeletable: bool,
    #[serde(default)]
    queryable: bool,
    fields: Vec<RawField>,
    #[serde(default)]
    record_type_infos: Vec<RecordType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawField {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    length: u32,
    #[serde(default)]
    precision: u32,
    #[serde(default)]
    scale: u32,
    #[serde(default)]
    digits: u32,
    #[serde(default)]
    nillable: bool,
    #[serde(default)]
    createable: bool,
    #[serde(default)]
    updateable: bool,
    #[serde(default)]
    defaulted_on_create: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    external_id: bool,
    #[serde(default)]
    case_sensitive: bool,
    #[serde(default)]
    filterable: bool,
    #[serde(default)]
    html_formatted: bool,
    #[serde(default)]
    restricted_picklist: bool,
    #[serde(default)]
    picklist_values: Vec<RawPicklist>,
    #[serde(default)]
    reference_to: Vec<String>,
    #[serde(default)]
    permissionable: Option<bool>,
    #[serde(default)]
    calculated: bool,
    #[serde(default)]
    auto_number: bool,
    /// Whether the org added it; nothing where the describe does not say.
    custom: Option<bool>,
    #[serde(default)]
    compound_field_name: Option<String>,
}

#[derive(Deserialize)]
struct RawPicklist {
    value: String,
    #[serde(default)]
    active: bool,
}

/// These move when somebody merely looks at a record, or by no save of it at all: they are no
/// part of what can be kept in agreement.
const NOT_CONTENT: [&str; 3] = ["LastViewedDate", "LastReferencedDate", "LastActivityDate"];

/// The field that tells people from companies, in orgs that have person accounts.
pub(crate) const PERSON_FLAG: &str = "IsPersonAccount";

/// Reads a describe answer.
///
/// # Errors
/// When the body is not a describe.
pub(crate) fn described(
    body: &[u8],
    last_modified: Option<String>,
) -> Result<Described, serde_json::Error> {
    let raw: RawDescribe = serde_json::from_slice(body)?;
    // What is not carried is not shown either: a pair with it would look well and never move.
    let carried = |field: &&RawField| {
        !NOT_CONTENT.contains(&field.name.as_str()) && wire(&field.kind) != Wire::Opaque
    };
    let kept: Vec<&RawField> = raw.fields.iter().filter(carried).collect();
    let mut fields: HashMap<String, FieldFacts> =
        kept.iter().map(|field| (field.name.clone(), facts(field))).collect();
    // Where people are accounts they are named by their parts, and Name cannot be written: which
    // of the two a new record needs depends on what it is.
    let people = kept.iter().any(|field| field.name == PERSON_FLAG);
    // What the object's own rights do not let anybody write is read, field by field: a mapping that
    // travels the other way needs no more.
    let schema_of = |field: &&RawField| {
        let schema = field_schema(field);
        let either = people && field.name == "Name";
        FieldSchema {
            required: schema.required && !either && raw.createable,
            creatable: schema.creatable && raw.createable,
            updatable: schema.updatable && raw.updateable,
            ..schema
        }
    };
    let stamp = ["SystemModstamp", "LastModifiedDate"]
        .into_iter()
        .find(|name| raw.fields.iter().any(|field| field.name == *name));
    let standard = |field: &&&RawField| field.custom == Some(false);
    let mut schema = EntitySchema {
        entity: EntityName::new(raw.name.as_str()),
        key: vec![FieldName::new("Id")],
        fields: kept.iter().map(schema_of).collect(),
        creatable: raw.createable,
        deletable: raw.deletable,
        problems: problems(&raw, stamp),
        same: Vec::new(),
        fixed: kept.iter().filter(standard).map(|it| FieldName::new(it.name.as_str())).collect(),
    };
    let record_types = RecordTypes::new(raw.record_type_infos);
    let reference = schema.fields.iter().position(|field| field.name.as_str() == RECORD_TYPE_ID);
    let named = reference.and_then(|at| Some((at, record_types.field(&schema.fields[at])?)));
    if let Some((at, (field, facts))) = named {
        fields.insert(RECORD_TYPE.to_owned(), facts);
        schema.same.push((FieldName::new(RECORD_TYPE_ID), field.name.clone()));
        schema.fields.insert(at + 1, field);
    }
    let undeletable = raw.undeletable;
    Ok(Described { schema, fields, record_types, stamp, undeletable, last_modified })
}

fn problems(raw: &RawDescribe, stamp: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    if !raw.queryable {
        found.push(format!(
            "{} cannot be queried: give the integration user the right to read it",
            raw.name
        ));
    }
    if stamp.is_none() {
        found.push(format!(
            "{} has neither SystemModstamp nor LastModifiedDate: its changes cannot be polled; \
             map another entity",
            raw.name
        ));
    }
    found
}

fn facts(field: &RawField) -> FieldFacts {
    FieldFacts {
        wire: wire(&field.kind),
        filterable: field.filterable,
        case_sensitive: field.case_sensitive,
        picklist: matches!(field.kind.as_str(), "picklist" | "multipicklist"),
        permissionable: field.permissionable,
        computed: field.calculated || field.auto_number,
        compound: field.compound_field_name.clone(),
    }
}

fn wire(kind: &str) -> Wire {
    match kind {
        "id" | "reference" => Wire::Id,
        "textarea" => Wire::Lines,
        "boolean" => Wire::Bool,
        "int" | "long" => Wire::Int,
        "double" | "currency" | "percent" => Wire::Number,
        "date" => Wire::Date,
        "datetime" => Wire::Instant,
        "time" => Wire::Time,
        "multipicklist" => Wire::Set,
        "address" | "location" => Wire::Compound,
        "base64" | "complexvalue" | "junctionidlist" | "json" | "anyType" => Wire::Opaque,
        _ => Wire::Text,
    }
}

fn field_schema(field: &RawField) -> FieldSchema {
    let kind = field_type(field);
    let opaque = matches!(wire(&field.kind), Wire::Opaque | Wire::Compound);
    let text = matches!(kind, FieldType::Text { .. });
    FieldSchema {
        name: FieldName::new(field.name.as_str()),
        normalizers: normalizers(field),
        native: native(field).into(),
        filled: filled(field).map(Into::into),
        nullable: field.nillable,
        creatable: field.createable && !opaque,
        updatable: field.updateable && !opaque,
        required: field.createable && !field.nillable && !field.defaulted_on_create,
        unique: field.unique || field.kind == "id",
        external_id: field.external_id
            && field.unique
            && field.createable
            && text
            && field.length >= LINK_ID_CHARS,
        kind,
    }
}

/// What Salesforce does to a value on save, so that the changed image coming back is known for
/// an echo.
fn normalizers(field: &RawField) -> Vec<Normalizer> {
    let known = || -> Vec<Arc<str>> {
        let values = field.picklist_values.iter();
        values.map(|value| value.value.as_str().into()).collect()
    };
    match wire(&field.kind) {
        // Rich text is cleaned and written anew: what comes back cannot be predicted, only
        // learned.
        Wire::Lines if field.html_formatted => Vec::new(),
        // White space at both ends is cut, but a no-break space stays; a text that is empty then
        // is null (SOAP guide, primitive types: string). Line ends are read and written as LF.
        Wire::Lines => vec![Normalizer::LineFeeds, Normalizer::Trim, Normalizer::EmptyToNull],
        // E-mail addresses come back in lower case (two independent reports).
        Wire::Text if field.kind == "email" => {
            vec![Normalizer::Trim, Normalizer::EmptyToNull, Normalizer::Lowercase]
        }
        // A value of a restricted picklist that differs only by case is stored in the spelling
        // of the definition.
        Wire::Text if field.kind == "picklist" && field.restricted_picklist => {
            vec![Normalizer::Trim, Normalizer::EmptyToNull, Normalizer::FoldCase(known())]
        }
        Wire::Text => vec![Normalizer::Trim, Normalizer::EmptyToNull],
        // Members come back in the order of the field's definition, whatever order was written
        // (help article 000231088), each once; none at all is null.
        Wire::Set => vec![Normalizer::SetOrder(known()), Normalizer::EmptyToNull],
        // A date-time is kept to the second (SOAP guide, primitive types: dateTime).
        Wire::Instant => vec![Normalizer::Truncate(Precision::Second)],
        // Numbers are kept as doubles: 15 significant digits. They are not rounded to the
        // field's scale (help article 000394530).
        Wire::Number => vec![Normalizer::SignificantDigits(15)],
        // A checkbox is never null.
        Wire::Bool => vec![Normalizer::NullToFalse],
        // A time of day is kept to the millisecond.
        Wire::Time => vec![Normalizer::Truncate(Precision::Milli)],
        Wire::Id | Wire::Int | Wire::Date | Wire::Opaque => Vec::new(),
        // Not of a field that is described.
        Wire::Related | Wire::RecordType => Vec::new(),
        // Only read.
        Wire::Compound => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
