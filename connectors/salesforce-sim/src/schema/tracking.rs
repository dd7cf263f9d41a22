//! Field history tracking: which fields of an object are tracked, and the object that keeps what
//! they were (object reference, `StandardObjectNameHistory`; help, field history tracking).

use super::build::{of_type, picklist, reference, text};
use super::field::FieldType;
use super::object::ObjectDef;
use crate::org::Refused;
use crate::org::state::State;

/// Tracked fields of an object, unless more are bought.
const TRACKED_MAX: usize = 20;

/// Tracks these fields of an object from now on, and no others. What was noted before stays.
pub(crate) fn track(state: &mut State, object: &str, fields: &[String]) -> Result<(), Refused> {
    let Some(at) = state.table_at(object) else {
        return Err(Refused::new("INVALID_TYPE", format!("no object {object}")));
    };
    if fields.len() > TRACKED_MAX {
        let what = format!("at most {TRACKED_MAX} fields of an object are tracked");
        return Err(Refused::new("LIMIT_EXCEEDED", what));
    }
    let Some(table) = state.tables.get_mut(at) else {
        return Ok(());
    };
    let mut slots = Vec::with_capacity(fields.len());
    for name in fields {
        match table.object.field(name) {
            // What the service keeps itself, formulas and compounds have no history.
            Some((slot, field)) if field.updateable && !field.calculated => slots.push(slot),
            _ => {
                let what = format!("{name} cannot be tracked on {object}");
                return Err(Refused::new("INVALID_FIELD", what));
            }
        }
    }
    for (slot, field) in table.object.fields.iter_mut().enumerate() {
        field.tracked = slots.contains(&slot);
    }
    let parent = table.object.name.clone();
    let known = table.object.history.clone();
    let mut names: Vec<String> =
        table.object.live().filter(|(_, it)| it.tracked).map(|(_, it)| it.name.clone()).collect();
    names.push(String::from("created"));
    if known.is_none() {
        let name = name_of(&parent);
        let prefix = history_prefix(state);
        table_of(state, at).history = Some(name.clone());
        state.add_object(history_object(&name, &parent, &prefix, &names));
    }
    Ok(())
}

fn table_of(state: &mut State, at: usize) -> &mut ObjectDef {
    &mut state.tables[at].object
}

/// `AccountHistory`, `Project__History`; the history of opportunities has a name of its own, since
/// `OpportunityHistory` is that of their stages.
fn name_of(object: &str) -> String {
    match object.strip_suffix("__c") {
        Some(stem) => format!("{stem}__History"),
        None if object == "Opportunity" => String::from("OpportunityFieldHistory"),
        None => format!("{object}History"),
    }
}

/// In a real org all such objects have the prefix `017`; here a prefix leads to one object.
fn history_prefix(state: &State) -> String {
    let taken = state.tables.iter().filter(|table| table.object.is_history).count();
    if taken == 0 { String::from("017") } else { format!("h{taken:02}") }
}

fn history_object(name: &str, parent: &str, prefix: &str, fields: &[String]) -> ObjectDef {
    let custom = parent.ends_with("__c");
    let (link, way) = match custom {
        true => (String::from("ParentId"), "Parent"),
        false => (format!("{parent}Id"), parent),
    };
    let values: Vec<&str> = fields.iter().map(String::as_str).collect();
    let fixed = [
        reference(&link, &link, &[parent], way).children("Histories", false).require(),
        text("DataType", "Datatype", 40),
        picklist("Field", "Changed Field", &values).restrict().require(),
        of_type("OldValue", "Old Value", FieldType::AnyType),
        of_type("NewValue", "New Value", FieldType::AnyType),
    ];
    let mut made = ObjectDef::new(name, name, name, prefix)
        .with(fixed.into_iter().map(super::field::FieldDef::read_only));
    for absent in ["LastModifiedDate", "LastModifiedById", "SystemModstamp"] {
        made.remove(absent);
    }
    made.createable = false;
    made.updateable = false;
    made.deletable = false;
    made.undeletable = false;
    made.is_history = true;
    made
}
