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

/// All that was ever streamed under one identity.
#[derive(Debug)]
pub(crate) struct Stream {
    system: SystemName,
    generation: u64,
    pub entries: Vec<StreamEntry>,
    /// The last place acknowledged.
    pub acknowledged: u64,
    /// The commits that some feed has given out (receipts in the stream rest on them).
    shown: BTreeSet<u64>,
    /// How often somebody began to read anew, from where the stream stood.
    beginnings: u64,
    /// The beginning after which a batch was last sent.
    sent: BTreeMap<Arc<str>, u64>,
}

impl Stream {
    pub fn new(system: &SystemName) -> Self {
        Self {
            system: system.clone(),
            generation: 1,
            entries: Vec::new(),
            acknowledged: 0,
            shown: BTreeSet::new(),
            beginnings: 0,
            sent: BTreeMap::new(),
        }
    }
    /// The stream is lost: positions of it are a gap.
    pub fn lose(&mut self) {
        self.generation += 1;
        self.entries.clear();
        self.acknowledged = 0;
        self.shown.clear();
        self.beginnings += 1;
    }
    /// Somebody begins to read anew: what stands before may never be shown to anybody.
    pub fn begin(&mut self) {
        self.beginnings += 1;
    }
    pub fn sent(&mut self, marker: &str) {
        self.sent.insert(marker.into(), self.beginnings);
    }
    /// Whether what came after the send of a batch may never be shown.
    pub fn lost_since(&self, marker: &str) -> bool {
        self.sent.get(marker) != Some(&self.beginnings)
    }
    /// A feed has given out a stretch of entries, up to a commit that was passed as a whole.
    pub fn show(&mut self, entries: std::ops::Range<usize>, passed: u64) {
        let given = self.entries.get(entries).unwrap_or_default();
        let whole = given.iter().map(|entry| entry.sequence).filter(|commit| *commit <= passed);
        self.shown.extend(whole);
    }
    /// Whether a feed has given out a commit.
    pub fn has_shown(&self, commit: u64) -> bool {
        self.shown.contains(&commit)
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
