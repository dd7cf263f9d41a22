//! The language as a JSON Schema, for the completion that editors offer.

use serde_json::{Map, Value as Json, json};

use super::cases::{CASE, EXPECT, RECORDS};
use super::file::{CREATE, DELETE, GUARD, INITIAL, LEAVE, MAPPING, MATCH, SIDE, SIDES};
use super::mode::{MODE, PILOT, PRIORITY};
use super::objective::OBJECTIVE;
use super::pairs::{DIRECTIONS, FIELD, FIELD_NORMALIZERS, MATCH_NORMALIZERS};
use super::policies::{FIELD_POLICIES, FOREIGN_EDITS, MAPPING_POLICIES};
use super::reader::Keys;

/// The JSON Schema of a mapping file, made from the keys and words that the language reads.
#[must_use]
pub fn json_schema() -> Json {
    let mut schema = keys(&MAPPING, &["mapping", "left", "right", "fields"], mapping_key);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "A mapping of Syncline".into();
    schema
}

/// A set of keys, each with what may stand there.
fn keys(keys: &Keys<'_>, required: &[&str], of: fn(&str) -> Json) -> Json {
    let properties: Map<String, Json> =
        keys.known.iter().map(|key| ((*key).to_owned(), of(key))).collect();
    json!({
        "type": "object",
        "description": keys.of,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn words<T>(words: &[(&str, T)]) -> Json {
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    json!({ "enum": words })
}

fn text(what: &str) -> Json {
    json!({ "type": "string", "description": what })
}

fn list(items: Json) -> Json {
    json!({ "type": "array", "items": items })
}

fn any_of(some: &[Json]) -> Json {
    json!({ "anyOf": some })
}

/// The same for one side or both.
fn by_side(of: &Json) -> Json {
    json!({
        "type": "object",
        "properties": { "left": of, "right": of },
        "additionalProperties": false,
    })
}

fn scalar() -> Json {
    json!({ "type": ["string", "number", "boolean", "null"] })
}

fn record() -> Json {
    let value = any_of(&[scalar(), list(scalar())]);
    json!({ "type": "object", "additionalProperties": value })
}

fn mapping_key(key: &str) -> Json {
    match key {
        "mapping" => json!({ "type": "string", "pattern": "^[a-z][a-z0-9_-]*$" }),
        "left" | "right" => keys(&SIDE, &["system", "entity"], side_key),
        "match" => list(keys(&MATCH, &["left", "right"], match_key)),
        "initial" => words(INITIAL),
        "fields" => list(keys(&FIELD, &[], field_key)),
        "units" => {
            let names = list(text("a field of `fields`"));
            any_of(&[
                list(names.clone()),
                json!({ "type": "object", "additionalProperties": names }),
            ])
        }
        "tables" => {
            let table = json!({ "type": "object", "additionalProperties": scalar() });
            let table = any_of(&[table, text("a file of two columns, relative to the mapping")]);
            json!({ "type": "object", "additionalProperties": table })
        }
        "owner" => any_of(&[words(SIDES), by_side(&text("a condition on that side's record"))]),
        "conflict" => words(MAPPING_POLICIES),
        "create" => words(CREATE),
        "delete" => any_of(&[words(DELETE), by_side(&words(DELETE))]),
        "leave" => words(LEAVE),
        "guard" => words(GUARD),
        "mode" => words(MODE),
        "pilot" => keys(&PILOT, &[], pilot_key),
        "priority" => words(PRIORITY),
        "objective" => keys(&OBJECTIVE, &[], objective_key),
        "tests" => list(keys(&CASE, &["name", "given", "expect"], case_key)),
        _ => json!(true),
    }
}

fn pilot_key(key: &str) -> Json {
    text(match key {
        "share" => "so many of all records, as 5%",
        _ => "a condition on that side's record",
    })
}

fn objective_key(key: &str) -> Json {
    text(match key {
        "lag" => "how soon a change is to be on the other side, as 5s",
        _ => "the share of writes that may be refused, as 0.2%",
    })
}

fn side_key(key: &str) -> Json {
    text(match key {
        "system" => "a system of the settings",
        "entity" => "an object or table, as its system names it",
        "where" => "a condition; records that do not meet it are no part of the mapping",
        "external_id" => "a unique field of its own for the link id",
        "marker" => "a text field of its own for the id of our last write",
        "actor" => "the field that tells who changed a record",
        _ => "",
    })
}

fn match_key(key: &str) -> Json {
    match key {
        "normalize" => any_of(&[words(MATCH_NORMALIZERS), list(words(MATCH_NORMALIZERS))]),
        "ambiguous" => json!({ "enum": ["review"] }),
        _ => text("a field"),
    }
}

fn field_key(key: &str) -> Json {
    let number = |least: u32| json!({ "type": "integer", "minimum": least });
    match key {
        "left" | "right" => any_of(&[text("a field"), list(text("a field"))]),
        "direction" => words(DIRECTIONS),
        "owner" => words(SIDES),
        "conflict" => words(FIELD_POLICIES),
        "foreign_edits" => words(FOREIGN_EDITS),
        "values" => any_of(&[
            json!({ "type": "object", "additionalProperties": scalar() }),
            text("a table of `tables`, its keys on the left"),
        ]),
        "normalize" => any_of(&[words(FIELD_NORMALIZERS), list(words(FIELD_NORMALIZERS))]),
        "reference" => text("a mapping whose records the field refers to"),
        "default" => any_of(&[scalar(), by_side(&scalar())]),
        "constant" => scalar(),
        "to_left" | "to_right" => {
            let expression = text("an expression");
            let each = json!({ "type": "object", "additionalProperties": expression });
            any_of(&[expression, each])
        }
        "round" => by_side(&number(0)),
        "truncate" => by_side(&number(1)),
        "zone" => text("a time zone, as Europe/Berlin"),
        "sensitive" => json!({
            "type": "boolean",
            "description": "whether its values are kept encrypted and shown to nobody unasked",
        }),
        _ => json!(true),
    }
}

fn case_key(key: &str) -> Json {
    match key {
        "name" => text("what the test shows"),
        "expect" => keys(&EXPECT, &[], expect_key),
        _ => keys(&RECORDS, &[], |_| record()),
    }
}

fn expect_key(key: &str) -> Json {
    match key {
        "review" => list(text("a unit that waits for a person")),
        "skipped" => words(SIDES),
        _ => record(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key has a description or a set of words of its own: none was forgotten.
    #[test]
    fn every_key_is_described() {
        let schema = json_schema();
        let fields = &schema["properties"]["fields"]["items"];
        for set in [&schema, fields, &schema["properties"]["left"]] {
            for (key, of) in set["properties"].as_object().unwrap() {
                assert!(of.is_object() && of["description"] != "", "{key} has no description");
            }
        }
    }
}
