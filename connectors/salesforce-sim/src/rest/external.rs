//! `sobjects/X/{ExternalId}/{value}`: read, upsert and delete by key (REST guide, sObject rows by
//! external id).

use serde_json::{Map, Value as Raw};

use super::call::{Call, Caller};
use super::http::Reply;
use super::{conditional, rows};
use crate::json::Json;
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::txn::Txn;
use crate::org::value::Value;
use crate::save::{self, SaveError};
use crate::schema::FieldType;

/// How an upsert ended.
#[derive(Debug)]
pub(crate) enum Upserted {
    Created(Id),
    Updated(Id),
    /// The key is not unique.
    Several(Vec<Id>),
    Refused(Vec<SaveError>),
    /// `updateOnly`, and nothing to update.
    Missing,
}

/// The key field in the path: an external id or another look-up field.
pub(crate) fn key_field(state: &State, table: usize, name: &str, viewer: &str) -> Option<usize> {
    let (slot, field) = state.table(table)?.object.field(name)?;
    let usable = (field.external_id || field.id_lookup) && field.visible_to(Some(viewer));
    usable.then_some(slot)
}

/// Live rows with a key.
fn matching(state: &State, table: usize, slot: usize, key: &Value) -> Vec<Id> {
    let Some(table) = state.table(table) else {
        return Vec::new();
    };
    match key {
        Value::Id(id) => {
            table.get(*id).filter(|row| row.is_live()).map(|row| row.id).into_iter().collect()
        }
        key => table.with_key(slot, key),
    }
}

/// A key of the recycle bin, for orgs whose upserts match there.
fn in_bin(state: &State, table: usize, slot: usize, key: &Value) -> bool {
    state.settings.upsert_matches_bin
        && state
            .table(table)
            .is_some_and(|it| it.bin(i64::MIN, i64::MAX - 1).any(|row| row.get(slot) == key))
}

/// Creates or updates by a key. `body` must not name the key or the record's own id.
pub(crate) fn upsert(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    (table, slot): (usize, usize),
    key: &Raw,
    body: &Map<String, Raw>,
    update_only: bool,
) -> Upserted {
    let Some(field) = state.table(table).and_then(|it| it.object.fields.get(slot)).cloned() else {
        return Upserted::Missing;
    };
    let value = match save::read_value(&field, key, &state.settings) {
        Ok(value) => value,
        Err(error) => return Upserted::Refused(vec![error]),
    };
    let viewer = Some(caller.username.as_str());
    match matching(state, table, slot, &value).as_slice() {
        [] if value.is_null() && field.ty != FieldType::Id => {
            let text = format!("{} not specified", field.name);
            Upserted::Refused(vec![SaveError::new("MISSING_ARGUMENT", text).on(&field.name)])
        }
        [] if in_bin(state, table, slot, &value) => Upserted::Refused(vec![SaveError::deleted()]),
        [] if update_only => Upserted::Missing,
        [] if field.ty == FieldType::Id && !value.is_null() => {
            Upserted::Refused(vec![SaveError::gone(true, &value.display())])
        }
        [] => {
            let mut whole = body.clone();
            if field.ty != FieldType::Id {
                whole.insert(field.name.clone(), key.clone());
            }
            match save::create(state, txn, table, &whole, viewer) {
                Ok(id) => Upserted::Created(id),
                Err(errors) => Upserted::Refused(errors),
            }
        }
        [id] => match save::update(state, txn, *id, body, viewer) {
            Ok(()) => Upserted::Updated(*id),
            Err(errors) => Upserted::Refused(errors),
        },
        several => Upserted::Several(several.to_vec()),
    }
}

/// The calls on a row named by key.
pub(crate) fn by_key(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    call: &Call,
    (table, slot, text): (usize, usize, &str),
) -> Reply {
    let Some(object) = state.table(table).map(|it| it.object.clone()) else {
        return Reply::not_found();
    };
    let Some(field) = object.fields.get(slot) else {
        return Reply::not_found();
    };
    let key = if text.is_empty() { Raw::Null } else { Raw::from(text) };
    let value = match save::read_value(field, &key, &state.settings) {
        Ok(value) => value,
        Err(_) => return Reply::refused(&[SaveError::gone(true, text)]),
    };
    let found = matching(state, table, slot, &value);
    if let ([id], true) = (found.as_slice(), state.settings.conditional_on_external_id)
        && let Some((_, row)) = state.row(*id)
        && let Some(reply) = conditional::check(state, call, &object.name, row)
    {
        return reply;
    }
    match (call.method.as_str(), found.as_slice()) {
        ("PATCH", _) => upsert_call(state, txn, caller, call, (table, slot), &key),
        ("GET" | "HEAD" | "DELETE", []) => Reply::refused(&[SaveError::gone(true, text)]),
        ("GET" | "HEAD" | "DELETE", [_, _, ..]) => several(call, &object.name, &found),
        ("GET" | "HEAD", [id]) => match state.row(*id) {
            Some((at, row)) => rows::read(state, caller, call, at, row),
            None => Reply::not_found(),
        },
        ("DELETE", [id]) => match save::delete(state, txn, *id) {
            Ok(()) => Reply::empty(204),
            Err(errors) => Reply::refused(&errors),
        },
        _ => call.wrong_method("GET,HEAD,PATCH,DELETE"),
    }
}

fn upsert_call(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    call: &Call,
    (table, slot): (usize, usize),
    key: &Raw,
) -> Reply {
    let body = match call.object() {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let Some(object) = state.table(table).map(|it| it.object.clone()) else {
        return Reply::not_found();
    };
    let name = object.fields.get(slot).map(|field| field.name.as_str()).unwrap_or_default();
    if let Some(doubled) = body.keys().find(|it| it.eq_ignore_ascii_case(name)) {
        let text = format!("The {doubled} field should not be specified in the sobject data.");
        return Reply::refused(&[SaveError::new("INVALID_FIELD", text).on(name)]);
    }
    let update_only =
        call.parameter("updateOnly").is_some_and(|it| it.eq_ignore_ascii_case("true"));
    let with_flag = call.number >= 46;
    match upsert(state, txn, caller, (table, slot), key, body, update_only) {
        Upserted::Created(id) => rows::created(state, call, table, id, with_flag.then_some(true)),
        Upserted::Updated(id) if with_flag && state.settings.upsert_update_body => {
            let mut reply = rows::created(state, call, table, id, Some(false));
            reply.status = 200;
            reply
        }
        Upserted::Updated(_) => Reply::empty(204),
        Upserted::Several(ids) => several(call, &object.name, &ids),
        Upserted::Refused(errors) => Reply::refused(&errors),
        Upserted::Missing => Reply::refused(&[SaveError::gone(true, key.as_str().unwrap_or(""))]),
    }
}

/// 300 with a bare array of record URLs (recorded).
fn several(call: &Call, object: &str, ids: &[Id]) -> Reply {
    let urls = ids.iter().map(|id| Json::from(call.path(&format!("sobjects/{object}/{id}"))));
    Reply::json(300, Json::List(urls.collect()))
}
