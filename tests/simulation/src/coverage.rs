//! Coverage: how often each thing happened that a set of runs must have seen.

use std::collections::BTreeMap;

/// How often what happened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage(BTreeMap<&'static str, u64>);

impl Coverage {
    /// Notes that it happened.
    pub fn hit(&mut self, what: &'static str) {
        *self.0.entry(what).or_insert(0) += 1;
    }
    /// Notes that it happened so often.
    pub fn add(&mut self, what: &'static str, times: u64) {
        if times > 0 {
            *self.0.entry(what).or_insert(0) += times;
        }
    }
    /// How often it happened.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }
    /// Puts the counts of another run to these.
    pub fn append(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            self.add(what, *times);
        }
    }
    /// All counts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(what, times)| (*what, *times))
    }
    /// What a large set of runs must have seen and has not.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        SOMETIMES.iter().copied().filter(|what| self.count(what) == 0).collect()
    }
}

/// Everything that must have happened in a large set of runs: each fault, each verdict of the
/// planner, each outcome of a write. A set that misses one of them proves less than it says.
pub const SOMETIMES: &[&str] = &[
    "fault: request lost",
    "fault: answer lost",
    "fault: request late",
    "fault: request doubled",
    "fault: call refused",
    "fault: late copy delivered",
    "fault: commit lost before",
    "fault: commit lost after",
    "fault: commit late",
    "fault: late commit landed",
    "fault: ledger refuses",
    "fault: crash",
    "fault: crash in recovery",
    "fault: second engine",
    "fault: takeover",
    "fault: mapping changed",
    "fault: feed cut",
    "fault: stream lost",
    "fault: truncate",
    "fault: system unavailable",
    "fault: throttled",
    "fault: stale storm",
    "fault: lock by a person",
    "fault: late transaction",
    "people: edit",
    "people: form",
    "people: restore",
    "people: clear",
    "people: same on both sides",
    "people: create",
    "people: create on both sides",
    "people: delete",
    "people: undelete",
    "people: merge",
    "people: automation",
    "answer: take",
    "answer: typed",
    "answer: stale revision refused",
    "answer: second refused",
    "verdict: write",
    "verdict: agree",
    "verdict: policy took",
    "verdict: hold",
    "verdict: kept",
    "verdict: merged",
    "verdict: reverted",
    "people: count on both sides",
    "merges: judged",
    "verdict: await parent",
    "verdict: create",
    "verdict: delete",
    "verdict: undelete",
    "verdict: retract",
    "twins: linked to theirs",
    "twins: touched and asked",
    "people: the same later on the other side",
    "verdict: both gone",
    "verdict: delete/update",
    "verdict: adopt",
    "verdict: ambiguous",
    "verdict: merge",
    "verdict: answered",
    "verdict: answer not applied",
    "verdict: half written",
    "verdict: would",
    "verdict: came",
    "people: leave",
    "people: come back",
    "verdict: leave",
    "verdict: enter",
    "verdict: excluded",
    "verdict: end",
    "outcome: stale",
    "outcome: missing",
    "outcome: busy",
    "outcome: refused",
    "outcome: cancelled",
    "outcome: applied",
    "settled: send again",
    "write: applied",
    "write: repeat",
];
