//! The state behind a system's handle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use syncline_sdk::{
    Actor, BatchId, Context, EntityName, Error, ErrorKind, FieldName, Instant, Key, Result,
    SystemName, Value,
};

use super::copies::Copy;
use super::people::Open;
use super::row::{Row, Slot};
use super::stream::Stream;
use crate::history::{CopyId, LogEntry, RequestEntry, Told, WriteEntry};
use crate::profile::later;
use crate::receipts::Receipt;
use crate::version::Form;
use crate::{Conditions, EntityModel, FaultScript, Operation, Profile};

/// An entity with its rows.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Shared, because every save looks at it while rows change.
    pub model: Arc<EntityModel>,
    pub rows: BTreeMap<Key, Slot>,
    /// The number of the last key given.
    pub last_key: u64,
}

/// Who holds a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lock {
    /// A person, until then.
    Until(Instant),
    /// An open transaction.
    Open(u64),
}

/// What a delayed automation will do.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub entity: EntityName,
    pub key: Key,
    pub field: FieldName,
    pub value: Value,
}

#[derive(Debug)]
pub(crate) struct World {
    pub name: SystemName,
    pub profile: Profile,
    /// The true time.
    pub now: Instant,
    /// How far the system's own clock is ahead.
    pub skew_micros: i64,
    pub follows_callers: bool,
    /// The number of the last commit.
    pub sequence: u64,
    pub tables: BTreeMap<EntityName, Table>,
    pub locks: BTreeMap<(EntityName, Key), Lock>,
    pub open: BTreeMap<u64, Open>,
    /// Open transactions, copies and errands are numbered together.
    pub last_number: u64,
    pub errands: BTreeMap<(Instant, u64), Errand>,
    pub receipts: BTreeMap<Arc<str>, Receipt>,
    pub under_way: BTreeMap<CopyId, Copy>,
    pub stream: Stream,
    pub conditions: Conditions,
    pub script: FaultScript,
    pub log: Vec<LogEntry>,
    pub requests: Vec<RequestEntry>,
    pub writes: Vec<WriteEntry>,
    pub quota_used: u64,
    /// Raised when all connections are cut; a feed of an older one is dead.
    pub connections: u64,
    pub wakers: Vec<Waker>,
}

impl World {
    pub fn new(name: SystemName, profile: Profile) -> Self {
        let stream = Stream::new(&name);
        Self {
            name,
            profile,
            now: Instant::from_micros(0),
            skew_micros: 0,
            follows_callers: false,
            sequence: 0,
            tables: BTreeMap::new(),
            locks: BTreeMap::new(),
            open: BTreeMap::new(),
            last_number: 0,
            errands: BTreeMap::new(),
            receipts: BTreeMap::new(),
            under_way: BTreeMap::new(),
            stream,
            conditions: Conditions::default(),
            script: FaultScript::new(),
            log: Vec::new(),
            requests: Vec::new(),
            writes: Vec::new(),
            quota_used: 0,
            connections: 0,
            wakers: Vec::new(),
        }
    }

