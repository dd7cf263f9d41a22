//! The clock of commands.

use syncline_sdk::Instant;

/// The time now.
#[expect(
    clippy::disallowed_methods,
    reason = "a command is where time enters: everything below takes it as an argument"
)]
pub fn now() -> Instant {
    Instant::from_micros(jiff::Timestamp::now().as_microsecond())
}
