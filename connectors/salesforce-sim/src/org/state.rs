//! Everything an org holds, and the few primitive moves on it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::clock::Clock;
use super::ids::{Id, digit};
use super::locks::{LockKey, Locks};
use super::settings::Settings;
use super::table::{Record, Table, key_of};
use super::txn::{Actor, Change, Savepoint, Txn};
use crate::bulk::Jobs;
use crate::faults::Faults;
use crate::history::Entry;
use crate::limits::Usage;
use crate::oauth::Logins;
use crate::outbound::Outbound;
use crate::rest::Cursors;
use crate::rest::RequestLog;
use crate::save::{DuplicateRule, FlowRule};
use crate::schema::ObjectDef;

/// The whole org. One mutex guards it; no method waits.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) org_id: Id,
    pub(crate) tables: Vec<Table>,
    by_name: HashMap<String, usize>,
    by_prefix: HashMap<String, usize>,
    instance: [u8; 2],
    counters: HashMap<String, u64>,
    pub(crate) rng: StdRng,
    pub(crate) logins: Logins,
    pub(crate) locks: Locks,
    pub(crate) held: BTreeMap<u64, Txn>,
    pub(crate) history: Vec<Entry>,
    txns: u64,
    commits: u64,
    pub(crate) faults: Faults,
    pub(crate) requests: RequestLog,
    pub(crate) usage: Usage,
    pub(crate) cursors: Cursors,
    pub(crate) jobs: Jobs,
    pub(crate) flows: Vec<FlowRule>,
    pub(crate) outbound: Outbound,
    pub(crate) duplicate_rules: Vec<DuplicateRule>,
    /// Object → the record type of a create that names none.
    pub(crate) default_record_types: HashMap<String, Id>,
    /// Record types that users of the API may not give to records.
    pub(crate) withheld_record_types: HashSet<Id>,
    /// The delete log reaches back to here, seconds.
    pub(crate) delete_log_from_s: i64,
}

impl State {
    pub(crate) fn new(seed: u64, settings: Settings, objects: Vec<ObjectDef>) -> Self {
        let instance = [digit(seed / 62 + 5), digit(seed + 42)];
        let clock = Clock::default();
        let mut made = Self {
            settings,
            clock,
            org_id: Id::of_number("00D", instance, 1 + seed),
            tables: Vec::new(),
            by_name: HashMap::new(),
            by_prefix: HashMap::new(),
            instance,
            counters: HashMap::new(),
            rng: StdRng::seed_from_u64(seed),
            logins: Logins::default(),
            locks: Locks::default(),
            held: BTreeMap::new(),
            history: Vec::new(),
            txns: 0,
            commits: 0,
            faults: Faults::default(),
            requests: RequestLog::default(),
            usage: Usage::default(),
            cursors: Cursors::default(),
            jobs: Jobs::default(),
            flows: Vec::new(),
            outbound: Outbound::default(),
            duplicate_rules: Vec::new(),
            default_record_types: HashMap::new(),
            withheld_record_types: HashSet::new(),
            delete_log_from_s: clock.now_s() - 15 * 24 * 3600,
        };
        for object in objects {
            made.add_object(object);
        }
        made
    }

    pub(crate) fn add_object(&mut self, mut object: ObjectDef) -> usize {
        object.changed_at = self.clock.now_s();
        let at = self.tables.len();
        self.by_name.insert(object.name.to_ascii_lowercase(), at);
        self.by_prefix.insert(object.prefix.clone(), at);
        self.tables.push(Table::new(object));
        at
    }

    /// The next free key prefix of a custom object, `a01`, `a02` ….
    pub(crate) fn free_prefix(&self) -> String {
        let mut number = 1_u64;
        loop {
            let prefix = ["a".to_owned(), one(digit(number / 62)), one(digit(number))].concat();
            if !self.by_prefix.contains_key(&prefix) {
                return prefix;
            }
            number += 1;
        }
    }

    /// The table of an object; names match in any case.
    pub(crate) fn table_at(&self, name: &str) -> Option<usize> {
        match self.by_name.get(name) {
            Some(&at) => Some(at),
            None => self.by_name.get(&name.to_ascii_lowercase()).copied(),
        }
    }

    pub(crate) fn table(&self, at: usize) -> Option<&Table> {
        self.tables.get(at)
    }

    pub(crate) fn table_named(&self, name: &str) -> Option<&Table> {
        self.table(self.table_at(name)?)
    }

    /// The table that an id belongs to.
    pub(crate) fn table_of(&self, id: Id) -> Option<usize> {
        self.by_prefix.get(id.prefix()).copied()
    }

    /// A row by id, live or deleted, with its table.
    pub(crate) fn row(&self, id: Id) -> Option<(usize, &Record)> {
        let at = self.table_of(id)?;
        Some((at, self.table(at)?.get(id)?))
    }

    pub(crate) fn new_id(&mut self, prefix: &str) -> Id {
        let number = self.next_number(prefix);
        Id::of_number(prefix, self.instance, number)
    }

