//! The contract of the ledger.

use std::ops::Range;

use async_trait::async_trait;
use syncline_core::Sides;
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Batch, BatchState, Changeset, Claim, Entry, EntryId, Fence, Gap, Hint, Link, Parked, Review,
    StreamPosition,
};
use syncline_sdk::{BatchId, Instant, Key, LinkId, SystemName};

/// Why a ledger call gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The ledger cannot be reached. Nothing is lost: whatever was not committed is read again.
    #[error("the ledger cannot be reached: {what}; it is tried again until it answers")]
    Unavailable {
        /// What was being done.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored row cannot be read back.
    #[error("table {table}, row {row}: {reason}; restore the ledger or remove the row")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row, by its key.
        row: String,
        /// What is wrong.
        reason: String,
    },
    /// The database refused a statement for a reason of its own (rights, disk full, a missing
    /// table).
    #[error("the ledger refused {what}: {reason}")]
    Refused {
        /// What was being done.
        what: &'static str,
        /// The database's words.
        reason: String,
        /// Why.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// The result of a ledger call.
pub type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// What became of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Committed {
    /// All of it is durable.
    Committed,
    /// Nothing of it happened: another process owns the shards now.
    Fenced,
    /// Nothing of it happened: a guarded row is not as it was loaded, or a key or claim is taken
    /// by now. The words name the first such row, for the log. Load again and decide again.
    Moved(String),
    /// Whether it happened is not known (the connection broke while it committed). Ask
    /// [`Ledger::committed`] with its number; nothing else may be done before that.
    Unknown,
}

/// Which links of a mapping are wanted. Several ways of naming one link give it once.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LinkQuery {
    /// The mapping.
    pub mapping: MappingId,
    /// By id.
    pub links: Vec<LinkId>,
    /// By native id, aliases included.
    pub keys: Sides<Vec<Key>>,
    /// By claimed business key.
    pub claims: Vec<String>,
}

/// The links that were found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Loaded {
    /// The links, each once.
    pub links: Vec<Link>,
    /// For each native id that was found only through an alias: mapping, side, id, link.
    pub aliases: Vec<syncline_core::model::Alias>,
    /// For each claim that was found: who holds it.
    pub claims: Vec<Claim>,
    /// The questions, open or answered, of the links found that are held or have held units.
    pub reviews: Vec<Review>,
}

/// A batch that was recorded as sent and is not settled, with what it carries.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenBatch {
    /// The batch.
    pub batch: Batch,
    /// The journal entries of its intents, in the batch's order.
    pub entries: Vec<Entry>,
}

/// How far the rows of a mapping were gone through by [`Ledger::encrypt`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encrypting {
    /// Its links, up to this one.
    Links(Option<LinkId>),
    /// Its links, and its journal up to this entry.
    Journal(Option<EntryId>),
    /// Those, and its questions up to this number.
    Questions(i64),
    /// Those, and its parked records up to this link.
    Parked(Option<LinkId>),
}

impl Encrypting {
    /// Where it begins.
    pub const START: Self = Self::Links(None);
}

/// The right to plan and send, as far as a lease can give it. Correctness rests on the fence and
/// the guards, never on the lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ownership {
    /// We own all shards under this epoch, until the lease runs out.
    Owned(Fence),
    /// Another process does, until this time, microseconds UTC.
    Taken {
        /// When its lease runs out.
        until: i64,
    },
}

