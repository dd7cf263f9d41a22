//! One process: an engine with its driver, as the product's driver runs it, but stopped at the
//! desk wherever it could be stopped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Gap, StreamPosition};
use syncline_engine::{
    Account, Engine, EngineError, Intake, LOADED, Sent, Work, feed_stream, load_stream,
    poll_stream, verify_stream,
};
use syncline_ledger::Ledger;
use syncline_ledger::memory::Memory;
use syncline_sdk::{ErrorKind, Feed, FeedBatch, FeedKind, LinkId, Position, Purpose, SystemName};

use crate::desk::{Desk, ProcessId};

/// How long a process waits before it tries again, microseconds.
const PAUSE: i64 = 1_000_000;

/// What a process reads again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Job {
    /// What is hinted at on a system.
    Hints(SystemName),
    /// Answers of people.
    Answers,
    /// Changes of a polled side.
    Poll(MappingId, Side),
    /// The first load of a side.
    Load(MappingId, Side),
    /// Both records of every link, after a gap.
    Verify(MappingId),
}

/// A job and where it stands.
#[derive(Clone, Debug)]
pub struct JobSlot {
    /// What.
    pub job: Job,
    /// Where it goes on.
    pub place: Option<String>,
    /// Whether it is under way.
    pub running: bool,
    /// Whether it is done for good.
    pub over: bool,
}

/// What a job read: the work, the next place, and whether there is more.
pub type Found = (Work, Option<String>, bool);

/// What comes in for a process.
pub enum News {
    /// A batch was answered.
    Sent(Sent),
    /// A job has read.
    Read(Job, Result<Found, EngineError>),
    /// Changes of a feed.
    Feed(SystemName, FeedBatch),
    /// A feed lost its stream.
    FeedLost(SystemName),
    /// It is time to settle what is unknown.
    Settle,
    /// It is time to renew the lease.
    Renew,
}

/// Runs a job once.
///
/// # Errors
/// As the intake.
pub async fn run_job(
    intake: &Intake<Memory>,
    job: &Job,
    place: Option<String>,
) -> Result<Found, EngineError> {
    match job {
        Job::Hints(name) => Ok((intake.read_hints(name).await?, None, false)),
        Job::Answers => Ok((intake.read_answers().await?, None, false)),
        Job::Poll(mapping, side) => {
            let (work, next, more) = intake.poll(*mapping, *side, place).await?;
            Ok((work, Some(next), more))
        }
        Job::Load(mapping, side) => {
            let (work, next) = intake.load(*mapping, *side, place.as_deref()).await?;
            let more = next != LOADED;
            Ok((work, Some(next), more))
        }
        Job::Verify(mapping) => {
            let after = place.as_deref().and_then(|place| place.parse::<LinkId>().ok());
            let (work, last) = intake.verify(*mapping, after).await?;
            Ok((work, last.map(|last| last.to_string()), last.is_some()))
        }
    }
}

/// The durable position of each feed of a process.
type Durable = Arc<Mutex<BTreeMap<SystemName, Position>>>;

/// Everything one turn took in.
#[derive(Default)]
struct Taken {
    work: Work,
    durable: Vec<(SystemName, Position)>,
    jobs: Vec<(Job, Option<String>, bool)>,
    lost: Vec<SystemName>,
    settle: bool,
    renew: bool,
}

/// A process alive.
pub struct Process {
    engine: Engine<Memory>,
    desk: Desk,
    id: ProcessId,
    durable: Durable,
}

impl Process {
    /// A process that has just started.
    #[must_use]
    pub fn new(engine: Engine<Memory>, desk: Desk, id: ProcessId) -> Self {
        Self { engine, desk, id, durable: Arc::default() }
    }

    /// Lives until it is killed.
    pub async fn live(mut self) {
        loop {
            self.take_over().await;
            self.start_streams().await;
            match self.turns().await {
                EngineError::Fenced => self.desk.tell(|| format!("{:?} is fenced", self.id)),
                other => {
                    self.desk.lock().defect = Some(chain(&other));
                    return;
                }
            }
            self.drop_streams();
        }
    }

    /// What streams gave before the ownership was lost must not be folded after it: the turn
    /// that failed held what came before it.
    fn drop_streams(&self) {
        let mut inner = self.desk.lock();
        inner.end_feeds.push(self.id);
        inner.spawned.retain(|(of, feed, _)| !(*feed && *of == self.id));
        if let Some(inbox) = inner.inbox.get_mut(&self.id) {
            inbox.retain(|news| matches!(news, News::Sent(_)));
        }
    }

    /// Owns the shards and recovers what was under way.
    async fn take_over(&mut self) {
        self.desk.lock().recovering.insert(self.id, false);
        loop {
            if let Ok(true) = self.engine.own().await {
                self.desk.lock().recovering.insert(self.id, true);
                match self.engine.recover().await {
                    Ok(account) => {
                        self.launch(account);
                        self.desk.lock().recovering.remove(&self.id);
                        return;
                    }
                    Err(EngineError::Fenced | EngineError::Ledger(_)) => {}
                    Err(other) => self.desk.lock().defect = Some(chain(&other)),
                }
            }
            self.desk.sleep(self.id, PAUSE).await;
        }
    }

