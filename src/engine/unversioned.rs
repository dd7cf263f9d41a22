//! Writes that were applied at a time of which nothing is known.
//!
//! A version guard tells that nothing came between the reading of a plan and its write. Where there
//! is none, and a receipt proves the write without telling its version, what was read meanwhile may
//! be of before it or after it: a reading made now, with the settlement, decides.

use syncline_core::Side;
use syncline_core::machine::{Carried, Observation, Settling, Source};
use syncline_core::mapping::{Mapping, MappingId};
use syncline_core::model::IntentKind;
use syncline_ledger::Ledger;
use syncline_sdk::{Cas, FetchBy, FetchRequest, Purpose};

use crate::engine::Engine;
use crate::observation::{of_absence, of_record};

/// Whether a settlement leaves open what came before the write and what after it.
pub(crate) fn is_unversioned(mapping: &Mapping, carried: &Carried, settling: &Settling) -> bool {
    mapping.sides[carried.intent.side].capabilities.cas == Cas::None
        && carried.intent.kind == IntentKind::Update
        && matches!(settling, Settling::Applied { version: None, .. })
}

impl<L: Ledger> Engine<L> {
    /// What the record of a write shows by now, its deletion too. Nothing where that is not known:
    /// the system gives no answer, or neither shows nor explains the record.
    pub(crate) async fn shown_now(
        &self,
        mapping: &Mapping,
        carried: &Carried,
    ) -> Option<(MappingId, Side, Observation)> {
        let side = carried.intent.side;
        let place = &mapping.sides[side];
        let key = carried.intent.key.as_ref()?;
        let system = self.intake.system(&place.system)?;
        let by = FetchBy::Keys(vec![key.clone()]);
        let request = FetchRequest { selection: place.selection.clone(), by };
        let context = self.intake.context(Purpose::Sync);
        let fetch = system.connector.fetch(&context, request);
        let mut fetched = system.ask(&*self.intake.clock, fetch).await.ok()?;
        let seen = match (fetched.records.pop(), fetched.missing.pop()) {
            (Some(record), _) => of_record(record, Source::Read, None),
            (None, Some((key, absence))) => of_absence(key, absence, Source::Read, None)?,
            (None, None) => return None,
        };
        Some((mapping.id, side, seen))
    }
}
