//! The driver's loop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use syncline_core::mapping::MappingId;
use syncline_core::model::Gap;
use syncline_ledger::Ledger;
use syncline_sdk::{Position, SystemName};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant as Tick;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::DriverSettings;
use super::ending::Ended;
use super::feeds::FeedNews;
use super::pace::{Pace, pause, pause_until, tick};
use super::reads::{Job, Read, Turns};
use super::reopening::{Reopened, Stopped};
use super::status::Status;
use super::telling::chain;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::holding::Holdings;
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
pub(super) const TICK: Duration = Duration::from_millis(250);
/// How often hints are looked for when nothing said that there are any.
pub(super) const HINTS_IDLE: Duration = Duration::from_secs(1);
/// How soon hints that a round added are looked for.
pub(super) const HINTS_SOON: Duration = Duration::from_millis(20);
/// How often answers of people are looked for.
pub(super) const ANSWERS_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked whether people asked for a sweep.
pub(super) const ASKED_EVERY: Duration = Duration::from_secs(2);
/// How often one record that was set aside for a wrong set-up is tried again.
pub(super) const RETRY_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether settled batches can be audited: each time costs a call of a daily
/// quota where something was written, 288 a day.
pub(super) const AUDIT_EVERY: Duration = Duration::from_mins(5);
/// How often a system is polled at most, all its mappings together, of whose daily quota only the
/// reserve is left.
pub(super) const SPARING_EVERY: Duration = Duration::from_secs(60);
/// How often receipts are forgotten that nothing needs any more.
pub(super) const FORGET_EVERY: Duration = Duration::from_secs(60);
/// How soon it is looked for the first time whether a stopped entity is mended.
pub(super) const MEND_EVERY: Duration = Duration::from_secs(2);
/// How often the ownership is renewed: a quarter of its life.
pub(super) const RENEW_EVERY: Duration = Duration::from_millis(500);
/// How often the position of an idle feed is stored.
pub(super) const IDLE_EVERY: Duration = Duration::from_secs(10);
/// How often a process that waits for the ownership asks again.
pub(super) const OWN_EVERY: Duration = Duration::from_millis(150);

type FeedChannel =
    (mpsc::Sender<(CancellationToken, FeedNews)>, mpsc::Receiver<(CancellationToken, FeedNews)>);

/// Runs an engine until it is stopped.
pub struct Driver<L> {
    pub(super) engine: Engine<L>,
    pub(super) settings: DriverSettings,
    pub(super) status: watch::Sender<Status>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    pub(super) turns: Turns,
    pub(super) durable: BTreeMap<SystemName, watch::Sender<Option<Position>>>,
    pub(super) feed_news: FeedChannel,
    /// The feeds that run, by the tokens that end them.
    pub(super) feeds: BTreeMap<SystemName, CancellationToken>,
    /// How many times this process came to own the shards.
    pub(super) ownership: u64,
    /// How far feeds that carry receipts may be acknowledged.
    pub(super) holdings: Holdings,
    /// Systems whose stream was lost and is not open yet, each with why.
    pub(super) lost: BTreeMap<SystemName, String>,
    /// Entities that cannot be captured as they are mapped.
    pub(super) stopped: BTreeMap<SystemName, Stopped>,
    pub(super) sent: (mpsc::Sender<Sent>, mpsc::Receiver<Sent>),
    pub(super) reads: (mpsc::Sender<Read>, mpsc::Receiver<Read>),
    pub(super) wake: Arc<tokio::sync::Notify>,
    pub(super) renew_at: Tick,
    pub(super) gaps_open: bool,
    pub(super) idle_stored: BTreeMap<SystemName, Tick>,
    /// The sweeps that people wait for, each with how many were asked for.
    pub(super) swept_for: BTreeMap<MappingId, i64>,
    /// Systems that are polled sparingly, since the reserve of their daily quota is reached.
    pub(super) spared: BTreeSet<SystemName>,
    /// How the session is to end, once it is.
    pub(super) ended: Option<Ended>,
}

/// What one turn of the loop took in, with what must happen once it is durable.
#[derive(Default)]
pub(super) struct Intaken {
    pub(super) work: Work,
    pub(super) durable: Vec<(SystemName, Position)>,
    pub(super) jobs: Vec<(Job, u64, Option<String>, bool)>,
    pub(super) reopened: Vec<(SystemName, Reopened)>,
}

