//! Polled changes: each page is a reading of our own.

use syncline_core::Side;
use syncline_core::machine::Source;
use syncline_core::mapping::MappingId;
use syncline_core::model::StreamPosition;
use syncline_ledger::Ledger;
use syncline_sdk::{ChangesRequest, Cursor, Page, Purpose};

use crate::error::Result;
use crate::limits;
use crate::observation;
use crate::reader::Intake;
use crate::work::Work;

/// The name of the poll of a mapping's side among the streams.
#[must_use]
pub fn poll_stream(mapping: &str, side: Side) -> String {
    format!("poll:{mapping}:{side}")
}

impl<L: Ledger> Intake<L> {
    /// Reads one page of changes of a side. The work moves the cursor in the commit that folds
    /// the page; the flag says whether there is more to read at once.
    ///
    /// # Errors
    /// When the system gives no answer.
    pub async fn poll(
        &self,
        id: MappingId,
        side: Side,
        since: Option<String>,
    ) -> Result<(Work, String, bool)> {
        let mapping = self.mappings[&id].clone();
        let place = &mapping.sides[side];
        let system = &self.systems[&place.system];
        let request = ChangesRequest {
            selection: place.selection.clone(),
            since: since.clone().map(|place| Cursor(place.into())),
            page_rows_max: limits::PAGE_ROWS_MAX,
        };
        let context = self.context(Purpose::Sync);
        let changes = system.connector.changes(&context, request);
        let page = system.ask(&*self.clock, changes).await.map_err(Self::at(&place.system))?;
        let more = page.more;
        let next = match &page.next {
            Some(next) => next.0.to_string(),
            None => since.clone().unwrap_or_default(),
        };
        let mut work = fold_page(id, side, page);
        if since.as_deref() != Some(next.as_str()) {
            work.positions.push(StreamPosition {
                stream: poll_stream(&mapping.name, side),
                identity: place.system.to_string(),
                place: next.clone(),
            });
        }
        Ok((work, next, more))
    }
}

/// A page of a poll or scan as work.
pub(crate) fn fold_page(id: MappingId, side: Side, page: Page) -> Work {
    let time = page.server_time;
    let mut work = Work::default();
    for record in page.records {
        work.observed.push((id, side, observation::of_record(record, Source::Page, time)));
    }
    for (key, absence) in page.gone {
        if let Some(seen) = observation::of_absence(key, absence, Source::Page, time) {
            work.observed.push((id, side, seen));
        }
    }
    work
}
