//! Which fields a write names, and whether the caller may write them.

use serde_json::{Map, Value as Raw};

use super::{Draft, SaveError, SaveResult, types};
use crate::org::state::State;
use crate::org::value::Value;
use crate::schema::{FieldDef, ObjectDef};

/// One field of the body, found in the schema.
#[derive(Debug)]
pub(crate) struct Given {
    slot: usize,
    raw: Raw,
}

/// Finds every member of the body in the schema of the object.
pub(crate) fn resolve(
    state: &State,
    table: usize,
    body: &Map<String, Raw>,
    create: bool,
    viewer: Option<&str>,
) -> SaveResult<Vec<Given>> {
    let Some(object) = state.table(table).map(|table| &table.object) else {
        return Err(vec![SaveError::not_found()]);
    };
    let mut given = Vec::with_capacity(body.len());
    let mut refused = Vec::new();
    for (name, raw) in body {
        if name == "attributes" {
            continue;
        }
        if name.eq_ignore_ascii_case("id") {
            return Err(vec![id_in_body(name)]);
        }
        if let Raw::Object(key) = raw
            && let Some((slot, field)) = object.relationship(name)
        {
            let id = foreign_key(state, object, field, key)?;
            given.push(Given { slot, raw: Raw::from(id) });
            continue;
        }
        match object.field(name).filter(|(_, field)| field.visible_to(viewer)) {
            None => return Err(vec![unknown(object, name)]),
            Some((slot, field)) if writable(field, create) => {
                given.push(Given { slot, raw: raw.clone() });
            }
            Some((_, field)) => refused.push(field.name.clone()),
        }
    }
    if refused.is_empty() { Ok(given) } else { Err(vec![read_only(refused)]) }
}

/// Reads every given value and puts it into the draft; all errors are reported together.
pub(crate) fn assign(state: &State, draft: &mut Draft, given: Vec<Given>) -> SaveResult<()> {
    let Some(table) = state.table(draft.table) else {
        return Ok(());
    };
    let mut errors = Vec::new();
    for Given { slot, raw } in given {
        let Some(field) = table.object.fields.get(slot) else {
            continue;
        };
        match types::read(field, &raw, &state.settings) {
            Ok(value) => {
                draft.row.set(slot, value);
                draft.given.push(slot);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Describe flags `createable` and `updateable` (REST guide, describe).
fn writable(field: &FieldDef, create: bool) -> bool {
    if create { field.createable } else { field.updateable }
}

/// Recorded text of `INVALID_FIELD` on writes.
fn unknown(object: &ObjectDef, name: &str) -> SaveError {
    SaveError::new(
        "INVALID_FIELD",
        format!("No such column '{name}' on sobject of type {}", object.name),
    )
}

/// Error guide, `INVALID_FIELD_FOR_INSERT_UPDATE`.
fn read_only(fields: Vec<String>) -> SaveError {
    let mut error = SaveError::new(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        format!(
            "Unable to create/update fields: {}. Please check the security settings of this \
             field and verify that it is read/write for your profile or permission set.",
            fields.join(", ")
        ),
    );
    error.fields = fields;
    error
}

/// The record id belongs into the path, never into the body.
fn id_in_body(name: &str) -> SaveError {
    let text = format!("The {name} field should not be specified in the sobject data.");
    SaveError::new("INVALID_FIELD", text).on(name)
}

/// A parent named by its external id: `"Account": {"Ext__c": "v"}` (REST guide, relationships
/// in a request body); a polymorphic one names its type in `attributes`.
fn foreign_key(
    state: &State,
    object: &ObjectDef,
    field: &FieldDef,
    key: &Map<String, Raw>,
) -> SaveResult<String> {
    let named = key.get("attributes").and_then(|it| it.get("type")).and_then(Raw::as_str);
    let target = named.or_else(|| field.reference_to.first().map(String::as_str));
    let table = target.and_then(|name| state.table_named(name));
    let mut members = key.iter().filter(|(name, _)| *name != "attributes");
    let (Some(table), Some((name, raw)), None) = (table, members.next(), members.next()) else {
        let text = "A reference by external id names one external id field of one object.";
        return Err(vec![SaveError::new("INVALID_FIELD", text).on(&field.name)]);
    };
    let Some((slot, found)) =
        table.object.field(name).filter(|(_, it)| it.external_id || it.id_lookup)
    else {
        return Err(vec![unknown(&table.object, name)]);
    };
    let value = types::read(found, raw, &state.settings).map_err(|error| vec![error])?;
    match (table.with_key(slot, &value).as_slice(), &value) {
        (_, Value::Id(id)) => Ok(id.to_string()),
        ([id], _) => Ok(id.to_string()),
        ([], _) => Err(vec![SaveError::new(
            "INVALID_FIELD",
            format!(
                "Foreign key external ID: {} not found for field {} in entity {}",
                value.display().to_lowercase(),
                found.name,
                table.object.name
            ),
        )]),
        (several, _) => Err(vec![SaveError::new(
            "DUPLICATE_EXTERNAL_ID",
            format!(
                "{} rows of {} hold the external id of {}",
                several.len(),
                table.object.name,
                object.name
            ),
        )]),
    }
}
