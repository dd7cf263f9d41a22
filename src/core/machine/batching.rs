//! Batches: intents of one system folded into calls (the folding rule of the ledger).

use std::collections::BTreeMap;

use syncline_sdk::{
    BatchId, Cas, Expect, FieldName, FieldType, Key, LinkId, SystemName, Value, Write, WriteBatch,
    WriteOp,
};

use super::grouping::parts;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{Batch, BatchChange, BatchState, Intent, IntentKind, WrittenField};

/// Which step of an intent a write is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Step {
    /// The write itself: a create or an update.
    Write,
    /// The fence of a guarded delete.
    Fence,
    /// The delete.
    Delete,
    /// The undelete, on its own or of a guarded delete.
    Undelete,
}

/// One write of a batch, with the intent it carries.
#[derive(Clone, PartialEq, Debug)]
pub struct Carried {
    /// The mapping.
    pub mapping: MappingId,
    /// The link.
    pub link: LinkId,
    /// The intent.
    pub intent: Intent,
    /// Which step of it.
    pub step: Step,
    /// Whether the link id is written back into an empty external-id field on the way.
    pub claim: bool,
    /// The transaction of the other side whose change it carries (protocol I9).
    pub group: Option<u64>,
}

/// A batch recorded as sent in the changeset, to be sent once that is committed.
#[derive(Clone, PartialEq, Debug)]
pub struct OutBatch {
    /// The row.
    pub batch: Batch,
    /// What it carries, in the batch's order.
    pub carried: Vec<Carried>,
    /// What is sent.
    pub write: WriteBatch,
}

impl Workset<'_> {
    /// Folds what is to be sent into batches and records their first send.
    pub(super) fn fold_batches(&mut self) -> Vec<OutBatch> {
        let mut groups: BTreeMap<(SystemName, u8), Vec<Carried>> = BTreeMap::new();
        let mut sends = std::mem::take(&mut self.sends);
        // What matters more fills the first batches, which are sent first.
        sends
            .sort_by_key(|carried| self.round.mappings.get(&carried.mapping).map(|of| of.priority));
        for carried in sends {
            let Some(mapping) = self.round.mappings.get(&carried.mapping) else { continue };
            let system = mapping.sides[carried.intent.side].system.clone();
            groups.entry((system, class(&carried))).or_default().push(carried);
        }
        let mut batches = Vec::new();
        for ((system, class), group) in groups {
            let Some(mapping) = self.round.mappings.get(&group[0].mapping) else { continue };
            let capabilities = &mapping.sides[group[0].intent.side].capabilities;
            let guarded = class == UPDATES && capabilities.cas != Cas::ExactField;
            let rows =
                if guarded { capabilities.push_guarded_max } else { capabilities.push_writes_max };
            for part in parts(group, rows.max(1), capabilities.transactional) {
                let id = BatchId {
                    commit: self.round.commit,
                    ordinal: i32::try_from(batches.len()).unwrap_or(i32::MAX),
                };
                batches.push(self.batch(id, &system, part));
            }
        }
        for batch in &batches {
            self.out.batches.push(BatchChange::Send(batch.batch.clone()));
        }
        batches
    }

    fn batch(&self, id: BatchId, system: &SystemName, carried: Vec<Carried>) -> OutBatch {
        let now = self.now();
        let batch = Batch {
            id,
            system: system.clone(),
            intents: carried.iter().map(|carried| carried.intent.id).collect(),
            epoch: self.round.fence.epoch,
            state: BatchState::Sent,
            first_sent: now,
            last_sent: now,
            die_after: now + (self.round.die_after)(system),
            attempts: 1,
        };
        let write = self.write_batch(id, &carried);
        OutBatch { batch, carried, write }
    }

    /// What is sent for intents, as the connector takes it. References become native ids.
    #[must_use]
    pub fn write_batch(&self, id: BatchId, carried: &[Carried]) -> WriteBatch {
        let mut members: BTreeMap<u64, usize> = BTreeMap::new();
        for group in carried.iter().filter_map(|carried| carried.group) {
            *members.entry(group).or_default() += 1;
        }
        let writes = carried
            .iter()
            .enumerate()
            .filter_map(|(ordinal, carried)| {
                let mapping = self.round.mappings.get(&carried.mapping)?;
                let place = &mapping.sides[carried.intent.side];
                let shared = |group: &u64| place.capabilities.transactional && members[group] > 1;
                Some(Write {
                    intent: carried.intent.id,
                    ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
                    link: carried.link,
                    selection: place.selection.clone(),
                    op: self.operation(mapping, carried),
                    group: carried.group.filter(shared),
                })
            })
            .collect();
        WriteBatch { batch: id, writes }
    }

    fn operation(&self, mapping: &Mapping, carried: &Carried) -> WriteOp {
        let Carried { intent, step, claim, .. } = carried;
        let side = intent.side;
        let name = |field: u16| mapping.field_name(side, usize::from(field)).clone();
        let native = |field: u16, value: &Value| self.native(mapping, side, field, value);
        let key = || intent.key.clone().unwrap_or_else(|| Key::new(""));
        let expect = |fields: &mut dyn Iterator<Item = &crate::model::WrittenField>| Expect {
            values: fields.map(|field| native(field.field, &field.expected)).collect(),
            also: Vec::new(),
            version: intent.version.clone(),
        };
        match (step, intent.kind) {
            (Step::Fence, _) => {
                WriteOp::Fence { key: key(), expect: expect(&mut std::iter::empty()) }
            }
            (Step::Undelete, _) => WriteOp::Undelete { key: key() },
            (Step::Delete, _) => WriteOp::Delete {
                key: key(),
                fields: intent.fields.iter().map(|field| name(field.field)).collect(),
                expect: expect(&mut intent.fields.iter()),
            },
            (Step::Write, IntentKind::Create) => WriteOp::Insert {
                values: intent
                    .fields
                    .iter()
                    .map(|field| (name(field.field), native(field.field, &field.value)))
                    .collect(),
            },
            (Step::Write, _) => {
                let written = || intent.fields.iter().filter(|field| field.is_written());
                let values: Vec<(FieldName, Value)> = written()
                    .map(|field| (name(field.field), native(field.field, &field.value)))
                    .collect();
                let also = intent.fields.iter().filter(|field| guards(mapping, intent, field));
                let also = also
                    .map(|field| (name(field.field), native(field.field, &field.expected)))
                    .collect();
                let expect = Expect { also, ..expect(&mut written()) };
                WriteOp::Update { key: key(), values, expect, claim: *claim }
            }
        }
    }

    /// A value with references as native ids of the side.
    fn native(&self, mapping: &Mapping, side: Side, field: u16, value: &Value) -> Value {
        let Value::Link(parent) = value else { return value.clone() };
        let at = usize::from(field);
        let reference = mapping
            .units
            .iter()
            .flat_map(|unit| &unit.pairs)
            .find(|pair| pair.on(side) == at)
            .and_then(|pair| pair.reference);
        let key = reference
            .and_then(|parents| self.referred_to(parents, *parent))
            .and_then(|slot| slot.link.keys[side].clone());
        let Some(key) = key else { return Value::Absent };
        reference_to(&key, &mapping.sides[side].fields[at].kind)
    }
}

