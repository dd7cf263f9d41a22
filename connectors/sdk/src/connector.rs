//! The contract between the engine and a kind of system.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Capabilities, ChangesRequest, Context, EntityName, EntityOutline, EntitySchema, Error, Feed,
    FetchRequest, Fetched, Grant, Health, HistoryEntry, HistoryRequest, Need, Page, Position,
    Result, ScanRequest, Selection, Settlement, UnknownWrite, Usage, Version, Webhook, WriteBatch,
    WriteOutcome,
};

/// How two versions of one record on one side compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VersionOrder {
    /// The first is older than the second: already contained in it.
    Older,
    /// They are the same reading, as far as the side can tell.
    Same,
    /// The first is newer than the second.
    Newer,
    /// The side cannot tell; the record is read again.
    Unknown,
}

/// One configured system.
///
/// The engine calls it from several tasks at once; `push` for one entity and link is never
/// called twice at the same time. Every call ends within `cx.timeout`, with an answer or an
/// error, and a dropped future leaves nothing behind but what was already sent. A connector
/// never retries a write: whether a write is sent again is decided and recorded by the engine.
/// Reads may be retried by the engine's layer; they change nothing on the system. The one replay
/// that a connector may make on its own is that of a request refused for an expired login, after
/// one renewal shared by all tasks.
///
/// An ability that a kind of system does not have answers
/// [`crate::ErrorKind::Unsupported`], never silent success.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// What this system can do, before an entity's own pieces are looked at.
    fn capabilities(&self) -> &Capabilities;

    /// What this system can do for one entity with the pieces that its selection names: the
    /// weaker of declared and measured.
    fn effective(&self, selection: &Selection) -> Capabilities;

    /// What this process has used, and the quota as last stated. Never makes a call.
    fn usage(&self) -> Usage;

    /// Looks at the system and at what it should have. Changes nothing.
    ///
    /// # Errors
    /// Only when the system cannot be reached or the login is refused; a missing piece is part
    /// of the answer.
    async fn check(&self, cx: &Context, selections: &[&Selection]) -> Result<Health>;

    /// What should be set up for what mappings do here: each piece with the least rights it needs,
    /// what it buys, and how it is made. Pure: calls nobody, and knows the system's settings and
    /// what was described of its entities before. Nothing for a system that needs nothing.
    fn grants(&self, install: &str, needs: &[Need]) -> Vec<Grant> {
        let _ = (install, needs);
        Vec::new()
    }

    /// Whether [`Connector::grants`] says more of an entity that was described before.
    fn grants_by_description(&self) -> bool {
        false
    }

    /// Makes what the system needs before changes can be captured and writes receipted
    /// (a publication, a slot, a receipt table), as far as the rights allow. Repeating it changes
    /// nothing. Never called by a check or a plan.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Schema`] when an entity cannot be captured safely, naming it and the
    /// remedy; nothing is made in that case.
    async fn prepare(&self, cx: &Context, selections: &[&Selection]) -> Result<()>;

    /// The entities that these credentials may read and that could be mapped, by name.
    ///
    /// # Errors
    /// `Unsupported` where the system cannot list them.
    async fn entities(&self, cx: &Context) -> Result<Vec<EntityOutline>> {
        let _ = cx;
        Err(Error::unsupported("list entities"))
    }

    /// Describes an entity as these credentials see it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Schema`] when there is no such entity.
    async fn describe(&self, cx: &Context, entity: &EntityName) -> Result<EntitySchema>;

    /// One page of all records that pass the selection's filter, in key order. Pages resume
    /// after a restart from the cursor alone. A record changed during the scan is shown in one
    /// of its states; the feed or poll shows the rest.
    ///
    /// # Errors
    /// As every read.
    async fn scan(&self, cx: &Context, request: ScanRequest) -> Result<Page>;

    /// One page of changes since a cursor, deletions included. The filter of the selection does
    /// not apply: a record that left it has to be seen leaving. May show a record again
    /// (windows overlap backwards); never misses one that became visible after the cursor was
    /// made, within the overlap that the system's settings state.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gap`] when the cursor is too old; `Unsupported` on a pushed feed.
    async fn changes(&self, cx: &Context, request: ChangesRequest) -> Result<Page> {
        let _ = (cx, request);
        Err(Error::unsupported("poll changes"))
    }

    /// Opens the pushed feed from a place, or from now. There is one selection an entity; changes
    /// of other entities do not appear, and filters do not apply.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gap`] when the place is lost or belongs to another stream;
    /// `Unsupported` on a polled system.
    async fn open_feed(
        &self,
        cx: &Context,
        selections: &[&Selection],
        from: Option<&Position>,
    ) -> Result<Box<dyn Feed>> {
        let _ = (cx, selections, from);
        Err(Error::unsupported("open a feed"))
    }

    /// Where the feed stands now, for a stream that starts with a first load. Nothing on a
    /// polled system.
    ///
    /// # Errors
    /// As every read.
    async fn feed_start(&self, cx: &Context) -> Result<Option<Position>> {
        let _ = cx;
        Ok(None)
    }

    /// Looks records up by name. Answers for every key asked for: a record, or why not. A key
    /// that is not shown while a canary record is, is `Deleted` only with positive evidence
    /// (protocol O7, O8).
    ///
    /// # Errors
    /// As every read; never for a single record.
    async fn fetch(&self, cx: &Context, request: FetchRequest) -> Result<Fetched>;

    /// Sends the writes of a batch, once, and answers for each in order. Called only from the
    /// engine's send step, after the ledger has recorded this very send. A repeat of a batch
    /// with the same id is another copy of the same writes: at most one copy of each takes
    /// effect where the system can tell.
    ///
    /// # Errors
    /// An error means that nothing was sent at all.
    async fn push(&self, cx: &Context, batch: WriteBatch) -> Result<Vec<WriteOutcome>>;

    /// Looks for the receipts of writes whose outcome is not known and, where the system has a
    /// fence, cancels those without one (protocol I5, I7). Answers for each in order.
    ///
    /// # Errors
    /// As every read: then nothing is decided.
    async fn settle(&self, cx: &Context, unknown: &[UnknownWrite]) -> Result<Vec<Settlement>>;

    /// Past changes of records, those of each record oldest first.
    ///
    /// # Errors
    /// `Unsupported` where the system keeps none.
    async fn history(&self, cx: &Context, request: HistoryRequest) -> Result<Vec<HistoryEntry>> {
        let _ = (cx, request);
        Err(Error::unsupported("read history"))
    }

    /// Forgets receipts of batches that are settled and of which no copy can arrive any more.
    ///
    /// # Errors
    /// As every read; a failure is harmless and tried again.
    async fn forget(&self, cx: &Context, batches: &[crate::BatchId]) -> Result<()> {
        let _ = (cx, batches);
        Ok(())
    }

    /// What reads the deliveries that this kind of system sends of itself; nothing where it sends
    /// none. It shares no ability to call or to write with the connector.
    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }

    /// Compares two versions of one record. Pure.
    fn order(&self, a: &Version, b: &Version) -> VersionOrder;
}
