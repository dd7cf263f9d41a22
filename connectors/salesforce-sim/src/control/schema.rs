//! `/__sim/schema`: what an administrator does to the metadata while a sync runs.

use serde_json::json;

use super::{Answered, Refusal, read};
use crate::org::{Id, Org, Refused};
use crate::rest::Http;
use crate::schema::{FieldPatch, NewField, NewObject, RecordTypePatch, features, tracking};

/// A new record type of an object.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRecordType {
    name: String,
    #[serde(default)]
    default: bool,
}

/// The tracked fields of an object.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Tracked {
    fields: Vec<String>,
}

pub(super) fn route(org: &Org, http: &Http, rest: &[&str]) -> Answered {
    match (http.method.as_str(), rest) {
        ("POST", ["objects"]) => {
            let new: NewObject = read(http)?;
            let mut state = org.state();
            if state.table_at(&new.name).is_some() || !new.name.ends_with("__c") {
                let text = format!("{} exists, or is not the name of a custom object", new.name);
                return Err(Refusal::BadInput(text));
            }
            let prefix = state.free_prefix();
            state.add_object(new.build(&prefix));
            Ok(json!({ "prefix": prefix }))
        }
        ("POST", [object, "record_types"]) => {
            let new: NewRecordType = read(http)?;
            let id = org.add_record_type(object, &new.name, new.default)?;
            Ok(json!({ "id": id }))
        }
        ("PATCH", [object, "record_types", id]) => {
            let patch = read::<RecordTypePatch>(http)?;
            let id = Id::parse(id).ok_or(Refusal::NotFound)?;
            match org.change_record_type(object, id, patch) {
                true => Ok(json!({})),
                false => Err(Refusal::NotFound),
            }
        }
        ("POST", [object, "history"]) => {
            let tracked: Tracked = read(http)?;
            org.track_history(object, &tracked.fields)?;
            Ok(json!({}))
        }
        ("POST", [object, "fields"]) => {
            org.add_field(object, &read::<NewField>(http)?)?;
            Ok(json!({}))
        }
        ("PATCH", [object, "fields", field]) => {
            org.change_field(object, field, &read::<FieldPatch>(http)?)?;
            Ok(json!({}))
        }
        ("DELETE", [object, "fields", field]) => {
            org.remove_field(object, field)?;
            Ok(json!({}))
        }
        _ => Err(Refusal::NotFound),
    }
}

impl Org {
    /// Adds a record type to an object; a default one is what a create takes that names none.
    pub fn add_record_type(&self, object: &str, name: &str, default: bool) -> Result<Id, Refused> {
        let mut state = self.state();
        let known = state.table_named(object).map(|table| table.object.name.clone());
        match known {
            Some(object) => Ok(features::record_type(&mut state, &object, name, default)),
            None => Err(Refused::new("INVALID_TYPE", format!("no object {object}"))),
        }
    }

    /// Changes a record type of an object; false when it has none of that id.
    pub fn change_record_type(&self, object: &str, id: Id, patch: RecordTypePatch) -> bool {
        let mut state = self.state();
        let known = state.table_named(object).map(|table| table.object.name.clone());
        known.is_some_and(|object| features::change_record_type(&mut state, &object, id, patch))
    }

    /// Tracks the history of these fields of an object from now on, and of no others: at most 20.
    pub fn track_history(&self, object: &str, fields: &[String]) -> Result<(), Refused> {
        tracking::track(&mut self.state(), object, fields)
    }

    /// Switches a feature on: `multi_currency` or `person_accounts`. False for another word.
    pub fn enable(&self, feature: &str) -> bool {
        let mut state = self.state();
        match feature {
            "multi_currency" => features::multi_currency(&mut state),
            "person_accounts" => features::person_accounts(&mut state),
            _ => return false,
        }
        true
    }

    /// Adds a field to an object, or replaces the one of that name. The field is described as
    /// the control API does: `{"name": "X__c", "type": "string", "length": 40, …}`.
    pub fn add_field(&self, object: &str, field: &NewField) -> Result<(), Refused> {
        self.alter(object, |table| {
            table.object.add(field.build());
            Ok(())
        })
    }

    /// Alters a field: cut its length, change its type, hide it, make it read-only.
    pub fn change_field(
        &self,
        object: &str,
        field: &str,
        patch: &FieldPatch,
    ) -> Result<(), Refused> {
        self.alter(object, |table| {
            let slot = table.object.slot(field);
            match slot.and_then(|slot| table.object.fields.get_mut(slot)) {
                Some(found) => {
                    patch.apply(found);
                    Ok(())
                }
                None => Err(Refused::new("INVALID_FIELD", format!("no field {field}"))),
            }
        })
    }

    /// Takes a field and its values out of an object.
    pub fn remove_field(&self, object: &str, field: &str) -> Result<(), Refused> {
        self.alter(object, |table| match table.object.remove(field) {
            Some(slot) => {
                table.clear_slot(slot);
                Ok(())
            }
            None => Err(Refused::new("INVALID_FIELD", format!("no field {field}"))),
        })
    }

    fn alter(
        &self,
        object: &str,
        change: impl FnOnce(&mut crate::org::table::Table) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut state = self.state();
        let now = state.clock.now_s();
        let table = state.table_at(object).and_then(|at| state.tables.get_mut(at));
        let Some(table) = table else {
            return Err(Refused::new("INVALID_TYPE", format!("no object {object}")));
        };
        change(table)?;
        table.object.changed_at = now;
        table.reindex();
        let of_people = table.object.name == "Contact";
        if of_people {
            features::person_fields(&mut state);
        }
        Ok(())
    }
}
