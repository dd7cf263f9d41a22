//! Batches under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_core::Side;
use syncline_core::machine::{Carried, Mappings, Missing, Observation, OutBatch, Settling, Source};
use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::{Batch, Hint, HintReason, IntentKind};
use syncline_sdk::{BatchId, IntentId, Key, LinkId, SystemName, WriteBatch};

use crate::clock::micros;
use crate::gather::Gathered;
use crate::limits;
use crate::next_try::NextTry;

/// A batch that is recorded as sent and not settled.
#[derive(Clone, Debug)]
pub struct Flight {
    /// The row as recorded.
    pub batch: Batch,
    /// What is not settled of it.
    pub carried: Vec<Carried>,
    /// What was sent.
    pub write: WriteBatch,
    /// The intents of the whole batch.
    pub intents: Arc<[IntentId]>,
    /// Whether an answer is still awaited; if not, what is left is unknown (protocol I4).
    pub awaited: bool,
    /// Intents whose record was not found after a gap: the feed may never show what they did.
    pub vanished: BTreeSet<IntentId>,
    /// Links of which a merge was heard while their write was under way, each with what is to be
    /// looked up once it is settled.
    pub merged: BTreeMap<(MappingId, LinkId), Hint>,
    /// When it is tried to be settled next.
    pub next_try: NextTry,
    /// Whether a gap was noticed while it was under way: nothing has told of what happened since
    /// to the records that its creates made.
    pub across_gap: bool,
}

impl Flight {
    /// A batch whose first send was just recorded.
    #[must_use]
    pub fn new(out: OutBatch) -> Self {
        let intents = out.batch.intents.clone().into();
        Self {
            batch: out.batch,
            carried: out.carried,
            write: out.write,
            intents,
            awaited: true,
            vanished: BTreeSet::new(),
            merged: BTreeMap::new(),
            next_try: NextTry::default(),
            across_gap: false,
        }
    }
    /// The record of a create that was applied, where a gap may hide what became of it: it is
    /// read once its link knows it, like everything that was linked when the gap was noticed.
    pub(crate) fn unwatched(
        &self,
        mapping: &Mapping,
        carried: &Carried,
        settling: &Settling,
    ) -> Option<Hint> {
        let Settling::Applied { key: Some(key), .. } = settling else { return None };
        let create = carried.intent.kind == IntentKind::Create;
        let side = carried.intent.side;
        (create && self.across_gap).then(|| look_up(mapping, side, key.clone(), HintReason::Sweep))
    }
}

/// A hint of a record that is to be read at once.
fn look_up(mapping: &Mapping, side: Side, key: Key, reason: HintReason) -> Hint {
    let place = &mapping.sides[side];
    let (system, entity) = (place.system.clone(), place.selection.entity.clone());
    Hint { system, entity, key, seq: 0, due: 0, reason, tries: 0 }
}

/// All batches under way.
#[derive(Debug, Default)]
pub struct Flights(BTreeMap<BatchId, Flight>);

