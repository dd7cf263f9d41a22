//! What the HTTP surface is told of a running service.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::mapping::MappingId;
use syncline_engine::driver::Status;
use syncline_ledger::People;
use syncline_ledger::postgres::Postgres;
use syncline_server::{Probe, Readiness, Sample};
use tokio::sync::watch;

use super::metrics::{of_deliveries, of_ledger, of_mappings, of_process};
use super::waiting::Waits;
use super::webhooks::WebhookDesk;

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
        let mut samples = of_process(&self.status.borrow().clone());
        samples.extend(of_mappings(&self.names, &self.waits.borrow().clone()));
        samples.extend(of_deliveries(&self.deliveries));
        samples.extend(of_ledger(&self.ledger, &self.names).await);
        samples
    }
}
