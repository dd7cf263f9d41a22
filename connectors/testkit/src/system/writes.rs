//! The system's side of a push.

use syncline_sdk::{
    Absence, Cas, Context, Current, ErrorKind, Expect, FieldName, Key, ReceiptKind, Selection,
    Value, Write, WriteOp, WriteOutcome,
};

use super::commit::Author;
use super::copies::Copy;
use super::row::{Row, State};
use super::save::refused;
use super::world::World;
use crate::faults::Fault;
use crate::history::{CopyId, Event, Origin, WriteEntry};
use crate::version::Form;

/// What became of one write at the system.
#[derive(Debug)]
pub(crate) enum Effect {
    Applied { key: Key, stored: Option<Vec<Value>> },
    Stale(Current),
    Missing(Option<Absence>),
    Busy,
    Rejected(Box<syncline_sdk::Error>),
}

impl Effect {
    fn word(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Stale(_) => "stale",
            Self::Missing(_) => "missing",
            Self::Busy => "busy",
            Self::Rejected(_) => "rejected",
        }
    }
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied { .. })
    }
}

fn rejected(error: syncline_sdk::Error) -> Effect {
    Effect::Rejected(Box::new(error))
}

impl World {
    /// All writes of a copy in one transaction, with its receipt.
    pub fn apply_together(&mut self, id: CopyId, copy: &mut Copy) -> Vec<WriteOutcome> {
        let marker = copy.cx.batch_marker(copy.batch.batch);
        let receipts = self.profile.capabilities.receipt == ReceiptKind::Table;
        if receipts && self.receipts.contains_key(marker.as_str()) {
            return self.repeat(id, copy, &marker);
        }
        let user = self.profile.user.clone();
        let mut author = self.author(&user, None);
        author.marker = Some(marker.as_str().into());
        let grouped = copy.batch.writes.iter().any(|write| write.group.is_some());
        let saved = grouped.then(|| self.save_point());
        let mut effects: Vec<Effect> = (0..copy.batch.writes.len())
            .map(|at| self.perform(id, copy, at, &mut author))
            .collect();
        if let Some(saved) = saved {
            while Self::break_groups(copy, &mut effects) {
                self.roll_back(saved.clone());
                for (at, effect) in effects.iter_mut().enumerate() {
                    if effect.is_applied() {
                        *effect = self.perform(id, copy, at, &mut author);
                    }
                }
            }
        }
        let any = effects.iter().any(Effect::is_applied);
        let receipted = receipts && (any || self.profile.refusal_receipts);
        if receipted {
            self.keep_receipt(&marker, &author, copy, &effects);
        }
        let mut outcomes = Vec::with_capacity(effects.len());
        for (at, effect) in effects.into_iter().enumerate() {
            self.note(id, copy, at, &effect, author.sequence);
            outcomes.push(self.outcome(effect, &author, receipted));
        }
        outcomes
    }

    /// Puts off what belongs together with a refused write; true when something was applied
    /// that must not be.
    fn break_groups(copy: &Copy, effects: &mut [Effect]) -> bool {
        let broken = copy.batch.broken_groups(|at| !effects[at].is_applied());
        let mut any = false;
        for (write, effect) in copy.batch.writes.iter().zip(effects) {
            if effect.is_applied() && write.group.is_some_and(|group| broken.contains(&group)) {
                *effect = Effect::Busy;
                any = true;
            }
        }
        any
    }

    /// The next write of a copy in its own transaction.
    pub fn apply_alone(&mut self, id: CopyId, copy: &mut Copy) -> WriteOutcome {
        let user = self.profile.user.clone();
        let mut author = self.author(&user, None);
        author.marker = Some(copy.cx.batch_marker(copy.batch.batch).into());
        let effect = self.perform(id, copy, copy.next, &mut author);
        self.note(id, copy, copy.next, &effect, author.sequence);
        self.outcome(effect, &author, false)
    }

