//! What a system shows.

use syncline_sdk::{
    Absence, Actor, Capabilities, Cas, FetchBy, FetchRequest, Fetched, HistoryEntry, HistoryKind,
    HistoryRequest, Instant, Key, LinkId, Normalizer, ReceiptKind, Record, Result, Selection,
    Value, Version,
};

use super::row::{Row, State};
use super::world::World;
use crate::history::Event;
use crate::profile::{later, micros};
use crate::version::Form;

impl World {
    pub fn effective(&self, selection: &Selection) -> Capabilities {
        let mut capabilities = self.profile.capabilities.clone();
        let model = self.table(&selection.entity).map(|table| &table.model);
        let has = |name: &Option<syncline_sdk::FieldName>| {
            let field = name.as_ref().zip(model);
            field.and_then(|(name, model)| model.visible(name)).cloned()
        };
        if has(&selection.marker).is_none() && capabilities.receipt == ReceiptKind::MarkerField {
            capabilities.receipt = ReceiptKind::None;
        }
        if !has(&selection.external_id).is_some_and(|field| field.unique) {
            capabilities.unique_external_id = false;
        }
        capabilities
    }

    /// The commit that reads contain: the last one, or an older one on a lagging replica.
    pub fn snapshot(&self) -> u64 {
        self.sequence.saturating_sub(self.conditions.replica_lag)
    }
    pub fn link_of(&self, selection: &Selection, row: &Row) -> Option<LinkId> {
        match row.value(selection.external_id.as_ref()?) {
            Value::Uuid(id) => Some(LinkId(id)),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A row as a read shows it.
    pub fn read_row(&self, selection: &Selection, row: &Row, snapshot: u64) -> Record {
        let model = self.table(&selection.entity).map(|table| &table.model);
        let shown =
            |field: &syncline_sdk::FieldName| match model.and_then(|model| model.visible(field)) {
                Some(_) => row.value(field),
                None => Value::Absent,
            };
        let marker = selection.marker.as_ref().map(shown);
        let stamp = self.profile.stamp(row.stamped);
        let coarse = matches!(self.profile.capabilities.cas, Cas::Coarse { .. });
        let closed = !coarse || self.clock().micros() >= stamp + self.profile.tick_micros();
        Record {
            key: row.key.clone(),
            version: self.read_version(row, snapshot).encode(),
            values: selection.fields.iter().map(shown).collect(),
            external_id: self.link_of(selection, row),
            marker: marker.and_then(|value| match value {
                Value::Text(text) => Some(text),
                _ => None,
            }),
            actor: match selection.actor {
                Some(_) => row.actor.clone(),
                None => Actor::default(),
            },
            changed_at: Some(Instant::from_micros(stamp)),
            closed,
        }
    }

    /// A row as these credentials see it in the snapshot of this read.
    pub fn seen(&self, selection: &Selection, key: &Key) -> Option<&Row> {
        if self.conditions.invisible {
            return None;
        }
        let slot = self.slot(&selection.entity, key)?;
        let row = slot.as_of(self.snapshot())?;
        (row.is_live() && !slot.row.hidden).then_some(row)
    }

    /// Why a record is not shown. Deleted only with evidence (protocol O7): a row of the bin or,
    /// on a system without one, its absence while the canary is visible.
    pub fn absence(&self, selection: &Selection, key: &Key) -> Absence {
        if self.conditions.invisible {
            return Absence::NotVisible;
        }
        let bin = self.profile.capabilities.recycle_bin.is_some();
        let slot = self.slot(&selection.entity, key);
        let row = slot.and_then(|slot| slot.as_of(self.snapshot()));
        let hidden = slot.is_some_and(|slot| slot.row.hidden);
        match row {
            Some(_) if hidden => Absence::NotVisible,
            Some(row) => match &row.state {
                State::Live => Absence::NotVisible,
                State::Merged(survivor) if bin => Absence::MergedInto(survivor.clone()),
                State::Deleted { by, at } if bin => Absence::Deleted {
                    by: Some(by.clone()),
                    at: Some(*at),
                    image: Some(Box::new(self.read_row(selection, row, self.snapshot()))),
                },
                _ => deleted(),
            },
            None if bin => Absence::NotVisible,
            None => deleted(),
        }
    }

    pub fn fetch(&self, request: &FetchRequest) -> Fetched {
        let selection = &request.selection;
        let mut fetched = Fetched { server_time: Some(self.clock()), ..Fetched::default() };
        match &request.by {
            FetchBy::Keys(keys) => {
                let keys: std::collections::BTreeSet<&Key> = keys.iter().collect();
                for key in keys {
                    match self.seen(selection, key) {
                        Some(row) => {
                            let record = self.read_row(selection, row, self.snapshot());
                            fetched.records.push(record);
                        }
                        None => {
                            let absence = self.absence(selection, key);
                            fetched.missing.push((key.clone(), absence));
                        }
                    }
                }
            }
            FetchBy::ExternalIds(links) => {
                let wanted = |row: &Row| {
                    self.link_of(selection, row).is_some_and(|link| links.contains(&link))
                };
                fetched.records = self.search(selection, wanted);
            }
            FetchBy::Matching { field, normalize, values } => {
                let wanted = |row: &Row| {
                    let stored = Normalizer::apply_all(normalize, row.value(field));
                    values.contains(&stored)
                };
                fetched.records = self.search(selection, wanted);
            }
        }
        fetched
    }
    /// A search by field: rows changed within the search lag are not in the index yet.
    fn search(&self, selection: &Selection, wanted: impl Fn(&Row) -> bool) -> Vec<Record> {
        let lag = self.profile.capabilities.search_lag;
        let Some(table) = self.table(&selection.entity) else {
            return Vec::new();
        };
        let rows = table.rows.keys().filter_map(|key| self.seen(selection, key));
        rows.filter(|row| lag.is_zero() || later(row.stamped, lag) <= self.clock())
            .filter(|row| wanted(row))
            .map(|row| self.read_row(selection, row, self.snapshot()))
            .collect()
    }

    pub fn remembered(&self, request: &HistoryRequest) -> Result<Vec<HistoryEntry>> {
        let kind = self.profile.capabilities.history;
        if kind == HistoryKind::None {
            return Err(syncline_sdk::Error::unsupported("read history"));
        }
        let newer = |after: &Version, entry: &crate::LogEntry| match Form::decode(after) {
            None => true,
            Some(Form::Stamp(stamp)) => self.profile.stamp(entry.stamped) >= stamp,
            Some(Form::Row(sequence) | Form::Commit(sequence) | Form::Snapshot(sequence)) => {
                entry.sequence >= sequence
            }
        };
        let asked = |entry: &&crate::LogEntry| {
            let mut records = request.records.iter();
            entry.entity == request.entity
                && records.any(|(key, after)| *key == entry.key && newer(after, entry))
        };
        let shown = self.log.iter().filter(asked).filter_map(|entry| {
            let Event::Field { field, old, new, .. } = &entry.event else {
                return None;
            };
            request.fields.contains(field).then(|| HistoryEntry {
                key: entry.key.clone(),
                field: field.clone(),
                old: kept(kind >= HistoryKind::FullValues, old),
                new: kept(kind >= HistoryKind::EventsWithValues, new),
                actor: entry.actor.clone(),
                version: self.commit_version(entry.sequence, entry.stamped).encode(),
                at: Some(Instant::from_micros(self.profile.stamp(entry.stamped))),
            })
        });
        Ok(shown.collect())
    }

    /// Where a poll starts: the overlap behind a place.
    pub fn behind(&self, micros_at: i64) -> i64 {
        micros_at.saturating_sub(micros(self.profile.poll_overlap))
    }
}

fn kept(keep: bool, value: &Value) -> Value {
    if keep { value.clone() } else { Value::Absent }
}

fn deleted() -> Absence {
    Absence::Deleted { by: None, at: None, image: None }
}
