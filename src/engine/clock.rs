//! Time and new ids: arguments of the engine, never taken by it.

use std::time::Duration;

use syncline_sdk::{Instant, LinkId};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Instant;
}

/// Makes new link ids.
pub trait Ids: Send + Sync + 'static {
    /// One that was never given before, by this process or another.
    fn link(&mut self, now: Instant) -> LinkId;
}

/// A length of time in microseconds, as instants count it.
pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