impl<L: Ledger> Driver<L> {
    /// A driver of an engine, which tells about itself through `status`, going on from what an
    /// earlier one told. Cancelling `stop` ends it after the round under way; its own end leaves
    /// that token as it is.
    #[must_use]
    pub fn new(
        mut engine: Engine<L>,
        settings: DriverSettings,
        status: watch::Sender<Status>,
        stop: &CancellationToken,
    ) -> Self {
        engine.crowding.reserve = settings.quota_reserve;
        status.send_modify(|status| status.begin(&engine.intake.systems));
        Self {
            engine,
            settings,
            status,
            stop: stop.child_token(),
            tasks: TaskTracker::new(),
            turns: Turns::default(),
            durable: BTreeMap::new(),
            feed_news: mpsc::channel(4),
            feeds: BTreeMap::new(),
            ownership: 0,
            holdings: Holdings::default(),
            lost: BTreeMap::new(),
            stopped: BTreeMap::new(),
            sent: mpsc::channel(limits::FLIGHTS_MAX),
            reads: mpsc::channel(limits::READS_MAX),
            wake: Arc::default(),
            renew_at: tick(),
            gaps_open: true,
            idle_stored: BTreeMap::new(),
            swept_for: BTreeMap::new(),
            spared: BTreeSet::new(),
            ended: None,
        }
    }

    /// Lets the driver be woken: by whoever has put hints or answers into the ledger. It looks
    /// for them by itself too, only later.
    #[must_use]
    pub fn woken_by(mut self, wake: Arc<tokio::sync::Notify>) -> Self {
        self.wake = wake;
        self
    }

    /// Runs until it is stopped: owns the shards, recovers, makes the systems ready, loads,
    /// and keeps the sides in agreement. Systems that are waited for are left alone but for the
    /// question whether they answer by now; when one does, the session ends so that another can
    /// be opened with it.
    ///
    /// # Errors
    /// [`DriverError::Prepare`] when a system's set-up is wrong; others only when repeating does
    /// not mend them.
    pub async fn run(mut self) -> Result<Ended, DriverError> {
        let ended = self.run_until_stopped().await;
        self.stop.cancel();
        self.tasks.close();
        // What is under way may end; its answers are settled after the next start.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.tasks.wait()).await;
        ended
    }

    pub(super) async fn run_until_stopped(&mut self) -> Result<Ended, DriverError> {
        while !self.stop.is_cancelled() {
            if !self.take_over().await {
                break;
            }
            let turned = match self.start().await {
                Ok(()) => self.turn_until_stopped().await,
                failed => failed,
            };
            match turned {
                Err(DriverError::Engine(EngineError::Fenced)) => {
                    tracing::warn!("another process took over; waiting to own the ledger again");
                    self.status.send_modify(|status| status.owner = false);
                    // What it was about to end for is looked at again.
                    self.ended = None;
                }
                Err(error) => return Err(error),
                Ok(()) => return Ok(self.ended.take().unwrap_or(Ended::Stopped)),
            }
        }
        Ok(Ended::Stopped)
    }

    /// Owns the shards and recovers what was under way. False when it was stopped meanwhile.
    pub(super) async fn take_over(&mut self) -> bool {
        let mut pace = Pace::default();
        let mut waiting = false;
        while !self.stop.is_cancelled() {
            let owned = match self.engine.own().await {
                Ok(true) => self.engine.recover().await.map(|account| (true, account)),
                Ok(false) => Ok((false, Account::default())),
                Err(error) => Err(error),
            };
            match owned {
                Ok((true, account)) => {
                    self.launch(account);
                    self.renew_at = tick() + RENEW_EVERY;
                    self.status.send_modify(|status| status.owner = true);
                    return true;
                }
                Ok((false, _)) => {
                    if !waiting {
                        tracing::info!("another process owns the ledger, or did; waiting");
                    }
                    waiting = true;
                    self.status.send_modify(|status| status.owner = false);
                    pause(OWN_EVERY, &self.stop).await;
                    continue;
                }
                Err(error) => tracing::error!(error = %chain(&error), "the ledger gave no answer"),
            }
            pace.pause(&self.stop).await;
        }
        false
    }

