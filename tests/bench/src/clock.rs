//! The clock of the measurements, and their waits.

use std::time::{Duration, Instant};

/// Now.
#[expect(clippy::disallowed_methods, reason = "a measurement is what a clock is for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits between two looks at a condition.
#[expect(clippy::disallowed_methods, reason = "a measurement must not use up what it measures")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Milliseconds.
pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
