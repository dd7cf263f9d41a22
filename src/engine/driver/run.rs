//! The driver's loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Gap, StreamPosition};
use syncline_ledger::Ledger;
use syncline_sdk::{ErrorKind, FeedBatch, FeedKind, Position, Purpose, SystemName};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant as Tick;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::DriverSettings;
use super::feeds::{FeedNews, FeedTask};
use super::pace::Pace;
use super::reads::{Job, Read, Turns};
use super::status::Status;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::intake::{LOADED, feed_stream, load_stream, poll_stream, verify_stream};
use crate::limits;
use crate::send::Sent;
use crate::work::{Account, Work};

/// Why the driver ended before it was told to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// A system cannot be made ready: its set-up is wrong.
    #[error("system {system} cannot be made ready")]
    Prepare {
        /// The system.
        system: SystemName,
        /// What it said.
        #[source]
        source: syncline_sdk::Error,
    },
    /// A round failed in a way that repeating it does not mend.
    #[error("the engine stopped")]
    Engine(#[from] EngineError),
}

/// How often the loop looks at what only time makes due.
const TICK: Duration = Duration::from_millis(250);
/// How often hints are looked for when nothing said that there are any.
const HINTS_IDLE: Duration = Duration::from_secs(1);
/// How soon hints that a round added are looked for.
const HINTS_SOON: Duration = Duration::from_millis(20);
/// How often answers of people are looked for.
const ANSWERS_EVERY: Duration = Duration::from_millis(500);
/// How often the ownership is renewed: a third of its life.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// Runs an engine until it is stopped.
pub struct Driver<L> {
    engine: Engine<L>,
    settings: DriverSettings,
    status: watch::Sender<Status>,
    stop: CancellationToken,
    tasks: TaskTracker,
    turns: Turns,
    durable: BTreeMap<SystemName, watch::Sender<Option<Position>>>,
    feed_news: (mpsc::Sender<FeedNews>, mpsc::Receiver<FeedNews>),
    sent: (mpsc::UnboundedSender<Sent>, mpsc::UnboundedReceiver<Sent>),
    reads: (mpsc::UnboundedSender<Read>, mpsc::UnboundedReceiver<Read>),
    wake: Arc<tokio::sync::Notify>,
    renew_at: Tick,
    gaps_open: bool,
}

/// What one turn of the loop took in, with what must happen once it is durable.
#[derive(Default)]
struct Intaken {
    work: Work,
    durable: Vec<(SystemName, Position)>,
    jobs: Vec<(Job, Option<String>, bool)>,
}

impl<L: Ledger> Driver<L> {
    /// A driver of an engine. Cancelling `stop` ends it after the round under way.
    #[must_use]
    pub fn new(engine: Engine<L>, settings: DriverSettings, stop: CancellationToken) -> Self {
        let systems =
            engine.intake.systems.keys().map(|name| (name.clone(), Default::default())).collect();
        let status = Status { systems, ..Status::default() };
        Self {
            engine,
            settings,
            status: watch::Sender::new(status),
            stop,
            tasks: TaskTracker::new(),
            turns: Turns::default(),
            durable: BTreeMap::new(),
            feed_news: mpsc::channel(4),
            sent: mpsc::unbounded_channel(),
            reads: mpsc::unbounded_channel(),
            wake: Arc::default(),
            renew_at: Tick::now(),
            gaps_open: true,
        }
    }
    /// What the driver tells about itself.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }
    /// Wakes the driver: something was put into the ledger that it may want to look at.
    #[must_use]
    pub fn wake(&self) -> Arc<tokio::sync::Notify> {
        self.wake.clone()
    }

    /// Runs until it is stopped: owns the shards, recovers, makes the systems ready, loads,
    /// and keeps the sides in agreement.
    ///
    /// # Errors
    /// [`DriverError::Prepare`] when a system's set-up is wrong; others only when repeating does
    /// not mend them.
    pub async fn run(mut self) -> Result<(), DriverError> {
        let ended = self.run_until_stopped().await;
        self.stop.cancel();
        self.tasks.close();
        // What is under way may end; its answers are settled after the next start.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.tasks.wait()).await;
        ended
    }

