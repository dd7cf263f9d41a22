//! The row of `Organization`.

use super::state::State;
use super::table::Record;
use super::value::Value;
use crate::schema::slots;

impl State {
    /// Puts the org's own row; whether it is a sandbox is told by it.
    pub(crate) fn add_organization(&mut self, sandbox: bool) {
        let (id, now_s) = (self.org_id, self.clock.now_s());
        let Some(table) = self.table_at("Organization").and_then(|at| self.tables.get_mut(at))
        else {
            return;
        };
        let mut row = Record::new(id);
        for slot in [slots::CREATED_DATE, slots::LAST_MODIFIED_DATE, slots::SYSTEM_MODSTAMP] {
            row.set(slot, Value::DateTime(now_s));
        }
        let values = [
            ("Name", Value::text("Simulated Org")),
            ("OrganizationType", Value::text("Developer Edition")),
            ("InstanceName", Value::text("SIM1")),
            ("IsSandbox", Value::Bool(sandbox)),
            ("TimeZoneSidKey", Value::text("GMT")),
            ("LanguageLocaleKey", Value::text("en_US")),
        ];
        for (name, value) in values {
            if let Some(slot) = table.object.slot(name) {
                row.set(slot, value);
            }
        }
        table.put(id, Some(row));
    }
}
