//! Rows of answers, and how they become records.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use syncline_sdk::{
    Absence, Actor, ActorKind, Error, ErrorKind, Key, Record, Result, Selection, Value,
};

use super::codec::{self, Wire};
use super::describe::Described;
use super::record_type::RECORD_TYPE;
use crate::id::{id18, is_user};
use crate::org::plain_name;
use crate::version::Stamp;

/// One row, its values in their exact text.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Row<'a>(#[serde(borrow)] HashMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Row<'a> {
    /// The value of a field or of a path through relations (`Owner.Alias`); nothing when the
    /// row does not show it.
    fn raw(&self, path: &str) -> Option<Cow<'a, RawValue>> {
        let Some((relation, rest)) = path.split_once('.') else {
            return self.0.get(path).map(|raw| Cow::Borrowed(*raw));
        };
        let raw = *self.0.get(relation)?;
        if raw.get() == "null" {
            return Some(Cow::Borrowed(raw));
        }
        let related: Row<'_> = serde_json::from_str(raw.get()).ok()?;
        related.raw(rest).map(|raw| Cow::Owned(raw.into_owned()))
    }
    /// The value of a field, as its type travels; absent when the row does not show it.
    pub(crate) fn value(&self, path: &str, wire: Wire) -> Value {
        self.raw(path).map_or(Value::Absent, |raw| codec::decode(wire, &raw))
    }
    /// The text of a field, when it is a text.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        serde_json::from_str(self.raw(path)?.get()).ok()
    }
    /// The record's own id.
    pub(crate) fn id(&self) -> Option<String> {
        id18(&self.text("Id").or_else(|| self.text("id"))?)
    }
}

/// One page of a query.
#[derive(Debug, Deserialize)]
pub(crate) struct QueryAnswer<'a> {
    pub(crate) done: bool,
    #[serde(rename = "nextRecordsUrl")]
    pub(crate) next: Option<String>,
    #[serde(borrow)]
    pub(crate) records: Vec<Row<'a>>,
}

/// What a row shows.
#[derive(Debug)]
pub(crate) enum Shown {
    /// A record.
    Live(Record),
    /// A record of the recycle bin.
    Gone(Key, Absence),
}

/// How rows of one selection are read.
#[derive(Debug)]
pub(crate) struct RowPlan {
    entity: String,
    columns: Vec<String>,
    values: Vec<Option<(String, Wire)>>,
    external_id: Option<String>,
    marker: Option<String>,
    actor: Option<String>,
    stamp: &'static str,
    related: bool,
}

const SYSTEM: [&str; 3] = ["LastModifiedById", "IsDeleted", "MasterRecordId"];

