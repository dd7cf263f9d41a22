//! The metrics of a running service. Labels are names of the settings, of the mapping files and
//! of this program, never of records.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_core::mapping::MappingId;
use syncline_engine::Clock as _;
use syncline_engine::driver::{Status, SystemClock};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Depths, Measures as _, People as _};
use syncline_server::{Recorder, Sample, describe as describe_all};

use super::waiting::Waits;
use super::webhooks::WebhookDesk;

/// Names of the metrics and what they mean; the one place where they are spelt.
const METRICS: &[(&str, &str)] = &[
    (FIGURE, "Running figures of the ledger since its beginning, by name."),
    (LINKS, "Links, by mapping and state."),
    (HINTS, "Records that wait to be read, by system."),
    (HINTS_DUE, "Records that are due to be read, by system."),
    (HINTS_LATE, "For how long the first of the records that had to wait has been due."),
    (QUESTIONS, "Questions that wait for a person, by mapping."),
    (QUESTIONS_OLDEST, "For how long the oldest question has waited, by mapping."),
    (ANSWERS, "Answers that the engine has not folded yet, by mapping."),
    (PARKED, "Records set aside, by mapping and kind of error."),
    (PARKED_OLDEST, "For how long the oldest of them has been, by mapping and kind of error."),
    (BATCHES, "Batches recorded as sent and not settled, by system."),
    (BATCHES_OLDEST, "For how long the oldest of them has been under way, by system."),
    (BATCHES_RESENT, "Batches under way that were sent more than once, by system."),
    (STREAM_AGE, "For how long a feed or a poll has not moved, by stream."),
    (GAPS, "Stretches of a stream that were lost and are being closed, by stream."),
    (SYSTEM_UP, "Whether the last call to a system was answered."),
    (SYSTEM_AWAITED, "Whether a system is waited for since the process started."),
    (SYSTEM_HALTED, "Whether a system is halted until a person acts: its login was refused."),
    (SYSTEM_LEFT_ALONE, "Whether rounds leave a system alone, because it gave no answer."),
    (MAPPING_WAITING, "Whether a mapping waits to begin or to go on."),
    (SYSTEM_CALLS, "Calls made to a system by this process."),
    (LOG_RETAINED, "Bytes of its log that a system keeps for a feed that stands behind."),
    (QUOTA_USED, "Calls of the system's daily quota used by everybody."),
    (QUOTA_MAX, "Calls of the system's daily quota."),
    (IN_FLIGHT, "Batches under way from this process."),
    (ROUNDS, "Rounds committed by this process."),
    (OBSERVED, "Observations folded by this process."),
    (OWNER, "Whether this process owns the shards."),
    (LOADED, "Whether all first loads are done."),
    (LEDGER_UP, "Whether the ledger answered this scrape."),
    (DELIVERIES, "Webhook deliveries that came to this process, by what became of them."),
];

const FIGURE: &str = "syncline_figure_total";
const LINKS: &str = "syncline_links";
const HINTS: &str = "syncline_hints_waiting";
const HINTS_DUE: &str = "syncline_hints_due";
const HINTS_LATE: &str = "syncline_hints_late_seconds";
const QUESTIONS: &str = "syncline_questions_open";
const QUESTIONS_OLDEST: &str = "syncline_questions_oldest_seconds";
const ANSWERS: &str = "syncline_answers_waiting";
const PARKED: &str = "syncline_parked";
const PARKED_OLDEST: &str = "syncline_parked_oldest_seconds";
const BATCHES: &str = "syncline_batches_open";
const BATCHES_OLDEST: &str = "syncline_batches_oldest_seconds";
const BATCHES_RESENT: &str = "syncline_batches_resent";
const STREAM_AGE: &str = "syncline_stream_age_seconds";
const GAPS: &str = "syncline_gaps_open";
const SYSTEM_UP: &str = "syncline_system_up";
const SYSTEM_AWAITED: &str = "syncline_system_awaited";
const SYSTEM_HALTED: &str = "syncline_system_halted";
const SYSTEM_LEFT_ALONE: &str = "syncline_system_left_alone";
const MAPPING_WAITING: &str = "syncline_mapping_waiting";
const SYSTEM_CALLS: &str = "syncline_system_calls_total";
const LOG_RETAINED: &str = "syncline_system_log_retained_bytes";
const QUOTA_USED: &str = "syncline_system_quota_used";
const QUOTA_MAX: &str = "syncline_system_quota_max";
const IN_FLIGHT: &str = "syncline_batches_in_flight";
const ROUNDS: &str = "syncline_rounds_total";
const OBSERVED: &str = "syncline_observed_total";
const OWNER: &str = "syncline_owner";
const LOADED: &str = "syncline_loaded";
const LEDGER_UP: &str = "syncline_ledger_up";
const DELIVERIES: &str = "syncline_webhook_deliveries_total";

