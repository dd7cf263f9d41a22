//! The send step: the only place that writes to a system.

use std::sync::Arc;

use syncline_sdk::{BatchId, Connector, Context, Result, WriteBatch, WriteOutcome};

/// A batch whose send the ledger has recorded, on its way.
pub struct Sending {
    /// Who is written to.
    pub connector: Arc<dyn Connector>,
    /// What the call is given.
    pub context: Context,
    /// What is sent.
    pub write: WriteBatch,
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
    /// transition.
    pub async fn run(self) -> Sent {
        let batch = self.write.batch;
        let intents = self.write.writes.iter().map(|write| write.intent).collect();
        let result = self.connector.push(&self.context, self.write).await;
        Sent { batch, intents, result }
    }
}
