//! Jobs: what a process reads again and again.

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_engine::{EngineError, Intake, LOADED, Work};
use syncline_ledger::memory::Memory;
use syncline_sdk::{LinkId, SystemName};

/// What a process reads again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Job {
    /// What is hinted at on a system.
    Hints(SystemName),
    /// What writes to a system replaced unseen.
    Audit(SystemName),
    /// Answers of people.
    Answers,
    /// Changes of a polled side.
    Poll(MappingId, Side),
    /// The first load of a side.
    Load(MappingId, Side),
    /// Both records of every link, after a gap.
    Verify(MappingId),
    /// The links about which newer rules have something to say.
    Rules(MappingId),
    /// A sweep, step by step: one a life of a process.
    Sweep(MappingId),
}

/// A job and where it stands.
#[derive(Clone, Debug)]
pub struct JobSlot {
    /// What.
    pub job: Job,
    /// Its number: a job that is begun anew takes a new one.
    pub number: u64,
    /// Where it goes on.
    pub place: Option<String>,
    /// Whether it is under way.
    pub running: bool,
    /// Whether it is done for good.
    pub over: bool,
}

impl JobSlot {
    /// Begins the job anew, from its first place: what it still reads is of no use any more.
    pub fn begin_anew(&mut self) {
        *self = Self { number: self.number + 1, ..slot(self.job.clone(), None) };
    }

    /// Reads again from where it is: a gap may hide what it reads now.
    pub fn read_anew(&mut self) {
        if !matches!(self.job, Job::Verify(..)) {
            self.number += 1;
            self.running = false;
        }
    }
}

/// What a job read: the work, the next place, and whether there is more.
pub type Found = (Work, Option<String>, bool);

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
        Job::Audit(name) => {
            let (work, more) = intake.audit(name).await?;
            Ok((work, None, more))
        }
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
        Job::Rules(mapping) => {
            let after = place.as_deref().and_then(|place| place.parse::<LinkId>().ok());
            let (work, last) = intake.by_new_rules(*mapping, after).await?;
            Ok((work, last.map(|last| last.to_string()), last.is_some()))
        }
        Job::Sweep(mapping) => {
            let place = place.and_then(|place| place.parse().ok());
            let (work, next) = intake.sweep(*mapping, place).await?;
            let more = !next.is_over();
            Ok((work, Some(next.to_string()), more))
        }
    }
}

pub(crate) fn slot(job: Job, place: Option<String>) -> JobSlot {
    JobSlot { job, number: 0, place, running: false, over: false }
}
