//! The desk: what the processes of a run and its scheduler share.
//!
//! One thread runs everything. Futures of processes stop at the desk: at the gates of systems
//! and ledger, while they sleep, and when they ask for the next turn. The scheduler picks who
//! goes on and what breaks. In calm nothing is held and nothing breaks.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::choices::Choices;
use crate::coverage::Coverage;
use crate::job::JobSlot;
use crate::plan::Rates;
use crate::process::News;
use crate::trace::Trace;
use crate::waiting::{Passing, Sleeping, Turning};

/// Calls that pass within one step of the scheduler before the run is broken off: in calm a step
/// takes a few hundred.
pub(crate) const PASSES_MAX: u32 = 20_000;

/// A process: one life of an engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ProcessId(pub u32);

/// A future of a process.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What becomes of a call at a gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Say {
    /// It goes on.
    Go,
    /// Request or answer is lost.
    Lose,
    /// The request stays under way.
    Delay,
    /// The request goes on, and once more.
    Duplicate,
    /// It is refused.
    Refuse,
}

/// Where a call stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A push on its way to the system.
    PushArrives,
    /// Between two writes of a push.
    PushWithin,
    /// A push on its way back.
    PushAnswers,
    /// A read on its way there.
    ReadArrives,
    /// A read on its way back.
    ReadAnswers,
    /// A feed with nothing to give.
    FeedIdle,
    /// A feed's call.
    FeedCall,
    /// A commit on its way to the ledger.
    CommitArrives,
    /// A commit's answer.
    CommitAnswers,
    /// Any other call of the ledger, there or back.
    LedgerCall,
}

/// A call that is held.
pub struct Held {
    /// Whose.
    pub process: ProcessId,
    /// Where.
    pub place: Place,
    pub(crate) said: Option<Say>,
    pub(crate) waker: Option<Waker>,
}

/// A process that asked for its next turn.
#[derive(Default)]
pub struct Turn {
    pub(crate) granted: usize,
    pub(crate) waker: Option<Waker>,
}

