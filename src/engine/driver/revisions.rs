//! Mappings whose rules were changed: what the ledger keeps is laid out anew, and read again where
//! the new rules ask for more, before anything else happens (protocol 1.10).

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_core::Side;
use syncline_core::mapping::Mapping;
use syncline_core::model::StreamPosition;
use syncline_ledger::{Encrypting, Ledger};

use super::run::{Driver, DriverError};
use crate::error::EngineError;
use crate::intake::{SweepPlace, load_stream, revision_stream, sweep_stream};
use crate::limits;
use crate::work::Work;

impl<L: Ledger> Driver<L> {
    /// Brings the links of changed mappings up to the present revision. What a crash leaves behind
    /// is done by the next start: a revision is noted once its links are.
    pub(super) async fn bring_up(
        &mut self,
        known: &mut BTreeMap<String, StreamPosition>,
    ) -> Result<(), DriverError> {
        let mappings: Vec<Arc<Mapping>> =
            self.engine.intake.mappings.values().map(Arc::clone).collect();
        for mapping in mappings {
            if !self.thaw(&mapping, known).await? {
                return Ok(());
            }
            let stream = revision_stream(&mapping.name);
            let noted = known.get(&stream).and_then(|noted| noted.place.parse::<i32>().ok());
            if noted == Some(mapping.revision) {
                continue;
            }
            let begun = Side::BOTH
                .into_iter()
                .any(|side| known.contains_key(&load_stream(&mapping.name, side)));
            if begun && mapping.is_sensitive() && !self.encrypt(&mapping).await? {
                return Ok(());
            }
            // Ledgers of the first releases have none noted.
            let before = noted.or_else(|| mapping.former.keys().next_back().copied());
            if begun && mapping.former.values().any(|former| !former.is_same()) {
                tracing::info!(
                    mapping = &*mapping.name,
                    "its rules were changed: its links follow"
                );
                if !self.relay_links(&mapping).await? {
                    return Ok(());
                }
            }
            let mut work = Work::default();
            if let Some(former) = before.filter(|_| begun).and_then(|at| mapping.former.get(&at)) {
                let place = |stream: String, place: String| StreamPosition {
                    stream,
                    identity: String::new(),
                    place,
                };
                if former.widened {
                    for side in Side::BOTH {
                        let load = place(load_stream(&mapping.name, side), String::new());
                        let identity = mapping.sides[side].system.to_string();
                        work.positions.push(StreamPosition { identity, ..load });
                    }
                }
                if former.filtered {
                    // A scan does not show what is outside by now.
                    let now = self.engine.intake.clock.now().micros();
                    let start = SweepPlace::start(now, 0).to_string();
                    work.positions.push(place(sweep_stream(&mapping.name), start));
                    self.swept_for.insert(mapping.id, 0);
                }
            }
            work.positions.push(StreamPosition {
                stream,
                identity: String::new(),
                place: mapping.revision.to_string(),
            });
            for position in &work.positions {
                known.insert(position.stream.clone(), position.clone());
            }
            self.commit(work).await?;
        }
        Ok(())
    }

    /// Encrypts what the ledger keeps of a mapping from before its fields were sensitive. False
    /// when it was stopped.
    async fn encrypt(&mut self, mapping: &Mapping) -> Result<bool, DriverError> {
        let mut from = Encrypting::START;
        loop {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            let ledger = self.engine.ledger();
            let next = ledger.encrypt(mapping.id, from, limits::ENCRYPTED_MAX).await;
            match next.map_err(EngineError::Ledger)? {
                Some(next) => from = next,
                None => return Ok(true),
            }
        }
    }

    /// Lays out all links of a mapping anew and plans them. False when it was stopped.
    async fn relay_links(&mut self, mapping: &Mapping) -> Result<bool, DriverError> {
        let mut after = None;
        loop {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            let page = self.engine.former_links(mapping, after).await;
            let (touched, next) = page?;
            if !touched.is_empty() {
                self.commit(Work { touched, ..Work::default() }).await?;
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(true),
            }
        }
    }
}
