//! One task a pushed feed: it receives, hands over, and acknowledges what is durable.

use std::sync::Arc;

use syncline_sdk::{
    Connector, Context, ErrorKind, Feed, FeedBatch, Position, Selection, SystemName,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use crate::limits;

/// What a feed task says.
pub(super) enum FeedNews {
    /// Changes, in order.
    Batch(SystemName, FeedBatch),
    /// The stream lost what comes next.
    Lost(SystemName, String),
    /// The system gave no answer; it is tried again.
    Trouble(SystemName, syncline_sdk::Error),
    /// The feed is open.
    Open(SystemName),
}

/// What a feed task works with.
pub(super) struct FeedTask {
    pub name: SystemName,
    pub connector: Arc<dyn Connector>,
    pub selections: Vec<Arc<Selection>>,
    pub context: Context,
    /// From where, at the start.
    pub from: Option<Position>,
    /// Where its news go, each with the token by which a feed that was given up is known.
    pub news: mpsc::Sender<(CancellationToken, FeedNews)>,
    /// The position that is durable by now.
    pub durable: watch::Receiver<Option<Position>>,
    pub stop: CancellationToken,
}

impl FeedTask {
    /// Receives until it is stopped or the stream is lost. A broken connection is opened again
    /// from what is durable: what comes twice is recognised by its version.
    pub async fn run(mut self) {
        let mut pace = Pace::default();
        while !self.stop.is_cancelled() {
            let selections: Vec<&Selection> = self.selections.iter().map(|s| &**s).collect();
            let opened =
                self.connector.open_feed(&self.context, &selections, self.from.as_ref()).await;
            let error = match opened {
                Ok(mut feed) => {
                    pace.reset();
                    self.tell(FeedNews::Open(self.name.clone())).await;
                    self.receive(&mut *feed).await
                }
                Err(error) => Some(error),
            };
            let Some(error) = error else { return };
            if error.kind == ErrorKind::Gap {
                self.tell(FeedNews::Lost(self.name.clone(), error.to_string())).await;
                return;
            }
            self.tell(FeedNews::Trouble(self.name.clone(), error)).await;
            pace.pause(&self.stop).await;
        }
    }

    async fn tell(&self, news: FeedNews) {
        // A closed channel means that the driver ends.
        let _ = self.news.send((self.stop.clone(), news)).await;
    }

    /// Receives until an error; nothing when it was stopped.
    async fn receive(&mut self, feed: &mut dyn Feed) -> Option<syncline_sdk::Error> {
        loop {
            let room = tokio::select! {
                () = self.stop.cancelled() => return None,
                room = self.news.clone().reserve_owned() => room.ok()?,
            };
            let next = tokio::select! {
                () = self.stop.cancelled() => return None,
                changed = self.durable.changed() => {
                    changed.ok()?;
                    let durable = self.durable.borrow_and_update().clone();
                    if let Some(position) = durable {
                        if let Err(error) = feed.ack(&position).await {
                            return Some(error);
                        }
                        self.from = Some(position);
                    }
                    continue;
                }
                next = feed.next(&self.context, limits::FEED_ROWS_MAX) => next,
            };
            match next {
                Ok(batch) => {
                    room.send((self.stop.clone(), FeedNews::Batch(self.name.clone(), batch)));
                }
                Err(error) => return Some(error),
            }
        }
    }
}
