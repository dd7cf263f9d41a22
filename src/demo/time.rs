//! Time and waiting: the one place of the demo that has a clock.

use std::time::{Duration, Instant};

/// The time now, for measuring.
#[expect(clippy::disallowed_methods, reason = "the demo plays people, who live in real time")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// A seed for a demo that was given none.
#[expect(clippy::disallowed_methods, reason = "a new demo each time, unless a seed is given")]
pub(super) fn fresh_seed() -> u64 {
    let micros = jiff::Timestamp::now().as_microsecond();
    u64::try_from(micros).unwrap_or_default() % 1_000_000_000
}

/// Microseconds UTC.
#[expect(clippy::disallowed_methods, reason = "what is due is told by the wall clock")]
pub(super) fn wall_micros() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "the demo plays people, who live in real time")]
pub(super) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Waits until an instant, at once when it has passed.
pub(super) async fn pause_until(instant: Instant) {
    pause(instant.saturating_duration_since(now())).await;
}