/// A record's id as a reference of that type holds it.
pub(super) fn reference_to(key: &Key, kind: &FieldType) -> Value {
    match kind {
        FieldType::Int { .. } => {
            key.as_str().parse().map_or_else(|_| Value::text(key.as_str()), Value::Int)
        }
        FieldType::Uuid => uuid::Uuid::parse_str(key.as_str())
            .map_or_else(|_| Value::text(key.as_str()), Value::Uuid),
        _ => Value::text(key.as_str()),
    }
}

impl crate::model::WrittenField {
    /// Whether the field differs from its image and is sent (protocol P6).
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.image != self.expected
    }
}

/// Whether a field that holds its image already, and so is not sent (protocol P6), must hold it
/// still: where other fields of its unit are written and the side guards field by field, an edit
/// of it made meanwhile refuses the write, so that no half of a unit gets mixed with half of
/// another (protocol M10).
fn guards(mapping: &Mapping, intent: &Intent, field: &WrittenField) -> bool {
    if field.is_written() || mapping.sides[intent.side].capabilities.cas != Cas::ExactField {
        return false;
    }
    let unit = mapping.unit_of(intent.side, usize::from(field.field));
    intent.fields.iter().any(|other| {
        let same = || mapping.unit_of(intent.side, usize::from(other.field)) == unit;
        other.is_written() && same()
    })
}

const UPDATES: u8 = 0;

/// Updates, creates and deletes travel apart: a batch that stands for its intents holds no
/// delete and no create (the folding rule).
fn class(carried: &Carried) -> u8 {
    match (carried.step, carried.intent.kind) {
        (Step::Write, IntentKind::Create) => 1,
        (Step::Write | Step::Fence, _) => UPDATES,
        (Step::Delete, _) => 2,
        (Step::Undelete, _) => 3,
    }
}
