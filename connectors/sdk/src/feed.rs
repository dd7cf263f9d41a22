//! Pushed feeds: ordered changes with complete images.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Actor, Context, EntityName, Instant, Key, Result, Value, Version};

/// A place in a stream, in its connector's own words.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Position {
    /// What the stream is (system id, timeline, slot): a position of another stream is a gap.
    pub stream: Arc<str>,
    /// The place itself; opaque.
    pub place: Arc<str>,
}

/// What happened to a record.
#[derive(Clone, PartialEq, Debug)]
pub enum ChangeKind {
    /// It was created or changed; all selected fields in the order of the selection, those that
    /// were not delivered as absent.
    Upsert(Vec<Value>),
    /// It was deleted.
    Delete,
    /// All records of the entity were removed at once. Never turned into deletions: the mapping
    /// is parked and a person asked.
    Truncate,
}

/// One change of a pushed feed.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// The entity.
    pub entity: EntityName,
    /// The record's key after the change (empty text for a truncate).
    pub key: Key,
    /// Its key before, where the change moved it.
    pub old_key: Option<Key>,
    /// What happened.
    pub kind: ChangeKind,
    /// How new it is.
    pub version: Version,
    /// The marker of the transaction that made it, where it was one of ours.
    pub marker: Option<Arc<str>>,
    /// The transaction, so that changes of one can be kept together.
    pub group: u64,
    /// Who made it, where the selection names the field that tells.
    pub actor: Actor,
    /// When it was committed.
    pub at: Option<Instant>,
}

/// Changes that were received together.
#[derive(Clone, Debug, Default)]
pub struct FeedBatch {
    /// The changes, in commit order, several of one transaction in the order it made them.
    pub changes: Vec<Change>,
    /// The place that may be acknowledged once all changes up to here are durable: the end of
    /// the last whole transaction. Nothing while inside a transaction that is larger than a batch.
    pub position: Option<Position>,
    /// Markers of our own transactions that were seen to commit in this batch, with the version
    /// of each: proof of application where there is no receipt table (protocol I7).
    pub markers: Vec<(Arc<str>, Version)>,
    /// True when the position comes from an idle keepalive and covers no change: it is stored
    /// and acknowledged seldom.
    pub idle: bool,
}

/// A pushed feed that was opened. One task of the engine calls it, one call at a time.
#[async_trait]
pub trait Feed: Send {
    /// Waits for the next changes and gives at most `rows_max` of them, at once when some are
    /// there. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gap`] when the stream can no longer give what comes next;
    /// [`crate::ErrorKind::Unavailable`] when the connection is lost (open it again).
    async fn next(&mut self, cx: &Context, rows_max: usize) -> Result<FeedBatch>;

    /// Tells the side that everything up to here is durable on ours. Never called with a place
    /// whose changes are not committed to the ledger.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unavailable`] when the connection is lost.
    async fn ack(&mut self, position: &Position) -> Result<()>;
}