/// What is shared.
pub struct Inner {
    /// The run's choices.
    pub choices: Choices,
    /// How often what breaks.
    pub rates: Rates,
    /// Nothing is held, nothing breaks.
    pub calm: bool,
    /// The true time, microseconds.
    pub now: i64,
    /// The number of the scheduler's step.
    pub step: u32,
    /// Calls that are held, oldest first.
    pub held: BTreeMap<u64, Held>,
    /// Processes that wait for a turn.
    pub turns: BTreeMap<ProcessId, Turn>,
    /// How often each process began anew: what an earlier beginning read is not heard any more.
    pub lives: BTreeMap<ProcessId, u32>,
    /// What came in for a process.
    pub inbox: BTreeMap<ProcessId, VecDeque<News>>,
    /// What each process reads again and again.
    pub jobs: BTreeMap<ProcessId, Vec<JobSlot>>,
    /// Futures to be run, and whether each is a feed.
    pub spawned: Vec<(ProcessId, bool, Task)>,
    /// Processes whose feeds are to be ended.
    pub end_feeds: Vec<ProcessId>,
    /// Processes that are owning the ledger, as far as they know.
    pub recovering: BTreeMap<ProcessId, bool>,
    pub(crate) sleepers: BTreeMap<u64, (ProcessId, i64, Option<Waker>)>,
    numbers: u64,
    /// What happened.
    pub coverage: Coverage,
    /// What happened, in words.
    pub trace: Trace,
    /// What breaks the run off: the invariant, and what was met.
    pub defect: Option<(&'static str, String)>,
    /// Calls that passed since the scheduler's last step.
    pub(crate) passed: u32,
}

/// The handle that everybody has.
#[derive(Clone)]
pub struct Desk(Arc<Mutex<Inner>>);

impl Desk {
    /// A desk at a point in time.
    #[must_use]
    pub fn new(choices: Choices, rates: Rates, trace: Trace, now: i64) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            choices,
            rates,
            calm: false,
            now,
            step: 0,
            held: BTreeMap::new(),
            turns: BTreeMap::new(),
            lives: BTreeMap::new(),
            inbox: BTreeMap::new(),
            jobs: BTreeMap::new(),
            spawned: Vec::new(),
            end_feeds: Vec::new(),
            recovering: BTreeMap::new(),
            sleepers: BTreeMap::new(),
            numbers: 0,
            coverage: Coverage::default(),
            trace,
            defect: None,
            passed: 0,
        })))
    }
    /// The inside.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Writes a line of the trace, where one is kept.
    pub fn tell(&self, line: impl FnOnce() -> String) {
        let mut inner = self.lock();
        let step = inner.step;
        inner.trace.tell(step, line);
    }
    /// Notes that something happened.
    pub fn hit(&self, what: &'static str) {
        self.lock().coverage.hit(what);
    }
    /// Breaks the run off. The first reason stands.
    pub fn break_off(&self, invariant: &'static str, what: String) {
        self.lock().defect.get_or_insert((invariant, what));
    }
    /// Hands a future to the executor.
    pub fn spawn(&self, process: ProcessId, feed: bool, task: Task) {
        self.lock().spawned.push((process, feed, task));
    }
    /// Puts news into a process's inbox.
    pub fn post(&self, process: ProcessId, news: News) {
        let mut inner = self.lock();
        inner.inbox.entry(process).or_default().push_back(news);
        if inner.calm {
            inner.grant(process, usize::MAX);
        }
    }
    /// The beginning in which a process is.
    #[must_use]
    pub fn life(&self, process: ProcessId) -> u32 {
        self.lock().lives.get(&process).copied().unwrap_or(0)
    }
    /// Puts news into a process's inbox, unless that began anew since. True when it was put in.
    pub fn post_in(&self, process: ProcessId, life: u32, news: News) -> bool {
        let heard = self.life(process) == life;
        if heard {
            self.post(process, news);
        }
        heard
    }
    /// Passes a gate.
    pub async fn pass(&self, process: ProcessId, place: Place) -> Say {
        let number = {
            let mut inner = self.lock();
            inner.passed = inner.passed.saturating_add(1);
            // What goes on for ever within one step is stopped here, and told from there.
            if inner.passed <= PASSES_MAX {
                if inner.calm && place != Place::FeedIdle {
                    return Say::Go;
                }
                if place != Place::FeedIdle && !inner.hold() {
                    return inner.say(place, false);
                }
            }
            let number = inner.number();
            let held = Held { process, place, said: None, waker: None };
            inner.held.insert(number, held);
            number
        };
        Passing { desk: self.clone(), number }.await
    }
    /// Sleeps until a point in time.
    pub async fn sleep(&self, process: ProcessId, micros: i64) {
        let number = {
            let mut inner = self.lock();
            let number = inner.number();
            let until = inner.now + micros;
            inner.sleepers.insert(number, (process, until, None));
            number
        };
        Sleeping { desk: self.clone(), number }.await;
    }
    /// Waits for the next turn and takes what it brings: at least one piece of news.
    pub async fn turn(&self, process: ProcessId) -> Vec<News> {
        Turning { desk: self.clone(), process }.await
    }
    /// Lets everything pass from now on.
    pub fn calm(&self) {
        let mut inner = self.lock();
        inner.calm = true;
        let held: Vec<u64> = inner.held.keys().copied().collect();
        for number in held {
            if inner.held.get(&number).is_some_and(|held| held.place != Place::FeedIdle) {
                inner.release(number, Say::Go);
            }
        }
        let waiting: Vec<ProcessId> = inner.turns.keys().copied().collect();
        for process in waiting {
            inner.grant(process, usize::MAX);
        }
    }
    /// Moves the time on and wakes who slept.
    pub fn advance(&self, to: i64) {
        let mut inner = self.lock();
        inner.now = inner.now.max(to);
        let now = inner.now;
        let due = inner.sleepers.values_mut().filter(|(_, until, _)| *until <= now);
        for (_, _, waker) in due {
            if let Some(waker) = waker.take() {
                waker.wake();
            }
        }
    }
    /// Forgets everything of a process that is gone.
    pub fn forget(&self, process: ProcessId) {
        let mut inner = self.lock();
        inner.held.retain(|_, held| held.process != process);
        inner.sleepers.retain(|_, (of, _, _)| *of != process);
        inner.turns.remove(&process);
        inner.inbox.remove(&process);
        inner.jobs.remove(&process);
        inner.recovering.remove(&process);
        inner.spawned.retain(|(of, _, _)| *of != process);
    }
}

