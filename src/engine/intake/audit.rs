//! What writes of ours replaced unseen, as the history of their system tells (protocol W1).
//!
//! A batch is audited once, when no copy of it can be applied any more: a late copy may overwrite a
//! newer value long after its batch was settled, and nothing else would tell. What is found and
//! that the batch was audited are one commit. A batch that cannot be audited yet waits: its mapping
//! may be left out of this session, or the right to read the history may be given back.

use std::collections::{BTreeMap, BTreeSet};

use syncline_core::audit::{Overwritten, is_suspicious, overwritten};
use syncline_core::mapping::Mapping;
use syncline_core::model::{BatchChange, Entry, Intent, IntentKind, WrittenField};
use syncline_ledger::{Ledger, OpenBatch};
use syncline_sdk::{
    BatchId, EntityName, Error, ErrorKind, FieldName, HistoryEntry, HistoryKind, HistoryRequest,
    Key, Purpose, Scope, SystemName, Version, VersionOrder,
};

use crate::chronicle::without_values;
use crate::error::Result;
use crate::limits;
use crate::reader::Intake;
use crate::references::link_history;
use crate::relaying::relay_entries;
use crate::system::System;
use crate::work::Work;

/// One update of a record that is looked after.
struct Written<'a> {
    batch: BatchId,
    mapping: &'a Mapping,
    entry: &'a Entry,
    intent: &'a Intent,
    key: &'a Key,
}

impl Written<'_> {
    /// The fields that were written, with their names.
    fn fields(&self) -> impl Iterator<Item = (&WrittenField, &FieldName)> {
        let side = &self.mapping.sides[self.intent.side];
        let written = self.intent.fields.iter().filter(|field| field.is_written());
        written
            .filter_map(|field| Some((field, side.selection.fields.get(usize::from(field.field))?)))
    }

    /// Whether a field holds references: its side tells of them by the records that they point to,
    /// an intent by their links.
    fn refers(&self, at: usize) -> bool {
        let pairs = self.mapping.units.iter().flat_map(|unit| &unit.pairs);
        let mut references = pairs.filter(|pair| pair.reference.is_some());
        references.any(|pair| pair.on(self.intent.side) == at)
    }
}

impl<L: Ledger> Intake<L> {
    /// Audits settled batches of a system that keeps a history. True when there may be more.
    ///
    /// # Errors
    /// When the ledger or the system gives no answer; the batches are audited later then.
    pub async fn audit(&self, name: &SystemName) -> Result<(Work, bool)> {
        let mut work = Work::default();
        let keeps = |system: &&System| system.capabilities().history != HistoryKind::None;
        let Some(system) = self.system(name).filter(keeps) else { return Ok((work, false)) };
        let now = self.clock.now();
        let mut after = None;
        loop {
            let max = limits::AUDIT_MAX;
            let mut batches = self.ledger.unaudited_batches(name, now, after, max).await?;
            for open in &mut batches {
                relay_entries(&mut open.entries, &self.mappings)?;
            }
            self.audit_batches(name, system, &batches, &mut work).await?;
            let full = batches.len() == max;
            after = batches.last().map(|open| open.batch.id).filter(|_| full);
            // Those that wait stand in nobody's way.
            if !work.batches.is_empty() || after.is_none() {
                return Ok((work, full));
            }
        }
    }

