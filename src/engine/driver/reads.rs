//! Reads beside the rounds: polls, hints, loads, verifying passes, answers. One of a kind at a
//! time; what they read comes back as work.

use std::collections::BTreeMap;
use std::time::Duration;

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_ledger::Ledger;
use syncline_sdk::{LinkId, SystemName};
use tokio::time::Instant as Tick;

use super::reopening::Reopened;
use crate::error::EngineError;
use crate::reader::Intake;
use crate::work::Work;

/// One thing that is read again and again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Job {
    /// Changes of a polled side.
    Poll(MappingId, Side),
    /// Hints of a system.
    Hints(SystemName),
    /// The first load of a side.
    Load(MappingId, Side),
    /// A verifying pass over the links of a mapping.
    Verify(MappingId),
    /// A pass over the links of a mapping whose rules changed.
    Rules(MappingId),
    /// A sweep of a mapping, step by step.
    Sweep(MappingId),
    /// A look for sweeps that people asked for.
    Asked,
    /// Records of a mapping set aside for what may be mended by now.
    Retry(MappingId),
    /// Answers of people.
    Answers,
    /// Receipts on a system that nothing needs any more.
    Forget(SystemName),
    /// A look at what writes to a system replaced unseen.
    Audit(SystemName),
    /// A stream that was lost is opened anew.
    Reopen(SystemName),
    /// A look whether what stopped an entity of a system is mended.
    Mend(SystemName),
    /// A look whether a system that is waited for answers.
    Begin(SystemName),
}

/// What a job read.
pub(super) struct Read {
    /// In which ownership of the shards it was read.
    pub ownership: u64,
    pub job: Job,
    /// In which turn of it.
    pub number: u64,
    pub result: Result<Found, EngineError>,
}

/// What a job found, and where it goes on.
#[derive(Default)]
pub(super) struct Found {
    pub work: Work,
    /// The next place; nothing where there is none.
    pub next: Option<String>,
    /// Whether there is more at once.
    pub more: bool,
    /// A stream that starts anew.
    pub reopened: Option<Reopened>,
    /// How many sweeps people asked for, by mapping.
    pub asked: Vec<(MappingId, i64)>,
}

/// When a job is due, and whether it runs.
#[derive(Debug)]
pub(super) struct Turn {
    /// Its number: a job that is begun anew takes a new one.
    number: u64,
    pub due: Tick,
    pub running: bool,
    /// Whether it was woken while it ran: what it reads may be older than what woke it.
    woken: bool,
    pub place: Option<String>,
    pub failures: super::pace::Pace,
}

/// All jobs.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turns: BTreeMap<Job, Turn>,
    last: u64,
}

impl Turns {
    /// Begins a job, or begins it anew: what an earlier turn of it still reads is of no use then,
    /// nor is how far that came.
    pub fn add(&mut self, job: Job, place: Option<String>, now: Tick) {
        self.last += 1;
        let number = self.last;
        let failures = Default::default();
        let turn = Turn { number, due: now, running: false, woken: false, place, failures };
        self.turns.insert(job, turn);
    }
    /// A gap was noticed: what records showed before may be what it hides, so all reads of
    /// records that are under way are of no use but those that look what it hid. They are made
    /// again from where they were.
    pub fn read_anew(&mut self, now: Tick) {
        for (job, turn) in &mut self.turns {
            let reads_records = matches!(
                job,
                Job::Hints(_)
                    | Job::Answers
                    | Job::Retry(_)
                    | Job::Poll(..)
                    | Job::Load(..)
                    | Job::Sweep(_)
            );
            if reads_records {
                self.last += 1;
                (turn.number, turn.running) = (self.last, false);
                turn.due = turn.due.min(now);
            }
        }
    }
    /// Whether a job has not been begun anew, or ended, since the turn of that number.
    pub fn is_current(&self, job: &Job, number: u64) -> bool {
        self.turns.get(job).is_some_and(|turn| turn.number == number)
    }
    pub fn remove(&mut self, job: &Job) {
        self.turns.remove(job);
    }
    pub fn get_mut(&mut self, job: &Job) -> Option<&mut Turn> {
        self.turns.get_mut(job)
    }
    pub fn contains(&self, is: impl Fn(&Job) -> bool) -> bool {
        self.turns.keys().any(is)
    }
    /// Whether a job is there that has no place to go on from yet.
    pub fn is_unplaced(&self, job: &Job) -> bool {
        self.turns.get(job).is_some_and(|turn| turn.place.is_none())
    }
    /// The jobs that are due and do not run, each with its place and its number.
    pub fn due(&mut self, now: Tick) -> Vec<(Job, Option<String>, u64)> {
        self.turns
            .iter_mut()
            .filter(|(_, turn)| !turn.running && turn.due <= now)
            .map(|(job, turn)| {
                turn.running = true;
                (job.clone(), turn.place.clone(), turn.number)
            })
            .collect()
    }
    /// When the next job that does not run is due.
    pub fn next_due(&self) -> Option<Tick> {
        self.turns.values().filter(|turn| !turn.running).map(|turn| turn.due).min()
    }
    /// Makes a job due at once, if it is not running.
    pub fn hurry(&mut self, is: impl Fn(&Job) -> bool, at: Tick) {
        for (_, turn) in self.turns.iter_mut().filter(|(job, _)| is(job)) {
            turn.due = turn.due.min(at);
        }
    }
    /// Makes a job due at once; one that runs is due again as soon as it is done.
    pub fn wake(&mut self, is: impl Fn(&Job) -> bool, at: Tick) {
        for (_, turn) in self.turns.iter_mut().filter(|(job, _)| is(job)) {
            turn.woken = turn.running;
            turn.due = turn.due.min(at);
        }
    }
    /// A job ended; it is due again after a while, or at once if it was woken meanwhile.
    pub fn done(&mut self, job: &Job, again: Tick) {
        if let Some(turn) = self.turns.get_mut(job) {
            turn.running = false;
            turn.due = if std::mem::take(&mut turn.woken) { turn.due.min(again) } else { again };
        }
    }
    /// How long a failed job waits.
    pub fn failed(&mut self, job: &Job) -> Duration {
        self.turns.get_mut(job).map(|turn| turn.failures.wait()).unwrap_or_default()
    }
}

