//! Commits: the one place where rows change.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_sdk::{Actor, EntityName, FieldName, Instant, Key, Value};

use super::row::{Row, Slot, State};
use super::stream::{StreamEntry, Told};
use super::world::{Errand, Lock, World};
use crate::history::{Event, LogEntry, Origin, ReadSet};
use crate::profile::later;

/// Who changes something, and in which transaction.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    /// The commit.
    pub sequence: u64,
    /// The system's clock when the transaction began.
    pub stamped: Instant,
    pub actor: Actor,
    pub origin: Option<Origin>,
    /// The marker of the batch, as it appears in the stream.
    pub marker: Option<Arc<str>>,
    pub read: Option<Arc<ReadSet>>,
    /// Set for the errand of a delayed automation, which sets off no other.
    pub errand: bool,
    /// The place in the batch, for creates.
    pub ordinal: i32,
}

impl World {
    /// A transaction that begins and commits now.
    pub fn author(&mut self, actor: &Actor, read: Option<Arc<ReadSet>>) -> Author {
        self.sequence += 1;
        Author {
            sequence: self.sequence,
            stamped: self.clock(),
            actor: actor.clone(),
            origin: None,
            marker: None,
            read,
            errand: false,
            ordinal: 0,
        }
    }

    /// Creates a row. The values are checked already.
    pub fn create_row(
        &mut self,
        author: &Author,
        entity: &EntityName,
        key: Key,
        given: Vec<(FieldName, Value)>,
    ) {
        let Some(table) = self.tables.get_mut(entity) else {
            return;
        };
        let mut values: BTreeMap<FieldName, Value> = table
            .model
            .schema
            .fields
            .iter()
            .map(|field| (field.name.clone(), Value::Null))
            .collect();
        if let Some(name) = table.model.key_field() {
            values.insert(name.clone(), Value::text(key.as_str()));
        }
        let row = Row {
            key: key.clone(),
            state: State::Live,
            values,
            sequence: author.sequence,
            stamped: author.stamped,
            actor: author.actor.clone(),
            created: (author.sequence, author.ordinal),
            hidden: false,
        };
        table.rows.insert(key.clone(), Slot::new(row));
        self.record(author, entity, &key, Event::Created);
        self.save_row(author, entity, &key, given, true);
    }

    /// Writes fields of a living row: normalises, runs automations, tells the stream.
    pub fn save_row(
        &mut self,
        author: &Author,
        entity: &EntityName,
        key: &Key,
        given: Vec<(FieldName, Value)>,
        creation: bool,
    ) {
        let Some(table) = self.tables.get_mut(entity) else {
            return;
        };
        let model = table.model.clone();
        let Some(slot) = table.rows.get_mut(key) else {
            return;
        };
        slot.keep(author.sequence);
        let before = slot.row.values.clone();
        let mut events = Vec::new();
        for (field, value) in given {
            let new = model.stored(&field, value.clone());
            slot.row.values.insert(field.clone(), new);
            events.push((field, value, false));
        }
        let mut errands = Vec::new();
        for rule in &model.automations {
            let now = slot.row.value(&rule.on);
            if author.errand || before.get(&rule.on) == Some(&now) || now.is_null() {
                continue;
            }
            let value = rule.to.from(&now);
            if let Some(delay) = rule.delay {
                errands.push((delay, rule.set.clone(), value));
            } else {
                let new = model.stored(&rule.set, value.clone());
                slot.row.values.insert(rule.set.clone(), new);
                events.push((rule.set.clone(), value, true));
            }
        }
        slot.row.sequence = author.sequence;
        slot.row.stamped = author.stamped;
        slot.row.actor = author.actor.clone();
        let mut image = slot.row.values.clone();
        if !creation {
            for field in &model.out_of_line {
                if image.get(field) == before.get(field) {
                    image.insert(field.clone(), Value::Absent);
                }
            }
        }
        let after = slot.row.values.clone();
        for (field, given, automatic) in events {
            let old = if creation {
                Value::Absent
            } else {
                before.get(&field).cloned().unwrap_or_default()
            };
            let new = after.get(&field).cloned().unwrap_or_default();
            let event = Event::Field { field, old, given, new, automatic };
            self.record(author, entity, key, event);
        }
        for (delay, field, value) in errands {
            let number = self.number();
            let errand = Errand { entity: entity.clone(), key: key.clone(), field, value };
            self.errands.insert((later(self.now, delay), number), errand);
        }
        self.tell(author, entity, key, None, Told::Upsert(image));
    }

