//! The model: links, journal, batches, reviews, hints, as the ledger keeps them.

mod batch;
mod changeset;
mod hint;
mod journal;
mod link;
mod relaid;
mod review;
mod tally;

pub use batch::{Batch, BatchState};
pub use changeset::{
    Alias, BatchChange, Changeset, Claim, Fence, Figure, Gap, Guard, HintDone, LinkChange, Parked,
    StreamPosition,
};
pub use hint::{Awaits, Hint, HintReason, RecordName};
pub use journal::{
    Came, Decided, Entry, Intent, IntentKind, Observed, Outcome, Settled, Verdict, Would,
    WrittenField,
};
pub use link::{
    Base, BothHalves, DeletePhase, FieldState, Half, Link, LinkState, Origin, Pending, UnitState,
    UnitStatus, Watched, shard_of,
};
pub use relaid::{Kept, keeps_question};
pub use review::{
    Answer, Choice, Review, ReviewChange, ReviewKey, ReviewKind, ReviewStatus, Shown,
};
pub use tally::{Counted, Tally};

/// The id of a journal entry. An entry that carries an intent has the intent's id.
pub type EntryId = syncline_sdk::IntentId;
