//! What became of one write inside the transaction.

use syncline_sdk::{Error, Key, Value};

use crate::receipt::Refusal;

/// What a statement did with one write, before the commit makes it so.
pub(crate) enum State {
    /// No statement answered for it yet.
    Open,
    Applied {
        /// The selected fields as stored; nothing of a deleted row.
        stored: Option<Vec<Value>>,
        key: Option<Key>,
    },
    /// The texts of the row as it was found under its lock.
    Stale(Option<Vec<Option<String>>>),
    Missing,
    Busy,
    Rejected(Error),
}

impl State {
    /// What the receipt says of it, if it was not applied.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Applied { .. } => None,
            Self::Stale(_) => Some(Refusal::Stale),
            Self::Missing => Some(Refusal::Missing),
            Self::Busy | Self::Open => Some(Refusal::Busy),
            Self::Rejected(_) => Some(Refusal::Rejected),
        }
    }
}
