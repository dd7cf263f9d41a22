//! The gates of systems and ledger: each call stops at the desk.

use std::collections::BTreeSet;

use async_trait::async_trait;
use syncline_ledger::memory as ledger;
use syncline_sdk::{Error, ErrorKind, SystemName};
use syncline_testkit as testkit;

use crate::desk::{Desk, Place, ProcessId, Say};

/// The gate of one process.
pub struct ProcessGate {
    /// The desk.
    pub desk: Desk,
    /// The process.
    pub process: ProcessId,
    /// Systems whose requests nobody on the way can double.
    pub sessions: BTreeSet<SystemName>,
}

#[async_trait]
impl testkit::Gate for ProcessGate {
    async fn pass(&self, point: testkit::Point) -> testkit::Verdict {
        use testkit::{Operation, Step, Verdict};
        let place = match (point.operation, point.step) {
            (Operation::Push, Step::Arrive) => Place::PushArrives,
            (Operation::Push, Step::Within) => Place::PushWithin,
            (Operation::Push, _) => Place::PushAnswers,
            (_, Step::Idle) => Place::FeedIdle,
            (Operation::FeedNext | Operation::FeedAck, _) => Place::FeedCall,
            (_, Step::Arrive) => Place::ReadArrives,
            _ => Place::ReadAnswers,
        };
        let mut say = self.desk.pass(self.process, place).await;
        if say == Say::Duplicate && self.sessions.contains(&point.system) {
            // What a session of a database sends arrives once or not at all; only the receipt
            // table can tell of another session that sends the same.
            say = Say::Go;
        }
        if say != Say::Go {
            self.desk.tell(|| format!("{say:?} {place:?} {} {:?}", point.system, point.batch));
        }
        match say {
            Say::Go => Verdict::Go,
            Say::Lose => Verdict::Lose,
            Say::Delay => Verdict::Delay,
            Say::Duplicate => Verdict::Duplicate,
            Say::Refuse => Verdict::Refuse(Error::new(
                ErrorKind::Throttled,
                point.operation.as_str(),
                "the run's scheduler refuses the call",
            )),
        }
    }
}

#[async_trait]
impl ledger::Gate for ProcessGate {
    async fn pass(&self, point: ledger::Point) -> ledger::Verdict {
        use ledger::{Call, Step, Verdict};
        let place = match (point.call, point.step) {
            (Call::Commit, Step::Arrive) => Place::CommitArrives,
            (Call::Commit, Step::Answer) => Place::CommitAnswers,
            _ => Place::LedgerCall,
        };
        match self.desk.pass(self.process, place).await {
            Say::Go | Say::Duplicate => Verdict::Go,
            Say::Lose => Verdict::Lose,
            Say::Delay => Verdict::Delay,
            Say::Refuse => Verdict::Refuse,
        }
    }
}
