//! Reading what the machine wants before it plans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_core::Side;
use syncline_core::machine::{Mappings, Missing, Observation, Source, Want, Workset};
use syncline_core::mapping::{Mapping, MappingId};
use syncline_ledger::Ledger;
use syncline_sdk::{
    Absence, Context, FetchBy, FetchRequest, Fetched, Key, LinkId, Normalizer, Purpose, SystemName,
    Value,
};

use crate::chronicle::without_values;
use crate::clock::Clock;
use crate::error::Result;
use crate::flight::Flights;
use crate::gather::Gathered;
use crate::limits;
use crate::observation;
use crate::relaying::relay_entries;
use crate::system::System;

/// What reads are made with.
pub(crate) struct Reading<'a, L> {
    pub ledger: &'a L,
    pub mappings: &'a Mappings,
    pub systems: &'a BTreeMap<SystemName, System>,
    pub flights: &'a Flights,
    pub install: &'a Arc<str>,
    pub clock: &'a dyn Clock,
}

/// One match that is looked for: the link that looks, and the normalised value.
type Looking = (LinkId, Value);

/// Records that refer to a link's record: their mapping, side and reference, the link, and the
/// record's id.
type Referring = ((MappingId, Side, usize), (MappingId, LinkId), Value);

/// Wants of one kind, put together into one call each.
#[derive(Default)]
struct Calls {
    fresh: BTreeMap<(MappingId, Side), Vec<Key>>,
    external: BTreeMap<(MappingId, Side), Vec<LinkId>>,
    matching: BTreeMap<(MappingId, Side, usize), Vec<Looking>>,
    journals: Vec<(MappingId, LinkId)>,
    referring: Vec<Referring>,
}

