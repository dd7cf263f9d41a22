//! Rows that the service makes itself: the org, its record types, its currencies.

use super::ids::Id;
use super::state::State;
use super::table::Record;
use super::value::Value;
use crate::schema::slots;

impl State {
    /// Puts the org's own row; whether it is a sandbox is told by it.
    pub(crate) fn add_organization(&mut self, sandbox: bool) {
        let values = [
            ("Name", Value::text("Simulated Org")),
            ("OrganizationType", Value::text("Developer Edition")),
            ("InstanceName", Value::text("SIM1")),
            ("IsSandbox", Value::Bool(sandbox)),
            ("TimeZoneSidKey", Value::text("GMT")),
            ("LanguageLocaleKey", Value::text("en_US")),
        ];
        self.put_own_row("Organization", self.org_id, &values);
    }

    /// The record type of person accounts, where they are switched on.
    pub(crate) fn person_record_type(&self) -> Option<Id> {
        let types = self.table_named("RecordType")?;
        let slot = types.object.slot("IsPersonType")?;
        types.all().find(|row| row.get(slot).is_true()).map(|row| row.id)
    }

    /// The record types of an object, in the order in which they were made.
    pub(crate) fn record_types_of(&self, object: &str) -> Vec<Id> {
        let Some(types) = self.table_named("RecordType") else {
            return Vec::new();
        };
        let Some(slot) = types.object.slot("SobjectType") else {
            return Vec::new();
        };
        let of_object = types.all().filter(|row| row.get(slot).as_text() == Some(object));
        of_object.map(|row| row.id).collect()
    }

    /// Puts a row that no save made, outside of the history.
    pub(crate) fn put_own_row(&mut self, object: &str, id: Id, values: &[(&str, Value)]) {
        let now_s = self.clock.now_s();
        let Some(table) = self.table_at(object).and_then(|at| self.tables.get_mut(at)) else {
            return;
        };
        let mut row = table.get(id).cloned().unwrap_or_else(|| Record::new(id));
        for slot in [slots::CREATED_DATE, slots::LAST_MODIFIED_DATE, slots::SYSTEM_MODSTAMP] {
            row.set(slot, Value::DateTime(now_s));
        }
        for (name, value) in values {
            if let Some(slot) = table.object.slot(name) {
                row.set(slot, value.clone());
            }
        }
        table.put(id, Some(row));
    }

    /// Adds fields to an object that are not there yet, and fills live rows with their defaults.
    pub(crate) fn extend_object(
        &mut self,
        object: &str,
        fields: impl IntoIterator<Item = crate::schema::FieldDef>,
    ) {
        let now_s = self.clock.now_s();
        let Some(table) = self.table_at(object).and_then(|at| self.tables.get_mut(at)) else {
            return;
        };
        let ids: Vec<Id> = table.all().map(|row| row.id).collect();
        for field in fields {
            if table.object.slot(&field.name).is_some() {
                continue;
            }
            let default = field.default.clone();
            let slot = table.object.add(field);
            for id in ids.iter().filter(|_| !default.is_null()) {
                if let Some(mut row) = table.get(*id).cloned() {
                    row.set(slot, default.clone());
                    table.put(*id, Some(row));
                }
            }
        }
        table.object.changed_at = now_s;
        table.reindex();
    }
}
