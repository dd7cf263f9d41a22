//! Counting what would be sent.

use std::collections::{BTreeMap, BTreeSet};

use syncline_core::Side;
use syncline_core::machine::{Carried, Mappings};
use syncline_core::mapping::{Mapping, MappingId};
use syncline_sdk::{Connector, FieldName, Key, LinkId, SystemName, Value, Write, WriteOp};

use super::plan::{MappingPlan, Sample};
use crate::limits;

/// Writes of one system, by how many of them a call takes.
#[derive(Clone, Copy, Default)]
struct Calls {
    plain: u64,
    guarded: u64,
}

/// What was sent so far.
#[derive(Default)]
pub(super) struct Tally {
    mappings: BTreeMap<MappingId, MappingPlan>,
    calls: BTreeMap<SystemName, Calls>,
    /// Records that are counted as changed, and fields of them: each once, however often it
    /// would be written.
    updated: BTreeSet<(MappingId, Side, LinkId)>,
    fields: BTreeSet<(MappingId, Side, LinkId, FieldName)>,
    /// Links of which a record would be made.
    made: BTreeSet<(MappingId, LinkId)>,
}

impl Tally {
    pub(super) fn of(&mut self, mapping: MappingId) -> &mut MappingPlan {
        self.mappings.entry(mapping).or_default()
    }

    pub(super) fn finish(self) -> BTreeMap<MappingId, MappingPlan> {
        self.mappings
    }

    /// The calls that the writes of a system would take at least.
    pub(super) fn calls(&self, system: &SystemName, connector: &dyn Connector) -> u64 {
        let Some(calls) = self.calls.get(system) else { return 0 };
        let can = connector.capabilities();
        let of = |writes: u64, most: usize| writes.div_ceil(most.max(1).try_into().unwrap_or(1));
        of(calls.plain, can.push_writes_max) + of(calls.guarded, can.push_guarded_max)
    }

    /// Whether a record of a link would be made.
    pub(super) fn makes(&self, mapping: MappingId, link: LinkId) -> bool {
        self.made.contains(&(mapping, link))
    }

    /// Counts one write.
    pub(super) fn count(&mut self, mappings: &Mappings, carried: &Carried, write: &Write) {
        let (id, side) = (carried.mapping, carried.intent.side);
        let Some(mapping) = mappings.get(&id) else { return };
        let calls = self.calls.entry(mapping.sides[side].system.clone()).or_default();
        match &write.op {
            WriteOp::Update { .. } | WriteOp::Fence { .. } => calls.guarded += 1,
            _ => calls.plain += 1,
        }
        match &write.op {
            WriteOp::Insert { values } => {
                self.made.insert((id, carried.link));
                let plan = self.of(id);
                plan.creates[side] += 1;
                if plan.made[side].len() < limits::SAMPLES_MAX {
                    plan.made[side].push(named(mapping, side, values));
                }
            }
            WriteOp::Update { key, values, expect, .. } => {
                let before = |at| expect.values.get(at).cloned();
                for (at, (field, after)) in values.iter().enumerate() {
                    let sample =
                        Sample { key: key.clone(), before: before(at), after: after.clone() };
                    self.field(id, side, carried.link, field, sample);
                }
                if !values.is_empty() && self.updated.insert((id, side, carried.link)) {
                    self.of(id).updates[side] += 1;
                }
            }
            WriteOp::Delete { key, .. } => {
                let plan = self.of(id);
                plan.deletes[side] += 1;
                if plan.gone[side].len() < limits::SAMPLES_MAX {
                    plan.gone[side].push(key.clone());
                }
            }
            WriteOp::Undelete { .. } => self.of(id).undeletes[side] += 1,
            WriteOp::Fence { .. } => {}
        }
    }

    fn field(
        &mut self,
        id: MappingId,
        side: Side,
        link: LinkId,
        field: &FieldName,
        sample: Sample,
    ) {
        if !self.fields.insert((id, side, link, field.clone())) {
            return;
        }
        let plan = self.of(id).fields.entry((side, field.clone())).or_default();
        plan.records += 1;
        if plan.samples.len() < limits::SAMPLES_MAX {
            plan.samples.push(sample);
        }
    }
}

/// A record that is not there yet, by what it would hold; sensitive fields are left out.
fn named(mapping: &Mapping, side: Side, values: &[(FieldName, Value)]) -> String {
    let fields = &mapping.sides[side].fields;
    let open = |name: &FieldName| !fields.iter().any(|of| of.sensitive && of.name == *name);
    let told = values
        .iter()
        .filter(|(name, value)| open(name) && !matches!(value, Value::Null | Value::Absent));
    let told = told.take(limits::SAMPLE_FIELDS_MAX);
    told.map(|(field, value)| format!("{field} {value}")).collect::<Vec<_>>().join(", ")
}

/// The keys of records in the order in which they were read, without their order.
pub(super) type Seen = BTreeSet<(MappingId, Side, Key)>;
