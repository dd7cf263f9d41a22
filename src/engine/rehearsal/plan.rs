//! What a rehearsal found.

use std::collections::BTreeMap;

use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::ReviewKind;
use syncline_core::{Side, Sides};
use syncline_sdk::{FieldName, Key, SystemName, Usage, Value};

/// What a run would do.
#[derive(Debug, Default)]
pub struct Plan {
    /// By mapping.
    pub mappings: BTreeMap<MappingId, MappingPlan>,
    /// By system.
    pub systems: BTreeMap<SystemName, SystemPlan>,
    /// Records of which the plan cannot tell what a run would do with them: they changed within
    /// the last second, wait for another record, or for an answer that cannot be carried out yet.
    pub waiting: usize,
}

/// What a run would do for a mapping.
#[derive(Clone, Debug, Default)]
pub struct MappingPlan {
    /// Records read, a side.
    pub read: Sides<u64>,
    /// Pairs that the ledger has, and that stay.
    pub linked: u64,
    /// Pairs that would be found. One of which a record would be made is told as that.
    pub matched: u64,
    /// Pairs of the ledger that would end: both records go their own way.
    pub ended: u64,
    /// Pairs that would go on in another mapping of the same entities.
    pub moved_out: u64,
    /// Pairs that would come from another mapping.
    pub moved_in: u64,
    /// Pairs of which a record would leave the filter and that would rest.
    pub left: u64,
    /// Pairs that would be back inside the filter.
    pub entered: u64,
    /// Records that would be made, on each side.
    pub creates: Sides<u64>,
    /// Records that would be changed.
    pub updates: Sides<u64>,
    /// Records that would be deleted.
    pub deletes: Sides<u64>,
    /// Records that would be brought back.
    pub undeletes: Sides<u64>,
    /// The fields that would be changed.
    pub fields: BTreeMap<(Side, FieldName), FieldPlan>,
    /// Some of the records that would be made.
    pub made: Sides<Vec<String>>,
    /// Some of the records that would be deleted.
    pub gone: Sides<Vec<Key>>,
    /// The questions that a person would be asked.
    pub asked: Vec<Asked>,
    /// Records that would be set aside, each with why.
    pub parked: Vec<(Sides<Option<Key>>, String)>,
    /// What waits for a person or for its cause to be mended already: nothing is planned of it.
    pub already: Already,
}

/// What waits already, whatever a run does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Already {
    /// Questions that a person was asked and that stay open.
    pub questions: u64,
    /// Pairs, and records without a partner, that they are about.
    pub asked: u64,
    /// Pairs, and records without a partner, that are set aside, or of which a value is. A run
    /// tries them again now and then.
    pub parked: u64,
}

/// What a run would change in a field.
#[derive(Clone, Debug, Default)]
pub struct FieldPlan {
    /// In how many records.
    pub records: u64,
    /// Some of the changes.
    pub samples: Vec<Sample>,
}

/// A change of one field of one record.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The record.
    pub key: Key,
    /// What it is, where the plan knows.
    pub before: Option<Value>,
    /// What it would be.
    pub after: Value,
}

/// A question that a person would be asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What.
    pub kind: ReviewKind,
    /// The unit that it is about; nothing for the pair as a whole.
    pub unit: Option<u16>,
    /// The pair; nothing for a record that a run would make.
    pub keys: Sides<Option<Key>>,
    /// What the sides show of the unit, in the order of its fields; of the first questions of a
    /// kind only.
    pub shown: Option<Sides<Vec<Value>>>,
}

impl Asked {
    /// The name of the unit that it is about.
    #[must_use]
    pub fn unit_name<'a>(&self, mapping: &'a Mapping) -> Option<&'a str> {
        mapping.units.get(usize::from(self.unit?)).map(|unit| &*unit.name)
    }
}

/// What a run would cost a system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemPlan {
    /// Calls that the plan itself made.
    pub read_calls: u64,
    /// Calls that the writes would take at least.
    pub write_calls: u64,
    /// How long the calls of the plan took together, microseconds.
    pub read_micros: i64,
    /// Calls and quota when the plan was done.
    pub usage: Usage,
}

impl SystemPlan {
    /// How long the writes would take one after the other, seconds, where calls take as long as
    /// those of the plan did; nothing where it made none.
    #[must_use]
    pub fn write_seconds(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a rough figure for people")]
        let seconds = |micros: i64, calls: u64| micros as f64 / 1e6 / calls as f64;
        #[expect(clippy::cast_precision_loss, reason = "a rough figure for people")]
        let writes = self.write_calls as f64;
        (self.read_calls > 0).then(|| seconds(self.read_micros, self.read_calls) * writes)
    }
}

impl MappingPlan {
    /// Whether a run would write anything.
    #[must_use]
    pub fn writes(&self) -> u64 {
        [&self.creates, &self.updates, &self.deletes, &self.undeletes]
            .into_iter()
            .map(|counts| counts.left + counts.right)
            .sum()
    }

    /// Whether a run would change anything, or ask a person.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let same = [self.ended, self.moved_out, self.moved_in, self.left, self.entered];
        self.writes() == 0 && same == [0; 5] && self.asked.is_empty() && self.parked.is_empty()
    }
}

impl Plan {
    /// Whether a run would change something or ask somebody, as far as the plan can tell.
    #[must_use]
    pub fn changes(&self) -> bool {
        !self.mappings.values().all(MappingPlan::is_quiet)
    }

    /// Whether a run would certainly change nothing and ask nobody.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        !self.changes() && self.waiting == 0
    }
}
