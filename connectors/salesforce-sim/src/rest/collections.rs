//! `composite/sobjects`: many records in one call, in request order (REST guide, sObject
//! collections). Results use `statusCode`, not `errorCode`.

use std::collections::HashSet;

use serde_json::{Map, Value as Raw};

use super::call::{Call, Caller};
use super::external::{self, Upserted};
use super::http::Reply;
use super::rows::{all_fields, named_fields, without_id};
use crate::json::{Json, object};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::txn::Txn;
use crate::save::{self, SaveError};
use crate::soql::record_json;

const RECORDS_MAX: usize = 200;
const RETRIEVED_MAX: usize = 2000;
const CHUNKS_MAX: usize = 10;

/// One record's result: its id and, for an upsert, whether it was created.
type Outcome = Result<(Id, Option<bool>), (Option<Id>, Vec<SaveError>)>;

/// Routes what follows `composite/sobjects`.
pub(crate) fn route(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    call: &Call,
    rest: &[String],
) -> Reply {
    match (call.method.as_str(), rest) {
        ("POST", []) | ("PATCH", []) => write(state, txn, caller, call, None),
        ("DELETE", []) => delete(state, txn, call),
        ("PATCH", [object, key]) => {
            let Some(table) = state.table_at(object) else {
                return Reply::not_found();
            };
            match external::key_field(state, table, key, &caller.username) {
                Some(slot) => write(state, txn, caller, call, Some((table, slot))),
                None => Reply::refused(&[SaveError::gone(true, key)]),
            }
        }
        ("GET" | "POST", [object]) => retrieve(state, caller, call, object),
        (_, []) => call.wrong_method("POST,PATCH,DELETE"),
        _ => call.wrong_method("GET,POST,PATCH"),
    }
}

fn write(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    call: &Call,
    key: Option<(usize, usize)>,
) -> Reply {
    let (all_or_none, records) = match call.object().and_then(read_records) {
        Ok(read) => read,
        Err(reply) => return reply,
    };
    if let Err(reply) = check_chunks(&records) {
        return reply;
    }
    let savepoint = txn.savepoint();
    let mut seen = HashSet::new();
    let outcomes = records
        .iter()
        .map(|record| match (key, call.method.as_str()) {
            (Some(key), _) => upsert(state, txn, caller, key, record),
            (None, "POST") => create(state, txn, caller, record),
            _ => update(state, txn, caller, record, &mut seen),
        })
        .collect();
    finish(state, txn, savepoint, all_or_none, outcomes)
}

fn read_records(body: &Map<String, Raw>) -> Result<(bool, Vec<Map<String, Raw>>), Reply> {
    let all_or_none = body.get("allOrNone").and_then(Raw::as_bool).unwrap_or(false);
    let Some(Raw::Array(records)) = body.get("records") else {
        let text = "Required fields are missing: [records]";
        return Err(Reply::error(400, "REQUIRED_FIELD_MISSING", text));
    };
    too_many(records.len(), RECORDS_MAX)?;
    let objects: Option<Vec<_>> = records.iter().map(|it| it.as_object().cloned()).collect();
    match objects {
        Some(objects) => Ok((all_or_none, objects)),
        None => Err(Reply::error(400, "JSON_PARSER_ERROR", "Every record is an object")),
    }
}

fn too_many(count: usize, most: usize) -> Result<(), Reply> {
    if count <= most {
        return Ok(());
    }
    let text =
        format!("record limit reached. cannot submit more than {most} records into this call");
    Err(Reply::error(400, "EXCEEDED_ID_LIMIT", text))
}

/// The list is cut wherever the type changes; ten chunks at most.
fn check_chunks(records: &[Map<String, Raw>]) -> Result<(), Reply> {
    let types: Vec<&str> = records.iter().map(|record| type_of(record).unwrap_or("")).collect();
    let chunks = 1 + types.windows(2).filter(|pair| pair.first() != pair.last()).count();
    if chunks <= CHUNKS_MAX {
        return Ok(());
    }
    let text =
        format!("The records form {chunks} chunks by type; at most {CHUNKS_MAX} are allowed");
    Err(Reply::error(400, "LIMIT_EXCEEDED", text))
}

