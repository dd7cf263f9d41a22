//! What the HTTP surface is told of a running service.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::mapping::MappingId;
use syncline_engine::driver::Status;
use syncline_ledger::People;
use syncline_ledger::postgres::Postgres;
use syncline_server::{Probe, Readiness, Recorder, Sample, describe as describe_all};
use tokio::sync::watch;

use super::waiting::Waits;
use super::webhooks::WebhookDesk;

/// Names of the metrics and what they mean; the one place where they are spelt.
const METRICS: &[(&str, &str)] = &[
    (FIGURE, "Running figures of the ledger since its beginning, by name."),
    (LINKS, "Links, by mapping and state."),
    (HINTS, "Records that wait to be read, by system."),
    (SYSTEM_UP, "Whether the last call to a system was answered."),
    (SYSTEM_AWAITED, "Whether a system is waited for since the process started."),
    (MAPPING_WAITING, "Whether a mapping waits to begin or to go on."),
    (SYSTEM_CALLS, "Calls made to a system by this process."),
    (QUOTA_USED, "Calls of the system's daily quota used by everybody."),
    (QUOTA_MAX, "Calls of the system's daily quota."),
    (IN_FLIGHT, "Batches under way."),
    (ROUNDS, "Rounds committed by this process."),
    (OWNER, "Whether this process owns the shards."),
    (LOADED, "Whether all first loads are done."),
    (DELIVERIES, "Webhook deliveries that came to this process, by what became of them."),
];

const FIGURE: &str = "syncline_figure_total";
const LINKS: &str = "syncline_links";
const HINTS: &str = "syncline_hints_waiting";
const SYSTEM_UP: &str = "syncline_system_up";
const SYSTEM_AWAITED: &str = "syncline_system_awaited";
const MAPPING_WAITING: &str = "syncline_mapping_waiting";
const SYSTEM_CALLS: &str = "syncline_system_calls_total";
const QUOTA_USED: &str = "syncline_system_quota_used";
const QUOTA_MAX: &str = "syncline_system_quota_max";
const IN_FLIGHT: &str = "syncline_batches_in_flight";
const ROUNDS: &str = "syncline_rounds_total";
const OWNER: &str = "syncline_owner";
const LOADED: &str = "syncline_loaded";
const DELIVERIES: &str = "syncline_webhook_deliveries_total";

/// Tells a recorder what the metrics mean.
pub(super) fn describe(recorder: &Recorder) {
    let list: Vec<_> = METRICS.iter().map(|(name, meaning)| (*name, *meaning)).collect();
    describe_all(recorder, &list);
}

/// A running service, as the HTTP surface sees it. A clone sees the same.
#[derive(Clone)]
pub(super) struct ServiceProbe {
    ledger: Arc<Postgres>,
    status: watch::Receiver<Status>,
    waits: watch::Receiver<Waits>,
    names: BTreeMap<MappingId, Arc<str>>,
    deliveries: WebhookDesk,
}

impl ServiceProbe {
    pub fn new(
        ledger: Arc<Postgres>,
        status: watch::Receiver<Status>,
        waits: watch::Receiver<Waits>,
        names: BTreeMap<MappingId, Arc<str>>,
        deliveries: WebhookDesk,
    ) -> Self {
        Self { ledger, status, waits, names, deliveries }
    }
}

impl ServiceProbe {
    /// Which mappings wait.
    pub fn waits(&self) -> Waits {
        self.waits.borrow().clone()
    }
}

#[async_trait]
impl Probe for ServiceProbe {
    async fn readiness(&self) -> Readiness {
        let status = self.status.borrow().clone();
        let mut notes = Vec::new();
        let waits = self.waits.borrow().clone();
        if !waits.asked {
            notes.push("the systems are being asked".to_owned());
        } else if !waits.syncs {
            notes.push("nothing is kept in agreement yet".to_owned());
        } else if !status.owner {
            notes.push("another process owns the ledger, or it does not answer".to_owned());
        } else if !status.loaded {
            notes.push("first loads are running".to_owned());
        }
        for (name, system) in &status.systems {
            match &system.trouble {
                Some(trouble) if system.awaited => {
                    notes.push(format!("system {name} is waited for: {trouble}"));
                }
                Some(trouble) => notes.push(format!("system {name}: {trouble}")),
                None => {}
            }
        }
        for (name, why) in &waits.mappings {
            notes.push(format!("mapping {name} waits: {why}"));
        }
        let ledger = self.ledger.owner().await;
        if let Err(error) = &ledger {
            notes.push(format!("{error}"));
        }
        Readiness { ready: waits.syncs && status.owner && ledger.is_ok(), notes }
    }

    async fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        let status = self.status.borrow().clone();
        let yes = |truth: bool| if truth { 1.0 } else { 0.0 };
        samples.push(gauge(OWNER, Vec::new(), yes(status.owner)));
        samples.push(gauge(LOADED, Vec::new(), yes(status.loaded)));
        samples.push(gauge(IN_FLIGHT, Vec::new(), number(status.in_flight)));
        samples.push(counter(ROUNDS, Vec::new(), number(status.rounds)));
        for (name, system) in &status.systems {
            let label = || vec![("system", name.to_string())];
            samples.push(gauge(SYSTEM_UP, label(), yes(system.reachable)));
            samples.push(gauge(SYSTEM_AWAITED, label(), yes(system.awaited)));
            samples.push(counter(SYSTEM_CALLS, label(), number(system.usage.calls)));
            if let Some(quota) = system.usage.quota {
                samples.push(gauge(QUOTA_USED, label(), number(quota.used)));
                samples.push(gauge(QUOTA_MAX, label(), number(quota.max)));
            }
        }
        let waits = self.waits.borrow().clone();
        for name in self.names.values() {
            let label = vec![("mapping", name.to_string())];
            let waiting = waits.mappings.contains_key(name);
            samples.push(gauge(MAPPING_WAITING, label, yes(waiting)));
        }
        if let Ok(figures) = self.ledger.figures().await {
            for (figure, value) in figures {
                let label = vec![("name", figure.as_str().to_owned())];
                samples.push(counter(FIGURE, label, number(value)));
            }
        }
        if let Ok(counts) = self.ledger.link_counts().await {
            for count in counts {
                let mapping = self.names.get(&count.mapping).map_or("?", |name| name);
                let labels =
                    vec![("mapping", mapping.to_owned()), ("state", count.state.to_owned())];
                samples.push(gauge(LINKS, labels, number(count.count)));
            }
        }
        if let Ok(waiting) = self.ledger.waiting().await {
            for waiting in waiting {
                let label = vec![("system", waiting.system.to_string())];
                samples.push(gauge(HINTS, label, number(waiting.hints)));
            }
        }
        for ((system, verdict), count) in self.deliveries.counts() {
            let labels =
                vec![("system", system.to_string()), ("verdict", verdict.as_str().to_owned())];
            samples.push(counter(DELIVERIES, labels, number(count)));
        }
        samples
    }
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
