//! When a batch is tried to be settled next, and how long that may take.

use std::time::Duration;

use crate::clock::micros;
use crate::limits;

/// The next try to settle a batch.
#[derive(Clone, Copy, Debug)]
pub struct NextTry {
    /// Not before this time, microseconds UTC.
    pub at: i64,
    /// How long it may take: the rounds wait for it.
    pub patience: Duration,
}

impl Default for NextTry {
    fn default() -> Self {
        Self { at: 0, patience: limits::PATIENCE_MIN }
    }
}

impl NextTry {
    /// The next one, where this gave no answer after `took`. One that was given up may only be
    /// slow: the next may take longer, up to the time-out of a call, and comes the later.
    #[must_use]
    pub fn after(self, now: i64, took: Duration) -> Self {
        let given_up = took >= self.patience;
        let patience = if given_up { self.patience * 2 } else { self.patience };
        let pause = (took * 9).clamp(limits::AWAY_MIN, limits::AWAY_MAX);
        Self { at: now.saturating_add(micros(pause)), patience: patience.min(limits::CALL_TIMEOUT) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_slow_is_given_the_whole_time_out_in_the_end() {
        let (mut next_try, mut now) = (NextTry::default(), 0);
        for _ in 0..10 {
            let began = now;
            now += micros(next_try.patience);
            let next = next_try.after(now, next_try.patience);
            assert_eq!(next.at - now, 9 * (now - began), "rounds feel a tenth at most");
            now = next.at;
            next_try = next;
        }
        assert_eq!(next_try.patience, limits::CALL_TIMEOUT);
    }

    #[test]
    fn what_fails_at_once_is_tried_again_after_a_second_and_no_longer() {
        let next = NextTry::default().after(5, Duration::from_millis(3));
        assert_eq!((next.at, next.patience), (1_000_005, limits::PATIENCE_MIN));
    }
}
