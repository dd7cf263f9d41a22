//! The metrics of what was carried and how soon: counts of mappings, objectives, the lag of
//! streams, the hours of systems, and when a quota will be used up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Counted, Tally};
use syncline_engine::driver::Status;
use syncline_sdk::{Quota, SystemName};
use syncline_server::Sample;

use super::figures::{counter, gauge, number};
use super::known::Known;

/// Names of the metrics and what they mean.
pub(super) const METRICS: &[(&str, &str)] = &[
    (WRITES, "Writes that are settled, by mapping, side written and what became of them."),
    (REFUSED, "Writes that were refused, by mapping, side written and kind of error."),
    (
        LAG,
        "How long changes took together from the edit to the proof that it is on the other side.",
    ),
    (LAG_MEASURED, "Changes of which that is known."),
    (LAG_WITHIN, "Of these, the changes that were carried within the objective of the mapping."),
    (SET_ASIDE, "Records that were set aside, by mapping and side that refused."),
    (ASKED, "Questions that were asked, by mapping."),
    (ANSWERED, "Answers of people that were applied, by mapping."),
    (OBJECTIVE_LAG, "How soon changes are to be carried, by the objective of the mapping."),
    (OBJECTIVE_FAILURES, "The share of writes that may be refused, by the objective."),
    (
        STREAM_LAG,
        "How old the newest change of a feed or a poll was when it came; 0 once caught up.",
    ),
    (QUIET, "Whether nothing new is sent to a system, because of its quiet hours."),
    (QUOTA_ENDS, "When the daily quota is used up at the pace of the last hour; inf for never."),
];

const WRITES: &str = "syncline_writes_total";
const REFUSED: &str = "syncline_writes_refused_total";
const LAG: &str = "syncline_lag_seconds_total";
const LAG_MEASURED: &str = "syncline_lag_measured_total";
const LAG_WITHIN: &str = "syncline_lag_within_objective_total";
const SET_ASIDE: &str = "syncline_set_aside_total";
const ASKED: &str = "syncline_questions_asked_total";
const ANSWERED: &str = "syncline_questions_answered_total";
const OBJECTIVE_LAG: &str = "syncline_objective_lag_seconds";
const OBJECTIVE_FAILURES: &str = "syncline_objective_failures_ratio";
const STREAM_LAG: &str = "syncline_stream_lag_seconds";
const QUIET: &str = "syncline_system_quiet";
const QUOTA_ENDS: &str = "syncline_system_quota_ends_seconds";

/// What mappings carried. Those that no file has are left out: their counts are in the ledger.
pub(super) fn of_tallies(tallies: &[(Tally, i64)], known: &Known) -> Vec<Sample> {
    let sample = |(tally, count): &(Tally, i64)| {
        let name = known.mappings.get(&tally.mapping)?;
        let mut labels = vec![("mapping", name.to_string())];
        if let Some(side) = tally.toward {
            labels.push(("to", side.to_string()));
        }
        let outcome = match &tally.counted {
            Counted::Applied => "applied",
            Counted::Stale => "stale",
            Counted::Missing => "missing",
            Counted::Busy => "busy",
            Counted::Cancelled => "cancelled",
            Counted::Refused(kind) => {
                labels.push(("kind", kind.clone()));
                return Some(counter(REFUSED, labels, number(*count)));
            }
            Counted::Measured => return Some(counter(LAG_MEASURED, labels, number(*count))),
            Counted::LagMicros => return Some(counter(LAG, labels, number(*count) / 1e6)),
            Counted::Within => return Some(counter(LAG_WITHIN, labels, number(*count))),
            Counted::Parked => return Some(counter(SET_ASIDE, labels, number(*count))),
            Counted::Asked => return Some(counter(ASKED, labels, number(*count))),
            Counted::Answered => return Some(counter(ANSWERED, labels, number(*count))),
        };
        labels.push(("outcome", outcome.to_owned()));
        Some(counter(WRITES, labels, number(*count)))
    };
    let mut samples: Vec<Sample> = tallies.iter().filter_map(sample).collect();
    samples.extend(refused_in_all(tallies, known));
    samples
}

/// Refusals of all kinds, as one of the outcomes of writes.
fn refused_in_all(tallies: &[(Tally, i64)], known: &Known) -> Vec<Sample> {
    let mut all: BTreeMap<(MappingId, Side), i64> = BTreeMap::new();
    for (tally, count) in tallies {
        if let (Counted::Refused(_), Some(side)) = (&tally.counted, tally.toward) {
            *all.entry((tally.mapping, side)).or_default() += count;
        }
    }
    let told = all.into_iter().filter_map(|((mapping, side), count)| {
        let labels = vec![
            ("mapping", known.mappings.get(&mapping)?.to_string()),
            ("to", side.to_string()),
            ("outcome", "refused".to_owned()),
        ];
        Some(counter(WRITES, labels, number(count)))
    });
    told.collect()
}

