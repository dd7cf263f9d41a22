//! Rows, present and past.

use std::collections::BTreeMap;

use syncline_sdk::{Actor, FieldName, Instant, Key, Value};

/// The most past images that a row keeps for reads from a lagging replica; an older reading
/// shows the oldest that is kept.
const PAST_IMAGES_MAX: usize = 64;

/// Whether a row is there.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum State {
    Live,
    Deleted { by: Actor, at: Instant },
    Purged,
    Merged(Key),
}

/// One image of a row.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Row {
    pub key: Key,
    pub state: State,
    pub values: BTreeMap<FieldName, Value>,
    /// The commit that made this image.
    pub sequence: u64,
    /// The system's clock when that transaction began.
    pub stamped: Instant,
    pub actor: Actor,
    /// The commit, and the place in its batch, that created the row.
    pub created: (u64, i32),
    /// Not shown to these credentials.
    pub hidden: bool,
}

impl Row {
    pub fn is_live(&self) -> bool {
        self.state == State::Live
    }
    pub fn value(&self, field: &FieldName) -> Value {
        self.values.get(field).cloned().unwrap_or(Value::Null)
    }
}

/// A row with its past images, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub row: Row,
    past: Vec<Row>,
}

impl Slot {
    pub fn new(row: Row) -> Self {
        Self { row, past: Vec::new() }
    }
    /// Keeps the present image among the past ones, before it is changed by another commit.
    pub fn keep(&mut self, sequence: u64) {
        if self.row.sequence < sequence {
            if self.past.len() >= PAST_IMAGES_MAX {
                self.past.remove(0);
            }
            self.past.push(self.row.clone());
        }
    }
    /// The row as it was after a commit; nothing when it was created later.
    pub fn as_of(&self, sequence: u64) -> Option<&Row> {
        if self.row.sequence <= sequence {
            return Some(&self.row);
        }
        let found = self.past.iter().rev().find(|row| row.sequence <= sequence);
        found.or_else(|| self.past.first().filter(|row| row.created.0 <= sequence))
    }
}
