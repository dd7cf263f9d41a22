//! The rows of one object with their indexes. Every look-up the API offers by key is an index
//! look-up; nothing here scans.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ids::Id;
use super::value::Value;
use crate::schema::{FieldDef, FieldType, ObjectDef, slots};

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) id: Id,
    values: Vec<Value>,
    /// Set while the row lies in the recycle bin.
    pub(crate) deleted: Option<Deletion>,
}

/// How a row came into the recycle bin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deletion {
    pub(crate) by: Id,
    pub(crate) at_s: i64,
    /// The row whose deletion took this one along, or itself.
    pub(crate) root: Id,
}

impl Record {
    pub(crate) fn new(id: Id) -> Self {
        let mut made = Self { id, values: Vec::new(), deleted: None };
        made.set(slots::ID, Value::Id(id));
        made.set(slots::IS_DELETED, Value::Bool(false));
        made
    }

    pub(crate) fn get(&self, slot: usize) -> &Value {
        const NULL: &Value = &Value::Null;
        self.values.get(slot).unwrap_or(NULL)
    }

    pub(crate) fn set(&mut self, slot: usize, value: Value) {
        if self.values.len() <= slot {
            self.values.resize(slot + 1, Value::Null);
        }
        if let Some(place) = self.values.get_mut(slot) {
            *place = value;
        }
    }

    pub(crate) fn seconds(&self, slot: usize) -> i64 {
        self.get(slot).as_seconds().unwrap_or(0)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.deleted.is_none()
    }
}

/// All rows of an object, live and in the recycle bin.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) object: ObjectDef,
    rows: BTreeMap<Id, Record>,
    by_stamp: BTreeSet<(i64, Id)>,
    keys: HashMap<usize, HashMap<String, BTreeSet<Id>>>,
    refs: HashMap<usize, HashMap<Id, BTreeSet<Id>>>,
    bin: BTreeSet<(i64, Id)>,
    pub(crate) purged: BTreeSet<Id>,
    live: usize,
}

impl Table {
    pub(crate) fn new(object: ObjectDef) -> Self {
        let mut made = Self {
            object,
            rows: BTreeMap::new(),
            by_stamp: BTreeSet::new(),
            keys: HashMap::new(),
            refs: HashMap::new(),
            bin: BTreeSet::new(),
            purged: BTreeSet::new(),
            live: 0,
        };
        made.reindex();
        made
    }

    /// The row, live or deleted.
    pub(crate) fn get(&self, id: Id) -> Option<&Record> {
        self.rows.get(&id)
    }

