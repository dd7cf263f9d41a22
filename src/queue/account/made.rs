//! An account, made of counts.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use syncline_core::Side;
use syncline_core::mapping::{MappingId, Objective};
use syncline_core::model::Counted;
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Depths, KeptReport, Measures as _, Result, Schedules as _};

use super::Totals;
use crate::queue::desk::Desk;
use crate::queue::removed::Files;
use crate::queue::words::time;
use crate::stop::Stop;

/// The share of changes that have to be carried within the lag of an objective for it to be met:
/// a single slow answer in a hundred is no miss.
pub const WITHIN_SHARE: f64 = 0.99;

/// What happened between two times.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The beginning.
    pub from: String,
    /// The end.
    pub until: String,
    /// The mappings, by name.
    pub mappings: Vec<OfMapping>,
    /// The systems, by name.
    pub systems: Vec<OfSystem>,
}

/// Of one mapping.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OfMapping {
    pub mapping: String,
    /// What went to the left.
    pub to_left: Direction,
    /// What went to the right.
    pub to_right: Direction,
    pub questions: Questions,
    /// How many records are set aside at the end.
    pub parked: i64,
    /// How far the objective was met, where there is one.
    pub objective: Option<Attained>,
}

/// What went one way.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Direction {
    /// Writes that were applied.
    pub carried: i64,
    /// Writes that the side refused.
    pub refused: i64,
    /// The same by kind of error.
    pub refused_by_kind: BTreeMap<String, i64>,
    /// Writes that had to be planned or tried again: they met a newer edit or a lock.
    pub retried: i64,
    /// Records that were set aside.
    pub parked: i64,
    /// How long a change took on average, seconds; null where it is not known of any.
    pub lag_seconds: Option<f64>,
}

/// Questions to people.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Questions {
    pub asked: i64,
    pub answered: i64,
    /// How many are open at the end.
    pub open: i64,
}

/// How far an objective was met.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Attained {
    /// How soon changes were to be carried, seconds.
    pub lag_seconds: Option<f64>,
    /// The share of changes that were, 0 to 1; null where it is not known of any.
    pub within: Option<f64>,
    /// The share of writes that may be refused, 0 to 1.
    pub failures: Option<f64>,
    /// The share that was; null where nothing was written.
    pub failed: Option<f64>,
    /// Whether it was met; null where not all of it was measured and nothing was missed.
    pub met: Option<bool>,
}

/// Of one system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OfSystem {
    pub system: String,
    /// Calls made to it.
    pub calls: i64,
}

impl Account {
    /// The account of a period in which so much was added. `depths` tell what is open at its end.
    /// Mappings that the files do not have are left out where nothing happened to them.
    pub fn new(
        desk: &Desk,
        files: Option<&Files>,
        period: (i64, i64),
        added: &Totals,
        depths: &Depths,
    ) -> Self {
        let named = |name: &String| files.is_none_or(|files| files.mappings.contains(name));
        let of = |known: &crate::queue::desk::KnownMapping| {
            let objective = known.spec.as_ref().and_then(|spec| spec.objective);
            OfMapping::new(known.id, known.name.clone(), objective, added, depths)
        };
        let mut mappings: Vec<OfMapping> = desk.mappings.iter().map(of).collect();
        mappings.retain(|of| named(&of.mapping) || !of.is_empty());
        mappings.sort_by(|a, b| a.mapping.cmp(&b.mapping));
        let calls = added.calls().iter().filter(|(_, calls)| **calls > 0);
        let system =
            |(system, calls): (&String, &i64)| OfSystem { system: system.clone(), calls: *calls };
        Self {
            from: time(period.0),
            until: time(period.1),
            mappings,
            systems: calls.map(system).collect(),
        }
    }
}

impl OfMapping {
    fn new(
        id: MappingId,
        mapping: String,
        objective: Option<Objective>,
        added: &Totals,
        depths: &Depths,
    ) -> Self {
        let open = depths.questions.iter().find(|depth| depth.of == id);
        let parked = depths.parked.iter().filter(|depth| depth.of.0 == id);
        Self {
            mapping,
            to_left: Direction::new(added, id, Side::Left),
            to_right: Direction::new(added, id, Side::Right),
            questions: Questions {
                asked: added.of(id, None, Counted::Asked),
                answered: added.of(id, None, Counted::Answered),
                open: open.map_or(0, |depth| depth.count),
            },
            parked: parked.map(|depth| depth.count).sum(),
            objective: objective.map(|objective| Attained::new(objective, added, id)),
        }
    }

    /// Whether nothing happened, and nothing waits.
    fn is_empty(&self) -> bool {
        let nothing = Direction::default();
        self.to_left == nothing
            && self.to_right == nothing
            && self.questions == Questions::default()
            && self.parked == 0
    }
}

impl Direction {
    fn new(added: &Totals, id: MappingId, toward: Side) -> Self {
        let of = |counted| added.of(id, Some(toward), counted);
        let refused_by_kind = added.refused(id, toward);
        let lag = share(of(Counted::LagMicros), of(Counted::Measured));
        Self {
            carried: of(Counted::Applied),
            refused: refused_by_kind.values().sum(),
            refused_by_kind,
            retried: of(Counted::Stale) + of(Counted::Busy) + of(Counted::Missing),
            parked: of(Counted::Parked),
            lag_seconds: lag.map(|micros| micros / 1e6),
        }
    }
}

