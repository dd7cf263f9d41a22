//! The streams of a process: feeds and jobs, each from where the ledger says, and what follows
//! when a stream is lost.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Gap, StreamPosition};
use syncline_engine::{
    EngineError, LOADED, Work, beginning_of, feed_stream, load_stream, poll_stream, sweep_stream,
    verify_from_start, verify_stream,
};
use syncline_ledger::Ledger;
use syncline_sdk::{ErrorKind, Feed, FeedKind, Position, Purpose, SystemName};

use crate::desk::{Desk, ProcessId};
use crate::job::{Job, JobSlot, slot};
use crate::process::{Durable, News, PAUSE, Process};

impl Process {
    /// Starts feeds and jobs, each from where the ledger says.
    pub(crate) async fn start_streams(&mut self) -> Result<(), EngineError> {
        self.holdings = self.engine.holdings();
        let known = loop {
            match self.engine.ledger().positions().await {
                Ok(known) => break known,
                Err(_) => self.desk.sleep(self.id, PAUSE).await,
            }
        };
        let known: BTreeMap<String, StreamPosition> =
            known.into_iter().map(|known| (known.stream.clone(), known)).collect();
        let mut jobs = vec![slot(Job::Answers, None)];
        let names: Vec<SystemName> = self.engine.systems().keys().cloned().collect();
        for name in names {
            jobs.push(slot(Job::Hints(name.clone()), None));
            if self.histories {
                jobs.push(slot(Job::Audit(name.clone()), None));
            }
            if self.engine.systems()[&name].has_feed() {
                let begun = known.contains_key(&beginning_of(&name));
                self.start_feed(&name, known.get(&feed_stream(&name)), begun).await?;
            }
        }
        let mappings = self.engine.mappings().clone();
        for mapping in mappings.values() {
            for side in Side::BOTH {
                let place = |stream: String| known.get(&stream).map(|known| known.place.clone());
                if mapping.sides[side].capabilities.feed == FeedKind::Polled {
                    let poll = place(poll_stream(&mapping.name, side));
                    let poll = self.start_poll(mapping.id, side, poll).await?;
                    jobs.push(slot(Job::Poll(mapping.id, side), Some(poll)));
                }
                let load = place(load_stream(&mapping.name, side));
                let mut load_slot = slot(Job::Load(mapping.id, side), load);
                load_slot.over = load_slot.place.as_deref() == Some(LOADED);
                jobs.push(load_slot);
            }
            if self.modes {
                jobs.push(slot(Job::Rules(mapping.id), None));
            }
            if self.sweeps {
                let place = known.get(&sweep_stream(&mapping.name));
                jobs.push(slot(Job::Sweep(mapping.id), place.map(|known| known.place.clone())));
            }
            if let Some(verify) = known.get(&verify_stream(&mapping.name))
                && verify.place != LOADED
            {
                let place = Some(verify.place.clone()).filter(|place| !place.is_empty());
                jobs.push(slot(Job::Verify(mapping.id), place));
            }
        }
        self.desk.lock().jobs.insert(self.id, jobs);
        Ok(())
    }

    /// Begins the poll of a side that was never polled, before anything is read or written there.
    async fn start_poll(
        &mut self,
        mapping: MappingId,
        side: Side,
        known: Option<String>,
    ) -> Result<String, EngineError> {
        if let Some(known) = known {
            return Ok(known);
        }
        let intake = self.engine.intake();
        loop {
            match intake.poll(mapping, side, None).await {
                Ok((work, first, _)) => {
                    self.commit(&work).await?;
                    return Ok(first);
                }
                Err(_) => self.desk.sleep(self.id, PAUSE).await,
            }
        }
    }

