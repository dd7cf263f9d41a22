//! How far a feed may be acknowledged while its own markers are awaited.

use std::collections::BTreeMap;

use syncline_sdk::{BatchId, Position};

/// Where receipts come only in the stream, a process that starts anew must see the marker of
/// every batch that is not settled, or it would take the batch's fence for its refusal (protocol
/// I7). So the stored place stays before the first send of the oldest such batch; what comes
/// twice by that is recognised by its version.
#[derive(Debug, Default)]
pub(super) struct Holding {
    last: Option<Position>,
    /// Where the feed stood when a batch was sent; nothing when a process before this sent it.
    since: BTreeMap<BatchId, Option<Position>>,
}

impl Holding {
    /// A batch is sent now.
    pub fn sent(&mut self, batch: BatchId) {
        self.since.entry(batch).or_insert_with(|| self.last.clone());
    }

    /// A batch was sent by a process before this one.
    pub fn found(&mut self, batch: BatchId) {
        self.since.insert(batch, None);
    }

    /// The place that may be stored when the feed was read up to `position`; nothing when it must
    /// stay where it is.
    pub fn store(
        &mut self,
        position: &Position,
        is_open: impl Fn(BatchId) -> bool,
    ) -> Option<Position> {
        self.since.retain(|batch, _| is_open(*batch));
        self.last = Some(position.clone());
        match self.since.values().next() {
            Some(since) => since.clone(),
            None => Some(position.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: &str) -> Position {
        Position { stream: "s".into(), place: place.into() }
    }

    fn batch(commit: i64) -> BatchId {
        BatchId { commit, ordinal: 0 }
    }

    #[test]
    fn the_oldest_unsettled_batch_holds_the_place() {
        let mut holding = Holding::default();
        let all = |_: BatchId| true;
        assert_eq!(holding.store(&at("1"), all), Some(at("1")));
        holding.sent(batch(7));
        assert_eq!(holding.store(&at("2"), all), Some(at("1")));
        holding.sent(batch(8));
        assert_eq!(holding.store(&at("3"), all), Some(at("1")));
        assert_eq!(holding.store(&at("4"), |open| open != batch(7)), Some(at("2")));
        assert_eq!(holding.store(&at("5"), |_| false), Some(at("5")));
    }

    #[test]
    fn a_batch_of_an_earlier_process_lets_nothing_be_stored() {
        let mut holding = Holding::default();
        holding.found(batch(3));
        holding.sent(batch(3));
        assert_eq!(holding.store(&at("9"), |_| true), None);
        assert_eq!(holding.store(&at("9"), |_| false), Some(at("9")));
    }
}