    /// Turns until it is stopped or the session is to end.
    pub(super) async fn turn_until_stopped(&mut self) -> Result<(), DriverError> {
        while !self.stop.is_cancelled() && self.ended.is_none() {
            self.spawn_due();
            let mut taken = Intaken::default();
            self.wait(&mut taken).await;
            self.drain(&mut taken);
            let Intaken { work, durable, jobs, reopened } = taken;
            if !self.commit(work).await? {
                return Ok(());
            }
            for (name, position) in durable {
                if let Some(sender) = self.durable.get(&name) {
                    sender.send_replace(Some(position));
                }
            }
            for (job, number, next, more) in jobs {
                self.job_done(&job, number, next, more);
            }
            for (name, reopened) in reopened {
                self.reopened(&name, reopened).await?;
            }
            self.by_time().await?;
        }
        self.settle_down().await
    }

    /// Waits for the first thing to do.
    pub(super) async fn wait(&mut self, taken: &mut Intaken) {
        let due = self.turns.next_due().unwrap_or_else(|| tick() + TICK);
        let due = due.min(tick() + TICK);
        let room = self.has_room();
        let news = tokio::select! {
            biased;
            () = self.stop.cancelled() => return,
            sent = self.sent.1.recv() => {
                if let Some(sent) = sent {
                    self.take_sent(sent, taken);
                }
                return;
            }
            read = self.reads.1.recv() => {
                if let Some(read) = read {
                    self.take_read(read, taken);
                }
                return;
            }
            news = self.feed_news.1.recv(), if room => news,
            () = self.wake.notified() => {
                let asked = |job: &Job| matches!(job, Job::Hints(_) | Job::Answers | Job::Retry(_));
                self.turns.wake(asked, tick());
                return;
            }
            () = pause_until(due) => return,
        };
        if let Some(news) = news {
            self.take_news(news, taken);
        }
    }

    /// Takes what else is ready, up to a round's size.
    pub(super) fn drain(&mut self, taken: &mut Intaken) {
        while let Ok(sent) = self.sent.1.try_recv() {
            self.take_sent(sent, taken);
        }
        while taken.work.observed.len() < limits::FEED_ROWS_MAX {
            let Ok(read) = self.reads.1.try_recv() else {
                break;
            };
            self.take_read(read, taken);
        }
        while taken.work.observed.len() < limits::FEED_ROWS_MAX && self.has_room() {
            let Ok(news) = self.feed_news.1.try_recv() else {
                break;
            };
            self.take_news(news, taken);
        }
    }

    /// Whether the systems keep up with what is read.
    pub(super) fn has_room(&self) -> bool {
        let now = self.engine.intake.clock.now().micros();
        self.engine.flights.have_room(now, |system| self.engine.is_away(system))
    }

    /// Sends batches, each in a task of its own.
    pub(super) fn launch(&mut self, account: Account) {
        for sending in account.sends {
            let batch = sending.write.batch;
            self.holdings.sent(&self.engine.flights, batch);
            let answers = self.sent.0.clone();
            self.tasks.spawn(async move {
                let _ = answers.send(sending.run().await).await;
            });
        }
    }

    /// What only time makes due: ownership, unknown batches, closed gaps.
    pub(super) async fn by_time(&mut self) -> Result<(), DriverError> {
        self.renew().await?;
        self.note_breakers();
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

    /// Renews the ownership when that is due.
    pub(super) async fn renew(&mut self) -> Result<(), DriverError> {
        if tick() < self.renew_at {
            return Ok(());
        }
        self.renew_at = tick() + RENEW_EVERY;
        match self.engine.own().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(EngineError::Fenced.into()),
            Err(error) => {
                tracing::error!(error = %chain(&error), "the ownership was not renewed");
                Ok(())
            }
        }
    }

    /// A gap is closed when both sides were scanned and every link was verified, and nothing is
    /// under way from before it.
    pub(super) async fn close_gaps(&mut self) -> Result<(), DriverError> {
        let busy = self.turns.contains(|job| matches!(job, Job::Load(..) | Job::Verify(_)));
        if busy || self.engine.flights.cross_gap() || !std::mem::take(&mut self.gaps_open) {
            return Ok(());
        }
        let Ok(gaps) = self.engine.intake.ledger.gaps().await else {
            self.gaps_open = true;
            return Ok(());
        };
        let now = self.engine.intake.clock.now().micros();
        let closed = gaps.into_iter().map(|gap| Gap { closed_at: Some(now), ..gap }).collect();
        self.commit(Work { gaps: closed, ..Work::default() }).await.map(|_| ())
    }
}
