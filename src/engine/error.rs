//! Why a round did not happen.

use syncline_ledger::LedgerError;
use syncline_sdk::SystemName;

/// Why a round did not happen. Nothing is lost by it: what was not committed is read again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Another process owns the shards now: this one must stop planning and sending.
    #[error("another process took over; this one stops syncing until it owns the ledger again")]
    Fenced,
    /// The ledger gave no answer.
    #[error("the ledger gave no answer")]
    Ledger(#[from] LedgerError),
    /// A system gave no answer.
    #[error("system {system}")]
    System {
        /// The system.
        system: SystemName,
        /// What it said.
        #[source]
        source: syncline_sdk::Error,
    },
    /// What the ledger keeps of a link was written by rules that this process does not know.
    #[error(
        "a link of mapping {mapping} was written by revision {revision} of it, of which nothing is \
         known here (this process has revision {present}): another process runs with other \
         mapping files; start this one again with the newest"
    )]
    Revision {
        /// The mapping.
        mapping: std::sync::Arc<str>,
        /// The revision.
        revision: i32,
        /// The revision that this process works by.
        present: i32,
    },
    /// The rows of a round moved again and again.
    #[error("a round was decided {times} times and its rows moved every time; last: {what}")]
    Moved {
        /// How often.
        times: u32,
        /// The row that moved last.
        what: String,
    },
}

/// The result of a round.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;
