//! First loads: full scans through the same planner.

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::StreamPosition;
use syncline_ledger::Ledger;
use syncline_sdk::{Cursor, Purpose, ScanRequest};

use super::poll::fold_page;
use crate::error::Result;
use crate::limits;
use crate::reader::Intake;
use crate::work::Work;

/// The place of a load that is done.
pub const LOADED: &str = "done";

/// The name of the revision of a mapping that its links were last brought up to.
#[must_use]
pub fn revision_stream(mapping: &str) -> String {
    format!("revision:{mapping}")
}

/// The name of what a mapping left alone when it was last bound.
#[must_use]
pub fn frozen_stream(mapping: &str) -> String {
    format!("frozen:{mapping}")
}

/// The name of the load of a mapping's side among the streams.
#[must_use]
pub fn load_stream(mapping: &str, side: Side) -> String {
    format!("load:{mapping}:{side}")
}

impl<L: Ledger> Intake<L> {
    /// Reads one page of a full scan of a side. The work moves the load's place in the commit
    /// that folds the page, so that a load goes on after a crash where it stood. Gives the next
    /// place: [`LOADED`] when it is done.
    ///
    /// # Errors
    /// When the system gives no answer.
    pub async fn load(
        &self,
        id: MappingId,
        side: Side,
        after: Option<&str>,
    ) -> Result<(Work, String)> {
        let mapping = self.mappings[&id].clone();
        let place = &mapping.sides[side];
        let system = &self.systems[&place.system];
        let request = ScanRequest {
            selection: place.selection.clone(),
            after: after.filter(|after| !after.is_empty()).map(|after| Cursor(after.into())),
            page_rows_max: limits::PAGE_ROWS_MAX,
        };
        let context = self.context(Purpose::Load);
        let scan = system.connector.scan(&context, request);
        let page = system.ask(&*self.clock, scan).await.map_err(Self::at(&place.system))?;
        let next = page.next.as_ref().map_or(LOADED.to_owned(), |next| next.0.to_string());
        let mut work = fold_page(id, side, page);
        work.positions.push(StreamPosition {
            stream: load_stream(&mapping.name, side),
            identity: place.system.to_string(),
            place: next.clone(),
        });
        Ok((work, next))
    }
}
