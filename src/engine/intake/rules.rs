//! Links that are planned again because the rules of their mapping changed.

use syncline_core::Side;
use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::{Link, LinkState, StreamPosition};
use syncline_ledger::Ledger;
use syncline_sdk::LinkId;

use super::LOADED;
use crate::error::Result;
use crate::limits;
use crate::reader::Intake;
use crate::work::Work;

/// The name of the pass over a mapping's links by its newest rules among the streams.
#[must_use]
pub fn rules_stream(mapping: &str) -> String {
    format!("rules:{mapping}")
}

/// Where the pass over a mapping's links goes on by what the ledger knows of it: from its start
/// where the rules are not those of the last pass. Nothing once it is over.
#[must_use]
pub fn rules_place(mapping: &Mapping, known: Option<&StreamPosition>) -> Option<String> {
    match known.filter(|known| known.identity == mapping.revision.to_string()) {
        Some(known) if known.place == LOADED => None,
        Some(known) => Some(known.place.clone()),
        None => Some(String::new()),
    }
}

impl<L: Ledger> Intake<L> {
    /// One page of the links of a mapping: those are planned again that newer rules may do
    /// something about, among them what stayed pending while the mapping observed. Gives the work
    /// and the last link of the page; nothing when the pass is done.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn by_new_rules(
        &self,
        id: MappingId,
        after: Option<LinkId>,
    ) -> Result<(Work, Option<LinkId>)> {
        let mapping = self.mappings[&id].clone();
        let links = self.ledger.page(id, after, limits::VERIFY_LINKS_MAX).await?;
        let last = links.last().map(|link| link.id);
        let mut work = Work::default();
        let waiting = links.iter().filter(|link| waits(&mapping, link));
        work.touched.extend(waiting.map(|link| (id, link.id)));
        work.positions.push(StreamPosition {
            stream: rules_stream(&mapping.name),
            identity: mapping.revision.to_string(),
            place: last.map_or(LOADED.to_owned(), |last| last.to_string()),
        });
        Ok((work, last))
    }
}

/// Whether there is something about a link that rules decide.
fn waits(mapping: &Mapping, link: &Link) -> bool {
    let pending = || Side::BOTH.into_iter().any(|side| !link.pending[side].is_empty());
    match link.state {
        LinkState::Ended | LinkState::Merged(_) => false,
        LinkState::Seen(side) => mapping.create[side.other()] || pending(),
        _ => pending() || !link.field_state.watched.is_empty(),
    }
}
