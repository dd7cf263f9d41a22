//! One process: an engine with its driver, as the product's driver runs it, but stopped at the
//! desk wherever it could be stopped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use syncline_engine::{Account, Engine, EngineError, Holdings, Sent, Work, feed_stream};
use syncline_ledger::memory::Memory;
use syncline_sdk::{FeedBatch, Position, SystemName};

use crate::desk::{Desk, ProcessId};
use crate::job::{Found, Job, JobSlot};
use crate::plan::Plan;
use crate::streams::position;

/// How long a process waits before it tries again, microseconds.
pub(crate) const PAUSE: i64 = 1_000_000;

/// What comes in for a process.
pub enum News {
    /// A batch was answered.
    Sent(Sent),
    /// A job has read, begun for the time of that number.
    Read(Job, u64, Result<Found, EngineError>),
    /// Changes of a feed.
    Feed(SystemName, FeedBatch),
    /// A feed lost its stream.
    FeedLost(SystemName),
    /// It is time to settle what is unknown.
    Settle,
    /// It is time to renew the lease.
    Renew,
}

/// The durable position of each feed of a process.
pub(crate) type Durable = Arc<Mutex<BTreeMap<SystemName, Position>>>;

/// Everything one turn took in.
#[derive(Default)]
struct Taken {
    work: Work,
    durable: Vec<(SystemName, Position)>,
    jobs: Vec<(Job, u64, Option<String>, bool)>,
    lost: Vec<SystemName>,
    settle: bool,
    renew: bool,
}

/// A process alive.
pub struct Process {
    pub(crate) engine: Engine<Memory>,
    pub(crate) desk: Desk,
    pub(crate) id: ProcessId,
    pub(crate) durable: Durable,
    pub(crate) holdings: Holdings,
    /// Whether it sweeps.
    pub(crate) sweeps: bool,
    /// Whether modes change between processes: each plans its links by its own.
    pub(crate) modes: bool,
    /// Whether it asks the histories of systems.
    pub(crate) histories: bool,
}

impl Process {
    /// A process that has just started.
    #[must_use]
    pub fn new(engine: Engine<Memory>, desk: Desk, id: ProcessId, plan: &Plan) -> Self {
        let (durable, holdings) = (Arc::default(), Holdings::default());
        let Plan { sweeps, modes, histories, .. } = *plan;
        Self { engine, desk, id, durable, holdings, sweeps, modes, histories }
    }

    /// Lives until it is killed.
    pub async fn live(mut self) {
        loop {
            self.take_over().await;
            let ended = match self.start_streams().await {
                Ok(()) => self.turns().await,
                Err(error) => error,
            };
            match ended {
                EngineError::Fenced => self.desk.tell(|| format!("{:?} is fenced", self.id)),
                other => {
                    self.desk.break_off("ENGINE", chain(&other));
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
        // Nobody reads for what it does not own.
        inner.jobs.remove(&self.id);
        *inner.lives.entry(self.id).or_insert(0) += 1;
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
                        match self.bring_up().await {
                            Ok(()) => {
                                self.desk.lock().recovering.remove(&self.id);
                                return;
                            }
                            Err(EngineError::Fenced | EngineError::Ledger(_)) => {}
                            Err(other) => self.desk.break_off("ENGINE", chain(&other)),
                        }
                    }
                    Err(EngineError::Fenced | EngineError::Ledger(_)) => {}
                    Err(other) => self.desk.break_off("ENGINE", chain(&other)),
                }
            }
            self.desk.sleep(self.id, PAUSE).await;
        }
    }

    /// Lays out the links of a changed mapping anew, as the driver does.
    async fn bring_up(&mut self) -> Result<(), EngineError> {
        let mappings: Vec<_> = self.engine.mappings().values().cloned().collect();
        for mapping in mappings {
            let mut after = None;
            loop {
                let (touched, next) = self.engine.former_links(&mapping, after).await?;
                if !touched.is_empty() {
                    let account = self.engine.round(&Work { touched, ..Work::default() }).await?;
                    self.launch(account);
                }
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(())
    }

    fn launch(&mut self, account: Account) {
        for sending in account.sends {
            let (desk, id) = (self.desk.clone(), self.id);
            let batch = sending.write.batch;
            self.holdings.sent(self.engine.flights(), batch);
            self.desk.tell(|| format!("{id:?} sends {batch} {:?}", words(&sending.write)));
            let task = async move {
                let sent = sending.run().await;
                desk.tell(|| format!("{id:?} hears of {batch}: {:?}", sent.result));
                desk.post(id, News::Sent(sent));
            };
            self.desk.spawn(self.id, false, Box::pin(task));
        }
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

    fn tell_read(&self, job: &Job, work: &Work) {
        for (mapping, side, seen) in &work.observed {
            let shown = (&seen.content, &seen.version);
            self.desk.tell(|| {
                let key = &seen.key;
                format!("{:?} folds of {job:?} {mapping:?} {side} {key}: {shown:?}", self.id)
            });
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
                News::Read(job, number, _) if !self.is_current(&job, number, &taken.work) => {}
                News::Read(job, number, Ok((work, next, more))) => {
                    self.tell_read(&job, &work);
                    taken.work.append(work);
                    taken.jobs.push((job, number, next, more));
                }
                News::Read(job, number, Err(_)) => self.job_ends(&job, number, None),
                News::Feed(name, batch) => {
                    let mut work = self.engine.fold_feed(&name, &batch);
                    work.positions.retain(|known| known.stream != feed_stream(&name));
                    taken.work.append(work);
                    if let Some(place) = batch.position {
                        self.take_position(name, &place, &mut taken);
                    }
                }
                News::FeedLost(name) => taken.lost.push(name),
                News::Settle => taken.settle = true,
                News::Renew => taken.renew = true,
            }
        }
        taken
    }

    /// Stores how far a feed was read, as far as it may be.
    fn take_position(&mut self, name: SystemName, place: &Position, taken: &mut Taken) {
        let store = self.holdings.store(self.engine.flights(), &name, place);
        let Some(store) = store else { return };
        taken.work.positions.retain(|known| known.stream != feed_stream(&name));
        taken.work.positions.push(position(&name, &store));
        taken.durable.push((name, store));
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
        for (job, number, next, more) in taken.jobs {
            self.job_ends(&job, number, Some((next, more)));
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
    pub(crate) async fn commit(&mut self, work: &Work) -> Result<(), EngineError> {
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

    /// Whether what a job read still counts: it was not begun anew since, and this turn brought
    /// no gap that it must be read after.
    fn is_current(&self, job: &Job, number: u64, work: &Work) -> bool {
        let inner = self.desk.lock();
        let jobs = inner.jobs.get(&self.id);
        let gap = matches!(job, Job::Verify(_)) && !work.gaps.is_empty();
        !gap && jobs
            .is_some_and(|jobs| jobs.iter().any(|slot| slot.job == *job && slot.number == number))
    }

    fn job_ends(&self, job: &Job, number: u64, found: Option<(Option<String>, bool)>) {
        let mut inner = self.desk.lock();
        let Some(jobs) = inner.jobs.get_mut(&self.id) else { return };
        let same = |slot: &&mut JobSlot| slot.job == *job && slot.number == number;
        let Some(slot) = jobs.iter_mut().find(same) else { return };
        slot.running = false;
        if let Some((next, more)) = found {
            let ends =
                matches!(job, Job::Load(..) | Job::Verify(_) | Job::Rules(_) | Job::Sweep(_));
            slot.over = ends && !more;
            slot.place = next;
        }
    }
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