    async fn audit_batches(
        &self,
        name: &SystemName,
        system: &System,
        batches: &[OpenBatch],
        work: &mut Work,
    ) -> Result<()> {
        let mut waiting: BTreeSet<BatchId> = BTreeSet::new();
        let mut by_entity: BTreeMap<&EntityName, Vec<Written<'_>>> = BTreeMap::new();
        let entries = batches
            .iter()
            .flat_map(|open| open.entries.iter().map(move |entry| (open.batch.id, entry)));
        for (batch, entry) in entries {
            let Some(mapping) = self.mappings.get(&entry.mapping) else {
                waiting.insert(batch);
                continue;
            };
            let update = entry.intent.as_ref().filter(|of| of.kind == IntentKind::Update);
            let Some((intent, key)) = update.and_then(|of| Some((of, of.key.as_ref()?))) else {
                continue;
            };
            let entity = &mapping.sides[intent.side].selection.entity;
            let written = Written { batch, mapping, entry, intent, key };
            by_entity.entry(entity).or_default().push(written);
        }
        let room = system.capabilities().fetch_keys_max.max(1);
        for (entity, writes) in by_entity {
            let mut parts: Vec<&[Written<'_>]> = writes.chunks(room).rev().collect();
            while let Some(part) = parts.pop() {
                match self.history_of(system, entity, part).await {
                    Ok(history) => self.audit_writes(system, part, &history, work).await?,
                    Err(error) => match error.kind.scope() {
                        Scope::System => return Err(Self::at(name)(error)),
                        Scope::Record if part.len() > 1 => {
                            let (first, second) = part.split_at(part.len() / 2);
                            parts.extend([second, first]);
                        }
                        // Of this record it tells nothing, now or later; nor where none is kept.
                        Scope::Record => not_audited(name, entity, &error),
                        Scope::Entity if error.kind == ErrorKind::Unsupported => {
                            tracing::debug!(system = %name, %entity, "no history is kept");
                        }
                        Scope::Entity => {
                            not_audited(name, entity, &error);
                            waiting.extend(part.iter().map(|written| written.batch));
                        }
                    },
                }
            }
        }
        let ids = batches.iter().map(|open| open.batch.id);
        work.batches.extend(ids.filter(|id| !waiting.contains(id)).map(BatchChange::Audit));
        Ok(())
    }

    async fn history_of(
        &self,
        system: &System,
        entity: &EntityName,
        writes: &[Written<'_>],
    ) -> syncline_sdk::Result<Vec<HistoryEntry>> {
        let request = request(entity, writes, system);
        if request.fields.is_empty() {
            return Ok(Vec::new());
        }
        let context = self.context(Purpose::Sweep);
        system.ask(&*self.clock, system.connector.history(&context, request)).await
    }

    async fn audit_writes(
        &self,
        system: &System,
        writes: &[Written<'_>],
        entries: &[HistoryEntry],
        work: &mut Work,
    ) -> Result<()> {
        for written in writes {
            let found = self.audited(system, written, entries).await?;
            if found.is_empty() {
                continue;
            }
            let (link, intent) = (written.entry.link, written.intent);
            let fields: Vec<u16> = found.iter().map(|edit| edit.field).collect();
            tracing::warn!(%link, intent = %intent.id, ?fields, "an edit was overwritten unseen");
            let id = (written.entry.mapping, link, intent.side);
            let known = work
                .overwritten
                .iter_mut()
                .find(|(mapping, link, side, _)| (*mapping, *link, *side) == id);
            match known {
                Some((_, _, _, known)) => {
                    let new: Vec<Overwritten> =
                        found.into_iter().filter(|edit| !known.contains(edit)).collect();
                    known.extend(new);
                }
                None => work.overwritten.push((id.0, id.1, id.2, found)),
            }
        }
        Ok(())
    }

    /// What one write replaced unseen. The journal is only asked where it may be something: it
    /// tells which writes of the same value were made knowing the edit.
    async fn audited(
        &self,
        system: &System,
        written: &Written<'_>,
        entries: &[HistoryEntry],
    ) -> Result<Vec<Overwritten>> {
        let order = |a: &Version, b: &Version| system.connector.order(a, b);
        let intent = written.intent;
        let mut by_field: Vec<(&WrittenField, Vec<HistoryEntry>)> = Vec::new();
        for (field, name) in written.fields() {
            let of_field =
                |entry: &&HistoryEntry| entry.key == *written.key && entry.field == *name;
            let mut told: Vec<HistoryEntry> = entries.iter().filter(of_field).cloned().collect();
            let at = usize::from(field.field);
            // A change that stands alone replaced nothing that its plan had not seen.
            if told.len() > 1 && written.refers(at) {
                let (id, place) = (written.entry.mapping, (intent.side, at));
                link_history(&*self.ledger, &self.mappings, id, place, &mut told).await?;
            }
            by_field.push((field, told));
        }
        if !by_field.iter().any(|(field, entries)| is_suspicious(intent, field, entries, &order)) {
            return Ok(Vec::new());
        }
        let (mapping, link) = (written.entry.mapping, written.entry.link);
        let max = limits::ENTRIES_OF_LINK_MAX;
        let mut journal = self.ledger.explain(mapping, link, max).await?;
        journal.retain(|entry| entry.id > written.entry.id);
        relay_entries(&mut journal, &self.mappings)?;
        let writes: Vec<Intent> = journal
            .into_iter()
            .filter_map(|entry| entry.intent)
            .filter(|later| later.side == intent.side)
            .chain([intent.clone()])
            .collect();
        let found = by_field.iter().flat_map(|(field, entries)| {
            overwritten(intent, field.field, entries, &writes, &order)
        });
        Ok(found.collect())
    }
}

fn not_audited(system: &SystemName, entity: &EntityName, error: &Error) {
    let error = without_values(error);
    tracing::warn!(%system, %entity, error, "what writes replaced cannot be looked up");
}

/// What is asked of the writes' records: each since the earliest reading that one of its writes was
/// planned from.
fn request(entity: &EntityName, writes: &[Written<'_>], system: &System) -> HistoryRequest {
    let mut records: BTreeMap<&Key, &Version> = BTreeMap::new();
    let mut fields: Vec<FieldName> = Vec::new();
    for written in writes {
        let since = &written.intent.version;
        let known = records.entry(written.key).or_insert(since);
        if system.connector.order(since, known) == VersionOrder::Older {
            *known = since;
        }
        fields.extend(written.fields().map(|(_, name)| name.clone()));
    }
    fields.sort_unstable();
    fields.dedup();
    let records = records.into_iter().map(|(key, since)| (key.clone(), since.clone())).collect();
    HistoryRequest { entity: entity.clone(), records, fields }
}

#[cfg(test)]
mod tests;
