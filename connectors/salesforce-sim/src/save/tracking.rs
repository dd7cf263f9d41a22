//! What a save changed of tracked fields, noted in the history of its object (help, field history
//! tracking).

use crate::history::{Event, FieldChange, Op};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::table::Record;
use crate::org::txn::Txn;
use crate::org::value::Value;
use crate::schema::{FieldDef, FieldType, slots};

/// One row of a history.
struct Note {
    field: String,
    data_type: Option<&'static str>,
    old: Value,
    new: Value,
}

/// Notes what an event changed, in its own transaction. The rows carry its second, and the order
/// within it is that of their ids, which nothing promises.
pub(crate) fn note(state: &mut State, txn: &mut Txn, event: &Event) {
    let Some(table) = state.table_named(&event.object) else {
        return;
    };
    let Some(history) = table.object.history.as_deref().and_then(|name| state.table_at(name))
    else {
        return;
    };
    let notes: Vec<Note> = match event.op {
        Op::Create => vec![Note {
            field: String::from("created"),
            data_type: None,
            old: Value::Null,
            new: Value::Null,
        }],
        Op::Update => {
            let tracked = |change: &&FieldChange| {
                table.object.field(&change.field).is_some_and(|(_, field)| field.tracked)
            };
            let changes = event.changes.iter().filter(tracked);
            let named =
                changes.filter_map(|change| Some((table.object.field(&change.field)?.1, change)));
            named.flat_map(|(field, change)| notes(state, field, change)).collect()
        }
        Op::Delete | Op::Undelete | Op::Purge | Op::Merge => Vec::new(),
    };
    for note in notes {
        put(state, txn, history, event.id, note);
    }
}

/// The values of long and of multi-select fields are not kept. A reference is noted twice, by
/// the names of what it points at and by their ids; a standard one under the name of its
/// relationship.
fn notes(state: &State, field: &FieldDef, change: &FieldChange) -> Vec<Note> {
    let note = |field: &str, data_type: &'static str, old: Value, new: Value| Note {
        field: field.to_owned(),
        data_type: Some(data_type),
        old,
        new,
    };
    let (old, new) = (change.old.clone(), change.new.clone());
    let data_type = data_type(field.ty);
    if field.ty == FieldType::Reference {
        let way = field.relationship.as_deref().filter(|_| !field.custom);
        let name = way.unwrap_or(&field.name);
        let (from, to) = (shown(state, &old), shown(state, &new));
        return vec![note(name, "Text", from, to), note(name, data_type, old, new)];
    }
    if field.is_long_text() || field.ty == FieldType::MultiPicklist {
        return vec![note(&field.name, data_type, Value::Null, Value::Null)];
    }
    vec![note(&field.name, data_type, old, new)]
}

/// The name of the record that a reference points at.
fn shown(state: &State, reference: &Value) -> Value {
    let found = reference.as_id().and_then(|id| state.row(id));
    let named = found.and_then(|(at, row)| {
        let object = &state.table(at)?.object;
        let (slot, _) = object.live().find(|(_, field)| field.name_field)?;
        Some(row.get(slot).clone())
    });
    named.unwrap_or_default()
}

fn data_type(ty: FieldType) -> &'static str {
    match ty {
        FieldType::Reference | FieldType::Id => "EntityId",
        FieldType::Boolean => "Boolean",
        FieldType::Int => "Integer",
        FieldType::Double => "Double",
        FieldType::Currency => "Currency",
        FieldType::Percent => "Percent",
        FieldType::Date => "DateOnly",
        FieldType::DateTime => "DateTime",
        FieldType::Time => "TimeOnly",
        FieldType::Email => "Email",
        FieldType::Phone => "Phone",
        FieldType::Url => "Url",
        FieldType::Picklist | FieldType::Combobox => "DynamicEnum",
        FieldType::MultiPicklist => "MultiEnum",
        _ => "Text",
    }
}

fn put(state: &mut State, txn: &mut Txn, history: usize, parent: Id, note: Note) {
    let Some(prefix) = state.table(history).map(|table| table.object.prefix.clone()) else {
        return;
    };
    let id = state.new_id(&prefix);
    let Some(object) = state.table(history).map(|table| &table.object) else {
        return;
    };
    let mut row = Record::new(id);
    row.set(slots::CREATED_DATE, Value::DateTime(txn.stamp_s));
    row.set(slots::SYSTEM_MODSTAMP, Value::DateTime(txn.stamp_s));
    row.set(slots::CREATED_BY, Value::Id(txn.actor.user));
    let link = object.references().find(|(slot, _)| *slot > slots::SYSTEM_MODSTAMP);
    if let Some((slot, _)) = link {
        row.set(slot, Value::Id(parent));
    }
    let data_type = note.data_type.map_or(Value::Null, Value::text);
    for (name, value) in [
        ("Field", Value::text(&note.field)),
        ("DataType", data_type),
        ("OldValue", note.old),
        ("NewValue", note.new),
    ] {
        if let Some(slot) = object.slot(name) {
            row.set(slot, value);
        }
    }
    state.put(txn, history, id, Some(row));
}
