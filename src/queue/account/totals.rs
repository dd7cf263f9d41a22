//! The running counts of a ledger at one time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Counted, Tally};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{People as _, Result, Schedules as _};

/// The running counts of a ledger at one time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    tallies: BTreeMap<Tally, i64>,
    calls: BTreeMap<String, i64>,
}

/// As they are kept with a report.
#[derive(Serialize, Deserialize)]
struct Kept {
    tallies: Vec<(i32, Option<Side>, String, i64)>,
    calls: BTreeMap<String, i64>,
}

impl Totals {
    /// Those of now.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub async fn read(ledger: &Postgres) -> Result<Self> {
        let tallies = ledger.tallies().await?.into_iter().collect();
        let calls = ledger.calls().await?;
        let calls = calls.into_iter().map(|(system, calls)| (system.to_string(), calls)).collect();
        Ok(Self { tallies, calls })
    }

    /// As a text to be kept.
    pub fn text(&self) -> String {
        let row = |(tally, count): (&Tally, &i64)| {
            (tally.mapping.0, tally.toward, tally.counted.name().into_owned(), *count)
        };
        let tallies = self.tallies.iter().map(row).collect();
        let kept = Kept { tallies, calls: self.calls.clone() };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// From a text that was kept; nothing where it is none.
    pub fn of_text(text: &str) -> Option<Self> {
        let kept: Kept = serde_json::from_str(text).ok()?;
        let row = |(mapping, toward, name, count): (i32, _, String, i64)| {
            let counted = Counted::named(&name)?;
            Some((Tally { mapping: MappingId(mapping), toward, counted }, count))
        };
        let tallies = kept.tallies.into_iter().filter_map(row).collect();
        Some(Self { tallies, calls: kept.calls })
    }

    /// What was added since.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut added = self.clone();
        for (tally, count) in &mut added.tallies {
            *count -= before.tallies.get(tally).copied().unwrap_or(0);
        }
        for (system, calls) in &mut added.calls {
            *calls -= before.calls.get(system).copied().unwrap_or(0);
        }
        added
    }

    /// The count of one thing of a direction of a mapping.
    pub fn of(&self, mapping: MappingId, toward: Option<Side>, counted: Counted) -> i64 {
        self.tallies.get(&Tally { mapping, toward, counted }).copied().unwrap_or(0)
    }

    /// The refusals of a direction of a mapping, by kind of error.
    pub fn refused(&self, mapping: MappingId, toward: Side) -> BTreeMap<String, i64> {
        let of = self.tallies.iter().filter_map(|(tally, count)| match &tally.counted {
            Counted::Refused(kind)
                if tally.mapping == mapping && tally.toward == Some(toward) && *count > 0 =>
            {
                Some((kind.clone(), *count))
            }
            _ => None,
        });
        of.collect()
    }

    /// The calls made to systems.
    pub fn calls(&self) -> &BTreeMap<String, i64> {
        &self.calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_kept_and_subtracted() {
        let tally = |counted| Tally { mapping: MappingId(3), toward: Some(Side::Left), counted };
        let refused = Counted::Refused("invalid".to_owned());
        let totals = |applied, refusals, calls| Totals {
            tallies: [(tally(Counted::Applied), applied), (tally(refused.clone()), refusals)]
                .into(),
            calls: [("crm".to_owned(), calls)].into(),
        };
        let now = totals(9, 2, 40);
        assert_eq!(Totals::of_text(&now.text()), Some(now.clone()));
        assert_eq!(Totals::of_text("nothing"), None);
        let added = now.since(&totals(4, 1, 30));
        assert_eq!(added, totals(5, 1, 10));
        assert_eq!(added.of(MappingId(3), Some(Side::Left), Counted::Applied), 5);
        assert_eq!(added.of(MappingId(3), Some(Side::Right), Counted::Applied), 0);
        assert_eq!(added.refused(MappingId(3), Side::Left), [("invalid".to_owned(), 1)].into());
    }
}
