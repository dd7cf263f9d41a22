//! `sobjects/X` and `sobjects/X/{id}`.

use serde_json::{Map, Value as Raw};

use super::call::{Call, Caller};
use super::conditional;
use super::http::Reply;
use crate::json::{Json, object};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::table::{Record, Table};
use crate::org::txn::Txn;
use crate::save::{self, SaveError};
use crate::schema::ObjectDef;
use crate::soql::{Node, record_json};

/// `POST sobjects/X`.
pub(crate) fn create(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    call: &Call,
    table: usize,
) -> Reply {
    let body = match call.object() {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    match save::create(state, txn, table, body, Some(&caller.username)) {
        Ok(id) => created(state, call, table, id, None),
        Err(errors) => Reply::refused(&errors),
    }
}

/// 201 with the relative `Location` (recorded); `created` is a member of upsert replies.
pub(crate) fn created(
    state: &State,
    call: &Call,
    table: usize,
    id: Id,
    created: Option<bool>,
) -> Reply {
    let name = state.table(table).map(|it| it.object.name.clone()).unwrap_or_default();
    let mut members = vec![
        ("id".into(), Json::from(id.to_string())),
        ("success".into(), Json::Bool(true)),
        ("errors".into(), Json::List(Vec::new())),
    ];
    if let Some(created) = created {
        members.push(("created".into(), Json::Bool(created)));
    }
    Reply::json(201, Json::Map(members))
        .with_header("Location", call.path(&format!("sobjects/{name}/{id}")))
}

/// `GET|PATCH|DELETE sobjects/X/{id}`.
pub(crate) fn by_id(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    call: &Call,
    (table, text): (usize, &str),
) -> Reply {
    let wanted = Id::parse(text).filter(|id| state.table_of(*id) == Some(table));
    let Some(id) = wanted else {
        return Reply::refused(&[SaveError::gone(true, text)]);
    };
    let Some(object) = state.table(table).map(|it| it.object.name.clone()) else {
        return Reply::not_found();
    };
    if let Some((_, row)) = state.row(id).filter(|(_, row)| row.is_live())
        && let Some(reply) = conditional::check(state, call, &object, row)
    {
        return reply;
    }
    match call.method.as_str() {
        "GET" | "HEAD" => match state.row(id) {
            Some((at, row)) if row.is_live() => read(state, caller, call, at, row),
            _ => Reply::refused(&[SaveError::gone(true, text)]),
        },
        "PATCH" => {
            let body = match call.object() {
                Ok(body) => body,
                Err(reply) => return reply,
            };
            match save::update(state, txn, id, body, Some(&caller.username)) {
                Ok(()) => Reply::empty(204),
                Err(errors) => Reply::refused(&errors),
            }
        }
        "DELETE" => match save::delete(state, txn, id) {
            Ok(()) => Reply::empty(204),
            Err(errors) => Reply::refused(&errors),
        },
        _ => call.wrong_method("GET,HEAD,PATCH,DELETE"),
    }
}

/// The row with all visible fields, or those of `?fields=`.
pub(crate) fn read(
    state: &State,
    caller: &Caller,
    call: &Call,
    table: usize,
    row: &Record,
) -> Reply {
    let Some(table) = state.table(table) else {
        return Reply::not_found();
    };
    let nodes = match call.parameter("fields").filter(|list| !list.is_empty()) {
        Some(list) => match named_fields(&table.object, list.split(','), &caller.username) {
            Ok(nodes) => nodes,
            Err(error) => return Reply::refused(&[error]),
        },
        None => all_fields(&table.object, &caller.username),
    };
    let reply = Reply::json(200, record_json(state, row, &nodes, &call.version));
    if table.object.name == "Account" {
        return reply.with_header("ETag", conditional::etag(row));
    }
    reply
}

/// Every field that the caller may see.
pub(crate) fn all_fields(object: &ObjectDef, viewer: &str) -> Vec<Node> {
    let visible = object.live().filter(|(_, field)| field.visible_to(Some(viewer)));
    visible.map(|(slot, field)| Node::Field { name: field.name.clone(), slot }).collect()
}

/// The named fields; one that is not there is `INVALID_FIELD`.
pub(crate) fn named_fields<'a>(
    object: &ObjectDef,
    names: impl Iterator<Item = &'a str>,
    viewer: &str,
) -> Result<Vec<Node>, SaveError> {
    names
        .map(|name| {
            let name = name.trim();
            match object.field(name).filter(|(_, field)| field.visible_to(Some(viewer))) {
                Some((slot, field)) => Ok(Node::Field { name: field.name.clone(), slot }),
                None => Err(SaveError::new(
                    "INVALID_FIELD",
                    format!(
                        "\n{name}\n^\nERROR at Row:1:Column:1\nNo such column '{name}' on entity \
                         '{}'. If you are attempting to use a custom field, be sure to append \
                         the '__c' after the custom field name.",
                        object.name
                    ),
                )),
            }
        })
        .collect()
}

/// `GET sobjects/X/{id}/{relationship}`: the parent, or the children in the shape of a query.
pub(crate) fn related(
    state: &State,
    caller: &Caller,
    call: &Call,
    (table, text, name): (usize, &str, &str),
) -> Reply {
    let row = Id::parse(text).and_then(|id| state.table(table)?.get(id));
    let (Some(object), Some(row)) = (state.table(table).map(|it| &it.object), row) else {
        return Reply::not_found();
    };
    if call.method != "GET" {
        return call.wrong_method("GET,HEAD");
    }
    if let Some((slot, _)) = object.relationship(name) {
        let parent = row.get(slot).as_id().and_then(|id| state.row(id));
        return match parent {
            Some((at, row)) if row.is_live() => read(state, caller, call, at, row),
            _ => Reply::not_found(),
        };
    }
    let Some((slot, children)) = child_relationship(state, &object.name, name) else {
        return Reply::not_found();
    };
    let nodes = all_fields(&children.object, &caller.username);
    let ids = children.pointing(slot, row.id);
    let rows = ids.iter().filter_map(|id| children.get(*id));
    let records: Vec<Json> =
        rows.map(|row| record_json(state, row, &nodes, &call.version)).collect();
    Reply::json(200, object! { "totalSize" => records.len(), "done" => true, "records" => records })
}

/// The child object that a relationship name leads to, and its reference field.
pub(super) fn child_relationship<'a>(
    state: &'a State,
    parent: &str,
    name: &str,
) -> Option<(usize, &'a Table)> {
    state.tables.iter().find_map(|table| {
        let found = table.object.references().find(|(_, field)| {
            field.child_relationship.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(name))
                && field.reference_to.iter().any(|it| it == parent)
        })?;
        Some((found.0, table))
    })
}

/// Body of a write without the members that carry the record's own id.
pub(crate) fn without_id(body: &Map<String, Raw>) -> (Option<Raw>, Map<String, Raw>) {
    let mut rest = body.clone();
    let keys: Vec<String> =
        rest.keys().filter(|key| key.eq_ignore_ascii_case("id")).cloned().collect();
    let mut id = None;
    for key in keys {
        id = rest.remove(&key).or(id);
    }
    (id, rest)
}
