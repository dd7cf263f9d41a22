//! Whether a system answers. A round waits only briefly for one that does not, and seldom: the
//! records of the others flow on (a circuit breaker for each system).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use syncline_sdk::{Error, ErrorKind, Instant};

use crate::clock::micros;
use crate::limits;

/// What calls to one system told so far. Shared by the rounds and by what reads beside them.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How long a round waits for an answer.
    patience: Duration,
    /// Until when rounds do not ask, microseconds UTC.
    away_until: i64,
    /// When a round last waited in vain, microseconds UTC.
    timed_out: i64,
}

impl Default for State {
    fn default() -> Self {
        Self { patience: limits::PATIENCE_MIN, away_until: 0, timed_out: 0 }
    }
}

impl Breaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// How long a round waits for one answer of the system.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.state().patience
    }
    /// How much longer rounds leave the system alone, microseconds; nothing when it may be asked.
    #[must_use]
    pub fn away(&self, now: Instant) -> Option<i64> {
        let left = self.state().away_until.saturating_sub(now.micros());
        (left > 0).then_some(left)
    }
    /// Notes how a call went that was begun at `began`: a system that answers, with a refusal
    /// too, is there. One that does not is left alone for nine times as long as the call took,
    /// so that rounds spend at most a tenth of their time waiting for it, or as long as it asked
    /// for.
    pub fn note(&self, began: Instant, now: Instant, error: Option<&Error>) {
        let took = now.micros().saturating_sub(began.micros()).max(0);
        let mut state = self.state();
        let Some(error) = error.filter(|error| error.kind.is_outage()) else {
            state.away_until = 0;
            return;
        };
        let asked = error.retry_after.map_or(0, micros);
        let pause =
            took.saturating_mul(9).clamp(micros(limits::AWAY_MIN), micros(limits::AWAY_MAX));
        state.away_until = now.micros().saturating_add(pause.max(asked));
    }
    /// As [`Breaker::note`], of a call that a round waited for: one that was given up may only be
    /// slow, and the next is waited for longer.
    pub fn note_waited(&self, began: Instant, now: Instant, error: Option<&Error>) {
        self.note(began, now, error);
        let mut state = self.state();
        let waited = now.micros().saturating_sub(began.micros()) >= micros(state.patience);
        if waited && error.is_some_and(|error| error.kind == ErrorKind::Unavailable) {
            state.patience = (state.patience * 2).min(limits::PATIENCE_MAX);
            state.timed_out = now.micros();
        } else if now.micros().saturating_sub(state.timed_out) > micros(limits::PATIENCE_KEPT) {
            state.patience = limits::PATIENCE_MIN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn at(micros: i64) -> Instant {
        Instant::from_micros(1_000_000_000_000 + micros)
    }

    fn error(kind: ErrorKind) -> Error {
        Error::new(kind, "fetch", "no answer")
    }

    #[test]
    fn a_system_that_does_not_answer_is_left_alone_for_nine_times_the_wait() {
        let breaker = Breaker::default();
        assert_eq!(breaker.away(at(0)), None);
        breaker.note(at(0), at(SECOND), Some(&error(ErrorKind::Unavailable)));
        assert_eq!(breaker.away(at(SECOND)), Some(9 * SECOND));
        assert_eq!(breaker.away(at(10 * SECOND)), None);
    }

    #[test]
    fn one_that_refuses_at_once_is_asked_again_after_a_second() {
        let breaker = Breaker::default();
        breaker.note(at(0), at(10), Some(&error(ErrorKind::Unavailable)));
        assert_eq!(breaker.away(at(10)), Some(SECOND));
        assert_eq!(breaker.patience(), limits::PATIENCE_MIN);
    }

    #[test]
    fn an_answer_ends_it_and_so_does_a_refusal_of_a_record() {
        for answer in [None, Some(error(ErrorKind::Invalid))] {
            let breaker = Breaker::default();
            breaker.note(at(0), at(SECOND), Some(&error(ErrorKind::Unavailable)));
            breaker.note(at(SECOND), at(2 * SECOND), answer.as_ref());
            assert_eq!(breaker.away(at(2 * SECOND)), None);
        }
    }

    #[test]
    fn a_slow_system_is_waited_for_longer_up_to_a_bound() {
        let breaker = Breaker::default();
        let mut now = 0;
        for _ in 0..10 {
            let waited = micros(breaker.patience());
            breaker.note_waited(at(now), at(now + waited), Some(&error(ErrorKind::Unavailable)));
            now += waited;
            breaker.note_waited(at(now), at(now + 10), None);
        }
        assert_eq!(breaker.patience(), limits::PATIENCE_MAX);
        let later = now + micros(limits::PATIENCE_KEPT) + SECOND;
        breaker.note_waited(at(later), at(later + 10), None);
        assert_eq!(breaker.patience(), limits::PATIENCE_MIN);
    }

    #[test]
    fn what_a_system_asks_for_is_kept() {
        let breaker = Breaker::default();
        let throttled = error(ErrorKind::Throttled).retry_after(Duration::from_secs(120));
        breaker.note(at(0), at(10), Some(&throttled));
        assert_eq!(breaker.away(at(10)), Some(120 * SECOND));
    }
}
