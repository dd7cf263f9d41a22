//! The log of API requests, with counts per kind of call.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

const KEPT: usize = 100_000;
/// A statement with thousands of ids is not kept whole.
const PATH_CHARS: usize = 1000;

/// One API request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestEntry {
    /// 1, 2, 3 … in order of arrival.
    pub number: u64,
    /// Arrival, milliseconds of the org's clock.
    pub at_ms: i64,
    /// HTTP method.
    pub method: String,
    /// Path with query, decoded, its first 1,000 characters.
    pub path: String,
    /// Kind of call: `token`, `query`, `query_more`, `create`, `composite` and so on.
    pub kind: String,
    /// Login name, once authenticated.
    pub user: Option<String>,
    /// `client=` of `Sforce-Call-Options`.
    pub client: Option<String>,
    /// Status of the answer; 0 while open or when the connection was cut.
    pub status: u16,
    /// Records that a write names; 0 for a composite call that only reads.
    pub records: u64,
    /// Number of faults that struck it.
    pub faults: usize,
}

/// Counts per kind of call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCounts {
    /// All requests.
    pub total: u64,
    /// Requests by kind.
    pub by_kind: BTreeMap<String, u64>,
    /// Records named in write requests, by kind.
    pub records_by_kind: BTreeMap<String, u64>,
    /// Answers by status; 0 is a cut connection.
    pub by_status: BTreeMap<u16, u64>,
}

/// The log of an org.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<RequestEntry>,
    next: u64,
    counts: RequestCounts,
}

impl RequestLog {
    /// Logs an arrival; `entry.number` is set here and returned.
    pub(crate) fn arrive(&mut self, mut entry: RequestEntry) -> u64 {
        self.next += 1;
        entry.number = self.next;
        if let Some((end, _)) = entry.path.char_indices().nth(PATH_CHARS) {
            entry.path.truncate(end);
        }
        self.counts.total += 1;
        *self.counts.by_kind.entry(entry.kind.clone()).or_default() += 1;
        if entry.records > 0 {
            *self.counts.records_by_kind.entry(entry.kind.clone()).or_default() += entry.records;
        }
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.next
    }

    /// Adds what became known later.
    pub(crate) fn note(&mut self, number: u64, change: impl FnOnce(&mut RequestEntry)) {
        let first = self.entries.front().map_or(0, |entry| entry.number);
        let at = number.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
            change(entry);
        }
    }

    /// Logs the answer.
    pub(crate) fn answer(&mut self, number: u64, status: u16) {
        *self.counts.by_status.entry(status).or_default() += 1;
        self.note(number, |entry| entry.status = status);
    }

    pub(crate) fn since(&self, number: u64) -> Vec<RequestEntry> {
        let first = self.entries.front().map_or(0, |entry| entry.number);
        let skip = usize::try_from((number + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skip).cloned().collect()
    }

    pub(crate) fn counts(&self) -> RequestCounts {
        self.counts.clone()
    }

    pub(crate) fn reset(&mut self) {
        self.entries.clear();
        self.counts = RequestCounts::default();
    }
}