fn type_of(record: &Map<String, Raw>) -> Option<&str> {
    record.get("attributes")?.get("type")?.as_str()
}

fn table_of(
    state: &State,
    record: &Map<String, Raw>,
) -> Result<usize, (Option<Id>, Vec<SaveError>)> {
    let name = type_of(record).unwrap_or("");
    state.table_at(name).ok_or_else(|| {
        let text = format!("sObject type '{name}' is not supported.");
        (None, vec![SaveError::new("INVALID_TYPE", text)])
    })
}

fn create(state: &mut State, txn: &mut Txn, caller: &Caller, record: &Map<String, Raw>) -> Outcome {
    let table = table_of(state, record)?;
    match save::create(state, txn, table, record, Some(&caller.username)) {
        Ok(id) => Ok((id, None)),
        Err(errors) => Err((None, errors)),
    }
}

fn update(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    record: &Map<String, Raw>,
    seen: &mut HashSet<Id>,
) -> Outcome {
    let table = table_of(state, record)?;
    let (raw, body) = without_id(record);
    let Some(text) = raw.as_ref().and_then(Raw::as_str) else {
        let text = "Id not specified in an update call";
        return Err((None, vec![SaveError::new("MISSING_ARGUMENT", text)]));
    };
    let Some(id) = Id::parse(text).filter(|id| state.table_of(*id) == Some(table)) else {
        return Err((None, vec![malformed(state, table, text)]));
    };
    if !seen.insert(id) {
        let text = format!("duplicate value found: duplicate id {id} in the call");
        return Err((Some(id), vec![SaveError::new("DUPLICATE_VALUE", text).on("Id")]));
    }
    match save::update(state, txn, id, &body, Some(&caller.username)) {
        Ok(()) => Ok((id, None)),
        Err(errors) => Err((Some(id), errors.into_iter().map(per_row).collect())),
    }
}

/// Recorded text of `MALFORMED_ID`.
fn malformed(state: &State, table: usize, text: &str) -> SaveError {
    let label = state.table(table).map(|it| it.object.label.clone()).unwrap_or_default();
    let text = format!("{label} ID: id value of incorrect type: {text}");
    SaveError::new("MALFORMED_ID", text).on("Id")
}

/// A row that is not there is a bad reference in per-row results.
fn per_row(error: SaveError) -> SaveError {
    if error.code == "NOT_FOUND" { SaveError::cross_reference() } else { error }
}

fn upsert(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    (table, slot): (usize, usize),
    record: &Map<String, Raw>,
) -> Outcome {
    let object = state.table(table).map(|it| &it.object);
    let name = object.and_then(|it| it.fields.get(slot)).map(|it| it.name.clone());
    let name = name.unwrap_or_default();
    if table_of(state, record)? != table {
        let text = "all records must be of the object in the path";
        return Err((None, vec![SaveError::new("INVALID_TYPE", text)]));
    }
    let mut body = record.clone();
    let named = body.keys().find(|it| it.eq_ignore_ascii_case(&name)).cloned();
    let key = named.and_then(|it| body.remove(&it)).unwrap_or(Raw::Null);
    match external::upsert(state, txn, caller, (table, slot), &key, &body, false) {
        Upserted::Created(id) => Ok((id, Some(true))),
        Upserted::Updated(id) => Ok((id, Some(false))),
        Upserted::Refused(errors) => Err((None, errors.into_iter().map(per_row).collect())),
        Upserted::Missing => Err((None, vec![SaveError::cross_reference()])),
        Upserted::Several(ids) => {
            let found: Vec<&str> = ids.iter().map(Id::as_str).collect();
            let text = format!(
                "{name}: more than one record found for external id field: [{}]",
                found.join(", ")
            );
            Err((None, vec![SaveError::new("DUPLICATE_EXTERNAL_ID", text).on(&name)]))
        }
    }
}

