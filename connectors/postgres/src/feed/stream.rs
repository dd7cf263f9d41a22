//! An open feed, as the engine reads it.

use std::sync::Arc;

use async_trait::async_trait;
use syncline_sdk::{Context, Error, ErrorKind, Feed, FeedBatch, Position, Result};

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
}

#[async_trait]
impl Feed for PgFeed {
    async fn next(&mut self, cx: &Context, rows_max: usize) -> Result<FeedBatch> {
        // All state is kept in the reader: a call dropped while it waits loses nothing.
        self.reader.install(&cx.install);
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
                Step::Idle(batch) => return Ok(batch),
            }
        }
        Ok(self.reader.batch())
    }

    async fn ack(&mut self, position: &Position) -> Result<()> {
        if position.stream != *self.reader.stream() {
            return Err(Error::new(
                ErrorKind::Gap,
                "ack",
                format!("the position is of the stream {}", position.stream),
            ));
        }
        self.transport.ack(&position.place)
    }
}
