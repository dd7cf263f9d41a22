//! Pushed feeds: images are observed directly (protocol O4).

use std::sync::Arc;

use syncline_core::model::{Gap, StreamPosition};
use syncline_ledger::Ledger;
use syncline_sdk::{Change, ChangeKind, FeedBatch, Position, SystemName};

use crate::engine::Engine;
use crate::intake::verify_from_start;
use crate::observation;
use crate::work::Work;

/// The name of a system's feed among the streams.
#[must_use]
pub fn feed_stream(system: &SystemName) -> String {
    format!("feed:{system}")
}

impl<L: Ledger> Engine<L> {
    /// The work that a batch of a feed makes: every change as an observation of each mapping
    /// that reads its entity, and the position, in one commit.
    #[must_use]
    pub fn fold_feed(&self, name: &SystemName, batch: &FeedBatch) -> Work {
        let mut work = Work::default();
        for change in &batch.changes {
            if change.kind == ChangeKind::Truncate {
                self.truncated(name, change, &mut work);
                continue;
            }
            self.observe_change(name, change, &mut work);
        }
        if let Some(position) = &batch.position {
            work.positions.push(stream_position(name, position));
        }
        work
    }

    fn observe_change(&self, name: &SystemName, change: &Change, work: &mut Work) {
        let Some(system) = self.intake.system(name) else {
            return;
        };
        let marked = match &change.marker {
            Some(marker) => self.flights.marked(&self.intake.install, marker),
            None => Arc::from([]),
        };
        for reader in system.readers(&change.entity) {
            let project = |values: &[_]| reader.project(values);
            if let Some(seen) = observation::of_change(change, project, marked.clone()) {
                work.observed.push((reader.mapping, reader.side, seen));
            }
        }
    }

    /// All records of an entity were removed at once: nothing is deleted on the other side. It
    /// is a gap of the mappings that read the entity, and people are asked record by record.
    fn truncated(&self, name: &SystemName, change: &Change, work: &mut Work) {
        let Some(system) = self.intake.system(name) else {
            return;
        };
        let noticed_at = self.intake.clock.now().micros();
        for reader in system.readers(&change.entity) {
            work.gaps.push(Gap {
                stream: format!("mapping:{}", reader.mapping),
                reason: format!("{} was truncated on {name}", change.entity),
                noticed_at,
                closed_at: None,
            });
            // A process that comes after a crash knows by it that every link is to be verified.
            let mapping = &self.intake.mappings[&reader.mapping];
            work.positions.push(verify_from_start(&mapping.name));
        }
    }
}

/// A position of a feed as the ledger keeps it.
pub(crate) fn stream_position(system: &SystemName, position: &Position) -> StreamPosition {
    StreamPosition {
        stream: feed_stream(system),
        identity: position.stream.to_string(),
        place: position.place.to_string(),
    }
}