    fn perform(&mut self, id: CopyId, copy: &mut Copy, at: usize, author: &mut Author) -> Effect {
        match copy.faults.get_mut(at).and_then(Option::take) {
            Some(Fault::Reject(error)) => return Effect::Rejected(Box::new(error)),
            Some(Fault::Busy) => return Effect::Busy,
            Some(Fault::Stale) => return Effect::Stale(Current::Unread),
            _ => {}
        }
        let Some(write) = copy.batch.writes.get(at) else {
            return Effect::Busy;
        };
        author.ordinal = write.ordinal;
        author.origin = Some(Origin {
            install: copy.cx.install.clone(),
            batch: copy.batch.batch,
            intent: write.intent,
            link: write.link,
            copy: id,
        });
        self.apply(&copy.cx, write, author).unwrap_or_else(|effect| effect)
    }

    fn apply(&mut self, cx: &Context, write: &Write, author: &Author) -> Result<Effect, Effect> {
        let entity = &write.selection.entity;
        let marks = self.effective(&write.selection).receipt == ReceiptKind::MarkerField;
        let marker = write.selection.marker.clone().filter(|_| marks);
        let marker = marker.map(|field| (field, Value::from(cx.marker(write.intent))));
        match &write.op {
            WriteOp::Insert { values } => {
                let mut given = values.clone();
                given.extend(self.link_value(write));
                given.extend(marker);
                self.check_values(entity, None, &given).map_err(rejected)?;
                let key = self.new_key(entity, &given).map_err(rejected)?;
                self.create_row(author, entity, key.clone(), given);
                Ok(self.applied(write, &key))
            }
            WriteOp::Update { key, values, expect, claim } => {
                let row = self.reachable(write, key)?;
                self.guard(write, row, values.iter().map(|(field, _)| field), expect)?;
                let mut given = values.clone();
                if *claim {
                    let link = self.link_value(write);
                    self.guard_claim(write, row, link.as_ref())?;
                    given.extend(link);
                }
                given.extend(marker);
                self.check_values(entity, Some(key), &given).map_err(rejected)?;
                self.save_row(author, entity, key, given, false);
                Ok(self.applied(write, key))
            }
            WriteOp::Fence { key, expect } => {
                let Some(marker) = marker else {
                    return Err(rejected(syncline_sdk::Error::unsupported("fence")));
                };
                let row = self.reachable(write, key)?;
                self.guard(write, row, [].iter(), expect)?;
                self.record(author, entity, key, Event::Fenced);
                self.save_row(author, entity, key, vec![marker], false);
                Ok(self.applied(write, key))
            }
            WriteOp::Delete { key, fields, expect } => {
                let row = self.reachable(write, key)?;
                if self.profile.capabilities.conditional_delete {
                    self.guard(write, row, fields.iter(), expect)?;
                }
                self.delete_row(author, entity, key);
                Ok(self.applied(write, key))
            }
            WriteOp::Undelete { key } => {
                self.check_undelete(entity, key).map_err(rejected)?;
                self.move_row(author, entity, key, State::Live, Event::Undeleted);
                Ok(self.applied(write, key))
            }
        }
    }

    /// The link id as the external-id field holds it.
    fn link_value(&self, write: &Write) -> Option<(FieldName, Value)> {
        let field = write.selection.external_id.clone()?;
        let schema = self.table(&write.selection.entity)?.model.visible(&field)?;
        let value = match schema.kind {
            syncline_sdk::FieldType::Uuid => Value::Uuid(write.link.0),
            _ => Value::from(write.link.to_string()),
        };
        Some((field, value))
    }

    fn reachable(&self, write: &Write, key: &Key) -> Result<&Row, Effect> {
        let entity = &write.selection.entity;
        match self.live(entity, key) {
            Some(row) if !row.hidden && !self.conditions.invisible => {
                if self.is_locked(entity, key) { Err(Effect::Busy) } else { Ok(row) }
            }
            _ => Err(Effect::Missing(Some(self.absence(&write.selection, key)))),
        }
    }

