//! A rehearsal: everything is read once through the rounds, and what they would send is noted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_core::Side;
use syncline_core::machine::{Limits, Mappings};
use syncline_core::mapping::MappingId;
use syncline_core::model::LinkState;
use syncline_ledger::{Ledger as _, Overlay};
use syncline_sdk::{Connector, FetchBy, FetchRequest, Key, LinkId, Purpose, SystemName};

use super::ahead::Ahead;
use super::plan::Plan;
use super::stand_in::StandIn;
use super::tally::{Seen, Tally};
use crate::engine::{Engine, Parts};
use crate::error::{EngineError, Result};
use crate::intake::{LOADED, poll_stream};
use crate::limits;
use crate::reader::Intake;
use crate::wants::observations;
use crate::work::Work;

/// Finds out what a run with these parts would do. Nothing is written to any of the systems, nor
/// to the ledger under the overlay. `told` hears of each page of records that was read: of which
/// mapping and side, and how many.
///
/// # Errors
/// When a system or the ledger gives no answer.
pub async fn rehearse(
    parts: Parts<Overlay>,
    mut told: impl FnMut(MappingId, Side, usize),
) -> Result<Plan> {
    let connectors = parts.connectors.clone();
    let before: BTreeMap<SystemName, u64> = connectors
        .iter()
        .map(|(name, connector)| (name.clone(), connector.usage().calls))
        .collect();
    let clock = Arc::new(Ahead::of(parts.clock.clone()));
    let overlay = parts.ledger.clone();
    let stand_ins: BTreeMap<SystemName, Arc<StandIn>> = parts
        .connectors
        .into_iter()
        .map(|(name, connector)| (name, Arc::new(StandIn::new(connector, parts.clock.clone()))))
        .collect();
    let as_connector = |(name, stand_in): (&SystemName, &Arc<StandIn>)| {
        let stand_in: Arc<dyn Connector> = stand_in.clone();
        (name.clone(), stand_in)
    };
    let connecting = stand_ins.iter().map(as_connector).collect();
    // All that refers to a record is read after it, as far as there is such an order.
    let parent_tries_max = limits::REHEARSED_PARENT_TRIES;
    let limits = Limits { parent_tries_max, side_by_side: true, ..parts.limits };
    let parts = Parts { connectors: connecting, clock: clock.clone(), limits, ..parts };
    let mut rehearsal = Rehearsal {
        engine: Engine::new(parts),
        tally: Tally::default(),
        seen: Seen::new(),
        stand_ins,
        limits,
    };
    rehearsal.own().await?;
    rehearsal.poll(&overlay).await?;
    for id in parents_first(rehearsal.engine.mappings()) {
        for side in Side::BOTH {
            rehearsal.scan(id, side, &mut told).await?;
        }
    }
    let ids: Vec<MappingId> = rehearsal.engine.mappings().keys().copied().collect();
    for id in ids {
        rehearsal.look_for_the_rest(id).await?;
    }
    rehearsal.fold_answers().await?;
    for _ in 0..limits::REHEARSED_WAITS {
        clock.pass(limits::REHEARSED_WAIT);
        if !rehearsal.look_again().await? {
            break;
        }
    }
    rehearsal.finish(&overlay, &connectors, &before).await
}

pub(super) struct Rehearsal {
    pub engine: Engine<Overlay>,
    pub tally: Tally,
    /// What the scans have shown.
    seen: Seen,
    pub stand_ins: BTreeMap<SystemName, Arc<StandIn>>,
    pub limits: Limits,
}

impl Rehearsal {
    /// The overlay has no other owner; its lease is renewed, for the clock is set ahead.
    async fn own(&mut self) -> Result<()> {
        match self.engine.own().await? {
            true => Ok(()),
            false => Err(EngineError::Fenced),
        }
    }

    /// What polls tell since a run made them last, before anything else is read, as in a run: that
    /// a record was merged away is known then before what the other one took of it is written. A
    /// poll that cannot go on tells nothing that the scans do not find.
    async fn poll(&mut self, overlay: &Overlay) -> Result<()> {
        let places = overlay.positions_below().await?.into_iter();
        let places: BTreeMap<String, String> =
            places.map(|known| (known.stream, known.place)).collect();
        let intake = self.engine.intake();
        for (id, mapping) in intake.mappings.iter() {
            for side in Side::BOTH {
                let mut place = places.get(&poll_stream(&mapping.name, side)).cloned();
                while let Some(since) = place.take() {
                    let polled = match intake.poll(*id, side, Some(since)).await {
                        Err(EngineError::System { .. }) => break,
                        polled => polled?,
                    };
                    let (mut work, next, more) = polled;
                    work.positions.clear();
                    self.work(work).await?;
                    place = more.then_some(next);
                }
            }
        }
        Ok(())
    }