    pub(crate) fn live_count(&self) -> usize {
        self.live
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Record> {
        self.rows.values()
    }

    /// Rows whose stamp lies in `[from, to]`, in the order of stamp and id.
    pub(crate) fn stamped(&self, from: i64, to: i64) -> impl Iterator<Item = &Record> {
        let range = (from, Id::LOWEST)..(to.saturating_add(1), Id::LOWEST);
        let empty = from > to;
        self.by_stamp
            .range(if empty { (0, Id::LOWEST)..(0, Id::LOWEST) } else { range })
            .filter_map(|(_, id)| self.rows.get(id))
    }

    /// Recycle-bin rows deleted in `[from, to]` seconds, oldest first.
    pub(crate) fn bin(&self, from: i64, to: i64) -> impl Iterator<Item = &Record> {
        let empty = from > to;
        let range = (from, Id::LOWEST)..(to.saturating_add(1), Id::LOWEST);
        self.bin
            .range(if empty { (0, Id::LOWEST)..(0, Id::LOWEST) } else { range })
            .filter_map(|(_, id)| self.rows.get(id))
    }

    /// Live rows that hold a key, in the order of their ids.
    pub(crate) fn with_key(&self, slot: usize, value: &Value) -> Vec<Id> {
        let Some(field) = self.object.fields.get(slot) else {
            return Vec::new();
        };
        let found = key_of(field, value).and_then(|key| self.keys.get(&slot)?.get(&key));
        found.map_or_else(Vec::new, |ids| ids.iter().copied().collect())
    }

    /// Has an index of the rows that point through this field.
    pub(crate) fn indexes_reference(&self, slot: usize) -> bool {
        self.refs.contains_key(&slot)
    }

    /// Live rows that point at `target` through a reference field.
    pub(crate) fn pointing(&self, slot: usize, target: Id) -> Vec<Id> {
        self.refs
            .get(&slot)
            .and_then(|by_target| by_target.get(&target))
            .map_or_else(Vec::new, |ids| ids.iter().copied().collect())
    }

    /// Puts, replaces or (with `None`) removes a row; gives what was there.
    pub(crate) fn put(&mut self, id: Id, row: Option<Record>) -> Option<Record> {
        match row {
            Some(row) => {
                self.purged.remove(&id);
                let before = self.rows.remove(&id);
                if let Some(old) = &before {
                    self.unindex(old);
                }
                self.index(&row);
                self.rows.insert(id, row);
                before
            }
            None => {
                let before = self.rows.remove(&id);
                if let Some(old) = &before {
                    self.unindex(old);
                }
                before
            }
        }
    }

    /// Builds the key and reference indexes anew, after a change of the schema.
    pub(crate) fn reindex(&mut self) {
        self.keys.clear();
        self.refs.clear();
        for (slot, field) in self.object.live() {
            if field.is_key() {
                self.keys.insert(slot, HashMap::new());
            }
            // Nobody looks for the rows of a user by their audit fields.
            let audit = matches!(slot, slots::CREATED_BY | slots::LAST_MODIFIED_BY);
            if field.ty == FieldType::Reference && !audit {
                self.refs.insert(slot, HashMap::new());
            }
        }
        let rows = std::mem::take(&mut self.rows);
        for row in rows.values().filter(|row| row.is_live()) {
            self.index_keys(row);
        }
        self.rows = rows;
    }

    /// Forgets a removed field's values.
    pub(crate) fn clear_slot(&mut self, slot: usize) {
        for row in self.rows.values_mut() {
            row.set(slot, Value::Null);
        }
        self.reindex();
    }

    fn index(&mut self, row: &Record) {
        self.by_stamp.insert((row.seconds(slots::SYSTEM_MODSTAMP), row.id));
        match &row.deleted {
            Some(deletion) => {
                self.bin.insert((deletion.at_s, row.id));
            }
            None => {
                self.live += 1;
                self.index_keys(row);
            }
        }
    }

    fn index_keys(&mut self, row: &Record) {
        for (slot, by_key) in &mut self.keys {
            let field = self.object.fields.get(*slot);
            if let Some(key) = field.and_then(|field| key_of(field, row.get(*slot))) {
                by_key.entry(key).or_default().insert(row.id);
            }
        }
        for (slot, by_target) in &mut self.refs {
            if let Some(target) = row.get(*slot).as_id() {
                by_target.entry(target).or_default().insert(row.id);
            }
        }
    }

    fn unindex(&mut self, row: &Record) {
        self.by_stamp.remove(&(row.seconds(slots::SYSTEM_MODSTAMP), row.id));
        if let Some(deletion) = &row.deleted {
            self.bin.remove(&(deletion.at_s, row.id));
            return;
        }
        self.live = self.live.saturating_sub(1);
        for (slot, by_key) in &mut self.keys {
            let field = self.object.fields.get(*slot);
            let Some(key) = field.and_then(|field| key_of(field, row.get(*slot))) else {
                continue;
            };
            if let Some(ids) = by_key.get_mut(&key) {
                ids.remove(&row.id);
                if ids.is_empty() {
                    by_key.remove(&key);
                }
            }
        }
        for (slot, by_target) in &mut self.refs {
            let Some(target) = row.get(*slot).as_id() else {
                continue;
            };
            if let Some(ids) = by_target.get_mut(&target) {
                ids.remove(&row.id);
                if ids.is_empty() {
                    by_target.remove(&target);
                }
            }
        }
    }
}

/// The text under which a key value is found: case folds unless the field is case-sensitive
/// (object reference, external ids).
pub(crate) fn key_of(field: &FieldDef, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) if field.case_sensitive => Some(text.to_string()),
        Value::Text(text) => Some(text.to_lowercase()),
        other => Some(other.display()),
    }
}
