//! Time and new ids: arguments of the engine, never taken by it.

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
