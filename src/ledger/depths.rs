//! How much waits, and for how long: for metrics.

use async_trait::async_trait;
use syncline_core::mapping::MappingId;
use syncline_sdk::SystemName;

use crate::Result;

/// So many of something, and when the oldest came, microseconds UTC.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Depth<T> {
    /// What it is.
    pub of: T,
    /// How many.
    pub count: i64,
    /// When the oldest came.
    pub oldest: i64,
}

/// How much waits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Depths {
    /// Open questions, by mapping.
    pub questions: Vec<Depth<MappingId>>,
    /// Answers that the engine has not folded, by mapping.
    pub answers: Vec<Depth<MappingId>>,
    /// Parked records, by mapping and kind of error.
    pub parked: Vec<Depth<(MappingId, String)>>,
    /// Batches recorded as sent and not settled, by system; oldest by their first send.
    pub batches: Vec<Depth<SystemName>>,
    /// Of these, those that were sent more than once.
    pub resent: Vec<Depth<SystemName>>,
    /// Records that wait to be read and were due at that time, by system; oldest by when they
    /// became due, 0 for those that are due at once.
    pub hints: Vec<Depth<SystemName>>,
    /// When each stream was folded last, microseconds UTC.
    pub streams: Vec<(String, i64)>,
    /// Gaps that are not closed, by stream.
    pub gaps: Vec<Depth<String>>,
}

/// What metrics ask. A look of a few indexes and small tables: nothing reads a link.
#[async_trait]
pub trait Measures: Send + Sync + 'static {
    /// How much waits at `now`, microseconds UTC.
    ///
    /// # Errors
    /// As every call.
    async fn depths(&self, now: i64) -> Result<Depths>;
}
