//! Hints: what may have changed is read in batches.

use std::collections::BTreeMap;

use syncline_core::machine::{Missing, Observation, Source};
use syncline_core::model::{Hint, HintDone, HintReason};
use syncline_ledger::Ledger;
use syncline_sdk::{EntityName, FetchBy, FetchRequest, Fetched, Key, Purpose, SystemName};

use crate::error::Result;
use crate::limits;
use crate::reader::Intake;
use crate::wants::{observations, suspects};
use crate::work::Work;

impl<L: Ledger> Intake<L> {
    /// Reads the records that are hinted at and due on a system. The work is done with the
    /// hints in the commit that folds what was read.
    ///
    /// # Errors
    /// When the ledger or the system gives no answer; the hints stay.
    pub async fn read_hints(&self, name: &SystemName) -> Result<Work> {
        let hints = self.ledger.hints(name, self.clock.now(), limits::HINTS_MAX).await?;
        let mut by_entity: BTreeMap<EntityName, Vec<Hint>> = BTreeMap::new();
        for hint in hints {
            by_entity.entry(hint.entity.clone()).or_default().push(hint);
        }
        let mut work = Work::default();
        for (entity, hints) in by_entity {
            work.append(self.read_entity(name, &entity, hints).await?);
        }
        Ok(work)
    }

    async fn read_entity(
        &self,
        name: &SystemName,
        entity: &EntityName,
        hints: Vec<Hint>,
    ) -> Result<Work> {
        let mut work = Work::default();
        let Some(system) = self.system(name) else {
            return Ok(work);
        };
        let keys: Vec<Key> = hints.iter().map(|hint| hint.key.clone()).collect();
        for reader in system.readers(entity) {
            let mapping = &self.mappings[&reader.mapping];
            let request = FetchRequest {
                selection: mapping.sides[reader.side].selection.clone(),
                by: FetchBy::Keys(keys.clone()),
            };
            let context = self.context(Purpose::Sync);
            let fetched =
                system.connector.fetch(&context, request).await.map_err(Self::at(name))?;
            let seen = as_hinted(&hints, fetched);
            work.observed.extend(seen.into_iter().map(|seen| (reader.mapping, reader.side, seen)));
        }
        work.hints_done.extend(hints.into_iter().map(|hint| HintDone {
            system: hint.system,
            entity: hint.entity,
            key: hint.key,
            seq: hint.seq,
        }));
        Ok(work)
    }
}

/// A reading with what the hints say of records that are not found.
fn as_hinted(hints: &[Hint], fetched: Fetched) -> Vec<Observation> {
    let is = |key: &Key, reason| hints.iter().any(|hint| hint.key == *key && hint.reason == reason);
    let swept = |key: &Key| is(key, HintReason::Sweep);
    let (suspected, known) = fetched.missing.into_iter().partition(|(key, _)| swept(key));
    let time = fetched.server_time;
    let of = |missing, records| Fetched { records, missing, server_time: time };
    let mut seen = observations(of(known, fetched.records));
    seen.extend(suspects(of(suspected, Vec::new())));
    for seen in &mut seen {
        if is(&seen.key, HintReason::Deleted) && seen.content == Err(Missing::Deleted) {
            // The feed has told of this deletion.
            seen.source = Source::Feed;
        }
    }
    seen
}