impl RowPlan {
    /// Plans the reading of a selection. Fields that these credentials cannot see (no longer)
    /// are not asked for and come as absent.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] when the entity shows no stamp, or a field of the filter is hidden:
    /// without it every record would seem to pass.
    pub(crate) fn new(selection: &Selection, described: &Described) -> Result<Self> {
        let stamp = described.stamp.ok_or_else(|| {
            let what = format!("{} has no field that moves with a change", selection.entity);
            Error::new(ErrorKind::Schema, "read", what).advise("map another entity")
        })?;
        let mut needed = selection.filter.iter().flat_map(|filter| filter.fields());
        if let Some(hidden) = needed.find(|field| !described.shows(field)) {
            let entity = &selection.entity;
            let what = format!("{hidden} of {entity}, which the filter asks for, is not there");
            return Err(Error::new(ErrorKind::Schema, "read", what).advise(
                "give the integration user the right to read it, or take it out of the `where`; \
                 until then no records are read",
            ));
        }
        let mut columns = vec!["Id".to_owned(), stamp.to_owned()];
        let add = |columns: &mut Vec<String>, name: &str| {
            if !columns.iter().any(|column| column == name) {
                columns.push(name.to_owned());
            }
        };
        for name in SYSTEM.into_iter().filter(|name| described.has(name)) {
            add(&mut columns, name);
        }
        let known = |name: &str| {
            let related = || {
                let path = name.contains('.') && name != RECORD_TYPE;
                (path && name.split('.').all(plain_name)).then_some(Wire::Related)
            };
            let wire = described.field(name).map(|facts| facts.wire).or_else(related);
            wire.filter(|wire| *wire != Wire::Opaque)
        };
        let seen = |field: &Option<syncline_sdk::FieldName>| {
            let name = field.as_ref()?.as_str();
            known(name).map(|_| name.to_owned())
        };
        let [external_id, marker, actor] =
            [&selection.external_id, &selection.marker, &selection.actor].map(seen);
        let values: Vec<Option<(String, Wire)>> = selection
            .fields
            .iter()
            .map(|field| known(field.as_str()).map(|wire| (field.as_str().to_owned(), wire)))
            .collect();
        let named = [&external_id, &marker, &actor].into_iter().flatten();
        for name in named.chain(values.iter().flatten().map(|(name, _)| name)) {
            add(&mut columns, name);
        }
        let related = columns.iter().any(|column| column.contains('.'));
        let entity = selection.entity.as_str().to_owned();
        Ok(Self { entity, columns, values, external_id, marker, actor, stamp, related })
    }
    /// The fields to ask for.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }
    /// The fields as a select list.
    pub(crate) fn select(&self) -> String {
        format!("SELECT {} FROM {}", self.columns.join(", "), self.entity)
    }
    /// The stamp's field.
    pub(crate) fn stamp_field(&self) -> &'static str {
        self.stamp
    }
    /// The stamp of a row.
    pub(crate) fn stamp(&self, row: &Row<'_>) -> Option<Stamp> {
        codec::instant(&row.text(self.stamp)?).map(Stamp::from_instant)
    }
    /// Whether a field is read through a relation, which only queries can.
    pub(crate) fn related(&self) -> bool {
        self.related
    }
    /// Whether deleted records can be told from live ones.
    pub(crate) fn tells_deleted(&self) -> bool {
        self.columns.iter().any(|column| column == "IsDeleted")
    }

    /// The record of a row. `floor` is the server's clock at the read, `own` the id of our own
    /// user.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when the row shows no id or stamp.
    pub(crate) fn shown(
        &self,
        row: &Row<'_>,
        floor: Option<Stamp>,
        own: Option<&str>,
    ) -> Result<Shown> {
        let broken = |what: &str| {
            Error::new(ErrorKind::Protocol, "read", format!("a row of {} {what}", self.entity))
        };
        let id = row.id().ok_or_else(|| broken("shows no id"))?;
        let stamp = self.stamp(row).ok_or_else(|| broken(&format!("shows no {}", self.stamp)))?;
        let key = Key::new(id);
        let record = self.record(row, key.clone(), stamp, floor, own);
        if row.raw("IsDeleted").is_none_or(|raw| raw.get() != "true") {
            return Ok(Shown::Live(record));
        }
        let absence = match row.text("MasterRecordId").and_then(|id| id18(&id)) {
            Some(winner) => Absence::MergedInto(Key::new(winner)),
            None => Absence::Deleted {
                by: Some(record.actor.clone()),
                at: Some(stamp.instant()),
                image: Some(Box::new(record)),
            },
        };
        Ok(Shown::Gone(key, absence))
    }

    fn record(
        &self,
        row: &Row<'_>,
        key: Key,
        stamp: Stamp,
        floor: Option<Stamp>,
        own: Option<&str>,
    ) -> Record {
        let values = self.values.iter().map(|value| match value {
            Some((name, wire)) => row.value(name, *wire),
            None => Value::Absent,
        });
        let text = |name: &Option<String>| row.text(name.as_deref()?);
        Record {
            key,
            version: stamp.version(),
            values: values.collect(),
            external_id: text(&self.external_id).and_then(|text| text.parse().ok()),
            marker: text(&self.marker).map(Arc::from),
            actor: self.actor(row, own),
            changed_at: Some(stamp.instant()),
            closed: floor.is_some_and(|floor| floor > stamp),
        }
    }

    /// Who changed the row last; of a row in the recycle bin, who deleted it. That it was our
    /// own user never proves that the change is only ours: triggers and flows run as the user
    /// that called (protocol E3).
    fn actor(&self, row: &Row<'_>, own: Option<&str>) -> Actor {
        let by = row.text("LastModifiedById").and_then(|id| id18(&id));
        let kind = match &by {
            Some(id) if Some(id.as_str()) == own => ActorKind::Sync,
            Some(id) if is_user(id) => ActorKind::Person,
            _ => ActorKind::Unknown,
        };
        let named = self.actor.as_deref().and_then(|name| row.text(name));
        Actor { id: named.or(by).map(Arc::from), kind }
    }
}

#[cfg(test)]
mod tests;
