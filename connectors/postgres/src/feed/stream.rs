//! An open feed, as the engine reads it.

use std::sync::Arc;

use async_trait::async_trait;
use syncline_sdk::{Context, Feed, FeedBatch, Position, Result};

use super::identity::{Entries, look, same_slot};
use super::lag::OpenFeed;
use super::reader::{Reader, Step};
use super::relation;
use super::transport::Transport;
use crate::shared::Shared;

/// The most messages that one call takes before it answers with what it has, so that a stream of
/// transactions without a change for us cannot hold it.
const MESSAGES_MAX: usize = 50_000;

/// An open feed.
pub(crate) struct PgFeed {
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Transport,
    pub(super) reader: Reader,
    pub(super) publication: String,
    /// The entries of the publication that are read.
    pub(super) read: Entries,
    /// Whether to look at the publication before the next message.
    pub(super) look: bool,
    /// For as long as it is there the lag is told.
    pub(super) _open: OpenFeed,
}

#[async_trait]
impl Feed for PgFeed {
    async fn next(&mut self, cx: &Context, rows_max: usize) -> Result<FeedBatch> {
        // All state is kept in the reader: a call dropped while it waits loses nothing.
        self.reader.install(&cx.install);
        if self.look {
            // A stream that is quiet may be one that leaves out what we read.
            let mut conn = self.shared.pools.reader("read feed").await?;
            look(&mut conn, &self.publication, &self.read).await?;
            self.look = false;
        }
        for _ in 0..MESSAGES_MAX {
            if self.reader.rows() >= rows_max.max(1) {
                break;
            }
            if let Some(message) = self.reader.unresolved() {
                let relation = relation::resolve(&self.shared, &self.reader, message).await?;
                self.reader.resolved(relation);
                continue;
            }
            let message = if self.reader.may_answer() {
                match self.transport.try_next() {
                    Some(message) => message?,
                    None => break,
                }
            } else {
                self.transport.next().await?
            };
            match self.reader.take(message)? {
                Step::More => {}
                // Answered by itself, so that it is never taken for what is to be stored.
                Step::Idle(batch) => {
                    self.look = true;
                    return Ok(batch);
                }
            }
        }
        Ok(self.reader.batch())
    }

    async fn ack(&mut self, position: &Position) -> Result<()> {
        same_slot(self.reader.stream(), &position.stream)?;
        self.transport.ack(&position.place)
    }
}