/// Tells a recorder what the metrics mean.
pub(super) fn describe(recorder: &Recorder) {
    let list: Vec<_> = METRICS.iter().map(|(name, meaning)| (*name, *meaning)).collect();
    describe_all(recorder, &list);
}

/// What the driver of this process tells.
pub(super) fn of_process(status: &Status) -> Vec<Sample> {
    let mut samples = vec![
        gauge(OWNER, Vec::new(), yes(status.owner)),
        gauge(LOADED, Vec::new(), yes(status.loaded)),
        gauge(IN_FLIGHT, Vec::new(), number(status.in_flight)),
        counter(ROUNDS, Vec::new(), number(status.rounds)),
        counter(OBSERVED, Vec::new(), number(status.observed)),
    ];
    for (name, system) in &status.systems {
        let label = || vec![("system", name.to_string())];
        samples.push(gauge(SYSTEM_UP, label(), yes(system.reachable)));
        samples.push(gauge(SYSTEM_AWAITED, label(), yes(system.awaited)));
        samples.push(gauge(SYSTEM_HALTED, label(), yes(system.halted)));
        samples.push(gauge(SYSTEM_LEFT_ALONE, label(), yes(system.left_alone)));
        samples.push(counter(SYSTEM_CALLS, label(), number(system.usage.calls)));
        if let Some(bytes) = system.usage.log_retained {
            samples.push(gauge(LOG_RETAINED, label(), number(bytes)));
        }
        if let Some(quota) = system.usage.quota {
            samples.push(gauge(QUOTA_USED, label(), number(quota.used)));
            samples.push(gauge(QUOTA_MAX, label(), number(quota.max)));
        }
    }
    samples
}

/// Which mappings wait.
pub(super) fn of_mappings(names: &BTreeMap<MappingId, Arc<str>>, waits: &Waits) -> Vec<Sample> {
    let told = names.values().map(|name| {
        let label = vec![("mapping", name.to_string())];
        gauge(MAPPING_WAITING, label, yes(waits.mappings.contains_key(name)))
    });
    told.collect()
}

/// What webhooks brought.
pub(super) fn of_deliveries(deliveries: &WebhookDesk) -> Vec<Sample> {
    let told = deliveries.counts().into_iter().map(|((system, verdict), count)| {
        let labels = vec![("system", system.to_string()), ("verdict", verdict.as_str().to_owned())];
        counter(DELIVERIES, labels, number(count))
    });
    told.collect()
}

/// What the ledger tells; of a ledger that does not answer, that.
pub(super) async fn of_ledger(
    ledger: &Postgres,
    names: &BTreeMap<MappingId, Arc<str>>,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    let now = SystemClock.now().micros();
    let depths = ledger.depths(now).await;
    samples.push(gauge(LEDGER_UP, Vec::new(), yes(depths.is_ok())));
    if let Ok(depths) = depths {
        samples.extend(waiting(&depths, names, now));
    }
    if let Ok(figures) = ledger.figures().await {
        for (figure, value) in figures {
            let label = vec![("name", figure.as_str().to_owned())];
            samples.push(counter(FIGURE, label, number(value)));
        }
    }
    if let Ok(counts) = ledger.link_counts().await {
        for count in counts {
            let labels =
                vec![("mapping", named(names, count.mapping)), ("state", count.state.to_owned())];
            samples.push(gauge(LINKS, labels, number(count.count)));
        }
    }
    if let Ok(waiting) = ledger.waiting().await {
        for waiting in waiting {
            let label = vec![("system", waiting.system.to_string())];
            samples.push(gauge(HINTS, label, number(waiting.hints)));
        }
    }
    samples
}

/// The name of a mapping; `?` for one that the files do not have any more.
fn named(names: &BTreeMap<MappingId, Arc<str>>, mapping: MappingId) -> String {
    names.get(&mapping).map_or("?", |name| name).to_owned()
}

