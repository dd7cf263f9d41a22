//! What the ledger says of how the sync stands: for the view, and to see when all is quiet.

use std::collections::BTreeMap;

use syncline_core::model::{Figure, ReviewStatus};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Ledger as _, LedgerError, People as _, ReviewQuery};

use super::time::wall_micros;

/// More questions than this are shown as this many.
const HELD_MAX: usize = 1_000;

/// How the sync stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Gauges {
    /// The running figures.
    pub figures: BTreeMap<Figure, i64>,
    /// Links of both sides' records.
    pub linked: i64,
    /// Questions that wait for a person.
    pub held: usize,
    /// Hints that wait to be read.
    pub waiting: i64,
    /// Of those, whether some are due by now.
    pub is_due: bool,
}

impl Gauges {
    /// Reads them.
    pub async fn read(ledger: &Postgres) -> Result<Self, LedgerError> {
        let figures = ledger.figures().await?;
        let counts = ledger.link_counts().await?;
        let query = ReviewQuery {
            status: Some(ReviewStatus::Open),
            max: HELD_MAX,
            ..ReviewQuery::default()
        };
        let held = ledger.reviews(&query).await?.len();
        let waiting = ledger.waiting().await?;
        let now = wall_micros();
        Ok(Self {
            figures,
            linked: counts
                .iter()
                .filter(|count| count.state == "linked")
                .map(|count| count.count)
                .sum(),
            held,
            waiting: waiting.iter().map(|waiting| waiting.hints).sum(),
            is_due: waiting.iter().any(|waiting| waiting.hints > 0 && waiting.due <= now),
        })
    }

    /// One of the running figures.
    pub fn figure(&self, figure: Figure) -> i64 {
        self.figures.get(&figure).copied().unwrap_or_default()
    }
}

/// Whether a batch was sent of which it is not known what became of it.
pub(super) async fn has_open_batches(ledger: &Postgres) -> Result<bool, LedgerError> {
    Ok(!ledger.open_batches(1).await?.is_empty())
}