    fn launch(&self, account: Account) {
        for sending in account.sends {
            let (desk, id) = (self.desk.clone(), self.id);
            let batch = sending.write.batch;
            self.desk.tell(|| format!("{id:?} sends {batch} {:?}", words(&sending.write)));
            let task = async move {
                let sent = sending.run().await;
                desk.tell(|| format!("{id:?} hears of {batch}: {:?}", sent.result));
                desk.post(id, News::Sent(sent));
            };
            self.desk.spawn(self.id, false, Box::pin(task));
        }
    }

    /// Starts feeds and jobs, each from where the ledger says.
    async fn start_streams(&mut self) {
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
            if self.engine.systems()[&name].has_feed() {
                self.start_feed(&name, known.get(&feed_stream(&name))).await;
            }
        }
        for mapping in self.engine.mappings().values() {
            for side in Side::BOTH {
                let place = |stream: String| known.get(&stream).map(|known| known.place.clone());
                if mapping.sides[side].capabilities.feed == FeedKind::Polled {
                    let poll = place(poll_stream(&mapping.name, side));
                    jobs.push(slot(Job::Poll(mapping.id, side), poll));
                }
                let load = place(load_stream(&mapping.name, side));
                let mut load_slot = slot(Job::Load(mapping.id, side), load);
                load_slot.over = load_slot.place.as_deref() == Some(LOADED);
                jobs.push(load_slot);
            }
            if let Some(verify) = known.get(&verify_stream(&mapping.name))
                && verify.place != LOADED
            {
                let place = Some(verify.place.clone()).filter(|place| !place.is_empty());
                jobs.push(slot(Job::Verify(mapping.id), place));
            }
        }
        self.desk.lock().jobs.insert(self.id, jobs);
    }

    async fn start_feed(&mut self, name: &SystemName, known: Option<&StreamPosition>) {
        let connector = self.engine.systems()[name].connector.clone();
        let mut from = known.map(|known| Position {
            stream: known.identity.as_str().into(),
            place: known.place.as_str().into(),
        });
        while from.is_none() {
            let context = self.engine.intake().context(Purpose::Sync);
            match connector.feed_start(&context).await {
                Ok(Some(start)) => {
                    let mut work = Work::default();
                    work.positions.push(position(name, &start));
                    if self.commit(&work).await.is_err() {
                        return;
                    }
                    from = Some(start);
                }
                _ => self.desk.sleep(self.id, PAUSE).await,
            }
        }
        let Some(from) = from else { return };
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), from);
        let selections = self.engine.systems()[name].feed.clone();
        let (desk, id, durable) = (self.desk.clone(), self.id, self.durable.clone());
        let (name, context) = (name.clone(), self.engine.intake().context(Purpose::Sync));
        let task = async move {
            let selections: Vec<&syncline_sdk::Selection> =
                selections.iter().map(|selection| &**selection).collect();
            loop {
                let from = durable.lock().unwrap_or_else(PoisonError::into_inner)[&name].clone();
                let opened = connector.open_feed(&context, &selections, Some(&from)).await;
                let error = match opened {
                    Ok(mut feed) => {
                        receive(&mut *feed, &context, &name, &desk, id, &durable, from).await
                    }
                    Err(error) => error,
                };
                if error.kind == ErrorKind::Gap {
                    desk.post(id, News::FeedLost(name.clone()));
                    return;
                }
                desk.sleep(id, 500_000).await;
            }
        };
        self.desk.spawn(self.id, true, Box::pin(task));
    }

    /// Turns, until something ends them.
    async fn turns(&mut self) -> EngineError {
        loop {
            let news = self.desk.turn(self.id).await;
            let taken = self.take(news);
            if let Err(error) = self.end_turn(taken).await {
                return error;
            }
        }
    }

    fn take(&mut self, news: Vec<News>) -> Taken {
        let mut taken = Taken::default();
        for one in news {
            match one {
                News::Sent(sent) => {
                    if let Some(work) = self.engine.fold_sent(sent) {
                        taken.work.append(work);
                    }
                }
                News::Read(job, Ok((work, next, more))) => {
                    taken.work.append(work);
                    taken.jobs.push((job, next, more));
                }
                News::Read(job, Err(_)) => self.job_ends(&job, None),
                News::Feed(name, batch) => {
                    let work = self.engine.fold_feed(&name, &batch);
                    taken.work.append(work);
                    if let Some(position) = batch.position {
                        taken.durable.push((name, position));
                    }
                }
                News::FeedLost(name) => taken.lost.push(name),
                News::Settle => taken.settle = true,
                News::Renew => taken.renew = true,
            }
        }
        taken
    }

    async fn end_turn(&mut self, taken: Taken) -> Result<(), EngineError> {
        let truncated = !taken.work.gaps.is_empty();
        self.commit(&taken.work).await?;
        for (name, position) in taken.durable {
            self.durable.lock().unwrap_or_else(PoisonError::into_inner).insert(name, position);
        }
        if truncated {
            self.verify(&taken.work.gaps);
        }
        for (job, next, more) in taken.jobs {
            self.job_ends(&job, Some((next, more)));
        }
        for name in taken.lost {
            self.feed_lost(&name).await?;
        }
        if taken.renew && matches!(self.engine.own().await, Ok(false)) {
            return Err(EngineError::Fenced);
        }
        if taken.settle {
            match self.engine.settle_unknown().await {
                Ok(account) => self.launch(account),
                Err(EngineError::Ledger(_) | EngineError::System { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.close_gaps().await
    }

    /// Commits work, again and again while the ledger gives no answer.
    async fn commit(&mut self, work: &Work) -> Result<(), EngineError> {
        if work.is_empty() {
            return Ok(());
        }
        loop {
            match self.engine.round(work).await {
                Ok(account) => {
                    self.engine.forget_settled(work);
                    self.launch(account);
                    return Ok(());
                }
                Err(EngineError::Ledger(_)) => self.desk.sleep(self.id, PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    }

    fn job_ends(&self, job: &Job, found: Option<(Option<String>, bool)>) {
        let mut inner = self.desk.lock();
        let Some(jobs) = inner.jobs.get_mut(&self.id) else { return };
        let Some(slot) = jobs.iter_mut().find(|slot| slot.job == *job) else { return };
        slot.running = false;
        if let Some((next, more)) = found {
            let ends = matches!(job, Job::Load(..) | Job::Verify(_));
            slot.over = ends && !more;
            slot.place = next;
        }
    }

    /// Every link of the mappings concerned is to be verified.
    fn verify(&self, gaps: &[Gap]) {
        let mut inner = self.desk.lock();
        let Some(jobs) = inner.jobs.get_mut(&self.id) else { return };
        for mapping in self.engine.mappings().values() {
            if gaps.iter().any(|gap| gap.stream == gap_stream(mapping.id)) {
                jobs.retain(|slot| slot.job != Job::Verify(mapping.id) || slot.running);
                jobs.push(slot(Job::Verify(mapping.id), None));
            }
        }
    }

    /// The stream lost what comes next: that is recorded, a new stream starts, and both sides
    /// are scanned and verified through the same planner.
    async fn feed_lost(&mut self, name: &SystemName) -> Result<(), EngineError> {
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
            for side in Side::BOTH {
                work.positions.push(StreamPosition {
                    stream: load_stream(&mapping.name, side),
                    identity: mapping.sides[side].system.to_string(),
                    place: String::new(),
                });
            }
        }
        let known = position(name, &start);
        work.positions.push(known.clone());
        self.commit(&work).await?;
        if let Some(jobs) = self.desk.lock().jobs.get_mut(&self.id) {
            for slot in jobs.iter_mut().filter(|slot| matches!(slot.job, Job::Load(..))) {
                slot.over = false;
                slot.place = None;
            }
        }
        self.verify(&work.gaps);
        self.start_feed(name, Some(&known)).await;
        Ok(())
    }

    /// Closes gaps once both sides were scanned and every link verified.
    async fn close_gaps(&mut self) -> Result<(), EngineError> {
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
    loop {
        let now = durable.lock().unwrap_or_else(PoisonError::into_inner)[name].clone();
        if now != acknowledged {
            if let Err(error) = feed.ack(&now).await {
                return error;
            }
            acknowledged = now;
        }
        match feed.next(context, 50).await {
            Ok(batch) => desk.post(id, News::Feed(name.clone(), batch)),
            Err(error) => return error,
        }
    }
}

fn slot(job: Job, place: Option<String>) -> JobSlot {
    JobSlot { job, place, running: false, over: false }
}

fn position(name: &SystemName, position: &Position) -> StreamPosition {
    StreamPosition {
        stream: feed_stream(name),
        identity: position.stream.to_string(),
        place: position.place.to_string(),
    }
}

fn gap_stream(mapping: MappingId) -> String {
    format!("mapping:{mapping}")
}

/// An error with everything behind it.
fn chain(error: &EngineError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// A batch in short words.
fn words(batch: &syncline_sdk::WriteBatch) -> Vec<String> {
    let words = |write: &syncline_sdk::Write| {
        let values = match &write.op {
            syncline_sdk::WriteOp::Insert { values }
            | syncline_sdk::WriteOp::Update { values, .. } => format!("{values:?}"),
            _ => String::new(),
        };
        let key = write.op.key().map(ToString::to_string).unwrap_or_default();
        format!("{} {} {key} {values}", write.intent, write.op.verb())
    };
    batch.writes.iter().map(words).collect()
}