    /// 1, 2, 3 … per name: ids and auto-numbers.
    pub(crate) fn next_number(&mut self, name: &str) -> u64 {
        let counter = self.counters.entry(name.to_owned()).or_insert(0);
        *counter += 1;
        *counter
    }

    /// Random base-62 text, reproducible per seed.
    pub(crate) fn random_text(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(digit(self.rng.random_range(0..62)))).collect()
    }

    /// Opens a transaction whose stamp is the current second.
    pub(crate) fn begin(&mut self, actor: Actor) -> Txn {
        self.txns += 1;
        let started_ms = self.clock.now_ms();
        Txn {
            id: self.txns,
            actor,
            stamp_s: started_ms.div_euclid(1000),
            started_ms,
            changes: Vec::new(),
            events: Vec::new(),
            blocked: Vec::new(),
            wait_over: false,
            auto_assign: false,
            allow_duplicates: false,
        }
    }

    /// Writes a row within a transaction.
    pub(crate) fn put(&mut self, txn: &mut Txn, table: usize, id: Id, row: Option<Record>) {
        let Some(place) = self.tables.get_mut(table) else {
            return;
        };
        let after = row.clone();
        let before = place.put(id, row);
        txn.changes.push(Change { table, id, before, after });
    }

    /// Takes back everything after a savepoint.
    pub(crate) fn rollback_to(&mut self, txn: &mut Txn, savepoint: Savepoint) {
        txn.events.truncate(savepoint.events);
        while txn.changes.len() > savepoint.changes {
            let Some(change) = txn.changes.pop() else {
                break;
            };
            if let Some(table) = self.tables.get_mut(change.table) {
                table.put(change.id, change.before);
            }
        }
    }

    /// Takes back everything.
    pub(crate) fn rollback(&mut self, txn: &mut Txn) {
        self.rollback_to(txn, Savepoint { changes: 0, events: 0 });
    }

    /// Makes a transaction part of the history, at this instant.
    pub(crate) fn commit(&mut self, txn: Txn) {
        if txn.events.is_empty() {
            return;
        }
        self.commits += 1;
        let committed_ms = self.clock.now_ms();
        for change in &txn.changes {
            if change.after.is_none()
                && let Some(table) = self.tables.get_mut(change.table)
            {
                table.purged.insert(change.id);
            }
        }
        self.queue_outbound(txn.actor.user, &txn.events);
        let actor = Arc::new(txn.actor);
        for event in txn.events {
            self.history.push(Entry {
                seq: self.history.len() as u64 + 1,
                txn: txn.id,
                commit: self.commits,
                actor: Arc::clone(&actor),
                stamp_s: txn.stamp_s,
                started_ms: txn.started_ms,
                committed_ms,
                event,
            });
        }
    }

    /// Leaves a transaction open: its rows go back to what others may see, and are locked
    /// until [`State::commit_held`].
    pub(crate) fn hold(&mut self, txn: Txn) {
        for change in txn.changes.iter().rev() {
            if let Some(table) = self.tables.get_mut(change.table) {
                table.put(change.id, change.before.clone());
            }
        }
        for change in &txn.changes {
            self.locks.take(LockKey::Row(change.id), txn.id, None);
            let Some(table) = self.tables.get(change.table) else {
                continue;
            };
            let Some(after) = &change.after else { continue };
            for (slot, field) in table.object.live().filter(|(_, field)| field.unique) {
                if let Some(key) = key_of(field, after.get(slot)) {
                    self.locks.take(LockKey::Key(change.table, slot, key), txn.id, None);
                }
            }
            for parent in self.parents(change.table, after) {
                self.locks.take(LockKey::Row(parent), txn.id, None);
            }
        }
        self.held.insert(txn.id, txn);
    }

    /// Commits a held transaction, if it is still held.
    pub(crate) fn commit_held(&mut self, id: u64) {
        let Some(txn) = self.held.remove(&id) else {
            return;
        };
        for change in &txn.changes {
            if let Some(table) = self.tables.get_mut(change.table) {
                table.put(change.id, change.after.clone());
            }
        }
        self.locks.release(id);
        self.commit(txn);
    }

    /// The rows that a save of `row` locks besides itself (error guide, `UNABLE_TO_LOCK_ROW`:
    /// master-detail parents and the account of a contact).
    pub(crate) fn parents(&self, table: usize, row: &Record) -> Vec<Id> {
        if !self.settings.lock_parents {
            return Vec::new();
        }
        let Some(table) = self.table(table) else {
            return Vec::new();
        };
        let parents = table.object.references().filter(|(_, field)| field.cascade_delete);
        parents.filter_map(|(slot, _)| row.get(slot).as_id()).collect()
    }

    /// Start of the oldest open transaction, seconds.
    pub(crate) fn oldest_open_s(&self) -> Option<i64> {
        self.held.values().map(|txn| txn.stamp_s).min()
    }
}

fn one(byte: u8) -> String {
    char::from(byte).to_string()
}

impl State {
    /// How late the next commit is by the settings, milliseconds.
    pub(crate) fn commit_jitter(&mut self) -> u64 {
        match self.settings.commit_jitter_ms {
            0 => 0,
            most => self.rng.random_range(0..=most),
        }
    }
}
