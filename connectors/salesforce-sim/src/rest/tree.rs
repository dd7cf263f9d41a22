//! `composite/tree/X`: records with their children, created all or none (REST guide, sObject
//! tree).

use std::collections::BTreeSet;

use serde_json::{Map, Value as Raw};

use super::call::{Call, Caller};
use super::http::Reply;
use super::rows::child_relationship;
use crate::json::{Json, object};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::txn::Txn;
use crate::save::{self, SaveError};

const RECORDS_MAX: usize = 200;
const LEVELS_MAX: usize = 5;
const TYPES_MAX: usize = 5;

/// Records on the way: what was made, what was refused, and the shape so far.
#[derive(Default)]
struct Growth {
    made: Vec<(String, Id)>,
    refused: Vec<(String, Vec<SaveError>)>,
    references: BTreeSet<String>,
    types: BTreeSet<String>,
}

/// Creates the tree; on failure nothing stays and only the culprits are named.
pub(crate) fn tree(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    call: &Call,
    object: &str,
) -> Reply {
    let Some(name) = state.table_named(object).map(|table| table.object.name.clone()) else {
        return Reply::not_found();
    };
    let records = match call.object() {
        Ok(body) => body.get("records").and_then(Raw::as_array).cloned(),
        Err(reply) => return reply,
    };
    let Some(records) = records else {
        return Reply::error(400, "INVALID_INPUT", "records is missing");
    };
    let savepoint = txn.savepoint();
    let mut growth = Growth::default();
    let grown = grow(state, txn, caller, (&name, None), &records, 1, &mut growth);
    if grown.is_err() || !growth.refused.is_empty() {
        state.rollback_to(txn, savepoint);
    }
    if let Err(text) = grown {
        return Reply::error(400, "INVALID_INPUT", text);
    }
    if growth.refused.is_empty() {
        let results = growth.made.into_iter();
        let results =
            results.map(|(name, id)| object! { "referenceId" => name, "id" => id.to_string() });
        let results: Vec<Json> = results.collect();
        return Reply::json(201, object! { "hasErrors" => false, "results" => results });
    }
    let results = growth.refused.into_iter().map(|(name, errors)| {
        let errors: Vec<Json> = errors.iter().map(SaveError::per_record).collect();
        object! { "referenceId" => name, "errors" => errors }
    });
    let results: Vec<Json> = results.collect();
    Reply::json(400, object! { "hasErrors" => true, "results" => results })
}

/// One level: records of an object, below a parent that a reference field points at.
fn grow(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    (object, parent): (&str, Option<(&str, Id)>),
    records: &[Raw],
    level: usize,
    growth: &mut Growth,
) -> Result<(), String> {
    if level > LEVELS_MAX {
        return Err(format!("A tree has at most {LEVELS_MAX} levels"));
    }
    growth.types.insert(object.to_owned());
    if growth.types.len() > TYPES_MAX {
        return Err(format!("A tree has at most {TYPES_MAX} different types"));
    }
    let table = state.table_at(object).ok_or_else(|| format!("no object {object}"))?;
    for record in records {
        let record = record.as_object().ok_or("Every record is an object")?;
        let reference = reference_of(record, object)?;
        if !growth.references.insert(reference.clone()) {
            return Err(format!("Duplicate ReferenceId provided in the request: {reference}"));
        }
        if growth.references.len() > RECORDS_MAX {
            return Err(format!("A tree has at most {RECORDS_MAX} records"));
        }
        let (children, mut fields) = parted(state, object, record);
        if let Some((field, id)) = parent {
            fields.insert(field.to_owned(), Raw::from(id.to_string()));
        }
        match save::create(state, txn, table, &fields, Some(&caller.username)) {
            Ok(id) => {
                growth.made.push((reference, id));
                for (child, field, below) in children {
                    let place = (child.as_str(), Some((field.as_str(), id)));
                    grow(state, txn, caller, place, &below, level + 1, growth)?;
                }
            }
            Err(errors) => growth.refused.push((reference, errors)),
        }
    }
    Ok(())
}

fn reference_of(record: &Map<String, Raw>, object: &str) -> Result<String, String> {
    let attributes = record.get("attributes");
    let text = |name: &str| attributes.and_then(|it| it.get(name)).and_then(Raw::as_str);
    match text("type") {
        Some(named) if named.eq_ignore_ascii_case(object) => {}
        named => return Err(format!("A record of type {named:?} stands among those of {object}")),
    }
    let reference = text("referenceId");
    reference
        .map(str::to_owned)
        .ok_or_else(|| String::from("Include a reference ID for each record"))
}

/// The children of a record, by object and reference field, and the record without them.
type Parted = (Vec<(String, String, Vec<Raw>)>, Map<String, Raw>);

fn parted(state: &State, object: &str, record: &Map<String, Raw>) -> Parted {
    let mut children = Vec::new();
    let mut fields = record.clone();
    for (name, value) in record {
        let Some(Raw::Array(below)) = value.get("records") else {
            continue;
        };
        let Some((slot, table)) = child_relationship(state, object, name) else {
            continue;
        };
        let Some(field) = table.object.fields.get(slot) else {
            continue;
        };
        children.push((table.object.name.clone(), field.name.clone(), below.clone()));
        fields.remove(name);
    }
    (children, fields)
}
