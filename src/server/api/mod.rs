//! The JSON API, `/api/v1`.
//!
//! It asks a [`Book`], which reads the ledger and writes to it what people may write: answers and
//! requests to try again. Callers have tokens with scopes; errors are problems (RFC 9457); lists
//! go on behind a cursor; a change with an idempotency key is made once. The document at
//! `/api/openapi.json` is made from this code, and a viewer of it is part of the binary.

mod asking;
mod book;
mod caller;
mod conflict;
mod document;
mod extract;
mod journal;
mod link;
mod mapping;
mod observed;
mod once;
mod page;
mod parked;
mod refusal;
mod report;
mod run;
mod system;
mod value;

pub use asking::{
    Answer, ConflictQuery, JournalQuery, LinkQuery, ObservedQuery, ParkedQuery, Replay,
    ReportQuery, SideName, WantedStatus,
};
pub use book::{Answered, Book, Failure};
pub use caller::{Caller, Scope};
pub use conflict::{Candidate, Conflict, ConflictSide, Given, Offered, ShownField, TakenAnswer};
#[cfg(test)]
pub(crate) use document::documented;
pub(crate) use document::{Api, router};
pub use journal::{
    ChangedField, DecidedEntry, IntentEntry, IntentField, JournalEntry, ObservedEntry, SettledEntry,
};
pub use link::{Link, LinkUnit, Origin, ParkedIn, UnitSide};
pub use mapping::{LinksIn, Mapping, MappingSide};
pub use observed::{Observed, ObservedRow, ObservedSample, Took};
pub use once::Request;
pub use page::Page;
pub use parked::ParkedRecord;
pub use report::{Attained, Carried, Report, ReportOfMapping, ReportOfQuestions, ReportOfSystem};
pub use run::Run;
pub use syncline_ledger::Begun;
pub use system::{Engine, Status, System, SystemQuota};
pub use value::{Actor, Both, Value};