/// What mappings are to attain.
pub(super) fn of_objectives(known: &Known) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (mapping, objective) in &known.objectives {
        let label = || vec![("mapping", mapping.to_string())];
        if let Some(lag) = objective.lag {
            samples.push(gauge(OBJECTIVE_LAG, label(), number(lag) / 1e6));
        }
        if let Some(share) = objective.failures {
            samples.push(gauge(OBJECTIVE_FAILURES, label(), f64::from(share) / 1e6));
        }
    }
    samples
}

/// How far behind streams were, and the hours of systems.
pub(super) fn of_streams(status: &Status) -> Vec<Sample> {
    let lags = status.lags.iter().map(|(stream, lag)| {
        gauge(STREAM_LAG, vec![("stream", stream.clone())], number(lag.micros) / 1e6)
    });
    let quiet = status.systems.iter().map(|(name, system)| {
        gauge(QUIET, vec![("system", name.to_string())], f64::from(u8::from(system.quiet)))
    });
    lags.chain(quiet).collect()
}

/// How far apart the looks at a quota are from which its pace is told, and how many are kept: an
/// hour.
const LOOK_EVERY: i64 = 60_000_000;
const LOOKS_MAX: usize = 61;

/// What was used of a quota at some times.
type Looks = VecDeque<(i64, u64)>;

/// The pace at which quotas are used. A clone is the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Forecast(Arc<Mutex<BTreeMap<SystemName, Looks>>>);

impl Forecast {
    /// Notes what is used of a quota, and tells in how many seconds it is used up at the pace of
    /// the last hour: never while nothing is used, or while it grows by as much as it gives back.
    pub fn note(&self, system: &SystemName, quota: Quota, now: i64) -> f64 {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = looks.entry(system.clone()).or_default();
        if looks.back().is_none_or(|(at, _)| now - at >= LOOK_EVERY) {
            looks.push_back((now, quota.used));
            if looks.len() > LOOKS_MAX {
                looks.pop_front();
            }
        }
        let left = quota.max.saturating_sub(quota.used);
        if left == 0 {
            return 0.0;
        }
        let first = looks.front().copied().unwrap_or((now, quota.used));
        let used = quota.used.saturating_sub(first.1);
        let passed = now.saturating_sub(first.0);
        if used == 0 || passed < LOOK_EVERY {
            return f64::INFINITY;
        }
        number(left) * (number(passed) / 1e6) / number(used)
    }

    /// The forecasts of all systems that have a quota.
    pub fn samples(&self, status: &Status, now: i64) -> Vec<Sample> {
        let told = status.systems.iter().filter_map(|(name, system)| {
            let ends = self.note(name, system.usage.quota?, now);
            Some(gauge(QUOTA_ENDS, vec![("system", name.to_string())], ends))
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_told_by_what_became_of_them() {
        let tally = |mapping, counted| Tally {
            mapping: MappingId(mapping),
            toward: Some(Side::Right),
            counted,
        };
        let tallies = [
            (tally(1, Counted::Applied), 7),
            (tally(1, Counted::LagMicros), 2_500_000),
            (tally(1, Counted::Refused("invalid".to_owned())), 2),
            (tally(1, Counted::Refused("schema".to_owned())), 1),
            (tally(2, Counted::Applied), 9),
        ];
        let known = Known { mappings: [(MappingId(1), "a".into())].into(), ..Known::default() };
        let told = of_tallies(&tallies, &known);
        let value = |name: &str, label: &str| {
            let found = told.iter().find(|sample| {
                sample.name == name && sample.labels.last().is_some_and(|last| last.1 == label)
            });
            found.map(|sample| sample.value)
        };
        assert_eq!(value(WRITES, "applied"), Some(7.0));
        assert_eq!(value(WRITES, "refused"), Some(3.0));
        assert_eq!(value(REFUSED, "schema"), Some(1.0));
        assert_eq!(value(LAG, "right"), Some(2.5));
        assert_eq!(told.len(), 5, "{told:?}");
    }

    #[test]
    fn a_quota_ends_when_its_pace_says_so() {
        let forecast = Forecast::default();
        let crm = SystemName::from("crm");
        let at = |minutes: i64, used| {
            forecast.note(&crm, Quota { used, max: 1_000 }, minutes * LOOK_EVERY)
        };
        assert!(at(0, 100).is_infinite());
        // Ten a minute, and 880 are left.
        assert!((at(2, 120) - 5_280.0).abs() < 1e-6);
        assert!(at(3, 90).is_infinite());
        assert!(at(4, 1_000).abs() < 1e-6);
        // After an hour the beginning is forgotten.
        for minute in 5..70 {
            at(minute, 500);
        }
        assert!(at(70, 500).is_infinite());
    }
}
