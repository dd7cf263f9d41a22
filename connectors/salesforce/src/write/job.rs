//! The account of one push: which writes were answered, which are on their way, which were
//! never sent. It outlives the sending, so that a time-out in its midst is told write by write.

use syncline_sdk::{Error, Result, WriteOutcome};

use super::outcome::{copy, rejected, unsent};
use crate::wire::{CallError, Disposition, Fault, Reach, classify};

/// The account of one push.
#[derive(Debug)]
pub(super) struct Job {
    outcomes: Vec<Option<WriteOutcome>>,
    /// The writes of the call that is on its way.
    under_way: Vec<usize>,
    /// Whether any call may have reached the server and done something.
    sent: bool,
    /// Whether the sending waits for another call of ours to let go of a record.
    waits: bool,
}

/// Whether the rest of the batch is worth sending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    Go,
    Stop,
}

impl Job {
    pub(super) fn new(writes: usize) -> Self {
        let outcomes = std::iter::repeat_with(|| None).take(writes).collect();
        Self { outcomes, under_way: Vec::new(), sent: false, waits: false }
    }
    /// Answers a write that is not sent.
    pub(super) fn decide(&mut self, at: usize, outcome: WriteOutcome) {
        self.outcomes[at] = Some(outcome);
    }
    /// Whether a write is answered without being sent.
    pub(super) fn is_decided(&self, at: usize) -> bool {
        self.outcomes.get(at).is_some_and(Option::is_some)
    }
    /// Notes that the next call waits for another one of ours.
    pub(super) fn wait(&mut self) {
        self.waits = true;
    }
    /// Notes that a call with these writes goes out now.
    pub(super) fn start(&mut self, writes: &[usize]) {
        self.waits = false;
        self.under_way = writes.to_vec();
    }
    /// Answers the writes of the call, in their order.
    pub(super) fn answer(&mut self, outcomes: Vec<WriteOutcome>) {
        self.sent = true;
        for (at, outcome) in std::mem::take(&mut self.under_way).into_iter().zip(outcomes) {
            self.outcomes[at] = Some(outcome);
        }
    }
    /// Takes note of a call that failed as a whole.
    ///
    /// # Errors
    /// The failure itself, when nothing of the batch was applied by it or before it and the
    /// failure is the system's, not that of the writes.
    pub(super) fn fail(&mut self, failed: CallError) -> Result<Next> {
        let writes = std::mem::take(&mut self.under_way);
        let error = failed.error;
        match failed.reach {
            Reach::Unknown => {
                self.sent = true;
                for at in writes {
                    self.outcomes[at] = Some(WriteOutcome::Unknown(copy(&error)));
                }
                // The system is out of order: what is left waits.
                Ok(Next::Stop)
            }
            Reach::Refused if about_the_writes(&error, &failed.faults) => {
                for at in writes {
                    self.outcomes[at] = Some(rejected(copy(&error)));
                }
                Ok(Next::Go)
            }
            Reach::Refused | Reach::NotSent if self.sent => Ok(Next::Stop),
            Reach::Refused | Reach::NotSent => Err(error),
        }
    }
    /// The answers, once the sending ended; what was never sent waits.
    pub(super) fn finish(self) -> Vec<WriteOutcome> {
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unsent)).collect()
    }
    /// The answers, when the time was up: of the call under way nothing is known.
    ///
    /// # Errors
    /// The time-out, when nothing was sent at all and the system was waited for: not where one
    /// call of ours waited for another.
    pub(super) fn interrupt(mut self, error: Error) -> Result<Vec<WriteOutcome>> {
        let writes = std::mem::take(&mut self.under_way);
        if writes.is_empty() && !self.sent && !self.waits {
            return Err(error);
        }
        for at in writes {
            self.outcomes[at] = Some(WriteOutcome::Unknown(copy(&error)));
        }
        Ok(self.finish())
    }
}

