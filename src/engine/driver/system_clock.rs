//! The real clock and real randomness: taken here and nowhere else.

use syncline_sdk::{Instant, LinkId};

use crate::clock::{Clock, Ids};

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the driver's clock is where time comes from")]
    fn now(&self) -> Instant {
        Instant::from_micros(jiff::Timestamp::now().as_microsecond())
    }
}

/// Link ids from time and randomness (UUID version 7).
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "the driver is where randomness comes from")]
    fn link(&mut self, _now: Instant) -> LinkId {
        LinkId(uuid::Uuid::now_v7())
    }
}
