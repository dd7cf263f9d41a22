//! Receipts that nothing needs any more (protocol I7).

use syncline_core::model::BatchState;
use syncline_ledger::Ledger;
use syncline_sdk::{HistoryKind, Instant, Purpose, Scope, SystemName};

use crate::clock::micros;
use crate::error::Result;
use crate::limits;
use crate::reader::Intake;

impl<L: Ledger> Intake<L> {
    /// Forgets the receipts of batches of a system that are settled and of which no copy can be
    /// applied any more, then the batches themselves: an end in between only means that the same
    /// is forgotten again. True when there may be more.
    ///
    /// # Errors
    /// When the ledger or the system gives no answer; nothing is lost by that.
    pub async fn forget_receipts(&self, name: &SystemName) -> Result<bool> {
        let Some(system) = self.system(name) else { return Ok(false) };
        let kept = micros(limits::RECEIPTS_KEPT);
        let dead_before = Instant::from_micros(self.clock.now().micros().saturating_sub(kept));
        // Where there is a history, a batch is audited before it goes (protocol W1).
        let state = match system.capabilities().history {
            HistoryKind::None => BatchState::Settled,
            _ => BatchState::Audited,
        };
        let max = limits::FORGET_MAX;
        let spent = self.ledger.spent_batches(name, state, dead_before, max).await?;
        if spent.is_empty() {
            return Ok(false);
        }
        let context = self.context(Purpose::Sweep);
        if let Err(error) = system.connector.forget(&context, &spent).await {
            if error.kind.scope() == Scope::System {
                return Err(Self::at(name)(error));
            }
            // Without the right to delete them receipts stay: that stops nothing else.
            tracing::warn!(system = %name, %error, "receipts cannot be forgotten");
            return Ok(false);
        }
        self.ledger.remove_batches(&spent).await?;
        Ok(spent.len() == limits::FORGET_MAX)
    }
}