    /// Changes whether a row is there.
    pub fn move_row(
        &mut self,
        author: &Author,
        entity: &EntityName,
        key: &Key,
        state: State,
        event: Event,
    ) {
        let Some(slot) = self.tables.get_mut(entity).and_then(|table| table.rows.get_mut(key))
        else {
            return;
        };
        slot.keep(author.sequence);
        let was_live = slot.row.is_live();
        slot.row.state = state;
        slot.row.sequence = author.sequence;
        slot.row.stamped = author.stamped;
        slot.row.actor = author.actor.clone();
        let is_live = slot.row.is_live();
        let image = slot.row.values.clone();
        let truncated = event == Event::Truncated;
        self.record(author, entity, key, event);
        match (was_live, is_live) {
            (_, true) => self.tell(author, entity, key, None, Told::Upsert(image)),
            (true, false) if !truncated => self.tell(author, entity, key, None, Told::Delete),
            _ => {}
        }
    }

    pub fn record(&mut self, author: &Author, entity: &EntityName, key: &Key, event: Event) {
        self.log.push(LogEntry {
            sequence: author.sequence,
            at: self.now,
            stamped: author.stamped,
            entity: entity.clone(),
            key: key.clone(),
            event,
            actor: author.actor.clone(),
            origin: author.origin.clone(),
            read: author.read.clone(),
        });
    }
    pub fn tell(
        &mut self,
        author: &Author,
        entity: &EntityName,
        key: &Key,
        old_key: Option<Key>,
        told: Told,
    ) {
        self.stream.entries.push(StreamEntry {
            sequence: author.sequence,
            entity: entity.clone(),
            key: key.clone(),
            old_key,
            told,
            marker: author.marker.clone(),
            actor: author.actor.clone(),
            at: author.stamped,
        });
        self.wake();
    }

    pub fn run_errand(&mut self, errand: Errand) {
        let Errand { entity, key, field, value } = errand;
        if self.live(&entity, &key).is_none() {
            return;
        }
        if let Some(Lock::Open(_)) = self.locks.get(&(entity.clone(), key.clone())) {
            // The row is held by an open transaction: the automation comes again a second later.
            let number = self.number();
            let due = Instant::from_micros(self.now.micros().saturating_add(1_000_000));
            let errand = Errand { entity, key, field, value };
            self.errands.insert((due, number), errand);
            return;
        }
        let actor =
            Actor { id: Some("automation".into()), kind: syncline_sdk::ActorKind::Automation };
        let mut author = self.author(&actor, None);
        author.errand = true;
        self.save_row(&author, &entity, &key, vec![(field, value)], false);
    }
}

/// What a transaction that is rolled back goes back to.
#[derive(Clone, Debug)]
pub(crate) struct SavePoint {
    tables: BTreeMap<EntityName, super::world::Table>,
    errands: BTreeMap<(Instant, u64), Errand>,
    log: usize,
    stream: usize,
}

impl World {
    pub fn save_point(&self) -> SavePoint {
        SavePoint {
            tables: self.tables.clone(),
            errands: self.errands.clone(),
            log: self.log.len(),
            stream: self.stream.entries.len(),
        }
    }
    pub fn roll_back(&mut self, saved: SavePoint) {
        self.tables = saved.tables;
        self.errands = saved.errands;
        self.log.truncate(saved.log);
        self.stream.entries.truncate(saved.stream);
    }
}
