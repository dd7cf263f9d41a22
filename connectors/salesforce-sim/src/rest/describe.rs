//! `sobjects/X/describe`, with every recorded field attribute.

use super::call::{Call, Caller};
use super::discovery::item;
use super::http::Reply;
use crate::json::{Json, object};
use crate::org::clock::{http_date, parse_http_date};
use crate::org::state::State;
use crate::schema::{FieldDef, FieldType, ObjectDef};

/// The full describe as the caller may see it (REST guide, sObject describe).
pub(crate) fn describe(state: &State, caller: &Caller, call: &Call, table: usize) -> Reply {
    let Some(table) = state.table(table) else {
        return Reply::not_found();
    };
    let object = &table.object;
    let visible = object.live().filter(|(_, field)| field.visible_to(Some(&caller.username)));
    let fields: Vec<Json> = visible.map(|(_, field)| field_json(field)).collect();
    let Json::Map(mut members) = item(object, call) else {
        return Reply::not_found();
    };
    let none: fn() -> Json = || Json::List(Vec::new());
    members.extend([
        ("actionOverrides".into(), none()),
        ("childRelationships".into(), Json::List(children(state, &object.name))),
        ("compactLayoutable".into(), Json::Bool(true)),
        ("fields".into(), Json::List(fields)),
        ("listviewable".into(), Json::Null),
        ("lookupLayoutable".into(), Json::Null),
        ("namedLayoutInfos".into(), none()),
        ("networkScopeFieldName".into(), Json::Null),
        ("recordTypeInfos".into(), Json::List(record_types(state, object, call))),
        ("searchLayoutable".into(), Json::Bool(true)),
        ("supportedScopes".into(), none()),
    ]);
    let body = Json::Map(members);
    let hash = blake3::hash(&body.to_bytes(false)).to_hex();
    let etag = format!("\"{}\"", hash.get(..8).unwrap_or_default());
    let same_tag = call.header("if-none-match").is_some_and(|tag| tag == etag);
    if same_tag || not_modified(call, object.changed_at) {
        return Reply::empty(304).with_header("ETag", etag);
    }
    Reply::json(200, body)
        .with_header("ETag", etag)
        .with_header("Last-Modified", http_date(object.changed_at))
}

/// `If-Modified-Since` on metadata.
pub(crate) fn not_modified(call: &Call, changed_at: i64) -> bool {
    let since = call.header("if-modified-since").and_then(parse_http_date);
    since.is_some_and(|since| changed_at <= since)
}

/// The record types of an object, the master one last.
fn record_types(state: &State, object: &ObjectDef, call: &Call) -> Vec<Json> {
    let default = state.default_record_types.get(&object.name);
    let ids = state.record_types_of(&object.name);
    let mut shown: Vec<Json> = ids
        .iter()
        .filter_map(|id| {
            let types = state.table_named("RecordType")?;
            let row = types.get(*id)?;
            let value = |name: &str| types.object.slot(name).map(|slot| row.get(slot));
            let text = |name: &str| value(name).map(|value| value.display()).unwrap_or_default();
            let of = RecordType {
                id: id.to_string(),
                name: text("Name"),
                developer_name: text("DeveloperName"),
                active: value("IsActive").is_some_and(|value| value.is_true()),
                available: !state.withheld_record_types.contains(id),
                default: default == Some(id),
            };
            Some(of.shown(object, call))
        })
        .collect();
    let master = RecordType {
        id: MASTER.to_owned(),
        name: String::from("Master"),
        developer_name: String::from("Master"),
        active: true,
        available: true,
        default: default.is_none(),
    };
    shown.push(master.shown(object, call));
    shown
}

const MASTER: &str = "012000000000000AAA";

struct RecordType {
    id: String,
    name: String,
    developer_name: String,
    active: bool,
    available: bool,
    default: bool,
}

impl RecordType {
    fn shown(self, object: &ObjectDef, call: &Call) -> Json {
        let url = call.path(&format!("sobjects/{}/describe/layouts/{}", object.name, self.id));
        object! {
            "active" => self.active,
            "available" => self.available,
            "defaultRecordTypeMapping" => self.default,
            "developerName" => self.developer_name,
            "master" => self.id == MASTER,
            "name" => self.name,
            "recordTypeId" => self.id,
            "urls" => object! { "layout" => url },
        }
    }
}

