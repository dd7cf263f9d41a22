//! The change stream of a system: every commit, in order, with complete images.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_sdk::{Actor, EntityName, FieldName, Instant, Key, Position, SystemName, Value};

/// What a stream entry tells of a record.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Told {
    Upsert(BTreeMap<FieldName, Value>),
    Delete,
    Truncate,
    /// A message of ours: no change, but a place to pass.
    Message,
}

/// One change in the stream.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct StreamEntry {
    /// The commit.
    pub sequence: u64,
    pub entity: EntityName,
    pub key: Key,
    pub old_key: Option<Key>,
    pub told: Told,
    /// The marker of the batch, where it was one of ours.
    pub marker: Option<Arc<str>>,
    pub actor: Actor,
    pub at: Instant,
}

/// What one client saw of the stream: receipts, and the places that it passed. A process that
/// starts anew knows nothing of it (protocol I7).
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// The commits that its feeds gave out.
    commits: BTreeSet<u64>,
    /// What our own batches did, as far as its feeds showed it.
    pub ours: Vec<StreamEntry>,
    /// The fences that it emitted, by the marker of the batch.
    pub fences: BTreeMap<Arc<str>, u64>,
}

impl Watched {
    /// A feed has given out some entries, up to a commit that was passed as a whole.
    pub fn see(&mut self, given: &[StreamEntry], passed: u64) {
        for entry in given.iter().filter(|entry| entry.sequence <= passed) {
            self.commits.insert(entry.sequence);
            if entry.marker.is_some() && !self.ours.contains(entry) {
                self.ours.push(entry.clone());
            }
        }
    }
    /// Whether a feed has given out a commit.
    pub fn has_passed(&self, commit: u64) -> bool {
        self.commits.contains(&commit)
    }
    /// A new stream begins: fences in the old one may never be passed.
    pub fn begin(&mut self) {
        self.fences.clear();
    }
    pub fn forget(&mut self, marker: &str) {
        self.fences.remove(marker);
        self.ours.retain(|entry| entry.marker.as_deref() != Some(marker));
    }
}

/// All that was ever streamed under one identity.
#[derive(Debug)]
pub(crate) struct Stream {
    system: SystemName,
    generation: u64,
    pub entries: Vec<StreamEntry>,
    /// The last place acknowledged.
    pub acknowledged: u64,
}

impl Stream {
    pub fn new(system: &SystemName) -> Self {
        Self { system: system.clone(), generation: 1, entries: Vec::new(), acknowledged: 0 }
    }
    /// The stream is lost: positions of it are a gap.
    pub fn lose(&mut self) {
        self.generation += 1;
        self.entries.clear();
        self.acknowledged = 0;
    }
    pub fn generation(&self) -> u64 {
        self.generation
    }
    pub fn position(&self, sequence: u64) -> Position {
        Position {
            stream: format!("{}/{}", self.system, self.generation).into(),
            place: sequence.to_string().into(),
        }
    }
    /// The commit that a position names; nothing when it is of another stream.
    pub fn place(&self, position: &Position) -> Option<u64> {
        let ours = self.position(0).stream;
        (ours == position.stream).then(|| position.place.parse().ok()).flatten()
    }
    /// The index of the first entry after a commit.
    pub fn after(&self, sequence: u64) -> usize {
        self.entries.partition_point(|entry| entry.sequence <= sequence)
    }
}
