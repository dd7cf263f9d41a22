//! The start: systems made ready, streams opened, each from where the ledger says.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_core::Side;
use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::StreamPosition;
use syncline_ledger::Ledger;
use syncline_sdk::{FeedKind, HistoryKind, Position, Purpose, SystemName};
use tokio::sync::watch;
use tokio::time::Instant as Tick;

use super::ending::Ended;
use super::feeds::FeedTask;
use super::pace::{Pace, tick};
use super::reads::{Job, Turns};
use super::run::{Driver, DriverError};
use super::telling::chain;
use crate::beginning::beginning_of;
use crate::error::EngineError;
use crate::intake::{
    LOADED, feed_stream, load_stream, poll_stream, rules_place, rules_stream, verify_stream,
};
use crate::work::Work;

impl<L: Ledger> Driver<L> {
    /// Makes the systems ready and starts what is read of them. Where one gives no answer before
    /// its streams have begun the session is to end, so that the next one goes on without it.
    pub(super) async fn start(&mut self) -> Result<(), DriverError> {
        let known = self.engine.intake.ledger.positions().await.map_err(EngineError::from)?;
        let mut known: BTreeMap<String, StreamPosition> =
            known.into_iter().map(|position| (position.stream.clone(), position)).collect();
        let is_known = |name: &Arc<str>| {
            Side::BOTH.into_iter().any(|side| known.contains_key(&load_stream(name, side)))
        };
        if let Some(name) = self.settings.left_out.iter().find(|name| is_known(name)) {
            self.ended = Some(Ended::Begun(Arc::clone(name)));
            return Ok(());
        }
        self.prepare(&known).await?;
        if self.ended.is_none() && !self.stop.is_cancelled() {
            self.bring_up(&mut known).await?;
            self.begin_mappings(&known).await?;
            self.start_streams(&known).await?;
        }
        Ok(())
    }

    /// Makes the systems ready, but for those that are waited for, and for those that no mapping
    /// uses or has ever used.
    ///
    /// # Errors
    /// When the set-up of one is wrong, with the reason.
    async fn prepare(
        &mut self,
        known: &BTreeMap<String, StreamPosition>,
    ) -> Result<(), DriverError> {
        let systems = self.engine.intake.systems.clone();
        for (name, system) in systems.iter().filter(|(_, system)| system.away.is_none()) {
            if self.stop.is_cancelled() {
                return Ok(());
            }
            if system.is_unused() && !known.contains_key(&feed_stream(name)) {
                self.reachable(name);
                continue;
            }
            let selections: Vec<_> = system.feed.iter().map(|s| &**s).collect();
            let context = self.engine.intake.context(Purpose::Sync);
            match system.connector.prepare(&context, &selections).await {
                Ok(()) => self.reachable(name),
                Err(error) if error.kind.is_outage() => {
                    self.went_away(name, &error);
                    return Ok(());
                }
                Err(source) => return Err(DriverError::Prepare { system: name.clone(), source }),
            }
        }
        Ok(())
    }

    /// Records that the mappings begin, before anything of them is read: from then on the feeds of
    /// their systems do not go on without them.
    async fn begin_mappings(
        &mut self,
        known: &BTreeMap<String, StreamPosition>,
    ) -> Result<(), DriverError> {
        let mut work = Work::default();
        for mapping in self.engine.intake.mappings.values() {
            for side in Side::BOTH {
                let stream = load_stream(&mapping.name, side);
                if !known.contains_key(&stream) {
                    let identity = mapping.sides[side].system.to_string();
                    work.positions.push(StreamPosition { stream, identity, place: String::new() });
                }
            }
        }
        self.commit(work).await.map(|_| ())
    }

