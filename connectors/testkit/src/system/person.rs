//! Somebody who works in a system by hand.

use std::sync::Arc;

use syncline_sdk::{Actor, EntityName, FieldName, Key, Result, Value};

use super::handle::MemorySystem;
use super::people::Open;
use crate::history::ReadSet;

/// Somebody who works in a system by hand.
#[must_use]
#[derive(Clone, Debug)]
pub struct Person {
    system: MemorySystem,
    actor: Actor,
    read: Option<Arc<ReadSet>>,
}

impl Person {
    pub(super) fn new(system: &MemorySystem, actor: Actor) -> Self {
        Self { system: system.clone(), actor, read: None }
    }
    /// The same person, having seen this before acting.
    pub fn having_seen(mut self, read: ReadSet) -> Self {
        self.read = Some(Arc::new(read));
        self
    }
    /// Creates a record.
    ///
    /// # Errors
    /// The system's refusal, as a push would meet it.
    pub fn create(&self, entity: &EntityName, fields: Vec<(FieldName, Value)>) -> Result<Key> {
        let read = self.read.clone();
        self.system.with(|world| world.create(&self.actor, entity, fields, read))
    }
    /// Writes fields of a record: only the changed ones, or the whole form. The commit's number.
    ///
    /// # Errors
    /// The system's refusal, as a push would meet it.
    pub fn edit(
        &self,
        entity: &EntityName,
        key: &Key,
        fields: Vec<(FieldName, Value)>,
    ) -> Result<u64> {
        let read = self.read.clone();
        self.system.with(|world| world.edit(&self.actor, entity, key, fields, read))
    }
    /// Begins an edit in a transaction of its own that is stamped now, holds the record's lock
    /// and is committed later ([`MemorySystem::commit`]). Its number.
    ///
    /// # Errors
    /// The system's refusal, as a push would meet it.
    pub fn begin(
        &self,
        entity: &EntityName,
        key: &Key,
        fields: Vec<(FieldName, Value)>,
    ) -> Result<u64> {
        self.system.with(|world| {
            let open = Open {
                actor: self.actor.clone(),
                entity: entity.clone(),
                key: key.clone(),
                fields,
                stamped: world.clock(),
                read: self.read.clone(),
            };
            world.begin_edit(open)
        })
    }
    /// Deletes a record. The commit's number.
    ///
    /// # Errors
    /// The system's refusal, as a push would meet it.
    pub fn delete(&self, entity: &EntityName, key: &Key) -> Result<u64> {
        let read = self.read.clone();
        self.system.with(|world| world.delete(&self.actor, entity, key, read))
    }
    /// Brings a record back from the recycle bin. The commit's number.
    ///
    /// # Errors
    /// The system's refusal, as a push would meet it.
    pub fn undelete(&self, entity: &EntityName, key: &Key) -> Result<u64> {
        self.system.with(|world| world.undelete(&self.actor, entity, key))
    }
    /// Takes a deleted record out of the recycle bin for good.
    pub fn purge(&self, entity: &EntityName, key: &Key) {
        self.system.with(|world| world.purge(&self.actor, entity, key));
    }
    /// Merges a record into another, which takes these values. The commit's number.
    ///
    /// # Errors
    /// The system's refusal, as a push would meet it.
    pub fn merge(
        &self,
        entity: &EntityName,
        loser: &Key,
        survivor: &Key,
        fields: Vec<(FieldName, Value)>,
    ) -> Result<u64> {
        self.system.with(|world| world.merge(&self.actor, entity, loser, survivor, fields))
    }
    /// Gives a record another key. The commit's number.
    ///
    /// # Errors
    /// The system's refusal, as a push would meet it.
    pub fn rekey(&self, entity: &EntityName, old: &Key, new: &Key) -> Result<u64> {
        self.system.with(|world| world.rekey(&self.actor, entity, old, new))
    }
    /// Removes all records of an entity at once. The commit's number.
    pub fn truncate(&self, entity: &EntityName) -> u64 {
        self.system.with(|world| world.truncate(&self.actor, entity))
    }
}