/// What waits, and for how long.
fn waiting(depths: &Depths, names: &BTreeMap<MappingId, Arc<str>>, now: i64) -> Vec<Sample> {
    let age = |since: i64| seconds(now.saturating_sub(since));
    let mapping = |id: MappingId| vec![("mapping", named(names, id))];
    let mut samples = Vec::new();
    for depth in &depths.questions {
        samples.push(gauge(QUESTIONS, mapping(depth.of), number(depth.count)));
        samples.push(gauge(QUESTIONS_OLDEST, mapping(depth.of), age(depth.oldest)));
    }
    for depth in &depths.answers {
        samples.push(gauge(ANSWERS, mapping(depth.of), number(depth.count)));
    }
    for depth in &depths.parked {
        let labels = || {
            let mut labels = mapping(depth.of.0);
            labels.push(("kind", depth.of.1.clone()));
            labels
        };
        samples.push(gauge(PARKED, labels(), number(depth.count)));
        samples.push(gauge(PARKED_OLDEST, labels(), age(depth.oldest)));
    }
    for depth in &depths.batches {
        let label = || vec![("system", depth.of.to_string())];
        samples.push(gauge(BATCHES, label(), number(depth.count)));
        samples.push(gauge(BATCHES_OLDEST, label(), age(depth.oldest)));
    }
    for depth in &depths.resent {
        let label = vec![("system", depth.of.to_string())];
        samples.push(gauge(BATCHES_RESENT, label, number(depth.count)));
    }
    for depth in &depths.hints {
        let label = || vec![("system", depth.of.to_string())];
        samples.push(gauge(HINTS_DUE, label(), number(depth.count)));
        // One that is due at once does not tell since when.
        let late = if depth.oldest > 0 { age(depth.oldest) } else { 0.0 };
        samples.push(gauge(HINTS_LATE, label(), late));
    }
    // A load and a pass end; a feed and a poll never do.
    let lasting = |stream: &str| stream.starts_with("feed:") || stream.starts_with("poll:");
    for (stream, moved_at) in depths.streams.iter().filter(|(stream, _)| lasting(stream)) {
        samples.push(gauge(STREAM_AGE, vec![("stream", stream.clone())], age(*moved_at)));
    }
    for depth in &depths.gaps {
        samples.push(gauge(GAPS, vec![("stream", depth.of.clone())], number(depth.count)));
    }
    samples
}

fn yes(truth: bool) -> f64 {
    if truth { 1.0 } else { 0.0 }
}

fn gauge(name: &'static str, labels: Vec<(&'static str, String)>, value: f64) -> Sample {
    Sample { name, labels, value, counter: false }
}

fn counter(name: &'static str, labels: Vec<(&'static str, String)>, value: f64) -> Sample {
    Sample { name, labels, value, counter: true }
}

/// A count as a metric's value: exact up to 2^53, far above any count here.
fn number(count: impl TryInto<i64>) -> f64 {
    let count = count.try_into().unwrap_or(i64::MAX);
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let value = count as f64;
    value
}

/// Microseconds as seconds.
fn seconds(micros: i64) -> f64 {
    number(micros.max(0)) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a text that are names of metrics.
    fn metrics(text: &str) -> Vec<&str> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words = text.split(|c| !is_name(c));
        words.filter(|word| word.starts_with("syncline_")).collect()
    }

    #[test]
    fn the_rules_name_metrics_that_there_are() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/prometheus-rules.yaml");
        let rules = std::fs::read_to_string(path).unwrap();
        let named = metrics(&rules);
        assert!(named.len() > 10, "{named:?}");
        for name in named {
            assert!(METRICS.iter().any(|(known, _)| *known == name), "{name}");
        }
    }

    #[test]
    fn what_waits_is_told_with_its_age() {
        let depth = |of: &str, oldest| syncline_ledger::Depth {
            of: syncline_sdk::SystemName::from(of),
            count: 2,
            oldest,
        };
        let depths = Depths {
            hints: vec![depth("crm", 0), depth("ops", 3_000_000)],
            streams: vec![("feed:ops".to_owned(), 4_000_000), ("load:a:left".to_owned(), 1)],
            ..Depths::default()
        };
        let told = waiting(&depths, &BTreeMap::new(), 5_000_000);
        let value = |name: &str, label: &str| {
            let found = told.iter().find(|one| one.name == name && one.labels[0].1 == label);
            found.map(|sample| sample.value)
        };
        assert_eq!(value(HINTS_LATE, "crm"), Some(0.0));
        assert_eq!(value(HINTS_LATE, "ops"), Some(2.0));
        assert_eq!(value(STREAM_AGE, "feed:ops"), Some(1.0));
        assert_eq!(value(STREAM_AGE, "load:a:left"), None);
    }
}
