//! Scheduling points: where a call may be held, lost, delayed or doubled by whoever drives it.

use async_trait::async_trait;
use syncline_sdk::{BatchId, Error, SystemName};

use crate::CopyId;

/// Which call of the contract is being made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Operation {
    /// `check`.
    Check,
    /// `prepare`.
    Prepare,
    /// `describe`.
    Describe,
    /// `scan`.
    Scan,
    /// `changes`.
    Changes,
    /// `open_feed`.
    OpenFeed,
    /// `feed_start`.
    FeedStart,
    /// `Feed::next`.
    FeedNext,
    /// `Feed::ack`.
    FeedAck,
    /// `fetch`.
    Fetch,
    /// `push`.
    Push,
    /// `settle`.
    Settle,
    /// `history`.
    History,
    /// `forget`.
    Forget,
}

impl Operation {
    /// The name used in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Prepare => "prepare",
            Self::Describe => "describe",
            Self::Scan => "scan",
            Self::Changes => "poll changes",
            Self::OpenFeed => "open the feed",
            Self::FeedStart => "find the start of the feed",
            Self::FeedNext => "read the feed",
            Self::FeedAck => "acknowledge the feed",
            Self::Fetch => "fetch",
            Self::Push => "push",
            Self::Settle => "settle",
            Self::History => "read history",
            Self::Forget => "forget receipts",
        }
    }
}

/// How far a call has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Step {
    /// The request has left the caller and has not reached the system. A push is a copy under
    /// way from here on: dropping the future (a crash) leaves it there.
    Arrive,
    /// Between two writes of a push to a system that is not transactional: the writes before
    /// are applied, those after are still under way.
    Within,
    /// The system has done its work (a read has its values, a write is applied); the answer has
    /// not reached the caller.
    Answer,
    /// The feed has nothing to give. `Go` ends the call with an empty batch, as the time-out of
    /// the call would; a gate that never lets it pass makes the feed wait for a change.
    Idle,
}

/// One scheduling point of one call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// The system called.
    pub system: SystemName,
    /// The number of the request at that system.
    pub request: u64,
    /// What is being called.
    pub operation: Operation,
    /// How far it has come.
    pub step: Step,
    /// The batch of a push.
    pub batch: Option<BatchId>,
    /// The copy under way of a push.
    pub copy: Option<CopyId>,
}

/// What becomes of a call at a point.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on.
    Go,
    /// At `Arrive` the request is lost, at `Answer` the answer: a push is `Unknown`, a read is
    /// `Unavailable`. `Within` cuts the connection: the remaining writes stay under way.
    Lose,
    /// At the `Arrive` of a push: the client gives up waiting (`Unknown`), the copy stays under
    /// way and may be delivered later. Elsewhere as `Lose`.
    Delay,
    /// At the `Arrive` of a push: it goes on, and a second copy stays under way. Elsewhere as
    /// `Go`.
    Duplicate,
    /// At `Arrive`: nothing is sent and the call fails with this error. At `Answer` a read fails
    /// with it; a push is `Unknown` with it.
    Refuse(Error),
}

/// Decides what becomes of each call, and when. A seeded simulator implements it with futures
/// that stay pending until its scheduler picks them; tests use [`Open`].
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// Waits until the call may pass the point, and says how.
    async fn pass(&self, point: Point) -> Verdict;
}

/// Lets everything pass at once. An idle feed waits for the next change.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

#[async_trait]
impl Gate for Open {
    async fn pass(&self, point: Point) -> Verdict {
        if point.step == Step::Idle {
            std::future::pending::<()>().await;
        }
        Verdict::Go
    }
}
