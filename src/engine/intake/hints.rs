//! Hints: what may have changed is read in batches. An entity or a record that cannot be read is
//! put off, so that the others are read.

use std::collections::BTreeMap;

use syncline_core::machine::{Missing, Observation, Source};
use syncline_core::model::{Hint, HintDone, HintReason};
use syncline_ledger::Ledger;
use syncline_sdk::{
    EntityName, Error, FetchBy, FetchRequest, Fetched, Key, Purpose, Scope, SystemName,
};

use super::canary::unseen;
use crate::chronicle::without_values;
use crate::error::Result;
use crate::limits;
use crate::reader::Intake;
use crate::wants::{observations, suspects};
use crate::work::Work;

impl<L: Ledger> Intake<L> {
    /// Reads the records that are hinted at and due on a system. The work is done with the
    /// hints in the commit that folds what was read. Where only one entity or record cannot be
    /// read, its hints are put off with a growing wait, and said so.
    ///
    /// # Errors
    /// When the ledger or the system as a whole gives no answer; the hints stay.
    pub async fn read_hints(&self, name: &SystemName) -> Result<Work> {
        let hints = self.ledger.hints(name, self.clock.now(), limits::HINTS_MAX).await?;
        let mut by_entity: BTreeMap<EntityName, Vec<Hint>> = BTreeMap::new();
        for hint in hints {
            by_entity.entry(hint.entity.clone()).or_default().push(hint);
        }
        let mut work = Work::default();
        for (entity, hints) in by_entity {
            let mut parts = vec![hints];
            while let Some(part) = parts.pop() {
                match self.read_entity(name, &entity, &part).await {
                    Ok(read) => work.append(read),
                    Err(error) if error.kind.scope() == Scope::System => {
                        return Err(Self::at(name)(error));
                    }
                    Err(error) if error.kind.scope() == Scope::Record && part.len() > 1 => {
                        let rest = part[part.len() / 2..].to_vec();
                        parts.extend([rest, part[..part.len() / 2].to_vec()]);
                    }
                    Err(error) => self.put_off(&part, &error, &mut work),
                }
            }
        }
        Ok(work)
    }

    async fn read_entity(
        &self,
        name: &SystemName,
        entity: &EntityName,
        hints: &[Hint],
    ) -> std::result::Result<Work, Error> {
        let mut work = Work::default();
        let Some(system) = self.system(name) else {
            return Ok(work);
        };
        let mut again: BTreeMap<Key, Hint> = BTreeMap::new();
        let keys: Vec<Key> = hints.iter().map(|hint| hint.key.clone()).collect();
        for reader in system.readers(entity) {
            let mapping = &self.mappings[&reader.mapping];
            let request = FetchRequest {
                selection: mapping.sides[reader.side].selection.clone(),
                by: FetchBy::Keys(keys.clone()),
            };
            let context = self.context(Purpose::Sync);
            let fetch = system.connector.fetch(&context, request);
            let fetched = system.ask(&*self.clock, fetch).await?;
            let unseen = unseen(&fetched);
            let swept = |hint: &&Hint| hint.reason == HintReason::Sweep;
            let looked = hints.iter().filter(swept).any(|hint| unseen.contains(&hint.key));
            let shows = looked && self.shows_any(system, mapping, reader.side, &fetched).await?;
            again.extend(hints.iter().filter(|hint| unseen.contains(&hint.key)).filter_map(
                |hint| {
                    let wait = match swept(&hint) {
                        true if shows => return None,
                        true => limits::put_off(hint.tries.saturating_add(1)),
                        false => limits::SWEEP_DOUBT,
                    };
                    Some((hint.key.clone(), self.looked_for_again(hint, wait)))
                },
            ));
            let seen = as_hinted(hints, fetched, shows);
            work.observed.extend(seen.into_iter().map(|seen| (reader.mapping, reader.side, seen)));
        }
        work.hints_done.extend(hints.iter().map(done));
        work.hints.extend(again.into_values());
        Ok(work)
    }

    /// The hint at a record that its side neither shows nor explains: it is looked for once more,
    /// and what waits for it is put before a person then (protocol O7).
    fn looked_for_again(&self, hint: &Hint, wait: i64) -> Hint {
        let tries = if hint.reason == HintReason::Sweep { hint.tries.saturating_add(1) } else { 0 };
        let due = self.clock.now().micros().saturating_add(wait);
        Hint { seq: 0, due, tries, reason: HintReason::Sweep, ..hint.clone() }
    }

    fn put_off(&self, hints: &[Hint], error: &Error, work: &mut Work) {
        let now = self.clock.now().micros();
        if let [first, ..] = hints {
            let (system, entity, count) = (&first.system, &first.entity, hints.len());
            let error = without_values(error);
            tracing::error!(%system, %entity, key = %first.key, count, error, "not read; put off");
        }
        for hint in hints {
            let tries = hint.tries.saturating_add(1);
            work.hints_done.push(done(hint));
            work.hints.push(Hint {
                seq: 0,
                due: now + limits::put_off(tries),
                tries,
                ..hint.clone()
            });
        }
    }
}

fn done(hint: &Hint) -> HintDone {
    HintDone {
        system: hint.system.clone(),
        entity: hint.entity.clone(),
        key: hint.key.clone(),
        seq: hint.seq,
    }
}

/// A reading with what the hints say of records that are not found. `shows` tells that the side
/// shows others of their kind.
fn as_hinted(hints: &[Hint], fetched: Fetched, shows: bool) -> Vec<Observation> {
    let is = |key: &Key, reason| hints.iter().any(|hint| hint.key == *key && hint.reason == reason);
    let swept = |key: &Key| is(key, HintReason::Sweep);
    let (suspected, known) = fetched.missing.into_iter().partition(|(key, _)| swept(key));
    let time = fetched.server_time;
    let of = |missing, records| Fetched { records, missing, server_time: time };
    let mut seen = observations(of(known, fetched.records));
    seen.extend(suspects(of(suspected, Vec::new()), shows));
    for seen in &mut seen {
        if is(&seen.key, HintReason::Deleted) && seen.content == Err(Missing::Deleted) {
            // The feed has told of this deletion.
            seen.source = Source::Feed;
        }
    }
    seen
}
