//! The fields of an entity.

use serde_json::{Map, json};
use syncline_sdk::{EntitySchema, FieldSchema, FieldType};

use crate::cli::Output;
use crate::cli::place::Place;
use crate::cli::words::{indented, plain, short, table};

/// The most characters of a note.
const NOTE_CHARS_MAX: usize = 60;

pub(super) fn tell(output: &Output, place: &Place, schema: &EntitySchema) {
    let Place { system, .. } = place;
    let key: Vec<&str> = schema.key.iter().map(|field| field.as_str()).collect();
    output.line(&format!(
        "{system}.{}: {} fields, its key is {}",
        schema.entity,
        schema.fields.len(),
        key.join(", ")
    ));
    let mut rows = table(&["FIELD", "TYPE", "MAY", "NOTES"]);
    for field in &schema.fields {
        rows.add_row([
            plain(field.name.as_str()),
            plain(&field.native),
            rights(field).join(", "),
            notes(field)
                .iter()
                .map(|note| short(note, NOTE_CHARS_MAX))
                .collect::<Vec<_>>()
                .join("\n"),
        ]);
    }
    output.line(&indented(&rows));
    for problem in &schema.problems {
        output.line(&format!("  {}", plain(problem)));
    }
    let mut fields = Map::new();
    fields.insert("system".to_owned(), system.as_str().into());
    fields.insert("entity".to_owned(), schema.entity.as_str().into());
    fields.insert("key".to_owned(), key.into());
    fields.insert("creatable".to_owned(), schema.creatable.into());
    fields.insert("deletable".to_owned(), schema.deletable.into());
    fields.insert("problems".to_owned(), json!(schema.problems));
    fields.insert("fields".to_owned(), schema.fields.iter().map(one_json).collect());
    output.answer("describe", fields);
}

fn rights(field: &FieldSchema) -> Vec<&'static str> {
    let rights = [(true, "read"), (field.creatable, "create"), (field.updatable, "update")];
    rights.into_iter().filter(|(may, _)| *may).map(|(_, word)| word).collect()
}

/// What a mapping of the field should know.
fn notes(field: &FieldSchema) -> Vec<String> {
    let told = [
        (field.required, "every new record needs it"),
        (field.unique, "unique"),
        (field.external_id, "external id"),
    ];
    let told = told.into_iter().filter(|(is, _)| *is).map(|(_, word)| word);
    let told = told.collect::<Vec<_>>().join(", ");
    let mut notes: Vec<String> = (!told.is_empty()).then_some(told).into_iter().collect();
    notes.extend(field.filled.as_deref().map(plain));
    match &field.kind {
        FieldType::Enum { values, restricted } | FieldType::Set { values, restricted } => {
            let values: Vec<String> = values.iter().map(|value| plain(value)).collect();
            let word = if *restricted { "one of" } else { "any text, as" };
            notes.push(format!("{word} {}", values.join(", ")));
        }
        FieldType::Reference { entities } => {
            let entities: Vec<&str> = entities.iter().map(|entity| entity.as_str()).collect();
            notes.push(format!("refers to {}", entities.join(", ")));
        }
        _ => {}
    }
    notes
}

fn one_json(field: &FieldSchema) -> serde_json::Value {
    json!({
        "name": field.name.as_str(),
        "type": field.native,
        "kind": field.kind,
        "nullable": field.nullable,
        "creatable": field.creatable,
        "updatable": field.updatable,
        "required": field.required,
        "unique": field.unique,
        "external_id": field.external_id,
        "filled": field.filled,
    })
}
