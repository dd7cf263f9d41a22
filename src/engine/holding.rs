//! How far a feed may be acknowledged while its own markers are awaited.

use std::collections::BTreeMap;

use syncline_ledger::Ledger;
use syncline_sdk::{BatchId, Position, ReceiptKind, SystemName};

use crate::engine::Engine;
use crate::flight::Flights;

/// Where receipts come only in the stream, a process that starts anew must see the marker of
/// every batch that is not settled, or it would take the batch's fence for its refusal (protocol
/// I7). So the stored place stays before the first send of the oldest such batch; what comes
/// twice by that is recognised by its version.
#[derive(Debug, Default)]
struct Holding {
    last: Option<Position>,
    /// Where the feed stood when a batch was sent; nothing when a process before this sent it.
    since: BTreeMap<BatchId, Option<Position>>,
}

impl Holding {
    /// A batch is sent now.
    fn sent(&mut self, batch: BatchId) {
        self.since.entry(batch).or_insert_with(|| self.last.clone());
    }

    /// A batch was sent by a process before this one.
    fn found(&mut self, batch: BatchId) {
        self.since.insert(batch, None);
    }

    /// The place that may be stored when the feed was read up to `position`; nothing when it must
    /// stay where it is.
    fn store(
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

/// The holdings of all feeds that carry receipts.
#[derive(Debug, Default)]
pub struct Holdings(BTreeMap<SystemName, Holding>);

impl Holdings {
    /// A batch under way is sent now.
    pub fn sent(&mut self, flights: &Flights, batch: BatchId) {
        let system = flights.get(batch).map(|flight| &flight.batch.system);
        if let Some(holding) = system.and_then(|system| self.0.get_mut(system)) {
            holding.sent(batch);
        }
    }

    /// The place that may be stored, and acknowledged, when the feed of a system was read up to
    /// `position`; nothing when it must stay where it is.
    pub fn store(
        &mut self,
        flights: &Flights,
        system: &SystemName,
        position: &Position,
    ) -> Option<Position> {
        match self.0.get_mut(system) {
            Some(holding) => holding.store(position, |batch| flights.get(batch).is_some()),
            None => Some(position.clone()),
        }
    }

    /// The stream of a system begins anew at `start`: it tells nothing of what was sent before,
    /// so there is nothing to stay for.
    pub fn begin(&mut self, system: &SystemName, start: &Position) {
        if let Some(holding) = self.0.get_mut(system) {
            *holding = Holding { last: Some(start.clone()), since: BTreeMap::new() };
        }
    }
}

impl<L: Ledger> Engine<L> {
    /// Feeds that carry receipts stay before what an earlier process, or an earlier ownership,
    /// left unsettled.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        let by_stream = |name: &&SystemName| {
            let system = &self.intake.systems[*name];
            let receipt = |selection| system.connector.effective(selection).receipt;
            system.feed.iter().any(|selection| receipt(selection) == ReceiptKind::Stream)
        };
        let names = self.intake.systems.keys().filter(by_stream).cloned();
        let mut holdings = Holdings(names.map(|name| (name, Holding::default())).collect());
        for flight in self.flights.iter() {
            if let Some(holding) = holdings.0.get_mut(&flight.batch.system) {
                holding.found(flight.batch.id);
            }
        }
        holdings
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
    fn a_stream_that_begins_anew_is_not_held_for_what_was_sent_before() {
        let name = SystemName::from("ops");
        let mut holding = Holding::default();
        let _ = holding.store(&at("1"), |_| true);
        holding.sent(batch(7));
        let mut holdings = Holdings(BTreeMap::from([(name.clone(), holding)]));
        holdings.begin(&name, &at("anew 1"));
        let flights = Flights::default();
        assert_eq!(holdings.store(&flights, &name, &at("anew 2")), Some(at("anew 2")));
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
