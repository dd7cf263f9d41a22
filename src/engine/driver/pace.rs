//! Waiting: how long after a failure a thing is tried again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Growing, jittered waits of one thing that fails; starts over after a success.
#[derive(Debug)]
pub(super) struct Pace {
    waits: ExponentialBackoff,
}

impl Default for Pace {
    fn default() -> Self {
        Self { waits: waits() }
    }
}

fn waits() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(15))
        .with_jitter()
        .without_max_times()
        .build()
}

impl Pace {
    /// How long to wait now.
    pub fn wait(&mut self) -> Duration {
        self.waits.next().unwrap_or(Duration::from_secs(15))
    }
    /// It went well.
    pub fn reset(&mut self) {
        self.waits = waits();
    }
    /// Waits, unless the token is cancelled first.
    pub async fn pause(&mut self, stop: &tokio_util::sync::CancellationToken) {
        let wait = self.wait();
        pause(wait, stop).await;
    }
}

/// Waits, unless the token is cancelled first.
#[expect(clippy::disallowed_methods, reason = "the driver is where waiting happens")]
pub(super) async fn pause(wait: Duration, stop: &tokio_util::sync::CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stop.cancelled() => {}
    }
}

/// Waits until a time.
#[expect(clippy::disallowed_methods, reason = "the driver is where waiting happens")]
pub(super) async fn pause_until(time: tokio::time::Instant) {
    tokio::time::sleep_until(time).await;
}

/// The time by which the driver paces itself; never part of a decision.
#[expect(clippy::disallowed_methods, reason = "the driver is where waiting happens")]
pub(super) fn tick() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