impl<L: Ledger> Intake<L> {
    /// Runs a job once.
    pub(super) async fn run(&self, job: &Job, place: Option<&str>) -> Result<Found, EngineError> {
        Ok(match job {
            Job::Poll(mapping, side) => {
                let (work, next, more) =
                    self.poll(*mapping, *side, place.map(str::to_owned)).await?;
                Found { work, next: Some(next), more, ..Found::default() }
            }
            Job::Hints(system) => {
                let work = self.read_hints(system).await?;
                let more = work.hints_done.len() >= crate::limits::HINTS_MAX;
                Found { work, more, ..Found::default() }
            }
            Job::Load(mapping, side) => {
                let (work, next) = self.load(*mapping, *side, place).await?;
                let more = next != crate::LOADED;
                Found { work, next: Some(next), more, ..Found::default() }
            }
            Job::Verify(mapping) => {
                let after = place.and_then(|place| place.parse::<LinkId>().ok());
                let (work, last) = self.verify(*mapping, after).await?;
                let more = last.is_some();
                Found { work, next: last.map(|last| last.to_string()), more, ..Found::default() }
            }
            Job::Rules(mapping) => {
                let after = place.and_then(|place| place.parse::<LinkId>().ok());
                let (work, last) = self.by_new_rules(*mapping, after).await?;
                let more = last.is_some();
                Found { work, next: last.map(|last| last.to_string()), more, ..Found::default() }
            }
            Job::Sweep(mapping) => {
                let place = place.and_then(|place| place.parse().ok());
                let (work, next) = self.sweep(*mapping, place).await?;
                let more = !next.is_over();
                Found { work, next: Some(next.to_string()), more, ..Found::default() }
            }
            Job::Asked => Found { asked: self.ledger.sweeps_asked().await?, ..Found::default() },
            Job::Retry(mapping) => {
                let probe = place.and_then(|place| place.parse::<LinkId>().ok());
                let (work, probe, more) = self.retry_parked(*mapping, probe).await?;
                Found { work, next: probe.map(|probe| probe.to_string()), more, ..Found::default() }
            }
            Job::Forget(system) => {
                let more = self.forget_receipts(system).await?;
                Found { more, ..Found::default() }
            }
            Job::Audit(system) => {
                let (work, more) = self.audit(system).await?;
                Found { work, more, ..Found::default() }
            }
            Job::Reopen(system) => self.reopen(system).await?,
            Job::Mend(system) => self.look_whether_mended(system).await?,
            Job::Begin(system) => self.look_whether_ready(system).await?,
            Job::Answers => {
                let work = self.read_answers().await?;
                Found { work, ..Found::default() }
            }
        })
    }
}