/// Whether a whole call was refused for what its writes say or set off, and not for the state of
/// the system or of the login.
fn about_the_writes(error: &Error, faults: &[Fault]) -> bool {
    use syncline_sdk::ErrorKind::{
        Config, Duplicate, Forbidden, Invalid, Locked, Protocol, Schema, Unsupported,
    };
    match error.kind {
        Invalid | Schema | Forbidden | Duplicate | Locked | Protocol | Unsupported => true,
        // Code of the org that fails on these records; not a version that it does not serve.
        Config if !faults.is_empty() => {
            classify(faults, error.operation, "").1 == Disposition::Rejected
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use syncline_sdk::ErrorKind;

    use super::super::outcome::applied;
    use super::*;

    fn failed(kind: ErrorKind, reach: Reach) -> CallError {
        CallError { error: Error::new(kind, "push", "x"), reach, status: None, faults: Vec::new() }
    }

    #[test]
    fn the_first_refusal_of_the_system_is_an_error() {
        let mut job = Job::new(2);
        job.start(&[0, 1]);
        assert!(job.fail(failed(ErrorKind::Quota, Reach::Refused)).is_err());
        let mut job = Job::new(2);
        job.start(&[0, 1]);
        assert!(job.fail(failed(ErrorKind::Unavailable, Reach::NotSent)).is_err());
    }

    #[test]
    fn a_call_that_code_of_the_org_refused_is_told_write_by_write() {
        let fault = |code: &str| {
            vec![Fault { code: code.to_owned(), message: "m".to_owned(), fields: None }]
        };
        let refused =
            |code| CallError { faults: fault(code), ..failed(ErrorKind::Config, Reach::Refused) };
        let mut job = Job::new(1);
        job.start(&[0]);
        assert_eq!(job.fail(refused("APEX_ERROR")).unwrap(), Next::Go);
        assert!(matches!(job.finish()[0], WriteOutcome::Rejected { .. }));
        let mut job = Job::new(1);
        job.start(&[0]);
        assert!(job.fail(refused("UNSUPPORTED_API_VERSION")).is_err());
    }

    #[test]
    fn a_later_refusal_leaves_the_rest_unsent() {
        let mut job = Job::new(3);
        job.start(&[0]);
        job.answer(vec![applied(None)]);
        job.start(&[1]);
        assert_eq!(job.fail(failed(ErrorKind::Quota, Reach::Refused)).unwrap(), Next::Stop);
        let outcomes = job.finish();
        assert!(matches!(outcomes[0], WriteOutcome::Applied { .. }));
        assert!(matches!(outcomes[1], WriteOutcome::Busy { receipted: false }));
        assert!(matches!(outcomes[2], WriteOutcome::Busy { receipted: false }));
    }

    #[test]
    fn a_lost_answer_concerns_its_own_call_only() {
        let mut job = Job::new(3);
        job.start(&[0]);
        job.answer(vec![applied(None)]);
        job.start(&[1]);
        assert_eq!(job.fail(failed(ErrorKind::Unavailable, Reach::Unknown)).unwrap(), Next::Stop);
        let outcomes = job.finish();
        assert!(matches!(outcomes[0], WriteOutcome::Applied { .. }));
        assert!(matches!(outcomes[1], WriteOutcome::Unknown(_)));
        assert!(matches!(outcomes[2], WriteOutcome::Busy { .. }));
    }

    #[test]
    fn an_interrupted_job_tells_each_write() {
        let mut job = Job::new(2);
        job.start(&[1]);
        let late = || Error::new(ErrorKind::Unavailable, "push", "late");
        let outcomes = job.interrupt(late()).unwrap();
        assert!(matches!(outcomes[0], WriteOutcome::Busy { .. }));
        assert!(matches!(outcomes[1], WriteOutcome::Unknown(_)));
        assert!(Job::new(2).interrupt(late()).is_err());
        // That one of our calls waited for another is no silence of the system.
        let mut job = Job::new(1);
        job.wait();
        let outcomes = job.interrupt(late()).unwrap();
        assert!(matches!(outcomes[0], WriteOutcome::Busy { receipted: false }));
    }
}