    async fn run_until_stopped(&mut self) -> Result<(), DriverError> {
        while !self.stop.is_cancelled() {
            if !self.take_over().await {
                return Ok(());
            }
            self.prepare().await?;
            self.start_streams().await?;
            match self.turn_until_stopped().await {
                Err(DriverError::Engine(EngineError::Fenced)) => {
                    tracing::warn!("another process took over; waiting to own the ledger again");
                    self.status.send_modify(|status| status.owner = false);
                }
                ended => return ended,
            }
        }
        Ok(())
    }

    /// Owns the shards and recovers what was under way. False when it was stopped meanwhile.
    async fn take_over(&mut self) -> bool {
        let mut pace = Pace::default();
        while !self.stop.is_cancelled() {
            let owned = match self.engine.own().await {
                Ok(true) => self.engine.recover().await.map(|account| (true, account)),
                Ok(false) => Ok((false, Account::default())),
                Err(error) => Err(error),
            };
            match owned {
                Ok((true, account)) => {
                    self.launch(account);
                    self.renew_at = Tick::now() + RENEW_EVERY;
                    self.status.send_modify(|status| status.owner = true);
                    return true;
                }
                Ok((false, _)) => tracing::info!("another process owns the ledger; waiting"),
                Err(error) => tracing::error!(error = %chain(&error), "the ledger gave no answer"),
            }
            pace.pause(&self.stop).await;
        }
        false
    }

