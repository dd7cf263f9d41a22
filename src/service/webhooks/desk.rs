//! The desk where deliveries arrive.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use syncline_core::model::{Hint, HintReason};
use syncline_engine::Clock as _;
use syncline_engine::driver::SystemClock;
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Delivered, Deliveries as _, NewDelivery, NewNotice};
use syncline_sdk::{
    EntityName, Key, Notice, SystemName, Webhook, WebhookRefusal, WebhookReply, WebhookRequest,
};
use syncline_server::{Arrival, Receipt, Receiver, Refused, Taken, Verdict};
use tokio::sync::{Notify, Semaphore};

use super::payload;
use super::spare::Spare;

/// How many deliveries are committed at once: the others of the ledger's few connections are the
/// engine's.
const COMMITS_MAX: usize = 2;

/// A system whose deliveries are taken.
pub struct Inbound {
    /// The system.
    pub system: SystemName,
    /// What reads the deliveries that it sends of itself.
    pub webhook: Option<Arc<dyn Webhook>>,
    /// The entities that mappings read of it.
    pub entities: Vec<EntityName>,
}

/// Takes deliveries for all systems. A clone is the same desk.
#[derive(Clone)]
pub struct WebhookDesk(Arc<Inner>);

struct Inner {
    ledger: Arc<Postgres>,
    systems: BTreeMap<String, Inbound>,
    wake: Arc<Notify>,
    counts: Mutex<BTreeMap<(SystemName, Verdict), u64>>,
    spare: Mutex<Spare>,
    commits: Semaphore,
}

/// A delivery that was read.
struct Reading {
    notices: Vec<Notice>,
    taken: Taken,
    sender: Option<String>,
    once: Option<String>,
}

impl WebhookDesk {
    /// A desk that puts hints into the ledger and wakes whoever reads them.
    pub fn new(ledger: Arc<Postgres>, systems: Vec<Inbound>, wake: Arc<Notify>) -> Self {
        let systems = systems.into_iter().map(|one| (one.system.to_string(), one)).collect();
        Self(Arc::new(Inner {
            ledger,
            systems,
            wake,
            counts: Mutex::default(),
            spare: Mutex::default(),
            commits: Semaphore::new(COMMITS_MAX),
        }))
    }

    /// How many deliveries this process had, by system and what became of them.
    pub fn counts(&self) -> BTreeMap<(SystemName, Verdict), u64> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Receiver for WebhookDesk {
    fn now(&self) -> i64 {
        SystemClock.now().micros()
    }

    async fn take(&self, arrival: Arrival) -> Receipt {
        let desk = self.0.clone();
        // In a task of its own: when the sender goes away the commit still comes to its end.
        let taken = tokio::spawn(async move { desk.take(arrival).await }).await;
        taken.unwrap_or_else(|_| Receipt::Unavailable("the delivery could not be read".to_owned()))
    }

    fn refused(&self, refused: Refused) {
        let Some(delivery) = self.0.refused(refused) else {
            return;
        };
        // A few a minute for each system and kind.
        let desk = self.0.clone();
        tokio::spawn(async move { desk.record_refused(&delivery).await });
    }
}

impl Inner {
    async fn take(&self, arrival: Arrival) -> Receipt {
        let Some(inbound) = self.systems.get(&arrival.system) else {
            return Receipt::Unavailable("the system is not known any more".to_owned());
        };
        let (remote, bytes) = (arrival.remote, arrival.body.len());
        let refuse = |verdict, reason: String| Refused {
            system: inbound.system.to_string(),
            remote,
            verdict,
            reason,
            bytes,
        };
        let Reading { notices, taken, sender, once } = match read(inbound, arrival) {
            Ok(reading) => reading,
            Err((verdict, reason)) => {
                self.refuse(refuse(verdict, reason.clone())).await;
                return Receipt::Refused(verdict, reason);
            }
        };
        let delivery = NewDelivery {
            system: inbound.system.clone(),
            verdict: Verdict::Accepted,
            reason: unmapped(inbound, &notices),
            sender,
            at: SystemClock.now(),
            remote: remote.to_string(),
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            notices: notices.into_iter().map(|notice| new_notice(inbound, notice)).collect(),
            once,
            alike: 0,
        };
        match self.record(&delivery).await {
            Ok(Delivered::Recorded(recorded)) => {
                self.wake.notify_one();
                self.count(&recorded.system, recorded.verdict);
                tracing::info!(
                    system = %recorded.system,
                    delivery = recorded.id,
                    verdict = recorded.verdict.as_str(),
                    notices = recorded.notices,
                    hints = recorded.hints,
                    remote = recorded.remote,
                    "a webhook delivery was taken"
                );
                Receipt::Taken(taken)
            }
            Ok(Delivered::Replayed) => {
                let reason = "the same delivery, signed for the same time, has come before";
                self.refuse(refuse(Verdict::Replayed, reason.to_owned())).await;
                Receipt::Refused(Verdict::Replayed, reason.to_owned())
            }
            Err(error) => {
                tracing::error!(%error, system = %delivery.system, "a delivery was not recorded");
                Receipt::Unavailable("the ledger does not answer".to_owned())
            }
        }
    }

