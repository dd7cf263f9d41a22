//! What the HTTP surface is told of a running service.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use syncline_engine::Clock as _;
use syncline_engine::driver::{Status, SystemClock};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{LinkCount, People};
use syncline_server::{Probe, Readiness, Sample};
use tokio::sync::watch;

use super::known::Known;
use super::metrics::{of_deliveries, of_ledger, of_links, of_mappings, of_process};
use super::progress::{Forecast, of_objectives, of_streams};
use super::recent::Recent;
use super::waiting::Waits;
use super::webhooks::WebhookDesk;
use crate::queue::removed::Files;

/// How long it is told alike whether the ledger answers: anybody may ask for that.
const ANSWERS_FOR: Duration = Duration::from_secs(1);
/// How long the figures of the ledger are told alike.
const FIGURES_FOR: Duration = Duration::from_secs(5);
/// How long the counts of links are: they are made from all links.
const COUNTS_FOR: Duration = Duration::from_secs(60);

/// A running service, as the HTTP surface sees it. A clone sees the same.
#[derive(Clone)]
pub(super) struct ServiceProbe {
    ledger: Arc<Postgres>,
    status: watch::Receiver<Status>,
    waits: watch::Receiver<Waits>,
    known: Arc<Known>,
    deliveries: WebhookDesk,
    answers: Recent<Result<(), String>>,
    figures: Recent<Vec<Sample>>,
    counts: Recent<Option<Arc<[LinkCount]>>>,
    forecast: Forecast,
}

impl ServiceProbe {
    /// What looks at a ledger through a handle that is not the engine's own.
    pub fn new(
        ledger: Arc<Postgres>,
        status: watch::Receiver<Status>,
        waits: watch::Receiver<Waits>,
        known: Known,
        deliveries: WebhookDesk,
    ) -> Self {
        Self {
            ledger,
            status,
            waits,
            known: Arc::new(known),
            deliveries,
            answers: Recent::new(ANSWERS_FOR),
            figures: Recent::new(FIGURES_FOR),
            counts: Recent::new(COUNTS_FOR),
            forecast: Forecast::default(),
        }
    }
}

fn now() -> i64 {
    SystemClock.now().micros()
}

impl ServiceProbe {
    /// Which mappings wait.
    pub fn waits(&self) -> Waits {
        self.waits.borrow().clone()
    }

    /// Notes the pace at which quotas are used, also while nobody asks for metrics.
    pub fn note_quotas(&self) {
        let status = self.status.borrow().clone();
        drop(self.forecast.samples(&status, now()));
    }

    /// The names that the files had when this process started.
    pub fn files(&self) -> Files {
        Files {
            mappings: self.known.mappings.values().map(ToString::to_string).collect(),
            systems: self.known.systems.clone(),
        }
    }

    /// How many links stood where within the last minute; nothing where they could never be
    /// counted.
    pub async fn counts(&self) -> Option<Arc<[LinkCount]>> {
        let ledger = self.ledger.clone();
        let count = |last: Option<Option<Arc<[LinkCount]>>>| async move {
            match ledger.link_counts().await {
                Ok(counts) => Some(counts.into()),
                Err(error) => {
                    tracing::warn!(%error, "the links were not counted");
                    last.flatten()
                }
            }
        };
        self.counts.get(now, count).await
    }

    async fn figures(&self) -> Vec<Sample> {
        let (ledger, known) = (self.ledger.clone(), self.known.clone());
        self.figures.get(now, |_| async move { of_ledger(&ledger, &known).await }).await
    }

    async fn answers(&self) -> Result<(), String> {
        let ledger = self.ledger.clone();
        let ask =
            |_| async move { ledger.owner().await.map(drop).map_err(|error| error.to_string()) };
        self.answers.get(now, ask).await
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
        for ((name, what), why) in &status.unread {
            notes.push(format!("mapping {name}: {what}: {why}"));
        }
        for (name, why) in &waits.misfits {
            notes.push(format!("mapping {name} does not fit its systems any more: {why}"));
        }
        for (name, why) in &waits.fields {
            notes.push(format!("field {name} is not written: {why}"));
        }
        let ledger = self.answers().await;
        if let Err(error) = &ledger {
            notes.push(error.clone());
        }
        Readiness { ready: waits.syncs && status.owner && ledger.is_ok(), notes }
    }

    async fn samples(&self) -> Vec<Sample> {
        let status = self.status.borrow().clone();
        let mut samples = of_process(&status);
        samples.extend(of_streams(&status));
        samples.extend(of_objectives(&self.known));
        samples.extend(self.forecast.samples(&status, now()));
        samples.extend(of_mappings(&self.known, &self.waits.borrow().clone()));
        samples.extend(of_deliveries(&self.deliveries));
        samples.extend(self.figures().await);
        samples.extend(of_links(&self.counts().await.unwrap_or_default(), &self.known));
        samples
    }
}