    /// Commits where a feed begins anew, with other work that depends on it.
    async fn commit_beginning(
        &mut self,
        name: &SystemName,
        start: &Position,
        mut work: Work,
    ) -> Result<(), EngineError> {
        loop {
            match self.engine.begin_stream(name, start).await {
                Ok(positions) => {
                    work.positions.extend(positions);
                    self.commit(&work).await?;
                    self.holdings.begin(name, start);
                    return Ok(());
                }
                Err(EngineError::Ledger(_)) => self.desk.sleep(self.id, PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn start_feed(
        &mut self,
        name: &SystemName,
        known: Option<&StreamPosition>,
        begun: bool,
    ) -> Result<(), EngineError> {
        let connector = self.engine.systems()[name].connector.clone();
        let mut from = known.map(|known| Position {
            stream: known.identity.as_str().into(),
            place: known.place.as_str().into(),
        });
        while from.is_none() {
            let context = self.engine.intake().context(Purpose::Sync);
            match connector.feed_start(&context).await {
                Ok(Some(start)) => from = Some(start),
                _ => self.desk.sleep(self.id, PAUSE).await,
            }
        }
        let Some(from) = from else { return Ok(()) };
        if known.is_none() || !begun {
            self.commit_beginning(name, &from, Work::default()).await?;
        }
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), from);
        let selections = self.engine.systems()[name].feed.clone();
        let (desk, id, durable) = (self.desk.clone(), self.id, self.durable.clone());
        let (name, context) = (name.clone(), self.engine.intake().context(Purpose::Sync));
        let task = async move {
            let selections: Vec<&syncline_sdk::Selection> =
                selections.iter().map(|selection| &**selection).collect();
            loop {
                desk.tell(|| format!("{id:?} {name}: a feed opens"));
                let from = durable.lock().unwrap_or_else(PoisonError::into_inner)[&name].clone();
                let opened = connector.open_feed(&context, &selections, Some(&from)).await;
                let error = match opened {
                    Ok(mut feed) => {
                        receive(&mut *feed, &context, &name, &desk, id, &durable, from).await
                    }
                    Err(error) => error,
                };
                desk.tell(|| format!("{id:?} {name}: the feed ends: {error}"));
                if error.kind == ErrorKind::Gap {
                    desk.post(id, News::FeedLost(name.clone()));
                    return;
                }
                desk.sleep(id, 500_000).await;
            }
        };
        self.desk.spawn(self.id, true, Box::pin(task));
        Ok(())
    }

    /// Every link of the mappings concerned is to be verified.
    pub(crate) fn verify(&self, gaps: &[Gap]) {
        let mut inner = self.desk.lock();
        let Some(jobs) = inner.jobs.get_mut(&self.id) else { return };
        jobs.iter_mut().for_each(JobSlot::read_anew);
        for mapping in self.engine.mappings().values() {
            if gaps.iter().any(|gap| gap.stream == gap_stream(mapping.id)) {
                let job = Job::Verify(mapping.id);
                match jobs.iter_mut().find(|slot| slot.job == job) {
                    Some(known) => known.begin_anew(),
                    None => jobs.push(slot(job, None)),
                }
            }
        }
    }

    /// The stream lost what comes next: that is recorded, a new stream starts, and both sides
    /// are scanned and verified through the same planner.
    pub(crate) async fn feed_lost(&mut self, name: &SystemName) -> Result<(), EngineError> {
        let connector = self.engine.systems()[name].connector.clone();
        let start = loop {
            let context = self.engine.intake().context(Purpose::Sync);
            match connector.feed_start(&context).await {
                Ok(Some(start)) => break start,
                _ => self.desk.sleep(self.id, PAUSE).await,
            }
        };
        let mut work = Work::default();
        let noticed_at = self.desk.lock().now;
        for mapping in self.engine.mappings().values() {
            if mapping.side_of(name).is_none() {
                continue;
            }
            work.gaps.push(Gap {
                stream: gap_stream(mapping.id),
                reason: format!("the stream of {name} was lost"),
                noticed_at,
                closed_at: None,
            });
            work.positions.push(verify_from_start(&mapping.name));
            for side in Side::BOTH {
                work.positions.push(StreamPosition {
                    stream: load_stream(&mapping.name, side),
                    identity: mapping.sides[side].system.to_string(),
                    place: String::new(),
                });
            }
        }
        let gaps = work.gaps.clone();
        self.commit_beginning(name, &start, work).await?;
        if let Some(jobs) = self.desk.lock().jobs.get_mut(&self.id) {
            let loads = jobs.iter_mut().filter(|slot| matches!(slot.job, Job::Load(..)));
            loads.for_each(JobSlot::begin_anew);
        }
        self.verify(&gaps);
        self.start_feed(name, Some(&position(name, &start)), true).await
    }

    /// Closes gaps once both sides were scanned and every link verified.
    pub(crate) async fn close_gaps(&mut self) -> Result<(), EngineError> {
        if self.engine.flights().cross_gap() {
            return Ok(());
        }
        let over = |jobs: &Vec<JobSlot>| {
            let mut jobs = jobs.iter();
            jobs.all(|slot| slot.over || !matches!(slot.job, Job::Load(..) | Job::Verify(_)))
        };
        let has_verified = |jobs: &Vec<JobSlot>| {
            jobs.iter().any(|slot| slot.over && matches!(slot.job, Job::Verify(_)))
        };
        let ready = {
            let mut inner = self.desk.lock();
            let jobs = inner.jobs.get_mut(&self.id);
            jobs.is_some_and(|jobs| {
                let ready = over(jobs) && has_verified(jobs);
                if ready {
                    jobs.retain(|slot| !matches!(slot.job, Job::Verify(_)));
                }
                ready
            })
        };
        if !ready {
            return Ok(());
        }
        let Ok(gaps) = self.engine.ledger().gaps().await else { return Ok(()) };
        let closed_at = Some(self.desk.lock().now);
        let gaps = gaps.into_iter().map(|gap| Gap { closed_at, ..gap }).collect();
        let work = Work { gaps, ..Work::default() };
        self.commit(&work).await
    }
}

async fn receive(
    feed: &mut dyn Feed,
    context: &syncline_sdk::Context,
    name: &SystemName,
    desk: &Desk,
    id: ProcessId,
    durable: &Durable,
    mut acknowledged: Position,
) -> syncline_sdk::Error {
    let life = desk.life(id);
    loop {
        let now = durable.lock().unwrap_or_else(PoisonError::into_inner)[name].clone();
        if now != acknowledged {
            if let Err(error) = feed.ack(&now).await {
                return error;
            }
            acknowledged = now;
        }
        match feed.next(context, 50).await {
            Ok(batch) => {
                desk.post_in(id, life, News::Feed(name.clone(), batch));
            }
            Err(error) => return error,
        }
    }
}

pub(crate) fn position(name: &SystemName, position: &Position) -> StreamPosition {
    StreamPosition {
        stream: feed_stream(name),
        identity: position.stream.to_string(),
        place: position.place.to_string(),
    }
}

fn gap_stream(mapping: MappingId) -> String {
    format!("mapping:{mapping}")
}
