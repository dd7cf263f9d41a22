//! The metrics of a running service. Labels are names of the settings, of the mapping files and
//! of this program, never of records.

use syncline_core::mapping::MappingId;
use syncline_engine::Clock as _;
use syncline_engine::driver::{Status, SystemClock};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Depth, Depths, LinkCount, Measures as _, People as _};
use syncline_sdk::SystemName;
use syncline_server::{Recorder, Sample, describe as describe_all};

use super::figures::{counter, gauge, number, seconds, yes};
use super::known::Known;
use super::progress;
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
    (SYSTEM_LEFT_ALONE, "Whether the breaker of a system is open: it gave no answer a while ago."),
    (FIELD_FROZEN, "Fields that changed in their system and are observed, not written."),
    (MAPPING_WAITING, "Whether a mapping waits, or does not fit its systems any more."),
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
    (LEFT_BEHIND, "What is left in the ledger of mappings and systems that were removed."),
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
const FIELD_FROZEN: &str = "syncline_field_frozen";
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
const LEFT_BEHIND: &str = "syncline_left_behind";
const DELIVERIES: &str = "syncline_webhook_deliveries_total";

/// Tells a recorder what the metrics mean.
pub(super) fn describe(recorder: &Recorder) {
    let list: Vec<_> = METRICS.iter().chain(progress::METRICS).copied().collect();
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
pub(super) fn of_mappings(known: &Known, waits: &Waits) -> Vec<Sample> {
    let told = known.mappings.values().map(|name| {
        let label = vec![("mapping", name.to_string())];
        let waits = waits.mappings.contains_key(name) || waits.misfits.contains_key(name);
        gauge(MAPPING_WAITING, label, yes(waits))
    });
    let frozen = waits.fields.keys().map(|name| {
        let mut parts = name.splitn(3, ' ').map(str::to_owned);
        let mut label = |key: &'static str| (key, parts.next().unwrap_or_default());
        let labels = vec![label("mapping"), label("side"), label("field")];
        gauge(FIELD_FROZEN, labels, yes(true))
    });
    told.chain(frozen).collect()
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
pub(super) async fn of_ledger(ledger: &Postgres, known: &Known) -> Vec<Sample> {
    let mut samples = Vec::new();
    let now = SystemClock.now().micros();
    let depths = ledger.depths(now).await;
    samples.push(gauge(LEDGER_UP, Vec::new(), yes(depths.is_ok())));
    if let Ok(depths) = depths {
        samples.extend(waiting(&depths, known, now));
    }
    if let Ok(figures) = ledger.figures().await {
        for (figure, value) in figures {
            let label = vec![("name", figure.as_str().to_owned())];
            samples.push(counter(FIGURE, label, number(value)));
        }
    }
    if let Ok(tallies) = ledger.tallies().await {
        samples.extend(progress::of_tallies(&tallies, known));
    }
    if let Ok(waiting) = ledger.waiting().await {
        for waiting in waiting {
            if !known.systems.contains(&waiting.system) {
                samples.push(left_behind("hints", waiting.system.as_str(), waiting.hints));
                continue;
            }
            let label = vec![("system", waiting.system.to_string())];
            samples.push(gauge(HINTS, label, number(waiting.hints)));
        }
    }
    samples
}

/// How many links stand where.
pub(super) fn of_links(counts: &[LinkCount], known: &Known) -> Vec<Sample> {
    let told = counts.iter().map(|count| match known.mappings.get(&count.mapping) {
        Some(name) => {
            let labels = vec![("mapping", name.to_string()), ("state", count.state.to_owned())];
            gauge(LINKS, labels, number(count.count))
        }
        None => {
            left_behind("links", &format!("mapping {} {}", count.mapping, count.state), count.count)
        }
    });
    told.collect()
}

/// What is left of a mapping or a system that was removed: nobody works on it, and no alert about
/// it would ever end.
fn left_behind(what: &'static str, of: &str, count: i64) -> Sample {
    gauge(LEFT_BEHIND, vec![("what", what.to_owned()), ("of", of.to_owned())], number(count))
}

/// What waits, and for how long.
fn waiting(depths: &Depths, known: &Known, now: i64) -> Vec<Sample> {
    let mut samples = Vec::new();
    of_people(depths, known, now, &mut samples);
    of_systems(depths, known, now, &mut samples);
    // A load and a pass end; a feed and a poll never do.
    let lasting = |stream: &str| stream.starts_with("feed:") || stream.starts_with("poll:");
    for (stream, moved_at) in depths.streams.iter().filter(|(stream, _)| lasting(stream)) {
        samples.push(match known.has(stream) {
            true => {
                // One that is not to move now does not stand.
                let rests = known.rests(stream, now);
                let age = if rests { 0.0 } else { age(*moved_at, now) };
                gauge(STREAM_AGE, vec![("stream", stream.clone())], age)
            }
            false => left_behind("streams", stream, 1),
        });
    }
    for depth in &depths.gaps {
        samples.push(match known.has(&depth.of) {
            true => gauge(GAPS, vec![("stream", depth.of.clone())], number(depth.count)),
            false => left_behind("gaps", &depth.of, depth.count),
        });
    }
    samples
}

fn age(since: i64, now: i64) -> f64 {
    seconds(now.saturating_sub(since))
}

/// What waits for people, and answers of theirs, by mapping.
fn of_people(depths: &Depths, known: &Known, now: i64, samples: &mut Vec<Sample>) {
    let age = |since| age(since, now);
    let mapping = |id: &MappingId| {
        let name = known.mappings.get(id)?;
        Some(vec![("mapping", name.to_string())])
    };
    let gone = |what, id: &MappingId, count| left_behind(what, &format!("mapping {id}"), count);
    for depth in &depths.questions {
        let Some(label) = mapping(&depth.of) else {
            samples.push(gone("questions", &depth.of, depth.count));
            continue;
        };
        samples.push(gauge(QUESTIONS, label.clone(), number(depth.count)));
        samples.push(gauge(QUESTIONS_OLDEST, label, age(depth.oldest)));
    }
    for depth in &depths.answers {
        samples.push(match mapping(&depth.of) {
            Some(label) => gauge(ANSWERS, label, number(depth.count)),
            None => gone("answers", &depth.of, depth.count),
        });
    }
    for depth in &depths.parked {
        let (id, kind) = &depth.of;
        let Some(mut labels) = mapping(id) else {
            samples.push(left_behind("parked", &format!("mapping {id} {kind}"), depth.count));
            continue;
        };
        labels.push(("kind", kind.clone()));
        samples.push(gauge(PARKED, labels.clone(), number(depth.count)));
        samples.push(gauge(PARKED_OLDEST, labels, age(depth.oldest)));
    }
}

/// What is under way to systems, or waits for them.
fn of_systems(depths: &Depths, known: &Known, now: i64, samples: &mut Vec<Sample>) {
    let age = |since| age(since, now);
    let label = |system: &SystemName| vec![("system", system.to_string())];
    for depth in &depths.batches {
        if !known.systems.contains(&depth.of) {
            samples.push(left_behind("batches", depth.of.as_str(), depth.count));
            continue;
        }
        samples.push(gauge(BATCHES, label(&depth.of), number(depth.count)));
        samples.push(gauge(BATCHES_OLDEST, label(&depth.of), age(depth.oldest)));
    }
    let known = |depth: &&Depth<SystemName>| known.systems.contains(&depth.of);
    for depth in depths.resent.iter().filter(known) {
        samples.push(gauge(BATCHES_RESENT, label(&depth.of), number(depth.count)));
    }
    for depth in depths.hints.iter().filter(known) {
        samples.push(gauge(HINTS_DUE, label(&depth.of), number(depth.count)));
        // One that is due at once does not tell since when.
        let late = if depth.oldest > 0 { age(depth.oldest) } else { 0.0 };
        samples.push(gauge(HINTS_LATE, label(&depth.of), late));
    }
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
            let mut known = METRICS.iter().chain(progress::METRICS);
            assert!(known.any(|(known, _)| *known == name), "{name}");
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
        let systems = ["crm", "ops"].map(SystemName::from).into();
        let known = Known { systems, ..Known::default() };
        let told = waiting(&depths, &known, 5_000_000);
        let value = |name: &str, label: &str| {
            let found = told.iter().find(|one| one.name == name && one.labels[0].1 == label);
            found.map(|sample| sample.value)
        };
        assert_eq!(value(HINTS_LATE, "crm"), Some(0.0));
        assert_eq!(value(HINTS_LATE, "ops"), Some(2.0));
        assert_eq!(value(STREAM_AGE, "feed:ops"), Some(1.0));
        assert_eq!(value(STREAM_AGE, "load:a:left"), None);
    }

    #[test]
    fn what_was_removed_raises_no_alert_and_is_told_apart() {
        let system = |of: &str| Depth { of: SystemName::from(of), count: 2, oldest: 1 };
        let mapping = |of| Depth { of: MappingId(of), count: 2, oldest: 1 };
        let parked = |of| Depth { of: (MappingId(of), "schema".to_owned()), count: 2, oldest: 1 };
        let gap = |of: &str| Depth { of: of.to_owned(), count: 2, oldest: 1 };
        let streams = ["feed:ops", "feed:erp", "poll:a:left", "poll:b:left"];
        let depths = Depths {
            questions: vec![mapping(1), mapping(2)],
            answers: vec![mapping(1), mapping(2)],
            parked: vec![parked(1), parked(2)],
            batches: vec![system("ops"), system("erp")],
            resent: vec![system("ops"), system("erp")],
            hints: vec![system("ops"), system("erp")],
            streams: streams.map(|stream| (stream.to_owned(), 1)).into(),
            gaps: vec![gap("feed:ops"), gap("mapping:1"), gap("feed:erp"), gap("mapping:2")],
        };
        let known = Known {
            mappings: [(MappingId(1), "a".into())].into(),
            systems: [SystemName::from("ops")].into(),
            ..Known::default()
        };
        let mut told = waiting(&depths, &known, 5_000_000);
        let count = |mapping| LinkCount { mapping: MappingId(mapping), state: "linked", count: 2 };
        told.extend(of_links(&[count(1), count(2)], &known));
        let (gone, told): (Vec<_>, Vec<_>) =
            told.into_iter().partition(|sample| sample.name == LEFT_BEHIND);
        let label = |sample: &Sample| sample.labels[0].1.clone();
        let mut what: Vec<String> = gone.iter().map(label).collect();
        what.dedup();
        let all = ["questions", "answers", "parked", "batches", "streams", "gaps", "links"];
        assert_eq!(what, all);
        for sample in &told {
            let stays = ["a", "ops", "feed:ops", "poll:a:left", "mapping:1"];
            assert!(stays.contains(&label(sample).as_str()), "{sample:?}");
        }
        assert_eq!(told.len(), 15, "{told:?}");
    }
}
