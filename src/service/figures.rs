//! Figures of metrics.

use syncline_server::Sample;

/// A truth as a metric's value.
pub(super) fn yes(truth: bool) -> f64 {
    if truth { 1.0 } else { 0.0 }
}

/// A figure that rises and falls.
pub(super) fn gauge(name: &'static str, labels: Vec<(&'static str, String)>, value: f64) -> Sample {
    Sample { name, labels, value, counter: false }
}

/// A figure that only grows.
pub(super) fn counter(
    name: &'static str,
    labels: Vec<(&'static str, String)>,
    value: f64,
) -> Sample {
    Sample { name, labels, value, counter: true }
}

/// A count as a metric's value: exact up to 2^53, far above any count here.
pub(super) fn number(count: impl TryInto<i64>) -> f64 {
    let count = count.try_into().unwrap_or(i64::MAX);
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let value = count as f64;
    value
}

/// Microseconds as seconds.
pub(super) fn seconds(micros: i64) -> f64 {
    number(micros.max(0)) / 1e6
}