impl<L: Ledger> Reading<'_, L> {
    /// Reads until nothing is wanted that was not tried. A system that gives no answer in time
    /// leaves its wants open, and is not asked for a while: their links are put off by the plan
    /// and read beside the rounds, the others go on.
    pub async fn fulfil(
        &mut self,
        workset: &mut Workset<'_>,
        gathered: &mut Gathered,
    ) -> Result<()> {
        let mut tried: BTreeSet<String> = BTreeSet::new();
        let mut parents: BTreeSet<(MappingId, LinkId)> = BTreeSet::new();
        for _ in 0..limits::WANTS_MAX {
            let missing: Vec<_> = workset
                .parents_wanted()
                .into_iter()
                .filter(|parent| parents.insert(*parent))
                .collect();
            if !missing.is_empty() {
                gathered.load_links(self.ledger, self.mappings, &missing).await?;
                gathered.enter(workset);
            }
            let wants: Vec<Want> = workset
                .wants()
                .into_iter()
                .filter(|want| tried.insert(format!("{want:?}")))
                .collect();
            if wants.is_empty() {
                return Ok(());
            }
            self.read(wants, workset, gathered).await?;
        }
        Ok(())
    }

    async fn read(
        &mut self,
        wants: Vec<Want>,
        workset: &mut Workset<'_>,
        gathered: &mut Gathered,
    ) -> Result<()> {
        let mut calls = Calls::default();
        for want in wants {
            match want {
                Want::Fresh { mapping, side, key, .. } => {
                    calls.fresh.entry((mapping, side)).or_default().push(key);
                }
                Want::ExternalId { mapping, link, side } => {
                    calls.external.entry((mapping, side)).or_default().push(link);
                }
                Want::Match { mapping, link, side, rule, value } => {
                    let place = (mapping, side, rule);
                    calls.matching.entry(place).or_default().push((link, value));
                }
                Want::Journal { mapping, link } => calls.journals.push((mapping, link)),
                Want::Referring { mapping, side, field, to, value } => {
                    calls.referring.push(((mapping, side, field), to, value));
                }
            }
        }
        for ((mapping, side), keys) in calls.fresh {
            self.read_fresh(mapping, side, keys, workset, gathered).await?;
        }
        for ((mapping, side), links) in calls.external {
            self.read_external(mapping, side, links, workset, gathered).await?;
        }
        for ((mapping, side, rule), looking) in calls.matching {
            self.read_matching((mapping, side, rule), looking, workset, gathered).await?;
        }
        for (mapping, link) in calls.journals {
            let most = limits::ENTRIES_OF_LINK_MAX;
            let mut entries = self.ledger.explain(mapping, link, most).await?;
            relay_entries(&mut entries, self.mappings)?;
            workset.journal(mapping, link, &entries);
        }
        let answers = self.read_referring(calls.referring).await;
        answers.into_iter().for_each(|(to, any)| workset.referred(to, any));
        Ok(())
    }

    /// Of each link asked for, whether a record of any of the mappings asked refers to its own;
    /// nothing where one of them could not be searched.
    async fn read_referring(&self, asked: Vec<Referring>) -> BTreeMap<(MappingId, LinkId), bool> {
        let mut answers: BTreeMap<(MappingId, LinkId), Option<bool>> = BTreeMap::new();
        for ((id, side, field), to, value) in asked {
            let found = match self.mappings.get(&id) {
                Some(mapping) => {
                    let field = mapping.field_name(side, field).clone();
                    let by =
                        FetchBy::Matching { field, normalize: Vec::new(), values: vec![value] };
                    self.fetch(mapping, side, by).await
                }
                None => None,
            };
            let found = found.map(|fetched| !fetched.records.is_empty());
            let answer = answers.entry(to).or_insert(Some(false));
            *answer = answer.zip(found).map(|(before, now)| before || now);
        }
        answers.into_iter().filter_map(|(to, any)| any.map(|any| (to, any))).collect()
    }

    async fn fetch(&self, mapping: &Mapping, side: Side, by: FetchBy) -> Option<Fetched> {
        let place = &mapping.sides[side];
        let system = self.systems.get(&place.system)?;
        let began = self.clock.now();
        if system.silent(began).is_some() {
            return None;
        }
        let context = Context {
            install: self.install.clone(),
            now: began,
            timeout: system.breaker.patience(),
            purpose: Purpose::Sync,
        };
        let request = FetchRequest { selection: place.selection.clone(), by };
        let answer = system.connector.fetch(&context, request).await;
        system.breaker.note_waited(began, self.clock.now(), answer.as_ref().err());
        match answer {
            Ok(fetched) => Some(fetched),
            Err(error) => {
                if system.refused.note(&error, began) {
                    let error = without_values(&error);
                    tracing::warn!(system = %place.system, error, "a look-up gave no answer");
                }
                None
            }
        }
    }

    async fn read_fresh(
        &self,
        id: MappingId,
        side: Side,
        keys: Vec<Key>,
        workset: &mut Workset<'_>,
        gathered: &mut Gathered,
    ) -> Result<()> {
        let Some(mapping) = self.mappings.get(&id) else {
            return Ok(());
        };
        let Some(fetched) = self.fetch(mapping, side, FetchBy::Keys(keys)).await else {
            return Ok(());
        };
        let seen = observations(fetched);
        let named = seen.iter().map(|seen| (id, side, seen));
        gathered.load_more(self.ledger, self.mappings, named).await?;
        gathered.enter(workset);
        for seen in &seen {
            let seen = gathered.prepare(self.mappings, self.flights, id, side, seen);
            workset.observe(id, side, &seen);
        }
        Ok(())
    }

    async fn read_external(
        &self,
        id: MappingId,
        side: Side,
        links: Vec<LinkId>,
        workset: &mut Workset<'_>,
        gathered: &mut Gathered,
    ) -> Result<()> {
        let Some(mapping) = self.mappings.get(&id) else {
            return Ok(());
        };
        let by = FetchBy::ExternalIds(links.clone());
        let Some(fetched) = self.fetch(mapping, side, by).await else {
            return Ok(());
        };
        let seen = observations(fetched);
        let named = seen.iter().map(|seen| (id, side, seen));
        gathered.load_more(self.ledger, self.mappings, named).await?;
        gathered.enter(workset);
        for link in links {
            let found = seen.iter().find(|seen| seen.external_id == Some(link));
            let found =
                found.map(|seen| gathered.prepare(self.mappings, self.flights, id, side, seen));
            workset.found_external(id, link, side, found.as_deref());
        }
        Ok(())
    }

    async fn read_matching(
        &self,
        place: (MappingId, Side, usize),
        looking: Vec<Looking>,
        workset: &mut Workset<'_>,
        gathered: &mut Gathered,
    ) -> Result<()> {
        let (id, side, rule) = place;
        let Some(mapping) = self.mappings.get(&id) else {
            return Ok(());
        };
        let Some(found) = mapping.matches.get(rule) else {
            return Ok(());
        };
        let field = mapping.field_name(side, found.on(side)).clone();
        let values: Vec<Value> = looking.iter().map(|(_, value)| value.clone()).collect();
        let by = FetchBy::Matching { field, normalize: found.normalize.clone(), values };
        let Some(fetched) = self.fetch(mapping, side, by).await else {
            return Ok(());
        };
        let seen = observations(fetched);
        let named = seen.iter().map(|seen| (id, side, seen));
        gathered.load_more(self.ledger, self.mappings, named).await?;
        gathered.enter(workset);
        let mut by_value: BTreeMap<String, Vec<Observation>> = BTreeMap::new();
        for seen in &seen {
            let Ok(values) = &seen.content else { continue };
            let value = values.get(found.on(side)).cloned().unwrap_or_default();
            let value = Normalizer::apply_all(&found.normalize, value);
            let prepared = gathered.prepare(self.mappings, self.flights, id, side, seen);
            by_value.entry(value.to_string()).or_default().push(prepared.into_owned());
        }
        for (link, value) in looking {
            let candidates = by_value.get(&value.to_string());
            let candidates = candidates.map(Vec::as_slice).unwrap_or_default();
            workset.found(id, link, side, rule, &value, candidates);
        }
        Ok(())
    }
}

/// A look-up as observations.
pub(crate) fn observations(fetched: Fetched) -> Vec<Observation> {
    let time = fetched.server_time;
    let records = fetched
        .records
        .into_iter()
        .map(|record| observation::of_record(record, Source::Read, time));
    let missing = fetched
        .missing
        .into_iter()
        .filter_map(|(key, absence)| observation::of_absence(key, absence, Source::Read, time));
    records.chain(missing).collect()
}

/// A look-up after a gap: a record that is missing without proof of deletion is suspected. So is
/// one that is neither shown nor explained, where the side shows others (`shows`).
pub(crate) fn suspects(fetched: Fetched, shows: bool) -> Vec<Observation> {
    let time = fetched.server_time;
    let mut seen = observations(Fetched { missing: Vec::new(), ..fetched.clone() });
    for (key, absence) in fetched.missing {
        let absence = match absence {
            Absence::NotVisible if shows => Absence::Deleted { by: None, at: None, image: None },
            other => other,
        };
        if let Some(observed) = observation::of_absence(key, absence, Source::Read, time) {
            let content = match observed.content {
                Err(Missing::Deleted) => Err(Missing::Suspected),
                other => other,
            };
            seen.push(Observation { content, ..observed });
        }
    }
    seen
}
