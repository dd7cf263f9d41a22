//! The start: systems made ready, streams opened, each from where the ledger says.

use std::collections::BTreeMap;

use syncline_core::Side;
use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::StreamPosition;
use syncline_ledger::Ledger;
use syncline_sdk::{ErrorKind, FeedKind, Position, Purpose, ReceiptKind, SystemName};
use tokio::sync::watch;
use tokio::time::Instant as Tick;

use super::feeds::FeedTask;
use super::holding::Holding;
use super::pace::{Pace, tick};
use super::reads::{Job, Turns};
use super::run::{Driver, DriverError};
use crate::error::EngineError;
use crate::intake::{LOADED, feed_stream, load_stream, poll_stream, verify_stream};
use crate::work::Work;

impl<L: Ledger> Driver<L> {
    /// Makes the systems ready. One that is out of reach is tried until it answers; one whose
    /// set-up is wrong ends the run with the reason.
    pub(super) async fn prepare(&mut self) -> Result<(), DriverError> {
        let systems = self.engine.intake.systems.clone();
        for (name, system) in systems.iter() {
            let selections: Vec<_> = system.feed.iter().map(|s| &**s).collect();
            let mut pace = Pace::default();
            while !self.stop.is_cancelled() {
                let context = self.engine.intake.context(Purpose::Sync);
                match system.connector.prepare(&context, &selections).await {
                    Ok(()) => {
                        self.reachable(name);
                        break;
                    }
                    Err(error)
                        if matches!(
                            error.kind,
                            ErrorKind::Unavailable
                                | ErrorKind::Throttled
                                | ErrorKind::Quota
                                | ErrorKind::Auth
                        ) =>
                    {
                        self.trouble(name, &error);
                        pace.pause(&self.stop).await;
                    }
                    Err(source) => {
                        return Err(DriverError::Prepare { system: name.clone(), source });
                    }
                }
            }
        }
        Ok(())
    }

    /// Starts feeds, polls, loads and what is read again and again, each from where the ledger
    /// says. A stream that starts anew starts before its first load does, so that the load
    /// misses nothing.
    pub(super) async fn start_streams(&mut self) -> Result<(), DriverError> {
        self.turns = Turns::default();
        self.ownership += 1;
        self.hold();
        self.lost.clear();
        self.stopped.clear();
        let known: BTreeMap<String, StreamPosition> = self
            .engine
            .intake
            .ledger
            .positions()
            .await
            .map_err(EngineError::from)?
            .into_iter()
            .map(|position| (position.stream.clone(), position))
            .collect();
        let now = tick();
        let systems = self.engine.intake.systems.clone();
        for (name, system) in systems.iter() {
            self.turns.add(Job::Hints(name.clone()), None, now);
            if system.has_feed() {
                self.start_feed(name, known.get(&feed_stream(name))).await?;
            }
        }
        self.turns.add(Job::Answers, None, now);
        let mappings = self.engine.intake.mappings.clone();
        for mapping in mappings.values() {
            self.turns.add(Job::Retry(mapping.id), None, now);
            for side in Side::BOTH {
                if mapping.sides[side].capabilities.feed == FeedKind::Polled {
                    let poll = known.get(&poll_stream(&mapping.name, side));
                    let place = poll.map(|poll| poll.place.clone());
                    let place = self.start_poll(mapping, side, place).await?;
                    self.turns.add(Job::Poll(mapping.id, side), place, now);
                }
                self.start_load(mapping.id, side, &mapping.name, &known, now);
            }
            let verify = known.get(&verify_stream(&mapping.name));
            if let Some(verify) = verify.filter(|verify| verify.place != LOADED) {
                self.turns.add(Job::Verify(mapping.id), Some(verify.place.clone()), now);
            }
        }
        self.note_loads();
        Ok(())
    }

    /// Feeds that carry receipts stay before what an earlier process left unsettled.
    fn hold(&mut self) {
        let by_stream = |name: &&SystemName| {
            let system = &self.engine.intake.systems[*name];
            let receipt = |selection| system.connector.effective(selection).receipt;
            system.feed.iter().any(|selection| receipt(selection) == ReceiptKind::Stream)
        };
        let names = self.engine.intake.systems.keys().filter(by_stream).cloned();
        self.holding = names.map(|name| (name, Holding::default())).collect();
        for flight in self.engine.flights.iter() {
            if let Some(holding) = self.holding.get_mut(&flight.batch.system) {
                holding.found(flight.batch.id);
            }
        }
    }

    /// Begins the poll of a side that was never polled. Its first cursor is durable before
    /// anything is read or written there: what is changed behind a scan, or in a record that we
    /// made, and before the cursor would never be heard of.
    async fn start_poll(
        &mut self,
        mapping: &Mapping,
        side: Side,
        known: Option<String>,
    ) -> Result<Option<String>, DriverError> {
        let mut pace = Pace::default();
        while known.is_none() && !self.stop.is_cancelled() {
            match self.engine.intake.poll(mapping.id, side, None).await {
                Ok((work, first, _)) => {
                    self.commit(work).await?;
                    return Ok(Some(first));
                }
                Err(EngineError::System { system, source }) => self.trouble(&system, &source),
                Err(other) => return Err(other.into()),
            }
            pace.pause(&self.stop).await;
        }
        Ok(known)
    }

    pub(super) fn start_load(
        &mut self,
        id: MappingId,
        side: Side,
        name: &str,
        known: &BTreeMap<String, StreamPosition>,
        now: Tick,
    ) {
        let place = known.get(&load_stream(name, side)).map(|load| load.place.clone());
        if place.as_deref() != Some(LOADED) {
            self.turns.add(Job::Load(id, side), place, now);
        }
    }

    pub(super) async fn start_feed(
        &mut self,
        name: &SystemName,
        known: Option<&StreamPosition>,
    ) -> Result<(), DriverError> {
        let systems = self.engine.intake.systems.clone();
        let system = &systems[name];
        let mut from = known.map(|known| Position {
            stream: known.identity.as_str().into(),
            place: known.place.as_str().into(),
        });
        let mut pace = Pace::default();
        while from.is_none() && !self.stop.is_cancelled() {
            let context = self.engine.intake.context(Purpose::Sync);
            match system.connector.feed_start(&context).await {
                Ok(start) => {
                    from = start;
                    break;
                }
                Err(error) => {
                    self.trouble(name, &error);
                    pace.pause(&self.stop).await;
                }
            }
        }
        if known.is_none()
            && let Some(position) = &from
        {
            let mut work = Work::default();
            work.positions.push(crate::intake::stream_position(name, position));
            self.commit(work).await?;
        }
        let stop = self.stop.child_token();
        if let Some(before) = self.feeds.insert(name.clone(), stop.clone()) {
            before.cancel();
        }
        let left_out = self.stopped.get(name);
        let selections = system
            .feed
            .iter()
            .filter(|s| left_out.is_none_or(|stopped| !stopped.contains_key(&s.entity)))
            .cloned()
            .collect();
        let (durable, watched) = watch::channel(None);
        self.durable.insert(name.clone(), durable);
        let task = FeedTask {
            name: name.clone(),
            connector: system.connector.clone(),
            selections,
            context: self.engine.intake.context(Purpose::Sync),
            from,
            news: self.feed_news.0.clone(),
            durable: watched,
            stop,
        };
        self.tasks.spawn(task.run());
        Ok(())
    }
}