    /// Counts a refusal; gives what is to be recorded, where something is.
    fn refused(&self, refused: Refused) -> Option<NewDelivery> {
        let Refused { system, remote, verdict, reason, bytes } = refused;
        let system = SystemName::from(system);
        let now = SystemClock.now();
        self.count(&system, verdict);
        let alike = {
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            spare.record(&system, verdict, now.micros())
        };
        let alike = alike?;
        let word = verdict.as_str();
        tracing::warn!(%system, %remote, verdict = word, reason, alike, "a delivery was refused");
        Some(NewDelivery {
            system,
            verdict,
            reason: Some(reason),
            sender: None,
            at: now,
            remote: remote.to_string(),
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            notices: Vec::new(),
            once: None,
            alike,
        })
    }

    /// Counts and records one that was refused after it was read.
    async fn refuse(&self, refused: Refused) {
        if let Some(delivery) = self.refused(refused) {
            self.record_refused(&delivery).await;
        }
    }

    async fn record_refused(&self, delivery: &NewDelivery) {
        if let Err(error) = self.record(delivery).await {
            tracing::error!(%error, "a refused delivery was not recorded");
        }
    }

    async fn record(&self, delivery: &NewDelivery) -> syncline_ledger::Result<Delivered> {
        // It is never closed, so that a place always comes.
        let _place = self.commits.acquire().await;
        self.ledger.deliver(delivery).await
    }

    fn count(&self, system: &SystemName, verdict: Verdict) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((system.clone(), verdict)).or_insert(0) += 1;
    }
}

fn read(inbound: &Inbound, arrival: Arrival) -> Result<Reading, (Verdict, String)> {
    let malformed = |reason: &str| (Verdict::Malformed, reason.to_owned());
    let Some((id, once)) = arrival.signed else {
        let webhook = inbound.webhook.as_ref();
        let webhook = webhook.ok_or_else(|| malformed("the system sends nothing of itself"))?;
        let read = webhook.read(&WebhookRequest { body: &arrival.body });
        let WebhookReply { notices, content_type, body } = read.map_err(|refusal| {
            let verdict = match refusal {
                WebhookRefusal::Stranger(_) => Verdict::Stranger,
                WebhookRefusal::NotYet(_) => Verdict::NotYet,
                _ => Verdict::Malformed,
            };
            (verdict, refusal.to_string())
        })?;
        let taken = Taken { content_type, body };
        return Ok(Reading { notices, taken, sender: None, once: None });
    };
    let (entity, keys) = payload::read(&arrival.body).map_err(|why| malformed(&why))?;
    let key = |text: &String| match &inbound.webhook {
        Some(webhook) => webhook.key(text),
        None => Some(Key::from(text.as_str())),
    };
    let keys: Option<Vec<Key>> = keys.iter().map(key).collect();
    let keys = keys.ok_or_else(|| malformed("a key is none that a record of the system has"))?;
    let notices = keys.into_iter().enumerate().map(|(at, key)| {
        let entity = EntityName::from(entity.as_str());
        Notice { id: format!("{id}/{at}"), entity, key }
    });
    let content_type = "application/json";
    let taken = Taken { content_type, body: "{\"taken\":true}".to_owned() };
    Ok(Reading { notices: notices.collect(), taken, sender: Some(id), once: Some(once) })
}

/// The name that mappings have for an entity. Systems differ in what they make of case; a
/// mapping's own is what the engine looks for.
fn mapped<'a>(inbound: &'a Inbound, entity: &EntityName) -> Option<&'a EntityName> {
    let exact = inbound.entities.iter().find(|known| *known == entity);
    let alike = || {
        let known = |known: &&EntityName| known.as_str().eq_ignore_ascii_case(entity.as_str());
        inbound.entities.iter().find(known)
    };
    exact.or_else(alike)
}

fn new_notice(inbound: &Inbound, notice: Notice) -> NewNotice {
    let hint = mapped(inbound, &notice.entity).map(|entity| Hint {
        system: inbound.system.clone(),
        entity: entity.clone(),
        key: notice.key,
        seq: 0,
        due: 0,
        reason: HintReason::Changed,
        tries: 0,
    });
    NewNotice { id: notice.id, hint }
}

/// What should be known about notices that nobody reads.
fn unmapped(inbound: &Inbound, notices: &[Notice]) -> Option<String> {
    let entity = notices.iter().map(|notice| &notice.entity);
    let stray = entity.filter(|entity| mapped(inbound, entity).is_none()).min()?;
    Some(format!("no mapping reads {stray} of {}", inbound.system))
}
