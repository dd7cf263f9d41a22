//! Look-ups that a system refuses because it is described otherwise by now.

use std::sync::{Mutex, PoisonError};

use syncline_sdk::{Error, ErrorKind, Instant};

/// How often the same refusal is told again, microseconds.
const AGAIN: i64 = 60_000_000;

/// The look-ups that a system refused: a field of them may be hidden or gone.
#[derive(Debug, Default)]
pub(crate) struct RefusedLookups(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// How many were not asked for yet.
    new: usize,
    /// What was told last, and when, microseconds.
    told: Option<(String, i64)>,
}

impl RefusedLookups {
    /// Notes that a look-up failed. True when it is worth telling: it is told for the first time,
    /// or not for a minute.
    pub fn note(&self, error: &Error, now: Instant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.new += usize::from(matches!(error.kind, ErrorKind::Schema | ErrorKind::Forbidden));
        let (words, now) = (error.to_string(), now.micros());
        let told = known.told.as_ref();
        let again = told.is_some_and(|(told, at)| *told == words && now - at < AGAIN);
        if !again {
            known.told = Some((words, now));
        }
        !again
    }

    /// How many told of another description since this was asked last.
    pub fn take(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_refusal_is_told_once_a_minute_and_counted_each_time() {
        let refused = RefusedLookups::default();
        let at = |second: i64| Instant::from_micros(second * 1_000_000);
        let hidden = Error::new(ErrorKind::Schema, "look up", "there is no field Size");
        let busy = Error::new(ErrorKind::Throttled, "look up", "too many calls");
        assert!(refused.note(&hidden, at(0)));
        assert!(!refused.note(&hidden, at(59)));
        assert!(refused.note(&hidden, at(60)));
        assert!(refused.note(&busy, at(61)));
        assert_eq!((refused.take(), refused.take()), (3, 0));
    }
}
