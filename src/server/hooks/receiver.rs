//! What stands behind the doors.

use std::net::IpAddr;

use async_trait::async_trait;
use syncline_ledger::Verdict;

/// A delivery whose way in was checked.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The system it is for.
    pub system: String,
    /// The address it came from.
    pub remote: IpAddr,
    /// Its whole body.
    pub body: axum::body::Bytes,
    /// Of a signed delivery: its sender's id, and the name that none may have twice. One that is
    /// not signed is the system's own.
    pub signed: Option<(String, String)>,
}

/// A delivery that was refused on its way in.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The system it was for.
    pub system: String,
    /// The address it came from.
    pub remote: IpAddr,
    /// Why.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
    /// How much of it was read, bytes.
    pub bytes: usize,
}

/// What is answered to a delivery that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// The type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// What became of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Receipt {
    /// Its hints are durable.
    Taken(Taken),
    /// It is refused, and recorded as that.
    Refused(Verdict, String),
    /// Nothing was recorded; the sender may try again.
    Unavailable(String),
}

/// What takes deliveries: reads them, makes their hints durable, wakes the engine.
#[async_trait]
pub trait Receiver: Send + Sync + 'static {
    /// The time now, microseconds UTC.
    fn now(&self) -> i64;
    /// Takes a delivery. Once it answers `Taken` its hints survive everything.
    async fn take(&self, arrival: Arrival) -> Receipt;
    /// Takes note of one that was refused on its way in. Does not wait for the record of it: how
    /// long an answer takes must not tell a stranger what was wrong.
    fn refused(&self, refused: Refused);
}