    /// Starts feeds, polls, loads and what is read again and again, each from where the ledger
    /// says. A stream that starts anew starts before its first load does, so that the load
    /// misses nothing.
    async fn start_streams(
        &mut self,
        known: &BTreeMap<String, StreamPosition>,
    ) -> Result<(), DriverError> {
        self.turns = Turns::default();
        self.ownership += 1;
        self.holdings = self.engine.holdings();
        self.lost.clear();
        self.stopped.clear();
        let now = tick();
        let systems = self.engine.intake.systems.clone();
        for (name, system) in systems.iter() {
            if let Some(away) = &system.away {
                self.turns.add(Job::Begin(name.clone()), None, now + away.wait);
                continue;
            }
            self.turns.add(Job::Hints(name.clone()), None, now);
            self.turns.add(Job::Forget(name.clone()), None, now);
            if system.capabilities().history != HistoryKind::None {
                self.turns.add(Job::Audit(name.clone()), None, now);
            }
            let stream = known.get(&feed_stream(name));
            if system.has_feed() && (stream.is_some() || !system.is_unused()) {
                let begun = known.contains_key(&beginning_of(name));
                self.start_feed(name, stream, begun).await?;
            }
        }
        self.turns.add(Job::Answers, None, now);
        self.turns.add(Job::Asked, None, now);
        let mappings = self.engine.intake.mappings.clone();
        for mapping in mappings.values() {
            self.turns.add(Job::Retry(mapping.id), None, now);
            for side in Side::BOTH {
                if mapping.sides[side].capabilities.feed == FeedKind::Polled {
                    let poll = known.get(&poll_stream(&mapping.name, side));
                    let place = poll.map(|poll| poll.place.clone());
                    let place = self.start_poll(mapping, side, place).await?;
                    let system = &mapping.sides[side].system;
                    let wait = self.settings.poll_start(system, self.engine.intake.clock.now());
                    self.turns.add(Job::Poll(mapping.id, side), place, now + wait);
                }
                self.start_load(mapping.id, side, &mapping.name, known, now);
            }
            let by_rules = rules_place(mapping, known.get(&rules_stream(&mapping.name)));
            if let Some(place) = by_rules {
                self.turns.add(Job::Rules(mapping.id), Some(place), now);
            }
            self.start_sweep(mapping, known);
            let verify = known.get(&verify_stream(&mapping.name));
            if let Some(verify) = verify.filter(|verify| verify.place != LOADED) {
                self.turns.add(Job::Verify(mapping.id), Some(verify.place.clone()), now);
            }
        }
        self.note_loads();
        Ok(())
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
        let away = self.engine.intake.systems[&mapping.sides[side].system].away.is_some();
        if known.is_some() || away || self.ended.is_some() {
            return Ok(known);
        }
        match self.engine.intake.poll(mapping.id, side, None).await {
            Ok((work, first, _)) => {
                self.commit(work).await?;
                Ok(Some(first))
            }
            Err(EngineError::System { system, source }) => {
                self.went_away(&system, &source);
                Ok(None)
            }
            Err(other) => Err(other.into()),
        }
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

    /// Commits where the feed of a system begins anew, with other work that depends on it.
    pub(super) async fn commit_beginning(
        &mut self,
        name: &SystemName,
        start: &Position,
        mut work: Work,
    ) -> Result<(), DriverError> {
        let mut pace = Pace::default();
        while !self.stop.is_cancelled() {
            match self.engine.begin_stream(name, start).await {
                Ok(positions) => {
                    work.positions.extend(positions);
                    self.commit(work).await?;
                    self.holdings.begin(name, start);
                    return Ok(());
                }
                Err(EngineError::Ledger(error)) => {
                    tracing::error!(error = %chain(&error), "the ledger gave no answer");
                }
                Err(error) => return Err(error.into()),
            }
            pace.pause(&self.stop).await;
        }
        Ok(())
    }

    pub(super) async fn start_feed(
        &mut self,
        name: &SystemName,
        known: Option<&StreamPosition>,
        begun: bool,
    ) -> Result<(), DriverError> {
        let systems = self.engine.intake.systems.clone();
        let system = &systems[name];
        let mut from = known.map(|known| Position {
            stream: known.identity.as_str().into(),
            place: known.place.as_str().into(),
        });
        if from.is_none() {
            let context = self.engine.intake.context(Purpose::Sync);
            match system.connector.feed_start(&context).await {
                Ok(start) => from = start,
                Err(error) => {
                    self.went_away(name, &error);
                    return Ok(());
                }
            }
        }
        if let Some(start) = from.as_ref().filter(|_| known.is_none() || !begun) {
            self.commit_beginning(name, start, Work::default()).await?;
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
