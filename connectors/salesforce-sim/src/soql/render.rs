//! Answered records.

use std::borrow::Cow;

use super::bound::{Bound, Node, Shape};
use super::eval::{parent, run_among};
use crate::json::{Json, object};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::table::{Record, Table};
use crate::schema::{FieldType, ObjectDef, slots};

pub(crate) use super::aggregate::rows as aggregate_rows;

/// `{"attributes": {"type": "Contact", "url": "…"}, …}` with the selected members in their order.
pub(crate) fn record_json(state: &State, row: &Record, nodes: &[Node], version: &str) -> Json {
    let Some(table) = state.table_of(row.id).and_then(|at| state.table(at)) else {
        return Json::Null;
    };
    let mut members = vec![(Cow::Borrowed("attributes"), attributes(table, row, version))];
    for node in nodes {
        members.push(member(state, table, row, node, version));
    }
    Json::Map(members)
}

pub(crate) fn attributes(table: &Table, row: &Record, version: &str) -> Json {
    let name = &table.object.name;
    object! {
        "type" => name.clone(),
        "url" => format!("/services/data/{version}/sobjects/{name}/{}", row.id),
    }
}

fn member(
    state: &State,
    table: &Table,
    row: &Record,
    node: &Node,
    version: &str,
) -> (Cow<'static, str>, Json) {
    match node {
        Node::Field { name, slot } => {
            (Cow::Owned(name.clone()), field_json(&table.object, row, *slot))
        }
        Node::ParentField { name } => {
            let slot = table.object.slot(name);
            let value = slot.map_or(Json::Null, |slot| field_json(&table.object, row, slot));
            (Cow::Owned(name.clone()), value)
        }
        Node::ParentType => (Cow::Borrowed("Type"), parent_type(table, row)),
        Node::Parent { name, reference, nodes } => {
            let found = parent(state, row, reference);
            let value = found.map_or(Json::Null, |row| record_json(state, row, nodes, version));
            (Cow::Owned(name.clone()), value)
        }
        Node::Child { name, slot, query } => {
            (Cow::Owned(name.clone()), children(state, row, *slot, query, version))
        }
    }
}

/// What `Owner.Type` tells: the object, and of a group its kind, so that a queue is a `Queue`.
fn parent_type(table: &Table, row: &Record) -> Json {
    let kind = table.object.slot("Type").filter(|_| table.object.name == "Group");
    match kind {
        Some(slot) => field_json(&table.object, row, slot),
        None => Json::from(table.object.name.clone()),
    }
}

/// The rows of a child query that belong to a row.
pub(crate) fn child_ids(state: &State, row: &Record, slot: usize, query: &Bound) -> Vec<Id> {
    let mine = state.table(query.table).map(|table| table.pointing(slot, row.id));
    run_among(state, query, mine.into_iter().flatten().collect())
}

fn children(state: &State, row: &Record, slot: usize, query: &Bound, version: &str) -> Json {
    let (Some(table), Shape::Rows(nodes)) = (state.table(query.table), &query.shape) else {
        return Json::Null;
    };
    let found = child_ids(state, row, slot, query);
    let rows = found.into_iter().filter_map(|id| table.get(id));
    let records: Vec<Json> = rows.map(|row| record_json(state, row, nodes, version)).collect();
    if records.is_empty() {
        return Json::Null;
    }
    object! { "totalSize" => records.len(), "done" => true, "records" => records }
}

/// A field as the API shows it; a compound address is made of its parts, and is null when all
/// are.
pub(crate) fn field_json(object: &ObjectDef, row: &Record, slot: usize) -> Json {
    match object.fields.get(slot) {
        Some(field) if field.ty == FieldType::Address => address(object, row, &field.name),
        _ => row.get(slot).to_json(),
    }
}

fn address(object: &ObjectDef, row: &Record, compound: &str) -> Json {
    let prefix = compound.strip_suffix("Address").unwrap_or(compound);
    let part = |name: &str| {
        let slot = object.slot(&format!("{prefix}{name}")).unwrap_or(slots::IS_DELETED);
        row.get(slot).to_json()
    };
    let parts = ["City", "Country", "PostalCode", "State", "Street"].map(part);
    if parts.iter().all(|part| *part == Json::Null) {
        return Json::Null;
    }
    let [city, country, postal_code, state, street] = parts;
    object! {
        "city" => city,
        "country" => country,
        "geocodeAccuracy" => Json::Null,
        "latitude" => Json::Null,
        "longitude" => Json::Null,
        "postalCode" => postal_code,
        "state" => state,
        "street" => street,
    }
}
