//! How long an edit takes until the other side shows it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use syncline_core::{Side, Sides};

/// Times from the commit of an edit until it was seen on the other side, by that side.
#[derive(Debug, Default)]
pub(super) struct Latency {
    samples: Mutex<Sides<Vec<Duration>>>,
    unseen: AtomicU64,
}

/// Two quantiles of some samples; nothing without a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Quantiles {
    /// Half of the edits were faster.
    pub p50: Option<Duration>,
    /// All but one in a hundred were faster.
    pub p99: Option<Duration>,
}

impl Latency {
    /// Notes an edit that was seen on a side.
    pub fn note(&self, to: Side, time: Duration) {
        if let Ok(mut samples) = self.samples.lock() {
            samples[to].push(time);
        }
    }

    /// Notes an edit that stands where it was made and was not seen on the other side for long:
    /// a person is asked about it, or the engine was away.
    pub fn note_unseen(&self) {
        self.unseen.fetch_add(1, Ordering::Relaxed);
    }

    /// How many of those there are.
    pub fn unseen(&self) -> u64 {
        self.unseen.load(Ordering::Relaxed)
    }

    /// Of the edits that were seen on a side.
    pub fn to(&self, side: Side) -> Quantiles {
        let samples = self.samples.lock().map(|samples| samples[side].clone());
        quantiles(samples.unwrap_or_default())
    }

    /// Of all.
    pub fn of_all(&self) -> Quantiles {
        let samples = self
            .samples
            .lock()
            .map(|samples| samples.iter().flat_map(|(_, samples)| samples).copied().collect());
        quantiles(samples.unwrap_or_default())
    }
}

/// The quantiles of some samples.
pub(super) fn quantiles(mut samples: Vec<Duration>) -> Quantiles {
    samples.sort();
    let at = |percent: usize| {
        let last = samples.len().checked_sub(1)?;
        samples.get((last * percent).div_ceil(100)).copied()
    };
    Quantiles { p50: at(50), p99: at(99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples() {
        let latency = Latency::default();
        assert_eq!(latency.of_all(), Quantiles::default());
        for ms in (1..=101).rev() {
            latency.note(Side::Left, Duration::from_millis(ms));
        }
        let left = latency.to(Side::Left);
        assert_eq!(left.p50, Some(Duration::from_millis(51)));
        assert_eq!(left.p99, Some(Duration::from_millis(100)));
        assert_eq!(latency.to(Side::Right), Quantiles::default());
    }
}