impl Flights {
    /// Takes one in.
    pub fn insert(&mut self, flight: Flight) {
        self.0.insert(flight.batch.id, flight);
    }
    /// One of them.
    #[must_use]
    pub fn get(&self, id: BatchId) -> Option<&Flight> {
        self.0.get(&id)
    }
    /// One of them, to change.
    pub fn get_mut(&mut self, id: BatchId) -> Option<&mut Flight> {
        self.0.get_mut(&id)
    }
    /// Forgets one.
    pub fn remove(&mut self, id: BatchId) {
        self.0.remove(&id);
    }
    /// Forgets what was settled, and the batches of which that leaves nothing. A batch whose
    /// answer is awaited is another one, with the same step of the same intent: an undelete that
    /// was planned again in the round that settled the first.
    pub fn forget(&mut self, settled: impl Fn(&Carried) -> bool) {
        self.0.retain(|_, flight| {
            if flight.awaited {
                return true;
            }
            let before = flight.carried.len();
            flight.carried.retain(|carried| !settled(carried));
            flight.carried.len() == before || !flight.carried.is_empty()
        });
    }
    /// All, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Flight> {
        self.0.values()
    }
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Of one system.
    fn of<'a>(&'a self, system: &'a SystemName) -> impl Iterator<Item = &'a Flight> {
        self.0.values().filter(move |flight| flight.batch.system == *system)
    }
    /// How long to send nothing more to a system that leaves too many batches unanswered for too
    /// long, microseconds; nothing where it keeps up.
    #[must_use]
    pub(crate) fn stuck(&self, system: &SystemName, now: i64) -> Option<i64> {
        let slow = micros(limits::FLIGHT_SLOW);
        let oldest = self.of(system).map(|flight| flight.batch.first_sent).min()?;
        let many = self.of(system).nth(limits::FLIGHTS_MAX - 1).is_some();
        (many && now.saturating_sub(oldest) > slow).then_some(slow)
    }
    /// Whether no system has so many batches under way that what is read should wait for it. One
    /// that does not keep up at all, or is away, is not waited for.
    #[must_use]
    pub(crate) fn have_room(&self, now: i64, away: impl Fn(&SystemName) -> bool) -> bool {
        let full = |(system, count): (SystemName, usize)| {
            count >= limits::FLIGHTS_MAX && self.stuck(&system, now).is_none() && !away(&system)
        };
        !self.counts().into_iter().any(full)
    }
    /// How many each system has.
    pub(crate) fn counts(&self) -> BTreeMap<SystemName, usize> {
        let mut counts: BTreeMap<SystemName, usize> = BTreeMap::new();
        for flight in self.0.values() {
            *counts.entry(flight.batch.system.clone()).or_default() += 1;
        }
        counts
    }
    /// True when none is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Notes which records with a write under way were not found after a gap.
    pub fn note_vanished(&mut self, observed: &[(MappingId, Side, Observation)]) {
        let gone: BTreeSet<_> = observed
            .iter()
            .filter(|(_, _, seen)| seen.content == Err(Missing::Suspected))
            .map(|(mapping, side, seen)| (*mapping, *side, &seen.key))
            .collect();
        if gone.is_empty() {
            return;
        }
        for flight in self.0.values_mut() {
            let Flight { carried, vanished, .. } = flight;
            let of = carried.iter().filter(|Carried { mapping, intent, .. }| {
                intent.key.as_ref().is_some_and(|key| gone.contains(&(*mapping, intent.side, key)))
            });
            vanished.extend(of.map(|carried| carried.intent.id));
        }
    }
    /// Notes records that were merged away while a write of their link is under way.
    pub(crate) fn note_merged(
        &mut self,
        mappings: &Mappings,
        gathered: &Gathered,
        observed: &[(MappingId, Side, Observation)],
    ) {
        let merged = |seen: &Observation| matches!(seen.content, Err(Missing::MergedInto(_)));
        for (mapping, side, seen) in observed.iter().filter(|(_, _, seen)| merged(seen)) {
            let (Some(of), Some(link)) =
                (mappings.get(mapping), gathered.link(*mapping, *side, &seen.key))
            else {
                continue;
            };
            let hint = look_up(of, *side, seen.key.clone(), HintReason::Again);
            let writes = |one: &Carried| (one.mapping, one.link) == (*mapping, link);
            let of = self.0.values_mut().filter(|flight| flight.carried.iter().any(writes));
            of.for_each(|flight| drop(flight.merged.insert((*mapping, link), hint.clone())));
        }
    }
    /// What is to be looked up of a link when its write is settled.
    pub(crate) fn merged(&self, of: (MappingId, LinkId)) -> Option<Hint> {
        self.0.values().find_map(|flight| flight.merged.get(&of)).cloned()
    }
    /// A gap was noticed.
    pub(crate) fn note_gap(&mut self) {
        self.0.values_mut().for_each(|flight| flight.across_gap = true);
    }
    /// Whether a create is under way across a gap: that is not closed before the record is known.
    #[must_use]
    pub fn cross_gap(&self) -> bool {
        let create = |carried: &Carried| carried.intent.kind == IntentKind::Create;
        self.0.values().any(|flight| flight.across_gap && flight.carried.iter().any(create))
    }
    /// The intents of the batch that a marker names.
    #[must_use]
    pub fn marked(&self, install: &str, marker: &str) -> Arc<[IntentId]> {
        marker
            .strip_prefix(install)
            .and_then(|rest| rest.strip_prefix(':'))
            .and_then(|id| id.parse::<BatchId>().ok())
            .and_then(|id| self.0.get(&id))
            .map_or_else(|| Arc::from([]), |flight| flight.intents.clone())
    }
    /// The creates under way that may have made a record which no link knows. A record that
    /// carries a link id is that link's; where the side keeps link ids, one without any is not
    /// ours; where it does not, any create under way may have made it, and nobody can tell
    /// before that is settled (protocol C2, C5).
    #[must_use]
    pub fn making(&self, mapping: &Mapping, side: Side, seen: &Observation) -> Arc<[IntentId]> {
        let keeps = mapping.sides[side].selection.external_id.is_some();
        // A feed does not tell the link id, nor does a record that is gone.
        let tells = keeps && seen.content.is_ok() && seen.source != Source::Feed;
        if tells && seen.external_id.is_none() {
            return Arc::from([]);
        }
        self.0
            .values()
            .flat_map(|flight| &flight.carried)
            .filter(|carried| carried.mapping == mapping.id && carried.intent.side == side)
            .filter(|carried| carried.intent.kind == IntentKind::Create)
            .filter(|carried| !tells || seen.external_id == Some(carried.link))
            .map(|carried| carried.intent.id)
            .collect()
    }
}
