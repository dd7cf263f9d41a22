//! Scripted faults for plain tests, and standing troubles of a system.

use std::collections::BTreeMap;
use std::time::Duration;

use syncline_sdk::{Error, ErrorKind};

/// A fault that befalls one write, or the call that carries it.
#[derive(Debug)]
pub enum Fault {
    /// The system refuses the write with this error.
    Reject(Error),
    /// The row is locked by somebody.
    Busy,
    /// What the write expects is said to be gone (a 412), whatever is there.
    Stale,
    /// The whole call: the request is lost on its way; the outcome is unknown.
    LoseRequest,
    /// The whole call: applied, but the answer is lost; the outcome is unknown.
    LoseAnswer,
    /// The whole call: the client gives up, the copy stays under way
    /// ([`crate::MemorySystem::deliver`]).
    Late,
    /// The whole call: applied and answered, and a second copy stays under way.
    Duplicate,
    /// The whole call takes so long: longer than its time-out it is `Late`, else the system's
    /// clock moves on by it.
    Slow(Duration),
    /// The whole call is not taken; nothing was sent.
    Refuse(Error),
}

/// Faults by the number of the write they befall, counted from 1 in the order in which writes
/// are sent since the script was given.
#[derive(Debug, Default)]
pub struct FaultScript {
    faults: BTreeMap<u64, Fault>,
    sent: u64,
}

impl FaultScript {
    /// A script without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// With a fault at the n-th write, counted from 1.
    #[must_use]
    pub fn at(mut self, write: u64, fault: Fault) -> Self {
        self.faults.insert(write, fault);
        self
    }
    /// With the n-th write refused by an error of this kind.
    #[must_use]
    pub fn reject(self, write: u64, kind: ErrorKind) -> Self {
        let error = Error::new(kind, "push", "refused by the fault script");
        self.at(write, Fault::Reject(error))
    }
    /// The fault of the next write, which counts as sent.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        self.sent += 1;
        self.faults.remove(&self.sent)
    }
    /// Whether a fault is left that has not happened.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Troubles that last until they are taken away.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Conditions {
    /// No call gets through.
    pub unavailable: bool,
    /// Calls are refused, to come back after this.
    pub throttled: Option<Duration>,
    /// The login is refused.
    pub auth_revoked: bool,
    /// The most calls until [`crate::MemorySystem::reset_quota`].
    pub quota: Option<u64>,
    /// Reads show no record at all, the canary neither (protocol O7).
    pub invisible: bool,
    /// Reads come from a replica that is so many commits behind.
    pub replica_lag: u64,
    /// Every guarded write is refused as stale.
    pub stale_storm: bool,
}
