//! Refused deliveries are recorded sparingly: who sends nonsense a thousand times a second must
//! not fill the ledger, nor keep it from its work.

use std::collections::BTreeMap;

use syncline_sdk::SystemName;
use syncline_server::Verdict;

/// How long after a row no other of its kind is written, microseconds.
const APART: i64 = 1_000_000;
/// The same for what anybody can send who has found the address of Syncline.
const STRANGERS_APART: i64 = 60_000_000;

/// What was recorded last, and what was not since.
#[derive(Debug, Default)]
pub(super) struct Spare(BTreeMap<(SystemName, Verdict), Since>);

#[derive(Debug)]
struct Since {
    recorded_at: i64,
    unrecorded: i64,
}

impl Spare {
    /// Whether a refusal is recorded now: then how many like it were not since the last.
    pub(super) fn record(
        &mut self,
        system: &SystemName,
        verdict: Verdict,
        now: i64,
    ) -> Option<i64> {
        let key = (system.clone(), verdict);
        let Some(since) = self.0.get_mut(&key) else {
            self.0.insert(key, Since { recorded_at: now, unrecorded: 0 });
            return Some(0);
        };
        // A clock that was set back ends the wait.
        let apart = if verdict == Verdict::WrongSecret { STRANGERS_APART } else { APART };
        if (0..apart).contains(&now.saturating_sub(since.recorded_at)) {
            since.unrecorded += 1;
            return None;
        }
        let unrecorded = since.unrecorded;
        *since = Since { recorded_at: now, unrecorded: 0 };
        Some(unrecorded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_second_is_recorded_and_tells_of_the_others_and_of_strangers_one_a_minute() {
        let mut spare = Spare::default();
        let crm = SystemName::from("crm");
        let mut at = |now| spare.record(&crm, Verdict::Forged, now);
        assert_eq!(at(0), Some(0));
        assert_eq!((at(1), at(2)), (None, None));
        assert_eq!(at(APART), Some(2));
        assert_eq!(at(3 * APART), Some(0));
        assert_eq!(at(APART), Some(0));
        assert_eq!(spare.record(&crm, Verdict::Stale, 3), Some(0));
        assert_eq!(spare.record(&"ops".into(), Verdict::Forged, 3), Some(0));
        let mut stranger = |now| spare.record(&crm, Verdict::WrongSecret, now);
        assert_eq!((stranger(0), stranger(2 * APART)), (Some(0), None));
        assert_eq!(stranger(STRANGERS_APART), Some(1));
    }
}
