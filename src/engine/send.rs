//! The send step: the only place that writes to a system.

use std::sync::Arc;
use std::time::Duration;

use syncline_sdk::{
    BatchId, Connector, Context, Error, ErrorKind, Instant, Result, WriteBatch, WriteOutcome,
};
use tracing::Instrument as _;

use crate::chronicle::without_values;
use crate::clock::Clock;

/// A batch whose send the ledger has recorded, on its way.
pub struct Sending {
    /// Who is written to.
    pub connector: Arc<dyn Connector>,
    /// What the call is given.
    pub context: Context,
    /// What is sent.
    pub write: WriteBatch,
    /// When the ledger says that it was sent: how long its copies live is counted from there.
    pub recorded: Instant,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether a mapping of it observes: nothing of it is sent then, whatever was recorded.
    pub sealed: bool,
}

/// A batch that was answered, or not.
#[derive(Debug)]
pub struct Sent {
    /// The batch.
    pub batch: BatchId,
    /// The writes' intents in order, as sent.
    pub intents: Vec<syncline_sdk::IntentId>,
    /// The answer.
    pub result: Result<Vec<WriteOutcome>>,
}

impl Sending {
    /// Sends the batch, once. It is never sent again from here: another send is another ledger
    /// transition. What comes too late to end within the time that was recorded for it is not
    /// sent at all: a copy of it could outlive its `die_after` (protocol I2).
    pub async fn run(self) -> Sent {
        let (batch, writes) = (self.write.batch, self.write.writes.len());
        let span = tracing::info_span!("send", %batch, writes);
        self.send().instrument(span).await
    }

    async fn send(mut self) -> Sent {
        let batch = self.write.batch;
        let intents = self.write.writes.iter().map(|write| write.intent).collect();
        let now = self.clock.now();
        let late = now.micros().saturating_sub(self.recorded.micros());
        let late = Duration::from_micros(u64::try_from(late).unwrap_or(0));
        if self.sealed {
            let refused = Error::new(ErrorKind::Unavailable, "push", "the mapping only observes")
                .advise("nothing was sent, and nothing is until its `mode` says so");
            return Sent { batch, intents, result: Err(refused) };
        }
        let result = match self.context.timeout.checked_sub(late) {
            Some(left) if !left.is_zero() => {
                self.context.now = now;
                self.context.timeout = left;
                self.connector.push(&self.context, self.write).await
            }
            _ => Err(Error::new(
                ErrorKind::Unavailable,
                "push",
                "the ledger or this process stood still for too long after the send was recorded",
            )
            .advise("nothing was sent; it is planned again")),
        };
        match &result {
            Ok(outcomes) => tracing::debug!(answers = outcomes.len(), "the send was answered"),
            Err(error) => {
                tracing::debug!(error = without_values(error), "the send was not made");
            }
        }
        Sent { batch, intents, result }
    }
}
