//! Field history: what the org noted of the fields that an administrator chose to track.
//!
//! The history of `Account` is rows of `AccountHistory`, that of `X__c` rows of `X__History`
//! (object reference, StandardObjectNameHistory). It has the grain of a second, and within one
//! second no order; of long texts and multi-selects it tells that they changed, not how; and
//! nothing says which fields are tracked. So it is told as it is: what it shows is a finding, and
//! what it does not show proves nothing.

use std::collections::BTreeMap;

use syncline_sdk::{
    Actor, ActorKind, EntityName, Error, ErrorKind, FieldName, HistoryEntry, HistoryRequest, Key,
    Result, Value,
};

use crate::id::{id18, is_user};
use crate::limits::{HISTORY_IDS_MAX, LOOKUP_ROWS_MAX};
use crate::org::{Org, unreadable};
use crate::version::Stamp;
use crate::wire::{
    Described, QueryAnswer, RECORD_TYPE, RECORD_TYPE_ID, Row, Wire, instant, quoted,
};

const READ: &str = "read history";

/// The past changes of records, oldest first, as far as seconds tell.
///
/// # Errors
/// `Unsupported` where the entity keeps no history, or our user may not see it.
pub(crate) async fn history(org: &Org, request: &HistoryRequest) -> Result<Vec<HistoryEntry>> {
    let entity = &request.entity;
    let described = org.described(entity).await?;
    let place = Place::of(entity.as_str());
    let Some(kept) = org.described_if_there(&history_object(entity)).await? else {
        let what = format!("{entity} keeps no history that the integration user may see");
        return Err(Error::new(ErrorKind::Unsupported, READ, what)
            .advise("enable it in Setup, under Set History Tracking, for the fields in question"));
    };
    let asked = request.records.iter().map(|(key, after)| {
        let id = id18(key.as_str()).ok_or_else(|| {
            let what = format!("{entity}: {key:?} is not a record id");
            Error::new(ErrorKind::Invalid, READ, what)
        })?;
        Ok((id, (key.clone(), Stamp::of(after))))
    });
    let asked: Asked = asked.collect::<Result<_>>()?;
    let reading = Reading {
        described: &described,
        fields: &request.fields,
        place: &place,
        asked: &asked,
        own: org.own_user(),
    };
    let ids: Vec<&String> = asked.keys().collect();
    let mut entries = Vec::new();
    for ids in ids.chunks(HISTORY_IDS_MAX) {
        let since = ids.iter().map(|id| asked[*id].1).min().flatten();
        let soql = statement(&place, &kept, ids, since);
        read(org, &reading, entity, &soql, &mut entries).await?;
    }
    Ok(entries)
}

/// The records asked for by their ids, each with its name and the second from which on.
type Asked = BTreeMap<String, (Key, Option<Stamp>)>;

async fn read(
    org: &Org,
    reading: &Reading<'_>,
    entity: &EntityName,
    soql: &str,
    entries: &mut Vec<HistoryEntry>,
) -> Result<()> {
    let most = entries.len() + LOOKUP_ROWS_MAX;
    let mut reply = org.query(READ, entity, soql, false).await?;
    loop {
        let answer: QueryAnswer<'_> =
            serde_json::from_slice(&reply.body).map_err(|error| unreadable(READ, entity, error))?;
        entries.extend(answer.records.iter().filter_map(|row| reading.entry(row)));
        if entries.len() > most {
            let what = format!("{entity}: more than {LOOKUP_ROWS_MAX} changes of few records");
            return Err(Error::new(ErrorKind::Invalid, READ, what));
        }
        let Some(next) = answer.next.filter(|_| !answer.done) else {
            return Ok(());
        };
        reply = org.query_next(READ, entity, &next).await?;
    }
}

/// The object that keeps the history of an entity.
pub(crate) fn history_object(entity: &EntityName) -> EntityName {
    Place::of(entity.as_str()).object.as_str().into()
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

/// The changes from a second on: one that was stamped then may have been committed after the
/// second was over.
fn statement(place: &Place, kept: &Described, ids: &[&String], since: Option<Stamp>) -> String {
    let Place { object, parent } = place;
    // Older versions do not tell the type.
    let kind = if kept.has("DataType") { ", DataType" } else { "" };
    let since = since.map(|stamp| format!(" AND CreatedDate >= {}", stamp.soql()));
    let ids: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
    format!(
        "SELECT Id, {parent}, Field, OldValue, NewValue, CreatedById, CreatedDate{kind} \
         FROM {object} WHERE {parent} IN ({}){} ORDER BY CreatedDate, Id",
        ids.join(","),
        since.unwrap_or_default()
    )
}

struct Reading<'a> {
    described: &'a Described,
    fields: &'a [FieldName],
    place: &'a Place,
    asked: &'a Asked,
    own: Option<String>,
}

impl Reading<'_> {
    /// What a row tells; nothing of a field that was not asked for.
    fn entry(&self, row: &Row<'_>) -> Option<HistoryEntry> {
        let (key, since) = self.asked.get(&id18(&row.text(&self.place.parent)?)?)?;
        let at = row.text("CreatedDate").and_then(|text| instant(&text));
        let stamp = at.map(Stamp::from_instant);
        if stamp < *since {
            return None;
        }
        let named = row.text("Field")?;
        let field = self.fields.iter().find(|field| is_named(field.as_str(), &named))?;
        let wire = self.described.field(field.as_str())?.wire;
        let (old, new) = (row.value("OldValue", wire), row.value("NewValue", wire));
        // A reference is noted twice: by names, which people read, and by ids.
        if matches!(wire, Wire::Id | Wire::RecordType) && !points(row, &old, &new) {
            return None;
        }
        let (old, new) = match wire {
            Wire::RecordType => (self.record_type(old), self.record_type(new)),
            _ => (old, new),
        };
        let kept = old != Value::Null || new != Value::Null;
        let (old, new) = if kept { (old, new) } else { (Value::Absent, Value::Absent) };
        let by = row.text("CreatedById").and_then(|id| id18(&id));
        let kind = match &by {
            Some(id) if Some(id) == self.own.as_ref() => ActorKind::Sync,
            Some(id) if is_user(id) => ActorKind::Person,
            _ => ActorKind::Unknown,
        };
        Some(HistoryEntry {
            key: key.clone(),
            field: field.clone(),
            old,
            new,
            actor: Actor { id: by.map(std::sync::Arc::from), kind },
            version: stamp.map(Stamp::version).unwrap_or_default(),
            at,
        })
    }

    /// The developer name behind an id; nothing is told of one that is not there any more.
    fn record_type(&self, id: Value) -> Value {
        let types = &self.described.record_types;
        match id.as_text() {
            Some(text) => types.named(text).map_or(Value::Absent, Value::text),
            None => id,
        }
    }
}

/// Whether a row of that name is about a field. Standard references are noted under the name of
/// their relationship.
fn is_named(field: &str, row: &str) -> bool {
    let field = if field == RECORD_TYPE { RECORD_TYPE_ID } else { field };
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
        assert!(is_named("RecordType.DeveloperName", "RecordType"));
        assert!(!is_named("ValidId__c", "Valid"));
    }
}