    /// Compares what a guarded write expects, by the means that the system has.
    fn guard<'a>(
        &self,
        write: &Write,
        row: &Row,
        fields: impl Iterator<Item = &'a FieldName>,
        expect: &Expect,
    ) -> Result<(), Effect> {
        let stale =
            || Effect::Stale(Current::Record(Box::new(self.present(&write.selection, row))));
        if self.conditions.stale_storm && self.profile.capabilities.cas != Cas::None {
            return Err(Effect::Stale(Current::Unread));
        }
        match self.profile.capabilities.cas {
            Cas::None => Ok(()),
            Cas::ExactField => {
                let mut count = 0;
                for (at, field) in fields.enumerate() {
                    count += 1;
                    let Some(expected) = expect.values.get(at) else {
                        break;
                    };
                    if row.value(field) != *expected {
                        return Err(stale());
                    }
                }
                if expect.also.iter().any(|(field, expected)| row.value(field) != *expected) {
                    return Err(stale());
                }
                if count == expect.values.len() {
                    Ok(())
                } else {
                    let text = format!(
                        "{count} fields are written and {} old values expected",
                        expect.values.len()
                    );
                    Err(rejected(refused(ErrorKind::Config, text)))
                }
            }
            Cas::ExactRecord | Cas::Coarse { .. } => {
                let present = self.read_version(row, self.sequence).encode();
                if present == expect.version { Ok(()) } else { Err(stale()) }
            }
        }
    }
    /// A claim never takes a record that carries another link.
    fn guard_claim(
        &self,
        write: &Write,
        row: &Row,
        link: Option<&(FieldName, Value)>,
    ) -> Result<(), Effect> {
        let Some((field, value)) = link else {
            return Ok(());
        };
        let held = row.value(field);
        if held.is_null() || held == *value || self.profile.capabilities.cas != Cas::ExactField {
            return Ok(());
        }
        let current = self.present(&write.selection, row);
        Err(Effect::Stale(Current::Record(Box::new(current))))
    }

    fn applied(&self, write: &Write, key: &Key) -> Effect {
        Effect::Applied { key: key.clone(), stored: self.stored(&write.selection, key) }
    }
    /// A living record's values in the order of a selection, where the system answers with them.
    pub fn stored(&self, selection: &Selection, key: &Key) -> Option<Vec<Value>> {
        let row = self.live(&selection.entity, key)?;
        let record = self.present(selection, row);
        self.profile.capabilities.stored_image.then_some(record.values)
    }

    fn outcome(&self, effect: Effect, author: &Author, receipted: bool) -> WriteOutcome {
        match effect {
            Effect::Applied { key, stored } => WriteOutcome::Applied {
                version: self.profile.tells_version.then(|| {
                    let form: Form = self.commit_version(author.sequence, author.stamped);
                    form.encode()
                }),
                stored,
                key: Some(key),
            },
            Effect::Stale(current) => WriteOutcome::Stale { current, receipted },
            Effect::Missing(reason) => WriteOutcome::Missing { reason, receipted },
            Effect::Busy => WriteOutcome::Busy { receipted },
            Effect::Rejected(error) => WriteOutcome::Rejected { error: *error, receipted },
        }
    }

    fn note(&mut self, id: CopyId, copy: &Copy, at: usize, effect: &Effect, sequence: u64) {
        let key = match effect {
            Effect::Applied { key, .. } => Some(key.clone()),
            _ => None,
        };
        let sequence = effect.is_applied().then_some(sequence);
        self.note_write(id, copy, at, key, effect.word(), sequence);
    }
    pub fn note_write(
        &mut self,
        id: CopyId,
        copy: &Copy,
        at: usize,
        key: Option<Key>,
        effect: &'static str,
        sequence: Option<u64>,
    ) {
        let Some(write) = copy.batch.writes.get(at) else {
            return;
        };
        let values = match &write.op {
            WriteOp::Insert { values } | WriteOp::Update { values, .. } => values.clone(),
            _ => Vec::new(),
        };
        self.writes.push(WriteEntry {
            request: copy.request,
            copy: id,
            at: self.now,
            system: self.name.clone(),
            install: copy.cx.install.clone(),
            batch: copy.batch.batch,
            intent: write.intent,
            ordinal: write.ordinal,
            link: write.link,
            entity: write.selection.entity.clone(),
            key: key.or_else(|| write.op.key().cloned()),
            verb: write.op.verb(),
            values,
            effect,
            sequence,
        });
    }

    fn present(&self, selection: &Selection, row: &Row) -> syncline_sdk::Record {
        self.read_row(selection, row, self.sequence)
    }
}