fn delete(state: &mut State, txn: &mut Txn, call: &Call) -> Reply {
    let ids: Vec<&str> =
        call.parameter("ids").unwrap_or_default().split(',').filter(|it| !it.is_empty()).collect();
    if let Err(reply) = too_many(ids.len(), RECORDS_MAX) {
        return reply;
    }
    let flag = call.parameter("allOrNone");
    let all_or_none = flag.is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    let savepoint = txn.savepoint();
    let outcomes = ids
        .into_iter()
        .map(|text| {
            let Some(id) = Id::parse(text) else {
                let text = format!("malformed id {text}");
                return Err((None, vec![SaveError::new("MALFORMED_ID", text)]));
            };
            match save::delete(state, txn, id) {
                Ok(()) => Ok((id, None)),
                Err(errors) => Err((Some(id), errors.into_iter().map(per_row).collect::<Vec<_>>())),
            }
        })
        .collect();
    finish(state, txn, savepoint, all_or_none, outcomes)
}

/// With allOrNone one failure takes everything back, and the innocent say so.
fn finish(
    state: &mut State,
    txn: &mut Txn,
    savepoint: crate::org::txn::Savepoint,
    all_or_none: bool,
    outcomes: Vec<Outcome>,
) -> Reply {
    let rolled_back = all_or_none && outcomes.iter().any(Result::is_err);
    if rolled_back {
        state.rollback_to(txn, savepoint);
    }
    let results = outcomes.into_iter().map(|outcome| match outcome {
        Ok((id, created)) if !rolled_back => {
            let mut members = vec![
                ("id".into(), Json::from(id.to_string())),
                ("success".into(), Json::Bool(true)),
                ("errors".into(), Json::List(Vec::new())),
            ];
            if let Some(created) = created {
                members.push(("created".into(), Json::Bool(created)));
            }
            Json::Map(members)
        }
        Ok(_) => failed(None, &[SaveError::rolled_back()]),
        Err((id, errors)) => failed(id, &errors),
    });
    Reply::json(200, Json::List(results.collect()))
}

fn failed(id: Option<Id>, errors: &[SaveError]) -> Json {
    let errors: Vec<Json> = errors.iter().map(SaveError::per_record).collect();
    match id {
        Some(id) => object! {
            "id" => id.to_string(), "success" => false, "errors" => errors,
        },
        None => object! { "success" => false, "errors" => errors },
    }
}

/// `null` in place of rows that are missing or hidden; an unknown field refuses the call.
fn retrieve(state: &State, caller: &Caller, call: &Call, object: &str) -> Reply {
    let Some(table) = state.table_named(object) else {
        return Reply::not_found();
    };
    let (ids, fields) = match wanted(call) {
        Ok(wanted) => wanted,
        Err(reply) => return reply,
    };
    if let Err(reply) = too_many(ids.len(), RETRIEVED_MAX) {
        return reply;
    }
    let nodes = if fields.is_empty() {
        Ok(all_fields(&table.object, &caller.username))
    } else {
        named_fields(&table.object, fields.iter().map(String::as_str), &caller.username)
    };
    let nodes = match nodes {
        Ok(nodes) => nodes,
        Err(error) => return Reply::refused(&[error]),
    };
    let rows = ids.iter().map(|text| {
        let row = Id::parse(text).and_then(|id| table.get(id)).filter(|row| row.is_live());
        row.map_or(Json::Null, |row| record_json(state, row, &nodes, &call.version))
    });
    Reply::json(200, Json::List(rows.collect()))
}

fn wanted(call: &Call) -> Result<(Vec<String>, Vec<String>), Reply> {
    if call.method == "GET" {
        let list = |name: &str| -> Vec<String> {
            let text = call.parameter(name).unwrap_or_default();
            text.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect()
        };
        return Ok((list("ids"), list("fields")));
    }
    let body = call.object()?;
    let list = |name: &str| -> Vec<String> {
        let items = body.get(name).and_then(Raw::as_array);
        items.into_iter().flatten().filter_map(Raw::as_str).map(str::to_owned).collect()
    };
    Ok((list("ids"), list("fields")))
}
