//! What people and administrators do to a system.

use std::sync::Arc;

use syncline_sdk::{
    Actor, EntityName, Error, ErrorKind, FieldName, FieldType, Instant, Key, Result, Value,
};

use super::commit::Author;
use super::row::State;
use super::save::refused;
use super::stream::Told;
use super::world::{Lock, World};
use crate::history::{Event, ReadSet};

/// A transaction of a person that has been stamped and not committed.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub actor: Actor,
    pub entity: EntityName,
    pub key: Key,
    pub fields: Vec<(FieldName, Value)>,
    pub stamped: Instant,
    pub read: Option<Arc<ReadSet>>,
}

impl World {
    /// A row that a person may change now.
    fn reach(&self, entity: &EntityName, key: &Key) -> Result<()> {
        if self.live(entity, key).is_none() {
            let text = format!("{entity} {key} is not there");
            return Err(refused(ErrorKind::Invalid, text));
        }
        self.unlocked(entity, key)
    }
    fn unlocked(&self, entity: &EntityName, key: &Key) -> Result<()> {
        if self.is_locked(entity, key) {
            let text = format!("{entity} {key} is locked by somebody");
            return Err(refused(ErrorKind::Locked, text));
        }
        Ok(())
    }

    /// The next free key of an entity, or the one that the values give.
    pub fn new_key(&mut self, entity: &EntityName, values: &[(FieldName, Value)]) -> Result<Key> {
        let Some(table) = self.tables.get_mut(entity) else {
            let text = format!("there is no entity {entity}");
            return Err(refused(ErrorKind::Schema, text));
        };
        let named = table.model.key_field().and_then(|field| {
            values.iter().find(|(name, value)| name == field && !value.is_null())
        });
        if let Some((field, value)) = named {
            let key = Key::new(value.to_string());
            if table.rows.get(&key).is_some_and(|slot| slot.row.is_live()) {
                let text = format!("{entity} {key} exists already");
                return Err(refused(ErrorKind::Duplicate, text)
                    .field(field.as_str())
                    .code("DUPLICATE_VALUE"));
            }
            return Ok(key);
        }
        loop {
            table.last_key += 1;
            let key = Key::new(format!("{entity}-{:06}", table.last_key));
            if !table.rows.contains_key(&key) {
                return Ok(key);
            }
        }
    }

    pub fn create(
        &mut self,
        actor: &Actor,
        entity: &EntityName,
        fields: Vec<(FieldName, Value)>,
        read: Option<Arc<ReadSet>>,
    ) -> Result<Key> {
        self.check_values(entity, None, &fields)?;
        let key = self.new_key(entity, &fields)?;
        let author = self.author(actor, read);
        self.create_row(&author, entity, key.clone(), fields);
        Ok(key)
    }

    pub fn edit(
        &mut self,
        actor: &Actor,
        entity: &EntityName,
        key: &Key,
        fields: Vec<(FieldName, Value)>,
        read: Option<Arc<ReadSet>>,
    ) -> Result<u64> {
        self.reach(entity, key)?;
        self.check_values(entity, Some(key), &fields)?;
        let author = self.author(actor, read);
        self.save_row(&author, entity, key, fields, false);
        Ok(author.sequence)
    }

    pub fn begin_edit(&mut self, open: Open) -> Result<u64> {
        self.reach(&open.entity, &open.key)?;
        self.check_values(&open.entity, Some(&open.key), &open.fields)?;
        let number = self.number();
        self.locks.insert((open.entity.clone(), open.key.clone()), Lock::Open(number));
        self.open.insert(number, open);
        Ok(number)
    }
    pub fn end_edit(&mut self, number: u64, commit: bool) -> Option<u64> {
        let open = self.open.remove(&number)?;
        self.locks.remove(&(open.entity.clone(), open.key.clone()));
        if !commit || self.live(&open.entity, &open.key).is_none() {
            return None;
        }
        let mut author = self.author(&open.actor, open.read);
        author.stamped = open.stamped;
        self.save_row(&author, &open.entity, &open.key, open.fields, false);
        Some(author.sequence)
    }

    pub fn delete(
        &mut self,
        actor: &Actor,
        entity: &EntityName,
        key: &Key,
        read: Option<Arc<ReadSet>>,
    ) -> Result<u64> {
        self.reach(entity, key)?;
        let author = self.author(actor, read);
        self.delete_row(&author, entity, key);
        Ok(author.sequence)
    }
    pub fn delete_row(&mut self, author: &Author, entity: &EntityName, key: &Key) {
        let state = State::Deleted { by: author.actor.clone(), at: self.clock() };
        self.move_row(author, entity, key, state, Event::Deleted);
    }

