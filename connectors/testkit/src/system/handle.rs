//! The handle of a system: clones share one system.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use syncline_sdk::{
    Actor, ActorKind, EntityName, FieldName, FieldType, Instant, Key, SystemName, Value,
};

use super::copies::UnderWay;
use super::person::Person;
use super::world::{Lock, Table, World};
use crate::history::{CopyId, LogEntry, ReadSet, RequestEntry, WriteEntry};
use crate::{Conditions, EntityModel, FaultScript, Profile};

/// A fake system in memory. Clones are handles of the same system; a [`crate::MemoryConnector`]
/// is one client of it. It has no thread and no clock: time stands still until
/// [`Self::advance`].
#[derive(Clone, Debug)]
pub struct MemorySystem {
    name: SystemName,
    world: Arc<Mutex<World>>,
}

/// How many records of an entity there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Those that are there.
    pub live: usize,
    /// Those in the recycle bin.
    pub deleted: usize,
}

impl MemorySystem {
    /// An empty system at 1970-01-01.
    #[must_use]
    pub fn new(name: impl Into<SystemName>, profile: Profile) -> Self {
        let name = name.into();
        let world = World::new(name.clone(), profile);
        Self { name, world: Arc::new(Mutex::new(world)) }
    }
    /// With an entity.
    #[must_use]
    pub fn entity(self, model: EntityModel) -> Self {
        self.with(|world| {
            let table = Table { model: Arc::new(model), rows: BTreeMap::new(), last_key: 0 };
            world.tables.insert(table.model.schema.entity.clone(), table);
        });
        self
    }
    /// With its clock moved on by the time that callers state. For plain tests: a simulator moves
    /// it itself.
    #[must_use]
    pub fn following_callers(self) -> Self {
        self.with(|world| world.follows_callers = true);
        self
    }
    pub(crate) fn with<T>(&self, action: impl FnOnce(&mut World) -> T) -> T {
        // A panic of one test thread must not hide what the next one finds.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        action(&mut world)
    }
    /// Its name.
    #[must_use]
    pub fn name(&self) -> SystemName {
        self.name.clone()
    }
    /// Its profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.with(|world| world.profile.clone())
    }

    // Time.

    /// The true time at the system.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.with(|world| world.now)
    }
    /// The time by the system's own clock.
    #[must_use]
    pub fn clock(&self) -> Instant {
        self.with(|world| world.clock())
    }
    /// Lets time pass up to an instant: delayed automations run, locks end, the recycle bin
    /// forgets, requests under way die at the end of their horizon. An earlier instant changes
    /// nothing.
    pub fn advance(&self, to: Instant) {
        self.with(|world| world.advance(to));
    }
    /// When something next happens here by time alone: an automation, the end of a lock.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.with(|world| {
            let errands = world.errands.keys().map(|(due, _)| *due);
            let locks = world.locks.values().filter_map(|lock| match lock {
                Lock::Until(until) => Some(*until),
                Lock::Open(_) => None,
            });
            errands.chain(locks).min()
        })
    }
    /// Sets how far the system's own clock is ahead of the true time (a skew; changing it is a
    /// jump).
    pub fn skew(&self, micros: i64) {
        self.with(|world| world.skew_micros = micros);
    }

    // People and administrators.

    /// Somebody who acts by hand, without having looked at anything.
    pub fn person(&self, id: &str) -> Person {
        self.as_actor(Actor { id: Some(id.into()), kind: ActorKind::Person })
    }
    /// Any other actor: a nightly job, a stranger.
    pub fn as_actor(&self, actor: Actor) -> Person {
        Person::new(self, actor)
    }
    /// What a record shows on the screen now; nothing when it is not there.
    #[must_use]
    pub fn look(&self, entity: &EntityName, key: &Key) -> Option<ReadSet> {
        self.with(|world| {
            let row = world.live(entity, key)?;
            Some(ReadSet { sequence: world.sequence, values: row.values.clone() })
        })
    }
    /// The stored value of a field, whatever is shown; nothing when the record is not there.
    #[must_use]
    pub fn value(&self, entity: &EntityName, key: &Key, field: &FieldName) -> Option<Value> {
        self.with(|world| world.live(entity, key).map(|row| row.value(field)))
    }
    /// All living records: key and stored values, hidden fields too.
    #[must_use]
    pub fn records(&self, entity: &EntityName) -> BTreeMap<Key, BTreeMap<FieldName, Value>> {
        self.with(|world| {
            world.table(entity).map_or_else(BTreeMap::new, |table| {
                let live = table.rows.values().filter(|slot| slot.row.is_live());
                live.map(|slot| (slot.row.key.clone(), slot.row.values.clone())).collect()
            })
        })
    }
    /// How many records there are.
    #[must_use]
    pub fn counts(&self, entity: &EntityName) -> Counts {
        self.with(|world| {
            let mut counts = Counts::default();
            for slot in world.table(entity).iter().flat_map(|table| table.rows.values()) {
                match slot.row.state {
                    super::row::State::Live => counts.live += 1,
                    super::row::State::Deleted { .. } => counts.deleted += 1,
                    _ => {}
                }
            }
            counts
        })
    }
    /// Locks a record, as a person with an open form does, until then in true time. One that an
    /// open transaction holds stays that transaction's.
    pub fn lock(&self, entity: &EntityName, key: &Key, until: Instant) {
        let place = (entity.clone(), key.clone());
        self.with(|world| {
            if !matches!(world.locks.get(&place), Some(Lock::Open(_))) {
                world.locks.insert(place, Lock::Until(until));
            }
        });
    }
    /// Ends a lock early.
    pub fn unlock(&self, entity: &EntityName, key: &Key) {
        let place = (entity.clone(), key.clone());
        self.with(|world| world.locks.remove(&place));
    }
    /// Commits a transaction that [`Person::begin`] opened, with the stamp it had then. The
    /// commit's number, or nothing when the record is gone.
    pub fn commit(&self, transaction: u64) -> Option<u64> {
        self.with(|world| world.end_edit(transaction, true))
    }
    /// Rolls such a transaction back.
    pub fn roll_back(&self, transaction: u64) {
        self.with(|world| world.end_edit(transaction, false));
    }
    /// Shows or hides one record to our credentials.
    pub fn hide(&self, entity: &EntityName, key: &Key, hidden: bool) {
        self.with(|world| {
            let table = world.tables.get_mut(entity);
            if let Some(slot) = table.and_then(|table| table.rows.get_mut(key)) {
                slot.row.hidden = hidden;
            }
        });
    }
    /// Hides a field from our credentials (it reads as absent and cannot be written), or shows
    /// it again.
    pub fn hide_field(&self, entity: &EntityName, field: &FieldName, hidden: bool) {
        self.with(|world| {
            if let Some(table) = world.tables.get_mut(entity) {
                let model = Arc::make_mut(&mut table.model);
                if hidden {
                    model.hidden.insert(field.clone());
                } else {
                    model.hidden.remove(field);
                }
            }
        });
    }
    /// Drops a field with its values.
    pub fn drop_field(&self, entity: &EntityName, field: &FieldName) {
        self.with(|world| {
            if let Some(table) = world.tables.get_mut(entity) {
                let model = Arc::make_mut(&mut table.model);
                model.schema.fields.retain(|known| known.name != *field);
                for slot in table.rows.values_mut() {
                    slot.row.values.remove(field);
                }
            }
        });
    }
    /// Gives a field another type; values stored before stay as they are.
    pub fn change_field(&self, entity: &EntityName, field: &FieldName, kind: FieldType) {
        self.with(|world| {
            if let Some(table) = world.tables.get_mut(entity) {
                let model = EntityModel::clone(&table.model);
                table.model = Arc::new(model.change(field, |field| field.kind = kind));
            }
        });
    }

    // Troubles.

    /// Changes the standing troubles.
    pub fn conditions(&self, change: impl FnOnce(&mut Conditions)) {
        self.with(|world| change(&mut world.conditions));
    }
    /// Gives a script of faults; its numbers count from now.
    pub fn script(&self, script: FaultScript) {
        self.with(|world| world.script = script);
    }
    /// Whether all faults of the script have happened.
    #[must_use]
    pub fn script_is_spent(&self) -> bool {
        self.with(|world| world.script.is_spent())
    }
    /// Begins a new period of the quota of calls.
    pub fn reset_quota(&self) {
        self.with(|world| world.quota_used = 0);
    }
    /// Cuts all feeds: each must be opened again.
    pub fn cut_connections(&self) {
        self.with(|world| {
            world.connections += 1;
            world.wake();
        });
    }
    /// Loses the change stream: every position of it is a gap (a slot dropped by a stranger).
    pub fn lose_stream(&self) {
        self.with(|world| {
            world.stream.lose();
            world.wake();
        });
    }

    // Requests under way.

    /// The copies of pushes that have been sent and have neither arrived nor died.
    #[must_use]
    pub fn under_way(&self) -> Vec<UnderWay> {
        self.with(|world| world.under_way())
    }
    /// Lets a copy arrive now, all of it, whoever sent it and whether or not the sender lives;
    /// nobody hears the answer. False when it is not under way.
    pub fn deliver(&self, copy: CopyId) -> bool {
        self.with(|world| {
            let known = world.under_way.contains_key(&copy);
            while world.arrive(copy) == Some(false) {}
            world.take(copy);
            known
        })
    }
    /// Loses a copy for good. False when it is not under way.
    pub fn discard(&self, copy: CopyId) -> bool {
        self.with(|world| world.take(copy).is_some())
    }
    /// Doubles a copy under way: each may arrive on its own.
    #[must_use]
    pub fn duplicate(&self, copy: CopyId) -> Option<CopyId> {
        self.with(|world| world.double(copy))
    }

    // What really happened.

    /// Everything that ever changed, in order: what a black-box checker reads.
    #[must_use]
    pub fn history(&self) -> Vec<LogEntry> {
        self.with(|world| world.log.clone())
    }
    /// Looks at the history without copying it.
    pub fn view_history<T>(&self, look: impl FnOnce(&[LogEntry]) -> T) -> T {
        self.with(|world| look(&world.log))
    }
    /// Every call, in order, with what the caller was told.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestEntry> {
        self.with(|world| world.requests.clone())
    }
    /// What became of each write of each copy that arrived, in order.
    #[must_use]
    pub fn writes(&self) -> Vec<WriteEntry> {
        self.with(|world| world.writes.clone())
    }
    /// The number of the last commit.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.with(|world| world.sequence)
    }
    /// The last place of the stream that was acknowledged, as a commit number.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.with(|world| world.stream.acknowledged)
    }
}