    /// One side of a mapping, page by page.
    async fn scan(
        &mut self,
        id: MappingId,
        side: Side,
        told: &mut impl FnMut(MappingId, Side, usize),
    ) -> Result<()> {
        let intake = self.engine.intake();
        let mut place = None;
        loop {
            let (mut work, next) = intake.load(id, side, place.as_deref()).await?;
            work.positions.clear();
            let read = work.observed.len();
            self.tally.of(id).read[side] += u64::try_from(read).unwrap_or(u64::MAX);
            self.seen
                .extend(work.observed.iter().map(|(of, at, seen)| (*of, *at, seen.key.clone())));
            told(id, side, read);
            self.work(work).await?;
            if next == LOADED {
                return Ok(());
            }
            place = Some(next);
        }
    }

    /// The records of links that no scan has shown: gone, or out of the filter. What a link still
    /// has to do is planned as well.
    async fn look_for_the_rest(&mut self, id: MappingId) -> Result<()> {
        let intake = self.engine.intake();
        let mapping = intake.mappings[&id].clone();
        let mut after: Option<LinkId> = None;
        loop {
            let links = intake.ledger.page(id, after, limits::VERIFY_LINKS_MAX).await?;
            let Some(last) = links.last() else { return Ok(()) };
            after = Some(last.id);
            let mut work = Work::default();
            for side in Side::BOTH {
                let keys: Vec<Key> = links
                    .iter()
                    .filter(|link| !matches!(link.state, LinkState::Merged(_) | LinkState::Ended))
                    .filter_map(|link| link.keys[side].clone())
                    .filter(|key| !self.seen.contains(&(id, side, key.clone())))
                    .collect();
                if keys.is_empty() {
                    continue;
                }
                let place = &mapping.sides[side];
                let request =
                    FetchRequest { selection: place.selection.clone(), by: FetchBy::Keys(keys) };
                let context = intake.context(Purpose::Sweep);
                let fetch = intake.systems[&place.system].connector.fetch(&context, request);
                let fetched = fetch.await.map_err(Intake::<Overlay>::at(&place.system))?;
                let seen = observations(fetched).into_iter();
                work.observed.extend(seen.map(|seen| (id, side, seen)));
            }
            let waits = |link: &&syncline_core::model::Link| {
                Side::BOTH.into_iter().any(|side| !link.pending[side].is_empty())
            };
            work.touched.extend(links.iter().filter(waits).map(|link| (id, link.id)));
            self.work(work).await?;
        }
    }

    /// Carries out what people answered, and what was answered as it was asked. Gives how many
    /// answers there were.
    async fn fold_answers(&mut self) -> Result<usize> {
        let mut folded = BTreeSet::new();
        loop {
            let mut work = self.engine.intake().read_answers().await?;
            work.answered.retain(|key| folded.insert(*key));
            if work.answered.is_empty() {
                return Ok(folded.len());
            }
            self.work(work).await?;
        }
    }

    /// What is to be looked at again by now. False when nothing was.
    async fn look_again(&mut self) -> Result<bool> {
        self.own().await?;
        let systems: Vec<SystemName> = self.engine.systems().keys().cloned().collect();
        let mut any = self.fold_answers().await? > 0;
        for system in systems {
            // Each hint once: what is put off again waits for the next time.
            let work = self.engine.intake().read_hints(&system).await?;
            any |= !work.is_empty();
            self.work(work).await?;
        }
        Ok(any)
    }

    /// Rounds until the answers to what they send are folded.
    async fn work(&mut self, work: Work) -> Result<()> {
        let mut next = work;
        while !next.is_empty() {
            let account = self.engine.round(&next).await?;
            self.engine.forget_settled(&next);
            next = Work::default();
            for sending in account.sends {
                if let Some(flight) = self.engine.flights().get(sending.write.batch) {
                    let mappings = self.engine.mappings();
                    for (carried, write) in flight.carried.iter().zip(&sending.write.writes) {
                        self.tally.count(mappings, carried, write);
                    }
                }
                if let Some(answered) = self.engine.fold_sent(sending.run().await) {
                    next.append(answered);
                }
            }
        }
        Ok(())
    }
}

/// The mappings in an order in which each stands behind those that its references lead to, as far
/// as there is one.
fn parents_first(mappings: &Mappings) -> Vec<MappingId> {
    let mut left: Vec<MappingId> = mappings.keys().copied().collect();
    let mut ordered: Vec<MappingId> = Vec::new();
    while !left.is_empty() {
        let free = |id: &MappingId| {
            let pairs = mappings[id].units.iter().flat_map(|unit| &unit.pairs);
            let mut parents = pairs.filter_map(|pair| pair.reference);
            parents.all(|parent| parent == *id || !left.contains(&parent))
        };
        let at = left.iter().position(free).unwrap_or(0);
        ordered.push(left.remove(at));
    }
    ordered
}