fn children(state: &State, parent: &str) -> Vec<Json> {
    let mut found = Vec::new();
    for table in &state.tables {
        for (_, field) in table.object.references() {
            if field.reference_to.iter().any(|name| name == parent) {
                found.push(object! {
                    "cascadeDelete" => field.cascade_delete,
                    "childSObject" => table.object.name.clone(),
                    "deprecatedAndHidden" => false,
                    "field" => field.name.clone(),
                    "junctionIdListNames" => Json::List(Vec::new()),
                    "junctionReferenceTo" => Json::List(Vec::new()),
                    "relationshipName" => field.child_relationship.clone(),
                    "restrictedDelete" => false,
                });
            }
        }
    }
    found
}

/// Whether a right to the field can be given by itself (recorded: not to system fields, record
/// types, names and their parts, and fields that every record needs; to the parts of an address
/// and to the whole).
fn permissionable(field: &FieldDef) -> bool {
    let optional = field.nillable || field.ty == FieldType::Boolean;
    let written = field.createable || field.updateable;
    let shown = written || field.calculated || field.ty == FieldType::Address;
    let name = field.name == "Name" || field.compound.as_deref() == Some("Name");
    optional && shown && !name && field.name != "RecordTypeId"
}

fn field_json(field: &FieldDef) -> Json {
    let ty = field.ty;
    let polymorphic = field.reference_to.len() > 1;
    let digits = if ty == FieldType::Int { field.precision } else { 0 };
    let precision = if ty.is_decimal() { field.precision } else { 0 };
    let byte_length = if ty.is_text() { field.length * 3 } else { field.length };
    let values = field.picklist.iter().map(|entry| {
        object! {
            "active" => entry.active,
            "defaultValue" => entry.default,
            "label" => entry.value.clone(),
            "validFor" => Json::Null,
            "value" => entry.value.clone(),
        }
    });
    let targets = field.reference_to.iter().map(|name| Json::from(name.clone()));
    let default = if ty == FieldType::Boolean { field.default.to_json() } else { Json::Null };
    object! {
        "aggregatable" => field.filterable() && ty != FieldType::Boolean,
        "aiPredictionField" => false,
        "autoNumber" => field.auto_number,
        "byteLength" => byte_length,
        "calculated" => field.calculated,
        "calculatedFormula" => Json::Null,
        "cascadeDelete" => field.cascade_delete,
        "caseSensitive" => field.case_sensitive,
        "compoundFieldName" => field.compound.clone(),
        "controllerName" => Json::Null,
        "createable" => field.createable,
        "custom" => field.custom,
        "defaultValue" => default,
        "defaultValueFormula" => Json::Null,
        "defaultedOnCreate" => field.defaulted_on_create,
        "dependentPicklist" => false,
        "deprecatedAndHidden" => false,
        "digits" => digits,
        "displayLocationInDecimal" => false,
        "encrypted" => false,
        "externalId" => field.external_id,
        "extraTypeInfo" => Json::Null,
        // Recorded: an address is filtered by distance only, which is not simulated.
        "filterable" => field.filterable() || ty == FieldType::Address,
        "filteredLookupInfo" => Json::Null,
        "formulaTreatNullNumberAsZero" => false,
        "groupable" => field.filterable() && !ty.is_decimal() && ty != FieldType::DateTime,
        "highScaleNumber" => false,
        "htmlFormatted" => false,
        "idLookup" => field.id_lookup,
        "inlineHelpText" => Json::Null,
        "label" => field.label.clone(),
        "length" => if ty.is_text() || matches!(ty, FieldType::Id | FieldType::Reference) {
            field.length
        } else {
            0
        },
        "mask" => Json::Null,
        "maskType" => Json::Null,
        "name" => field.name.clone(),
        "nameField" => field.name_field,
        "namePointing" => polymorphic,
        "nillable" => field.nillable,
        "permissionable" => permissionable(field),
        "picklistValues" => values.collect::<Vec<_>>(),
        "polymorphicForeignKey" => polymorphic,
        "precision" => precision,
        "queryByDistance" => ty == FieldType::Address,
        "referenceTargetField" => Json::Null,
        "referenceTo" => targets.collect::<Vec<_>>(),
        "relationshipName" => field.relationship.clone(),
        "relationshipOrder" => Json::Null,
        "restrictedDelete" => false,
        "restrictedPicklist" => field.restricted,
        "scale" => if ty.is_decimal() { field.scale } else { 0 },
        "searchPrefilterable" => false,
        "soapType" => ty.soap(),
        "sortable" => field.filterable(),
        "type" => ty.name(),
        "unique" => field.unique,
        "updateable" => field.updateable,
        "writeRequiresMasterRead" => false,
    }
}
