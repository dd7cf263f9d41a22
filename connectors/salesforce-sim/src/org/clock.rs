//! The org's own clock: real time moved by an offset, or frozen. Every stamp and every `Date`
//! header comes from it.

use std::time::{SystemTime, UNIX_EPOCH};

/// A clock in milliseconds since 1970 that a test can move.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    offset_ms: i64,
    frozen_ms: Option<i64>,
}

impl Clock {
    pub(crate) fn now_ms(&self) -> i64 {
        self.frozen_ms.unwrap_or_else(|| real_ms() + self.offset_ms)
    }

    /// The whole second that a stamp given now carries (SOAP guide, dateTime has one-second
    /// precision).
    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    pub(crate) fn set_offset_ms(&mut self, offset_ms: i64) {
        self.offset_ms = offset_ms;
    }

    pub(crate) fn offset_ms(&self) -> i64 {
        self.offset_ms
    }

    /// Moves on by `by_ms`, frozen or not.
    pub(crate) fn advance_ms(&mut self, by_ms: i64) {
        match &mut self.frozen_ms {
            Some(at) => *at += by_ms,
            None => self.offset_ms += by_ms,
        }
    }

    /// Stops at `at_ms`, or where it stands.
    pub(crate) fn freeze(&mut self, at_ms: Option<i64>) {
        self.frozen_ms = Some(at_ms.unwrap_or_else(|| self.now_ms()));
    }

    /// Runs again, from where it stood.
    pub(crate) fn resume(&mut self) {
        if let Some(at) = self.frozen_ms.take() {
            self.offset_ms = at - real_ms();
        }
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen_ms.is_some()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the org's clock, the source of its time")]
fn real_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Real time for waits: locks, latency, held transactions.
#[expect(clippy::disallowed_methods, reason = "waits of the simulated org are real waits")]
pub(crate) fn instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Waits in real time.
#[expect(clippy::disallowed_methods, reason = "latency and late commits are simulated by waiting")]
pub(crate) async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
}

/// `2026-11-21T08:00:00.000+0000`, as REST writes a dateTime.
pub(crate) fn rest_datetime(second: i64) -> String {
    match jiff::Timestamp::from_second(second) {
        Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string(),
        Err(_) => String::new(),
    }
}

/// `Sat, 21 Nov 2026 08:00:00 GMT`.
pub(crate) fn http_date(second: i64) -> String {
    let second = u64::try_from(second).unwrap_or(0);
    httpdate::fmt_http_date(UNIX_EPOCH + std::time::Duration::from_secs(second))
}

/// The second that an HTTP date names.
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    let at = httpdate::parse_http_date(text.trim()).ok()?;
    i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}