impl Inner {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
    fn hold(&mut self) -> bool {
        let hold = self.rates.hold;
        self.choices.chance(hold)
    }
    /// What becomes of a call at a place, by the rates of the run. A push that was held may have
    /// arrived by another way meanwhile: nobody says of it any more that it was not sent.
    pub fn say(&mut self, place: Place, held: bool) -> Say {
        let rates = self.rates;
        let mut befalls = |rate: u32| self.choices.chance(rate);
        let (say, what) = match place {
            Place::PushArrives if befalls(rates.push_lost) => (Say::Lose, "fault: request lost"),
            Place::PushArrives if befalls(rates.push_late) => (Say::Delay, "fault: request late"),
            Place::PushArrives if befalls(rates.push_twice) => {
                (Say::Duplicate, "fault: request doubled")
            }
            Place::PushArrives | Place::ReadArrives
                if !(held && place == Place::PushArrives) && befalls(rates.refused) =>
            {
                (Say::Refuse, "fault: call refused")
            }
            Place::PushAnswers | Place::PushWithin if befalls(rates.answer_lost) => {
                (Say::Lose, "fault: answer lost")
            }
            Place::ReadArrives | Place::ReadAnswers | Place::FeedCall
                if befalls(rates.read_lost) =>
            {
                (Say::Lose, "fault: read lost")
            }
            Place::CommitArrives if befalls(rates.commit_lost) => {
                (Say::Lose, "fault: commit lost before")
            }
            Place::CommitArrives if befalls(rates.commit_late) => {
                (Say::Delay, "fault: commit late")
            }
            Place::CommitArrives | Place::LedgerCall if befalls(rates.ledger_refuses) => {
                (Say::Refuse, "fault: ledger refuses")
            }
            Place::CommitAnswers if befalls(rates.commit_lost) => {
                (Say::Lose, "fault: commit lost after")
            }
            _ => return Say::Go,
        };
        self.coverage.hit(what);
        let step = self.step;
        self.trace.tell(step, || what.to_owned());
        say
    }
    /// Lets a held call go on.
    pub fn release(&mut self, number: u64, say: Say) {
        if let Some(held) = self.held.get_mut(&number) {
            held.said = Some(say);
            if let Some(waker) = held.waker.take() {
                waker.wake();
            }
        }
    }
    /// The calls that wait for the scheduler.
    #[must_use]
    pub fn waiting(&self) -> Vec<u64> {
        let waits = |held: &Held| held.said.is_none() && held.place != Place::FeedIdle;
        self.held.iter().filter(|(_, held)| waits(held)).map(|(number, _)| *number).collect()
    }
    /// Gives a process its turn, with so many pieces of news at most.
    pub fn grant(&mut self, process: ProcessId, news: usize) {
        if let Some(turn) = self.turns.get_mut(&process) {
            turn.granted = news;
            if let Some(waker) = turn.waker.take() {
                waker.wake();
            }
        }
    }
    /// When the first sleeper wakes.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.sleepers.values().map(|(_, until, _)| *until).filter(|until| *until > self.now).min()
    }
}
