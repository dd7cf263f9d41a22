//! A clock that can be set ahead.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use syncline_sdk::Instant;

use crate::clock::Clock;

/// The time, ahead of another clock: what a run would wait for is due at once.
pub(super) struct Ahead {
    clock: Arc<dyn Clock>,
    micros: AtomicI64,
}

impl Ahead {
    pub(super) fn of(clock: Arc<dyn Clock>) -> Self {
        Self { clock, micros: AtomicI64::new(0) }
    }

    pub(super) fn pass(&self, micros: i64) {
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for Ahead {
    fn now(&self) -> Instant {
        let ahead = self.micros.load(Ordering::Relaxed);
        Instant::from_micros(self.clock.now().micros().saturating_add(ahead))
    }
}
