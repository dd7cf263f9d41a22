//! Which rows of the re-read window were shown before.
//!
//! A re-read shows mostly what was shown already. Each poll keeps, for the window, a fingerprint
//! of every row that it has shown, and drops a row that comes again unchanged. Only rows that
//! the caller has taken count: a page counts as taken when the caller comes back with the cursor
//! of that very page. Another cursor (a restart, a restored ledger) starts an empty memory, and
//! everything of the window is shown again, which is harmless.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use syncline_sdk::{Absence, Key, Record};

use crate::limits::{SHOWN_POLLS_MAX, SHOWN_ROWS_MAX};
use crate::version::Stamp;

/// What was shown of one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Print {
    stamp: Stamp,
    content: u64,
}

impl Print {
    pub(super) fn of_record(stamp: Stamp, record: &Record) -> Self {
        let mut hasher = DefaultHasher::new();
        (&record.values, record.external_id, &record.marker).hash(&mut hasher);
        Self { stamp, content: hasher.finish() }
    }
    pub(super) fn of_absence(stamp: Stamp, absence: &Absence) -> Self {
        let mut hasher = DefaultHasher::new();
        match absence {
            Absence::Deleted { .. } => 1_u8.hash(&mut hasher),
            Absence::MergedInto(key) => key.hash(&mut hasher),
            Absence::NotVisible => 2_u8.hash(&mut hasher),
        }
        Self { stamp, content: !hasher.finish() }
    }
}

/// The memory of one poll.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The cursor that the caller came with last.
    came: String,
    /// The cursor that it was given then.
    gave: String,
    taken: HashMap<Key, Print>,
    given: Vec<(Key, Print)>,
}

impl Memory {
    pub(super) fn knows(&self, key: &Key, print: Print) -> bool {
        self.taken.get(key) == Some(&print)
    }
    pub(super) fn give(&mut self, key: Key, print: Print) {
        self.given.push((key, print));
    }
    fn resumes(&mut self, cursor: &str) -> bool {
        let given = std::mem::take(&mut self.given);
        if cursor == self.gave {
            for (key, print) in given {
                if self.taken.len() < SHOWN_ROWS_MAX || self.taken.contains_key(&key) {
                    self.taken.insert(key, print);
                }
            }
            return true;
        }
        // The same call again: what it gave then was not taken.
        cursor == self.came
    }
}

/// The memories of all polls of this process.
#[derive(Default)]
pub(crate) struct ShownRows(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    memories: HashMap<i64, Memory>,
    last_chain: i64,
}

impl ShownRows {
    /// The memory that belongs to a cursor, taken out, and its chain: a new one when there is
    /// none that the cursor resumes.
    pub(super) fn take(&self, chain: i64, cursor: &str, now_micros: i64) -> (i64, Memory) {
        let mut inner = self.lock();
        if let Some(mut memory) = inner.memories.remove(&chain)
            && memory.resumes(cursor)
        {
            return (chain, memory);
        }
        // Chains of an earlier process lie before: its cursors never meet a memory of this one.
        inner.last_chain = now_micros.max(inner.last_chain + 1);
        (inner.last_chain, Memory::default())
    }
    /// Puts a memory back, with the cursors of this call; rows before `since` are forgotten.
    pub(super) fn put(&self, chain: i64, mut memory: Memory, came: &str, gave: &str, since: Stamp) {
        memory.came = came.to_owned();
        memory.gave = gave.to_owned();
        memory.taken.retain(|_, print| print.stamp >= since);
        let mut inner = self.lock();
        if inner.memories.len() >= SHOWN_POLLS_MAX {
            inner.memories.clear();
        }
        inner.memories.insert(chain, memory);
    }
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(content: u64) -> Print {
        Print { stamp: Stamp(100), content }
    }

    #[test]
    fn only_taken_rows_are_known() {
        let rows = ShownRows::default();
        let key = Key::new("a");
        let (chain, mut memory) = rows.take(0, "c1", 50);
        memory.give(key.clone(), print(1));
        rows.put(chain, memory, "c1", "c2", Stamp(0));
        // The same call again: the page was lost on the way.
        let (again, mut memory) = rows.take(chain, "c1", 60);
        assert_eq!(again, chain);
        assert!(!memory.knows(&key, print(1)));
        memory.give(key.clone(), print(1));
        rows.put(chain, memory, "c1", "c2", Stamp(0));
        // The caller goes on: it took the page.
        let (_, memory) = rows.take(chain, "c2", 70);
        assert!(memory.knows(&key, print(1)));
        assert!(!memory.knows(&key, print(2)));
        rows.put(chain, memory, "c2", "c3", Stamp(101));
        let (_, memory) = rows.take(chain, "c3", 80);
        assert!(!memory.knows(&key, print(1)), "out of the window");
    }

    #[test]
    fn a_foreign_cursor_starts_anew() {
        let rows = ShownRows::default();
        let (chain, mut memory) = rows.take(0, "c1", 50);
        memory.give(Key::new("a"), print(1));
        rows.put(chain, memory, "c1", "c2", Stamp(0));
        let (other, memory) = rows.take(chain, "c0", 50);
        assert_ne!(other, chain);
        assert!(!memory.knows(&Key::new("a"), print(1)));
    }
}
