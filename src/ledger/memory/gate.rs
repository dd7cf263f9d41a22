//! Scheduling points: where a call may be held or broken by whoever drives it.

use async_trait::async_trait;

/// Which call is made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Call {
    /// `own`.
    Own,
    /// `reserve`.
    Reserve,
    /// `load`.
    Load,
    /// `page`.
    Page,
    /// `open_batches`.
    OpenBatches,
    /// `spent_batches`.
    SpentBatches,
    /// What sweeps were asked for.
    SweepsAsked,
    /// `remove_batches`.
    RemoveBatches,
    /// `hints`.
    Hints,
    /// `answers`.
    Answers,
    /// `positions`.
    Positions,
    /// `parked`.
    Parked,
    /// `gaps`.
    Gaps,
    /// `commit`.
    Commit,
    /// `committed`.
    Committed,
    /// `explain`.
    Explain,
    /// A call of people.
    People,
    /// A call of setting up.
    Setup,
}

impl Call {
    /// The name used in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "take the lease",
            Self::Reserve => "reserve commit numbers",
            Self::Load => "load links",
            Self::Page => "page through links",
            Self::OpenBatches => "load open batches",
            Self::SpentBatches => "look for spent batches",
            Self::SweepsAsked => "read what sweeps were asked for",
            Self::RemoveBatches => "remove batches",
            Self::Hints => "take hints",
            Self::Answers => "load answers",
            Self::Positions => "load positions",
            Self::Parked => "list parked records",
            Self::Gaps => "load gaps",
            Self::Commit => "commit",
            Self::Committed => "look for a commit",
            Self::Explain => "walk the journal",
            Self::People => "answer people",
            Self::Setup => "read or keep what is set up",
        }
    }
}

/// How far a call has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Step {
    /// It has left the caller and has not reached the ledger.
    Arrive,
    /// The ledger has done its work; the answer has not reached the caller.
    Answer,
}

/// One scheduling point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Point {
    /// What is called.
    pub call: Call,
    /// How far it has come.
    pub step: Step,
}

/// What becomes of a call at a point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It goes on.
    Go,
    /// At `Arrive` it fails as `Unavailable` and nothing happens. At `Answer` as `Lose`.
    Refuse,
    /// The connection breaks: at `Arrive` nothing happened, at `Answer` everything did. A commit
    /// answers `Unknown`, every other call `Unavailable`.
    Lose,
    /// At the `Arrive` of a commit: it answers `Unknown` and stays under way, to land later
    /// ([`super::Memory::land`]) or never, and never once `committed` was asked. Elsewhere as
    /// `Lose`.
    Delay,
}

/// Decides what becomes of each call, and when. A seeded simulator implements it with futures
/// that stay pending until its scheduler picks them.
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// Waits until the call may pass the point, and says how.
    async fn pass(&self, point: Point) -> Verdict;
}

/// Lets everything pass at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

#[async_trait]
impl Gate for Open {
    async fn pass(&self, _point: Point) -> Verdict {
        Verdict::Go
    }
}
