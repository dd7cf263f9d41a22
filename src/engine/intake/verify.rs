//! Verifying passes: every linked record is read again on both sides. They close gaps and find
//! what events missed.

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::StreamPosition;
use syncline_ledger::Ledger;
use syncline_sdk::{FetchBy, FetchRequest, Key, LinkId, Purpose};

use crate::error::Result;
use crate::limits;
use crate::reader::Intake;
use crate::wants::suspects;
use crate::work::Work;

/// The name of the verifying pass of a mapping among the streams.
#[must_use]
pub fn verify_stream(mapping: &str) -> String {
    format!("verify:{mapping}")
}

/// The place of a verifying pass that is to begin: committed with the gap that asks for it.
#[must_use]
pub fn verify_from_start(mapping: &str) -> StreamPosition {
    StreamPosition { stream: verify_stream(mapping), identity: String::new(), place: String::new() }
}

impl<L: Ledger> Intake<L> {
    /// Reads both records of one page of links. A record that is missing is only suspected to
    /// be deleted: a person decides, since the gap may hide what happened. Gives the work and
    /// the last link of the page; nothing when the pass is done.
    ///
    /// # Errors
    /// When the ledger or a system gives no answer.
    pub async fn verify(
        &self,
        id: MappingId,
        after: Option<LinkId>,
    ) -> Result<(Work, Option<LinkId>)> {
        let mapping = self.mappings[&id].clone();
        let links = self.ledger.page(id, after, limits::VERIFY_LINKS_MAX).await?;
        let last = links.last().map(|link| link.id);
        let mut work = Work::default();
        for side in Side::BOTH {
            let keys: Vec<Key> = links.iter().filter_map(|link| link.keys[side].clone()).collect();
            if keys.is_empty() {
                continue;
            }
            let place = &mapping.sides[side];
            let system = &self.systems[&place.system];
            let request =
                FetchRequest { selection: place.selection.clone(), by: FetchBy::Keys(keys) };
            let context = self.context(Purpose::Sweep);
            let fetch = system.connector.fetch(&context, request);
            let fetched = system.ask(&*self.clock, fetch).await.map_err(Self::at(&place.system))?;
            work.observed.extend(suspects(fetched, false).into_iter().map(|seen| (id, side, seen)));
        }
        work.positions.push(StreamPosition {
            stream: verify_stream(&mapping.name),
            identity: String::new(),
            place: last.map_or(super::LOADED.to_owned(), |last| last.to_string()),
        });
        Ok((work, last))
    }
}