    /// Makes the systems ready. One that is out of reach is tried until it answers; one whose
    /// set-up is wrong ends the run with the reason.
    async fn prepare(&mut self) -> Result<(), DriverError> {
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
    async fn start_streams(&mut self) -> Result<(), DriverError> {
        self.turns = Turns::default();
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
        let now = Tick::now();
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
            for side in Side::BOTH {
                let feed = mapping.sides[side].capabilities.feed;
                let poll = known.get(&poll_stream(&mapping.name, side));
                if feed == FeedKind::Polled {
                    let place = poll.map(|poll| poll.place.clone());
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

    fn start_load(
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

    async fn start_feed(
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
        let (durable, watched) = watch::channel(None);
        self.durable.insert(name.clone(), durable);
        let task = FeedTask {
            name: name.clone(),
            connector: system.connector.clone(),
            selections: system.feed.clone(),
            context: self.engine.intake.context(Purpose::Sync),
            from,
            news: self.feed_news.0.clone(),
            durable: watched,
            stop: self.stop.clone(),
        };
        self.tasks.spawn(task.run());
        Ok(())
    }

    async fn turn_until_stopped(&mut self) -> Result<(), DriverError> {
        while !self.stop.is_cancelled() {
            self.spawn_due();
            let mut taken = Intaken::default();
            self.wait(&mut taken).await?;
            self.drain(&mut taken).await?;
            let Intaken { work, durable, jobs } = taken;
            self.commit(work).await?;
            for (name, position) in durable {
                if let Some(sender) = self.durable.get(&name) {
                    sender.send_replace(Some(position));
                }
            }
            for (job, next, more) in jobs {
                self.job_done(&job, next, more);
            }
            self.by_time().await?;
        }
        Ok(())
    }

    /// Waits for the first thing to do.
    async fn wait(&mut self, taken: &mut Intaken) -> Result<(), DriverError> {
        let due = self.turns.next_due().unwrap_or_else(|| Tick::now() + TICK);
        let due = due.min(Tick::now() + TICK);
        let room = self.engine.flights.len() < limits::FLIGHTS_MAX;
        let news = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Ok(()),
            sent = self.sent.1.recv() => {
                if let Some(sent) = sent {
                    self.take_sent(sent, taken);
                }
                return Ok(());
            }
            read = self.reads.1.recv() => {
                if let Some(read) = read {
                    self.take_read(read, taken);
                }
                return Ok(());
            }
            news = self.feed_news.1.recv(), if room => news,
            () = self.wake.notified() => {
                self.turns.hurry(|_| true, Tick::now());
                return Ok(());
            }
            () = tokio::time::sleep_until(due) => return Ok(()),
        };
        match news {
            Some(news) => self.take_news(news, taken).await,
            None => Ok(()),
        }
    }

    /// Takes what else is ready, up to a round's size.
    async fn drain(&mut self, taken: &mut Intaken) -> Result<(), DriverError> {
        while let Ok(sent) = self.sent.1.try_recv() {
            self.take_sent(sent, taken);
        }
        while taken.work.observed.len() < limits::FEED_ROWS_MAX {
            let Ok(read) = self.reads.1.try_recv() else { break };
            self.take_read(read, taken);
        }
        while taken.work.observed.len() < limits::FEED_ROWS_MAX
            && self.engine.flights.len() < limits::FLIGHTS_MAX
        {
            let Ok(news) = self.feed_news.1.try_recv() else { break };
            self.take_news(news, taken).await?;
        }
        Ok(())
    }

    fn take_sent(&mut self, sent: Sent, taken: &mut Intaken) {
        if let Ok(outcomes) = &sent.result {
            let answered = outcomes
                .iter()
                .any(|outcome| !matches!(outcome, syncline_sdk::WriteOutcome::Unknown(_)));
            if let Some(flight) = self.engine.flights.get(sent.batch).filter(|_| answered) {
                let system = flight.batch.system.clone();
                self.reachable(&system);
            }
        } else if let Err(error) = &sent.result
            && let Some(flight) = self.engine.flights.get(sent.batch)
        {
            let system = flight.batch.system.clone();
            self.trouble(&system, error);
        }
        if let Some(work) = self.engine.fold_sent(sent) {
            taken.work.append(work);
        }
    }

    fn take_read(&mut self, read: Read, taken: &mut Intaken) {
        match read.result {
            Ok(found) => {
                if let Some(turn) = self.turns.get_mut(&read.job) {
                    turn.failures.reset();
                }
                if let Some(system) = self.system_of(&read.job) {
                    self.reachable(&system);
                }
                taken.work.append(found.work);
                taken.jobs.push((read.job, found.next, found.more));
            }
            Err(error) => {
                if let EngineError::System { system, source } = &error {
                    self.trouble(&system.clone(), source);
                } else {
                    tracing::error!(error = %chain(&error), "a read gave no answer");
                }
                let wait = self.turns.failed(&read.job);
                self.turns.done(&read.job, Tick::now() + wait);
            }
        }
    }

    async fn take_news(&mut self, news: FeedNews, taken: &mut Intaken) -> Result<(), DriverError> {
        match news {
            FeedNews::Batch(name, batch) => self.take_batch(&name, &batch, taken),
            FeedNews::Open(name) => self.reachable(&name),
            FeedNews::Trouble(name, error) => self.trouble(&name, &error),
            FeedNews::Lost(name, reason) => self.feed_lost(&name, reason).await?,
        }
        Ok(())
    }

    fn take_batch(&mut self, name: &SystemName, batch: &FeedBatch, taken: &mut Intaken) {
        let work = self.engine.fold_feed(name, batch);
        if !work.gaps.is_empty() {
            self.verify_gaps(&work.gaps);
        }
        taken.work.append(work);
        if let Some(position) = &batch.position {
            taken.durable.retain(|(known, _)| known != name);
            taken.durable.push((name.clone(), position.clone()));
        }
    }

    /// The stream lost what comes next: that is recorded, a new stream starts, and every mapping
    /// of the system is scanned and verified through the same planner.
    async fn feed_lost(&mut self, name: &SystemName, reason: String) -> Result<(), DriverError> {
        tracing::error!(system = %name, reason, "the change stream was lost; scanning both sides");
        let noticed_at = self.engine.intake.clock.now().micros();
        let mappings = self.engine.intake.mappings.clone();
        let systems = self.engine.intake.systems.clone();
        self.prepare().await?;
        let context = self.engine.intake.context(Purpose::Sync);
        let start = systems[name].connector.feed_start(&context).await;
        let start = start.map_err(crate::reader::Intake::<L>::at(name))?;
        let mut work = Work::default();
        for mapping in mappings.values().filter(|mapping| mapping.side_of(name).is_some()) {
            work.gaps.push(Gap {
                stream: format!("mapping:{}", mapping.id),
                reason: reason.clone(),
                noticed_at,
                closed_at: None,
            });
            for side in Side::BOTH {
                work.positions.push(StreamPosition {
                    stream: load_stream(&mapping.name, side),
                    identity: mapping.sides[side].system.to_string(),
                    place: String::new(),
                });
                self.turns.add(Job::Load(mapping.id, side), None, Tick::now());
            }
        }
        let gaps = work.gaps.clone();
        let known = start.as_ref().map(|start| crate::intake::stream_position(name, start));
        work.positions.extend(known.clone());
        self.commit(work).await?;
        self.verify_gaps(&gaps);
        self.note_loads();
        self.start_feed(name, known.as_ref()).await
    }

    fn verify_gaps(&mut self, gaps: &[Gap]) {
        let mappings = self.engine.intake.mappings.clone();
        for mapping in mappings.values() {
            if gaps.iter().any(|gap| gap.stream == format!("mapping:{}", mapping.id)) {
                self.turns.add(Job::Verify(mapping.id), None, Tick::now());
            }
        }
    }

    /// Commits work, again and again while the ledger gives no answer: nothing that was taken in
    /// may be lost while this process lives.
    async fn commit(&mut self, work: Work) -> Result<(), DriverError> {
        if work.is_empty() {
            return Ok(());
        }
        let mut pace = Pace::default();
        loop {
            match self.engine.round(&work).await {
                Ok(account) => {
                    self.engine.forget_settled(&work);
                    self.note_round(&account);
                    self.launch(account);
                    return Ok(());
                }
                Err(EngineError::Ledger(error)) => {
                    tracing::error!(error = %chain(&error), "the ledger gave no answer");
                    if self.stop.is_cancelled() {
                        return Ok(());
                    }
                    pace.pause(&self.stop).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn note_round(&mut self, account: &Account) {
        let in_flight = self.engine.flights.len();
        let observed = u64::try_from(account.observed).unwrap_or(0);
        self.status.send_modify(|status| {
            status.rounds += u64::from(account.committed);
            status.observed += observed;
            status.in_flight = in_flight;
        });
        if account.hints > 0 {
            self.turns.hurry(|job| matches!(job, Job::Hints(_)), Tick::now() + HINTS_SOON);
        }
    }

    /// Sends batches, each in a task of its own.
    fn launch(&mut self, account: Account) {
        for sending in account.sends {
            let answers = self.sent.0.clone();
            self.tasks.spawn(async move {
                let _ = answers.send(sending.run().await);
            });
        }
    }

    /// Starts the reads that are due.
    fn spawn_due(&mut self) {
        let now = Tick::now();
        for (job, place) in self.turns.due(now) {
            if let Some(system) = self.over_budget(&job) {
                tracing::info!(%system, "a load waits: the reserve of the daily quota is reached");
                self.turns.done(&job, now + Duration::from_secs(60));
                continue;
            }
            if self.waits_for_parents(&job) {
                self.turns.done(&job, now + TICK);
                continue;
            }
            let intake = self.engine.intake();
            let answers = self.reads.0.clone();
            self.tasks.spawn(async move {
                let result = intake.run(&job, place.as_deref()).await;
                let _ = answers.send(Read { job, result });
            });
        }
    }

    /// A load waits for the loads of the mappings that it refers to, and the right side's for
    /// the left's, so that each finds its partners linked.
    fn waits_for_parents(&self, job: &Job) -> bool {
        let Job::Load(id, side) = job else { return false };
        let mapping = &self.engine.intake.mappings[id];
        let parents: Vec<MappingId> = mapping
            .units
            .iter()
            .flat_map(|unit| &unit.pairs)
            .filter_map(|pair| pair.reference)
            .filter(|parent| parent != id)
            .collect();
        self.turns.contains(|other| match other {
            Job::Load(other, _) if parents.contains(other) => true,
            Job::Load(other, Side::Left) => other == id && *side == Side::Right,
            _ => false,
        })
    }

    /// The system whose reserve of the daily quota a load or sweep would touch.
    fn over_budget(&self, job: &Job) -> Option<SystemName> {
        let names: Vec<SystemName> = match job {
            Job::Load(id, side) => {
                vec![self.engine.intake.mappings[id].sides[*side].system.clone()]
            }
            Job::Verify(id) => Side::BOTH
                .into_iter()
                .map(|side| self.engine.intake.mappings[id].sides[side].system.clone())
                .collect(),
            _ => return None,
        };
        names.into_iter().find(|name| {
            let usage = self.engine.intake.systems[name].connector.usage();
            usage.quota.is_some_and(|quota| {
                #[expect(clippy::cast_precision_loss, reason = "a share of a quota")]
                let share = quota.used as f64 / quota.max.max(1) as f64;
                share >= 1.0 - self.settings.quota_reserve
            })
        })
    }

    fn job_done(&mut self, job: &Job, next: Option<String>, more: bool) {
        let now = Tick::now();
        let again = match job {
            Job::Load(..) | Job::Verify(_) if !more => {
                self.turns.remove(job);
                self.note_loads();
                return;
            }
            _ if more => now,
            Job::Poll(id, side) => {
                let system = &self.engine.intake.mappings[id].sides[*side].system;
                now + self.settings.poll_interval(system)
            }
            Job::Hints(_) => now + HINTS_IDLE,
            Job::Answers => now + ANSWERS_EVERY,
            Job::Load(..) | Job::Verify(_) => now,
        };
        if let Some(turn) = self.turns.get_mut(job) {
            turn.place = next;
        }
        self.turns.done(job, again);
    }

    /// What only time makes due: ownership, unknown batches, closed gaps.
    async fn by_time(&mut self) -> Result<(), DriverError> {
        if Tick::now() >= self.renew_at {
            match self.engine.own().await {
                Ok(true) => self.renew_at = Tick::now() + RENEW_EVERY,
                Ok(false) => return Err(EngineError::Fenced.into()),
                Err(error) => {
                    tracing::error!(error = %chain(&error), "the ownership was not renewed");
                    self.renew_at = Tick::now() + Duration::from_secs(1);
                }
            }
        }
        match self.engine.settle_unknown().await {
            Ok(account) => {
                self.note_round(&account);
                self.launch(account);
            }
            Err(EngineError::Ledger(error)) => {
                tracing::error!(error = %chain(&error), "the ledger gave no answer");
            }
            Err(error) => return Err(error.into()),
        }
        self.close_gaps().await
    }

    /// A gap is closed when both sides were scanned and every link was verified.
    async fn close_gaps(&mut self) -> Result<(), DriverError> {
        let busy = self.turns.contains(|job| matches!(job, Job::Load(..) | Job::Verify(_)));
        if busy || !std::mem::take(&mut self.gaps_open) {
            return Ok(());
        }
        let Ok(gaps) = self.engine.intake.ledger.gaps().await else {
            self.gaps_open = true;
            return Ok(());
        };
        let now = self.engine.intake.clock.now().micros();
        let closed = gaps.into_iter().map(|gap| Gap { closed_at: Some(now), ..gap }).collect();
        self.commit(Work { gaps: closed, ..Work::default() }).await
    }

    fn note_loads(&mut self) {
        let loading = self.turns.contains(|job| matches!(job, Job::Load(..)));
        self.gaps_open |= self.turns.contains(|job| matches!(job, Job::Verify(_)));
        self.status.send_modify(|status| status.loaded = !loading);
    }

    fn system_of(&self, job: &Job) -> Option<SystemName> {
        match job {
            Job::Poll(id, side) | Job::Load(id, side) => {
                Some(self.engine.intake.mappings[id].sides[*side].system.clone())
            }
            Job::Hints(system) => Some(system.clone()),
            Job::Verify(_) | Job::Answers => None,
        }
    }

    fn reachable(&mut self, name: &SystemName) {
        let usage = self.engine.intake.systems[name].connector.usage();
        self.status.send_if_modified(|status| {
            let system = status.systems.entry(name.clone()).or_default();
            if !system.reachable || system.halted {
                tracing::info!(system = %name, "the system answers");
            }
            let changed = !system.reachable || system.usage != usage;
            system.reachable = true;
            system.trouble = None;
            system.halted = false;
            system.usage = usage;
            changed
        });
    }

    fn trouble(&mut self, name: &SystemName, error: &syncline_sdk::Error) {
        let words = chain(error);
        let halted = error.kind == ErrorKind::Auth;
        self.status.send_modify(|status| {
            let system = status.systems.entry(name.clone()).or_default();
            if system.trouble.as_deref() != Some(&words) {
                tracing::error!(system = %name, error = words, halted, "the system has trouble");
            }
            system.reachable = false;
            system.halted = halted;
            system.trouble = Some(words.clone());
        });
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}