impl Attained {
    fn new(objective: Objective, added: &Totals, id: MappingId) -> Self {
        let both = |counted: Counted| -> i64 {
            Side::BOTH.into_iter().map(|side| added.of(id, Some(side), counted.clone())).sum()
        };
        let applied = both(Counted::Applied);
        let refused: i64 =
            Side::BOTH.into_iter().flat_map(|side| added.refused(id, side).into_values()).sum();
        let failures = objective.failures.map(|share| f64::from(share) / 1e6);
        let within = share(both(Counted::Within), both(Counted::Measured));
        let within = within.filter(|_| objective.lag.is_some());
        let failed = share(refused, applied + refused);
        let soon = within.map(|within| within >= WITHIN_SHARE);
        let sound = failures.zip(failed).map(|(most, failed)| failed <= most);
        // What was not measured is not met; what was missed is missed, whatever else was measured.
        let wanted = [objective.lag.map(|_| soon), failures.map(|_| sound)];
        let wanted: Vec<Option<bool>> = wanted.into_iter().flatten().collect();
        let met = match wanted.contains(&Some(false)) {
            true => Some(false),
            false => wanted.iter().all(Option::is_some).then_some(true),
        };
        let lag_seconds = objective.lag.map(seconds);
        Self { lag_seconds, within, failures, failed, met }
    }
}

fn seconds(micros: i64) -> f64 {
    share(micros, 1_000_000).unwrap_or(0.0)
}

/// A part of a whole; nothing of nothing.
fn share(part: i64, whole: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let share = part as f64 / whole as f64;
    (whole > 0).then_some(share)
}

/// The latest report that is kept, as it was made; nothing before the first.
///
/// # Errors
/// When the ledger gives no answer.
pub async fn last_report(ledger: &Postgres) -> Result<Option<KeptReport>> {
    Ok(ledger.reports(None, 1).await?.pop())
}

/// The account from the end of a report, or from the beginning of the ledger, until now; with the
/// counts of now, and the times.
///
/// # Errors
/// When the ledger gives no answer.
pub async fn account_since(
    desk: &Desk,
    files: Option<&Files>,
    report: Option<&KeptReport>,
    now: i64,
) -> Result<(Account, Totals, (i64, i64)), Stop> {
    let ledger = &desk.ledger;
    let read = "the ledger";
    let from = match report {
        Some(kept) => kept.report.until_at,
        None => ledger.installed_at().await.context(read)?.unwrap_or(now),
    };
    let before = report.and_then(|kept| Totals::of_text(&kept.report.totals)).unwrap_or_default();
    let totals = Totals::read(ledger).await.context(read)?;
    let depths = ledger.depths(now).await.context(read)?;
    let period = (from.min(now), now);
    let account = Account::new(desk, files, period, &totals.since(&before), &depths);
    Ok((account, totals, period))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(counts: &[(Option<Side>, &str, i64)]) -> Totals {
        let rows: Vec<_> =
            counts.iter().map(|(side, name, count)| (1, *side, *name, *count)).collect();
        let text = serde_json::json!({ "tallies": rows, "calls": {} }).to_string();
        Totals::of_text(&text).unwrap()
    }

    #[test]
    fn an_objective_is_met_by_all_that_was_carried() {
        let objective = Objective { lag: Some(5_000_000), failures: Some(10_000) };
        let (left, right) = (Some(Side::Left), Some(Side::Right));
        let met = |within, refused| {
            let added = totals(&[
                (left, "applied", 50),
                (right, "applied", 150),
                (left, "measured", 50),
                (right, "measured", 50),
                (left, "within", 50),
                (right, "within", within),
                (right, "refused.invalid", refused),
            ]);
            Attained::new(objective, &added, MappingId(1)).met
        };
        assert_eq!(met(49, 2), Some(true));
        assert_eq!(met(48, 2), Some(false));
        assert_eq!(met(49, 3), Some(false));
        let nothing = Attained::new(objective, &Totals::default(), MappingId(1));
        assert_eq!((nothing.met, nothing.within, nothing.failed), (None, None, None));
        // Of changes that a first load brought no time is known.
        let loaded = totals(&[(left, "applied", 50)]);
        let attained = Attained::new(objective, &loaded, MappingId(1));
        assert_eq!((attained.met, attained.failed), (None, Some(0.0)));
        let refused = totals(&[(left, "applied", 50), (left, "refused.schema", 50)]);
        assert_eq!(Attained::new(objective, &refused, MappingId(1)).met, Some(false));
        let soon = Objective { lag: None, failures: Some(0) };
        let one = totals(&[(left, "refused.schema", 1)]);
        assert_eq!(Attained::new(soon, &one, MappingId(1)).met, Some(false));
    }

    #[test]
    fn a_direction_tells_what_went_that_way() {
        let (left, right) = (Some(Side::Left), Some(Side::Right));
        let added = totals(&[
            (left, "applied", 4),
            (left, "measured", 2),
            (left, "lag_micros", 3_000_000),
            (left, "stale", 1),
            (left, "busy", 2),
            (left, "refused.invalid", 2),
            (left, "refused.schema", 3),
            (left, "parked", 1),
            (right, "applied", 9),
        ]);
        let told = Direction::new(&added, MappingId(1), Side::Left);
        assert_eq!((told.carried, told.refused, told.retried, told.parked), (4, 5, 3, 1));
        assert_eq!(told.lag_seconds, Some(1.5));
        assert_eq!(told.refused_by_kind["schema"], 3);
        assert_eq!(Direction::new(&added, MappingId(1), Side::Right).lag_seconds, None);
    }
}
