//! Requests under way: copies of a push that have not reached the system yet.

use syncline_sdk::{
    Context, Error, ErrorKind, Instant, IntentId, Result, WriteBatch, WriteOutcome,
};

use super::world::World;
use crate::faults::Fault;
use crate::history::CopyId;
use crate::profile::later;
use crate::{Operation, Verdict};

/// One copy of a push.
#[derive(Debug)]
pub(crate) struct Copy {
    pub request: u64,
    pub cx: Context,
    pub batch: WriteBatch,
    /// The first write that is not decided; more than 0 only where writes commit one by one.
    pub next: usize,
    /// Faults of single writes, by their place; each is used up by the write.
    pub faults: Vec<Option<Fault>>,
    pub outcomes: Vec<WriteOutcome>,
    pub sent_at: Instant,
    /// When the request can no longer be applied: the client's time-out and the horizon that
    /// the system declares.
    pub dies_at: Instant,
}

/// A copy of a push that is under way, as a scheduler sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnderWay {
    /// The copy.
    pub copy: CopyId,
    /// The request that it is of.
    pub request: u64,
    /// Its batch.
    pub batch: syncline_sdk::BatchId,
    /// The intents in it.
    pub intents: Vec<IntentId>,
    /// When it was sent, in true time.
    pub sent_at: Instant,
    /// When it dies: it must be delivered before, or never.
    pub dies_at: Instant,
}

/// What the script makes of a call as a whole.
pub(crate) struct Sent {
    pub request: u64,
    pub copy: CopyId,
    pub arrive: Verdict,
    pub lose_answer: bool,
}

impl World {
    /// Puts a push on its way.
    pub fn send(&mut self, cx: &Context, batch: WriteBatch) -> Result<Sent> {
        self.check_batch(&batch)?;
        let request = self.begin(cx, Operation::Push, Some(batch.batch))?;
        let mut arrive = Verdict::Go;
        let mut lose_answer = false;
        let mut faults = Vec::with_capacity(batch.writes.len());
        for _ in &batch.writes {
            let mut own = None;
            match self.script.next() {
                None => {}
                Some(Fault::LoseRequest) => arrive = Verdict::Lose,
                Some(Fault::Late) => arrive = Verdict::Delay,
                Some(Fault::Duplicate) => arrive = Verdict::Duplicate,
                Some(Fault::Refuse(error)) => arrive = Verdict::Refuse(error),
                Some(Fault::LoseAnswer) => lose_answer = true,
                Some(Fault::Slow(time)) if time >= cx.timeout => arrive = Verdict::Delay,
                Some(Fault::Slow(time)) => self.advance(later(self.now, time)),
                Some(fault) => own = Some(fault),
            }
            faults.push(own);
        }
        let copy = CopyId(self.number());
        let horizon = self.profile.capabilities.request_horizon;
        let dies_at = later(later(self.now, cx.timeout), horizon);
        let sent = Copy {
            request,
            cx: cx.clone(),
            batch,
            next: 0,
            faults,
            outcomes: Vec::new(),
            sent_at: self.now,
            dies_at,
        };
        self.under_way.insert(copy, sent);
        Ok(Sent { request, copy, arrive, lose_answer })
    }

    fn check_batch(&self, batch: &WriteBatch) -> Result<()> {
        let capabilities = &self.profile.capabilities;
        let refuse = |text: String| Err(Error::new(ErrorKind::Config, "push", text));
        if batch.writes.len() > capabilities.push_writes_max {
            return refuse(format!(
                "{} writes are more than {} takes in one call ({})",
                batch.writes.len(),
                self.name,
                capabilities.push_writes_max
            ));
        }
        let guarded = |write: &&syncline_sdk::Write| match &write.op {
            syncline_sdk::WriteOp::Update { .. } | syncline_sdk::WriteOp::Fence { .. } => true,
            syncline_sdk::WriteOp::Delete { .. } => capabilities.conditional_delete,
            _ => false,
        };
        let guards = batch.writes.iter().filter(guarded).count();
        if capabilities.cas != syncline_sdk::Cas::None && guards > capabilities.push_guarded_max {
            return refuse(format!(
                "{guards} guarded writes are more than {} takes in one call ({})",
                self.name, capabilities.push_guarded_max
            ));
        }
        let grouped = batch.writes.iter().any(|write| write.group.is_some());
        if grouped && !capabilities.transactional {
            return Err(Error::unsupported("push writes together"));
        }
        Ok(())
    }

    /// A second copy of a request under way, from its beginning.
    pub fn double(&mut self, copy: CopyId) -> Option<CopyId> {
        let number = CopyId(self.number());
        let first = self.under_way.get(&copy)?;
        let second = Copy {
            request: first.request,
            cx: first.cx.clone(),
            batch: first.batch.clone(),
            next: 0,
            faults: Vec::new(),
            outcomes: Vec::new(),
            sent_at: first.sent_at,
            dies_at: first.dies_at,
        };
        self.under_way.insert(number, second);
        Some(number)
    }

    /// Lets a copy arrive: all of it where the system is transactional, else its next write.
    /// `None` when it is not under way; else whether it is done.
    pub fn arrive(&mut self, id: CopyId) -> Option<bool> {
        let mut copy = self.under_way.remove(&id)?;
        if self.profile.capabilities.transactional {
            copy.outcomes = self.apply_together(id, &mut copy);
            copy.next = copy.batch.writes.len();
        } else if copy.next < copy.batch.writes.len() {
            let outcome = self.apply_alone(id, &mut copy);
            copy.outcomes.push(outcome);
            copy.next += 1;
        }
        let done = copy.next >= copy.batch.writes.len();
        self.under_way.insert(id, copy);
        Some(done)
    }

    /// Takes a copy that has arrived, or is lost, off the way.
    pub fn take(&mut self, id: CopyId) -> Option<Vec<WriteOutcome>> {
        self.under_way.remove(&id).map(|copy| copy.outcomes)
    }

    pub fn under_way(&self) -> Vec<UnderWay> {
        let seen = |(id, copy): (&CopyId, &Copy)| UnderWay {
            copy: *id,
            request: copy.request,
            batch: copy.batch.batch,
            intents: copy.batch.writes.iter().map(|write| write.intent).collect(),
            sent_at: copy.sent_at,
            dies_at: copy.dies_at,
        };
        self.under_way.iter().map(seen).collect()
    }
}