    pub fn undelete(&mut self, actor: &Actor, entity: &EntityName, key: &Key) -> Result<u64> {
        self.check_undelete(entity, key)?;
        let author = self.author(actor, None);
        self.move_row(&author, entity, key, State::Live, Event::Undeleted);
        Ok(author.sequence)
    }
    /// Whether a record can be brought back: it lies in the bin and its unique values are free.
    pub fn check_undelete(&self, entity: &EntityName, key: &Key) -> Result<()> {
        if self.profile.capabilities.recycle_bin.is_none() {
            return Err(Error::unsupported("undelete"));
        }
        let Some(row) =
            self.row(entity, key).filter(|row| matches!(row.state, State::Deleted { .. }))
        else {
            let text = format!("{entity} {key} is not in the recycle bin");
            return Err(refused(ErrorKind::Invalid, text).code("UNDELETE_FAILED"));
        };
        let Some(table) = self.table(entity) else {
            return Ok(());
        };
        table.model.schema.fields.iter().try_for_each(|field| {
            self.check_unique(entity, Some(key), field, &row.value(&field.name))
        })
    }

    pub fn purge(&mut self, actor: &Actor, entity: &EntityName, key: &Key) {
        let in_bin =
            self.row(entity, key).is_some_and(|row| matches!(row.state, State::Deleted { .. }));
        if in_bin {
            let author = self.author(actor, None);
            self.move_row(&author, entity, key, State::Purged, Event::Purged);
        }
    }

    pub fn merge(
        &mut self,
        actor: &Actor,
        entity: &EntityName,
        loser: &Key,
        survivor: &Key,
        fields: Vec<(FieldName, Value)>,
    ) -> Result<u64> {
        self.reach(entity, loser)?;
        self.reach(entity, survivor)?;
        if loser == survivor {
            let text = format!("{entity} {loser} cannot be merged into itself");
            return Err(refused(ErrorKind::Invalid, text));
        }
        let author = self.author(actor, None);
        let merged = Event::MergedInto(survivor.clone());
        self.move_row(&author, entity, loser, State::Merged(survivor.clone()), merged);
        self.save_row(&author, entity, survivor, fields, false);
        self.reparent(&author, entity, loser, survivor);
        Ok(author.sequence)
    }

    /// Whatever referred to one record refers to another, in the same transaction, as a CRM does
    /// it when it merges.
    fn reparent(&mut self, author: &Author, entity: &EntityName, from: &Key, to: &Key) {
        let mut moved = Vec::new();
        for (child, table) in &self.tables {
            let fields = table.model.schema.fields.iter();
            let refers = fields.filter(|field| match &field.kind {
                FieldType::Reference { entities } => entities.contains(entity),
                _ => false,
            });
            for field in refers {
                let rows = table.rows.values().map(|slot| &slot.row).filter(|row| row.is_live());
                let of = rows.filter(|row| row.value(&field.name).as_text() == Some(from.as_str()));
                let places = of.map(|row| (child.clone(), row.key.clone(), field.name.clone()));
                moved.extend(places);
            }
        }
        for (child, key, field) in moved {
            self.save_row(author, &child, &key, vec![(field, Value::text(to.as_str()))], false);
        }
    }

    /// Gives a record another key, as an update of its key column does.
    pub fn rekey(
        &mut self,
        actor: &Actor,
        entity: &EntityName,
        old: &Key,
        new: &Key,
    ) -> Result<u64> {
        self.reach(entity, old)?;
        if self.row(entity, new).is_some() {
            let text = format!("{entity} {new} exists already");
            return Err(refused(ErrorKind::Duplicate, text));
        }
        let author = self.author(actor, None);
        let mut image = None;
        if let Some(table) = self.tables.get_mut(entity) {
            let field = table.model.key_field().cloned();
            if let Some(mut slot) = table.rows.remove(old) {
                slot.keep(author.sequence);
                slot.row.key = new.clone();
                slot.row.sequence = author.sequence;
                slot.row.stamped = author.stamped;
                slot.row.actor = actor.clone();
                if let Some(field) = field {
                    slot.row.values.insert(field, Value::text(new.as_str()));
                }
                image = Some(slot.row.values.clone());
                table.rows.insert(new.clone(), slot);
            }
        }
        self.record(&author, entity, new, Event::Rekeyed(old.clone()));
        if let Some(image) = image {
            self.tell(&author, entity, new, Some(old.clone()), Told::Upsert(image));
        }
        Ok(author.sequence)
    }

    /// Removes all records of an entity at once.
    pub fn truncate(&mut self, actor: &Actor, entity: &EntityName) -> u64 {
        let author = self.author(actor, None);
        let keys: Vec<Key> = self.table(entity).map_or_else(Vec::new, |table| {
            let live = table.rows.values().filter(|slot| slot.row.is_live());
            live.map(|slot| slot.row.key.clone()).collect()
        });
        for key in keys {
            self.move_row(&author, entity, &key, State::Purged, Event::Truncated);
        }
        self.tell(&author, entity, &Key::new(""), None, Told::Truncate);
        author.sequence
    }
}