/// What the engine keeps its beliefs in. All calls may be made from several tasks at once; the
/// engine itself commits from one.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Takes or renews the ownership of all shards for `owner` (a name unique to the process)
    /// until `until`. Taking it over from another owner raises the epoch; renewing does not. It
    /// is possible once that one's lease ran out at `now`, and before that once the ledger knows
    /// that its process has ended: no more than a saving of time, for the fence decides.
    ///
    /// # Errors
    /// As every call.
    async fn own(&self, owner: &str, now: Instant, until: Instant) -> Result<Ownership>;

    /// Reserves commit numbers that are never given again, in this process or another. Numbers
    /// that are not used are no harm.
    ///
    /// # Errors
    /// As every call.
    async fn reserve(&self, count: i64) -> Result<Range<i64>>;

    /// Loads links with what hangs on them, for several mappings in as few round trips as may
    /// be. Answers in no particular order; what is not there is not answered.
    ///
    /// # Errors
    /// As every call.
    async fn load(&self, queries: &[LinkQuery]) -> Result<Loaded>;

    /// The batches recorded as sent and not settled, oldest first, with the entries of their
    /// intents: what a restart has to settle (protocol I4).
    ///
    /// # Errors
    /// As every call.
    async fn open_batches(&self, max: usize) -> Result<Vec<OpenBatch>>;

    /// Batches of a system that stand in a state and of which no copy could be applied any more at
    /// `dead_before`, oldest first: their receipts may go (protocol I7).
    ///
    /// # Errors
    /// As every call.
    async fn spent_batches(
        &self,
        system: &SystemName,
        state: BatchState,
        dead_before: Instant,
        max: usize,
    ) -> Result<Vec<BatchId>>;

    /// Settled batches of a system that were not audited, and of which no copy could be applied any
    /// more at `dead_before`, oldest first behind one, with the entries of their intents (protocol
    /// W1).
    ///
    /// # Errors
    /// As every call.
    async fn unaudited_batches(
        &self,
        system: &SystemName,
        dead_before: Instant,
        after: Option<BatchId>,
        max: usize,
    ) -> Result<Vec<OpenBatch>>;

    /// Removes the rows of settled batches. Whatever else is named stays, so that doing it twice,
    /// or as a process that owns nothing any more, harms nothing.
    ///
    /// # Errors
    /// As every call.
    async fn remove_batches(&self, batches: &[BatchId]) -> Result<()>;

    /// Hints of a system that are due, earliest first. They stay until a commit is done with
    /// them.
    ///
    /// # Errors
    /// As every call.
    async fn hints(&self, system: &SystemName, now: Instant, max: usize) -> Result<Vec<Hint>>;

    /// Questions that a person has answered and the engine has not folded, oldest answer first.
    ///
    /// # Errors
    /// As every call.
    async fn answers(&self, max: usize) -> Result<Vec<Review>>;

    /// The positions of all streams.
    ///
    /// # Errors
    /// As every call.
    async fn positions(&self) -> Result<Vec<StreamPosition>>;

    /// Links of a mapping in the order of their ids, after one: what a verifying pass walks.
    ///
    /// # Errors
    /// As every call.
    async fn page(
        &self,
        mapping: MappingId,
        after: Option<LinkId>,
        max: usize,
    ) -> Result<Vec<Link>>;

    /// Encrypts what is kept in clear of a mapping that has sensitive fields by now, up to so many
    /// rows at a time, and gives from where to go on; nothing once all is. To be asked by the
    /// owner, before it commits anything for the mapping.
    ///
    /// # Errors
    /// As every call.
    async fn encrypt(
        &self,
        mapping: MappingId,
        from: Encrypting,
        max: usize,
    ) -> Result<Option<Encrypting>>;

    /// The gaps that are not closed.
    ///
    /// # Errors
    /// As every call.
    async fn gaps(&self) -> Result<Vec<Gap>>;

    /// Records set aside: those that a person asked for again, then the latest first.
    ///
    /// # Errors
    /// As every call.
    async fn parked(&self, mapping: Option<MappingId>, max: usize) -> Result<Vec<Parked>>;

    /// How many sweeps people have asked for so far, by mapping; those of which none was asked for
    /// are left out.
    ///
    /// # Errors
    /// As every call.
    async fn sweeps_asked(&self) -> Result<Vec<(MappingId, i64)>>;

    /// Makes a changeset durable, all of it or nothing, after checking fence and guards.
    ///
    /// # Errors
    /// An error means that nothing of it happened and nothing ever will; where that cannot be
    /// told the answer is [`Committed::Unknown`].
    async fn commit(&self, changeset: &Changeset) -> Result<Committed>;

    /// Whether the commit with this number happened. When it answers no, that commit can never
    /// happen afterwards.
    ///
    /// # Errors
    /// As every call; the question stays open then.
    async fn committed(&self, commit: i64) -> Result<bool>;

    /// The journal of a link, newest entry first, by walking its chain.
    ///
    /// # Errors
    /// As every call.
    async fn explain(&self, mapping: MappingId, link: LinkId, max: usize) -> Result<Vec<Entry>>;
}