    /// The system's own clock.
    pub fn clock(&self) -> Instant {
        Instant::from_micros(self.now.micros().saturating_add(self.skew_micros))
    }
    pub fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
    pub fn table(&self, entity: &EntityName) -> Option<&Table> {
        self.tables.get(entity)
    }
    pub fn slot(&self, entity: &EntityName, key: &Key) -> Option<&Slot> {
        self.tables.get(entity)?.rows.get(key)
    }
    pub fn row(&self, entity: &EntityName, key: &Key) -> Option<&Row> {
        self.slot(entity, key).map(|slot| &slot.row)
    }
    pub fn live(&self, entity: &EntityName, key: &Key) -> Option<&Row> {
        self.row(entity, key).filter(|row| row.is_live())
    }
    pub fn is_locked(&self, entity: &EntityName, key: &Key) -> bool {
        match self.locks.get(&(entity.clone(), key.clone())) {
            Some(Lock::Until(until)) => *until > self.now,
            Some(Lock::Open(_)) => true,
            None => false,
        }
    }
    pub fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }

    /// The version of an image as a read shows it.
    pub fn read_version(&self, row: &Row, snapshot: u64) -> Form {
        use syncline_sdk::{Cas, FeedKind};
        match (self.profile.capabilities.cas, self.profile.capabilities.feed) {
            (Cas::Coarse { .. }, _) => Form::Stamp(self.profile.stamp(row.stamped)),
            (_, FeedKind::Images) => Form::Snapshot(snapshot),
            (_, FeedKind::Polled) => Form::Row(row.sequence),
        }
    }
    /// The version that a commit gave a row.
    pub fn commit_version(&self, sequence: u64, stamped: Instant) -> Form {
        use syncline_sdk::{Cas, FeedKind};
        match (self.profile.capabilities.cas, self.profile.capabilities.feed) {
            (Cas::Coarse { .. }, _) => Form::Stamp(self.profile.stamp(stamped)),
            (_, FeedKind::Images) => Form::Commit(sequence),
            (_, FeedKind::Polled) => Form::Row(sequence),
        }
    }

    /// Takes note of a call, or refuses it.
    pub fn begin(
        &mut self,
        cx: &Context,
        operation: Operation,
        batch: Option<BatchId>,
    ) -> Result<u64> {
        if self.follows_callers && cx.now > self.now {
            self.advance(cx.now);
        }
        let number = self.requests.len() as u64 + 1;
        self.requests.push(RequestEntry {
            number,
            at: self.now,
            operation,
            batch,
            told: Told::Nothing,
        });
        let refused = self.refusal(operation);
        match refused {
            Some(error) => {
                self.told(number, Told::Error);
                Err(error)
            }
            None => {
                self.quota_used += 1;
                Ok(number)
            }
        }
    }
    pub fn told(&mut self, request: u64, told: Told) {
        let place = usize::try_from(request.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(entry) = self.requests.get_mut(place) {
            entry.told = told;
        }
    }
    fn refusal(&self, operation: Operation) -> Option<Error> {
        let error = |kind, text: String| Some(Error::new(kind, operation.as_str(), text));
        let name = &self.name;
        if self.conditions.unavailable {
            return error(ErrorKind::Unavailable, format!("{name} cannot be reached"));
        }
        if self.conditions.auth_revoked {
            return error(ErrorKind::Auth, format!("{name} refused the login"))
                .map(|error| error.advise("renew the credentials"));
        }
        if let Some(after) = self.conditions.throttled {
            return error(ErrorKind::Throttled, format!("{name} asks for fewer calls"))
                .map(|error| error.retry_after(after));
        }
        match self.conditions.quota {
            Some(max) if self.quota_used >= max => {
                error(ErrorKind::Quota, format!("{name} has given its {max} calls"))
            }
            _ => None,
        }
    }

    /// Lets time pass: delayed automations run, locks end, the recycle bin forgets, requests
    /// older than the horizon die. The clock never goes back here.
    pub fn advance(&mut self, to: Instant) {
        while let Some((&(due, number), _)) = self.errands.first_key_value() {
            if due > to {
                break;
            }
            self.now = self.now.max(due);
            if let Some(errand) = self.errands.remove(&(due, number)) {
                self.run_errand(errand);
            }
        }
        self.now = self.now.max(to);
        let now = self.now;
        self.locks.retain(|_, lock| !matches!(lock, Lock::Until(until) if *until <= now));
        self.under_way.retain(|_, copy| copy.dies_at > now);
        if let Some(days) = self.profile.capabilities.recycle_bin {
            self.empty_bin(days);
        }
        self.wake();
    }
    fn empty_bin(&mut self, days: Duration) {
        let clock = self.clock();
        let due: Vec<(EntityName, Key)> = self
            .tables
            .iter()
            .flat_map(|(entity, table)| table.rows.values().map(move |slot| (entity, &slot.row)))
            .filter(|(_, row)| match &row.state {
                super::row::State::Deleted { at, .. } => later(*at, days) <= clock,
                _ => false,
            })
            .map(|(entity, row)| (entity.clone(), row.key.clone()))
            .collect();
        for (entity, key) in due {
            self.purge(&Actor::default(), &entity, &key);
        }
    }
}
