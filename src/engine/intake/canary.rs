//! The canary: whether a side shows anything at all (protocol O7).
//!
//! A record that a side neither shows nor explains may be gone for good, or hidden from us. Where
//! it shows others of the entity, rights and sharing have not hidden them all, and a person is
//! asked about the one; where it shows none, nothing can be said.

use std::collections::BTreeSet;
use std::sync::Arc;

use syncline_core::Side;
use syncline_core::mapping::Mapping;
use syncline_ledger::Ledger;
use syncline_sdk::{Absence, Fetched, Key, Purpose, ScanRequest, Selection};

use crate::reader::Intake;
use crate::system::System;

/// The records that were neither shown nor explained.
pub(super) fn unseen(fetched: &Fetched) -> BTreeSet<Key> {
    let unseen = fetched.missing.iter().filter(|(_, why)| *why == Absence::NotVisible);
    unseen.map(|(key, _)| key.clone()).collect()
}

impl<L: Ledger> Intake<L> {
    /// Whether a side shows any record of a mapping's entity, inside its filter or not. Asks only
    /// where the answer at hand shows none.
    ///
    /// # Errors
    /// When the system gives no answer.
    pub(super) async fn shows_any(
        &self,
        system: &System,
        mapping: &Mapping,
        side: Side,
        fetched: &Fetched,
    ) -> syncline_sdk::Result<bool> {
        if !fetched.records.is_empty() {
            return Ok(true);
        }
        let selection = &mapping.sides[side].selection;
        let selection = Arc::new(Selection { filter: None, ..(**selection).clone() });
        let request = ScanRequest { selection, after: None, page_rows_max: 1 };
        let context = self.context(Purpose::Sweep);
        let scan = system.connector.scan(&context, request);
        Ok(!system.ask(&*self.clock, scan).await?.records.is_empty())
    }
}
