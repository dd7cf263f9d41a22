//! Where a stream began: what was sent before that, the stream may never tell of.

use std::collections::BTreeMap;

use syncline_core::model::StreamPosition;
use syncline_ledger::Ledger;
use syncline_sdk::{BatchId, Position, SystemName};

use crate::engine::Engine;
use crate::error::Result;
use crate::intake::stream_position;

/// What names the beginning of a system's feed among the streams.
const BEGINNING: &str = "beginning:";

/// The name of the beginning of a system's feed among the streams.
#[must_use]
pub fn beginning_of(system: &SystemName) -> String {
    format!("{BEGINNING}{system}")
}

/// The first commit whose batches the stream of each system tells of.
///
/// A fence that a stream passes without the marker of a batch proves that the batch was not
/// applied only if that stream was there when the batch was sent (protocol I7). Commit numbers
/// grow with each commit and each takeover, and a batch bears the number of the commit that
/// recorded its first send: one below the number that was next when the stream began may have
/// left its marker in what was lost.
#[derive(Debug, Default)]
pub(crate) struct Beginnings(BTreeMap<SystemName, i64>);

impl Beginnings {
    fn of(positions: Vec<StreamPosition>) -> Self {
        let beginning = |position: StreamPosition| {
            let system = SystemName::from(position.stream.strip_prefix(BEGINNING)?.to_owned());
            Some((system, position.place.parse().ok()?))
        };
        Self(positions.into_iter().filter_map(beginning).collect())
    }

    /// Whether the stream of a system may have lost the marker of a batch. So it is taken where
    /// nobody wrote down when the stream began.
    pub fn is_unseen(&self, system: &SystemName, batch: BatchId) -> bool {
        self.0.get(system).is_none_or(|first| batch.commit < *first)
    }
}

impl<L: Ledger> Engine<L> {
    /// What is to be committed when the feed of a system begins anew at `start`, before anything
    /// is read from it: its place, and that it tells nothing of what was sent until now.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn begin_stream(
        &mut self,
        system: &SystemName,
        start: &Position,
    ) -> Result<Vec<StreamPosition>> {
        let first = self.next_commit().await?;
        let beginning = StreamPosition {
            stream: beginning_of(system),
            identity: start.stream.to_string(),
            place: first.to_string(),
        };
        Ok(vec![stream_position(system, start), beginning])
    }

    /// Where the streams began, as the ledger knows it.
    pub(crate) async fn beginnings(&self) -> Result<Beginnings> {
        Ok(Beginnings::of(self.intake.ledger.positions().await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_from_before_the_beginning_is_unseen() {
        let position = |stream: &str, place: &str| StreamPosition {
            stream: stream.into(),
            identity: "s".into(),
            place: place.into(),
        };
        let beginnings =
            Beginnings::of(vec![position("feed:ops", "9"), position("beginning:ops", "7")]);
        let ops = SystemName::from("ops");
        let batch = |commit| BatchId { commit, ordinal: 0 };
        assert!(beginnings.is_unseen(&ops, batch(6)));
        assert!(!beginnings.is_unseen(&ops, batch(7)));
        assert!(beginnings.is_unseen(&SystemName::from("crm"), batch(8)));
    }
}
