//! Field history: what the org noted of the fields that an administrator chose to track.
//!
//! The history of `Account` is rows of `AccountHistory`, that of `X__c` rows of `X__History`
//! (object reference, StandardObjectNameHistory). It has the grain of a second, and within one
//! second no order; of long texts and multi-selects it tells that they changed, not how; and
//! nothing says which fields are tracked. So it is told as it is, and no promise rests on it.

use syncline_sdk::{
    Actor, ActorKind, Error, ErrorKind, FieldName, HistoryEntry, HistoryRequest, Result, Value,
};

use crate::id::{id18, is_user};
use crate::limits::LOOKUP_ROWS_MAX;
use crate::org::{Org, unreadable};
use crate::version::Stamp;
use crate::wire::{Described, QueryAnswer, Row, Wire, instant, quoted};

const READ: &str = "read history";

/// The past changes of a record, oldest first, as far as seconds tell.
///
/// # Errors
/// `Unsupported` where the entity keeps no history, or our user may not see it.
pub(crate) async fn history(org: &Org, request: &HistoryRequest) -> Result<Vec<HistoryEntry>> {
    let entity = &request.entity;
    let described = org.described(entity).await?;
    let place = Place::of(entity.as_str());
    let kept = org.described(&place.object.as_str().into()).await.map_err(|error| {
        if error.kind != ErrorKind::Schema {
            return error;
        }
        let what = format!("{entity} keeps no history that the integration user may see");
        Error::new(ErrorKind::Unsupported, READ, what)
            .advise("enable it in Setup, under Set History Tracking, for the fields in question")
    })?;
    let id = id18(request.key.as_str()).ok_or_else(|| {
        let what = format!("{entity}: {:?} is not a record id", request.key);
        Error::new(ErrorKind::Invalid, READ, what)
    })?;
    let soql = statement(&place, &kept, &id, Stamp::of(&request.after));
    let mut reply = org.query(READ, entity, &soql, false).await?;
    let reading = Reading { described: &described, fields: &request.fields, own: org.own_user() };
    let mut entries = Vec::new();
    loop {
        let answer: QueryAnswer<'_> =
            serde_json::from_slice(&reply.body).map_err(|error| unreadable(READ, entity, error))?;
        entries.extend(answer.records.iter().filter_map(|row| reading.entry(row)));
        if entries.len() > LOOKUP_ROWS_MAX {
            let what = format!("{entity}: {id} has more than {LOOKUP_ROWS_MAX} changes");
            return Err(Error::new(ErrorKind::Config, READ, what));
        }
        let Some(next) = answer.next.filter(|_| !answer.done) else {
            return Ok(entries);
        };
        reply = org.query_next(READ, entity, &next).await?;
    }
}

/// Where an entity's history is.
#[derive(PartialEq, Eq, Debug)]
struct Place {
    object: String,
    /// The field that points at the record.
    parent: String,
}

impl Place {
    fn of(entity: &str) -> Self {
        let (object, parent) = match entity.strip_suffix("__c") {
            Some(stem) => (format!("{stem}__History"), "ParentId".to_owned()),
            // `OpportunityHistory` is the history of stages.
            None if entity == "Opportunity" => {
                ("OpportunityFieldHistory".to_owned(), "OpportunityId".to_owned())
            }
            None => (format!("{entity}History"), format!("{entity}Id")),
        };
        Self { object, parent }
    }
}

/// The changes after a second. A closed reading has seen all of its own second.
fn statement(place: &Place, kept: &Described, id: &str, after: Option<Stamp>) -> String {
    let Place { object, parent } = place;
    // Older versions do not tell the type.
    let kind = if kept.has("DataType") { ", DataType" } else { "" };
    let since = after.map(|stamp| format!(" AND CreatedDate > {}", stamp.soql()));
    format!(
        "SELECT Id, Field, OldValue, NewValue, CreatedById, CreatedDate{kind} FROM {object} \
         WHERE {parent} = {}{} ORDER BY CreatedDate, Id",
        quoted(id),
        since.unwrap_or_default()
    )
}

struct Reading<'a> {
    described: &'a Described,
    fields: &'a [FieldName],
    own: Option<String>,
}

impl Reading<'_> {
    /// What a row tells; nothing of a field that was not asked for.
    fn entry(&self, row: &Row<'_>) -> Option<HistoryEntry> {
        let named = row.text("Field")?;
        let field = self.fields.iter().find(|field| is_named(field.as_str(), &named))?;
        let wire = self.described.field(field.as_str())?.wire;
        let (old, new) = (row.value("OldValue", wire), row.value("NewValue", wire));
        // A reference is noted twice: by names, which people read, and by ids.
        if wire == Wire::Id && !points(row, &old, &new) {
            return None;
        }
        let kept = old != Value::Null || new != Value::Null;
        let (old, new) = if kept { (old, new) } else { (Value::Absent, Value::Absent) };
        let by = row.text("CreatedById").and_then(|id| id18(&id));
        let kind = match &by {
            Some(id) if Some(id) == self.own.as_ref() => ActorKind::Sync,
            Some(id) if is_user(id) => ActorKind::Person,
            _ => ActorKind::Unknown,
        };
        Some(HistoryEntry {
            field: field.clone(),
            old,
            new,
            actor: Actor { id: by.map(std::sync::Arc::from), kind },
            at: row.text("CreatedDate").and_then(|text| instant(&text)),
        })
    }
}

/// Whether a row of that name is about a field. Standard references are noted under the name of
/// their relationship.
fn is_named(field: &str, row: &str) -> bool {
    field == row || (!field.ends_with("__c") && field.strip_suffix("Id") == Some(row))
}

/// Whether a row of a reference is the one with the ids.
fn points(row: &Row<'_>, old: &Value, new: &Value) -> bool {
    match row.text("DataType") {
        Some(kind) => kind == "EntityId",
        None => [old, new].into_iter().all(|value| match value.as_text() {
            Some(text) => id18(text).is_some(),
            None => true,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entity_has_a_history_of_its_own() {
        let place = |object: &str, parent: &str| Place {
            object: object.to_owned(),
            parent: parent.to_owned(),
        };
        assert_eq!(Place::of("Account"), place("AccountHistory", "AccountId"));
        assert_eq!(Place::of("Job__c"), place("Job__History", "ParentId"));
        let field = place("OpportunityFieldHistory", "OpportunityId");
        assert_eq!(Place::of("Opportunity"), field);
    }

    #[test]
    fn a_reference_is_found_by_its_relationship() {
        assert!(is_named("OwnerId", "Owner") && is_named("OwnerId", "OwnerId"));
        assert!(is_named("Phone", "Phone") && !is_named("Phone", "Fax"));
        assert!(!is_named("ValidId__c", "Valid"));
    }
}
