//! The book of a running service.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use syncline_engine::Clock as _;
use syncline_engine::driver::{Status as DriverStatus, SystemClock};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Access as _, NewRequest, People as _};
use syncline_sdk::SystemName;
use syncline_server::Probe as _;
use syncline_server::api::{
    Answer, Answered, Begun, Book, Caller, Conflict, ConflictQuery, Failure, JournalEntry,
    JournalQuery, Link, LinkQuery, Mapping, Observed, ObservedQuery, Page, ParkedQuery,
    ParkedRecord, Replay, Report as ReportTold, ReportQuery, Request, Run, Scope, Status, System,
    SystemQuota, TakenAnswer,
};
use tokio::sync::{Notify, watch};

use super::callers::Callers;
use super::desk;
use super::failure::{as_described, failed, stopped};
use crate::queue::answering::{Given, Misfit, give, refusal, values_are_for};
use crate::queue::desk::Desk;
use crate::queue::offer::offers;
use crate::queue::questions::find;
use crate::queue::reference::Seen;
use crate::queue::report::Report;
use crate::service::probe::ServiceProbe;

/// The most gaps that a status tells of.
const GAPS_MAX: usize = 100;

/// What a running service tells, and takes.
pub struct ServiceBook {
    pub(super) ledger: Arc<Postgres>,
    config: PathBuf,
    status: watch::Receiver<DriverStatus>,
    systems: Vec<(SystemName, &'static str)>,
    pub(super) probe: ServiceProbe,
    wake: Arc<Notify>,
    callers: Callers,
}

impl ServiceBook {
    /// The book of a ledger, which is not the engine's own handle on it, and of its settings.
    /// `systems` are named with their kinds.
    pub fn new(
        ledger: Arc<Postgres>,
        config: PathBuf,
        status: watch::Receiver<DriverStatus>,
        systems: Vec<(SystemName, &'static str)>,
        probe: ServiceProbe,
        wake: Arc<Notify>,
    ) -> Self {
        Self { ledger, config, status, systems, probe, wake, callers: Callers::default() }
    }

    /// Whether an engine runs: what was done is done, also where that cannot be told.
    async fn engine_runs(desk: &Desk) -> bool {
        desk.engine_runs().await.unwrap_or(false)
    }

    /// The desk of a request.
    pub(super) async fn desk(&self) -> Answered<Desk> {
        let desk = Desk::at(&self.ledger, &self.config).await.map_err(stopped)?;
        Ok(desk.knowing(Some(&self.probe.files())))
    }

    /// Why a mapping waits.
    pub(super) fn waits(&self, mapping: &str) -> Option<String> {
        self.probe.waits().mappings.get(mapping).cloned()
    }
}

#[async_trait]
impl Book for ServiceBook {
    async fn caller(&self, digest: [u8; 32]) -> Answered<Option<Caller>> {
        let token = self.callers.find(&*self.ledger, digest).await?;
        Ok(token.map(|token| Caller {
            token: token.id,
            scopes: Scope::ALL
                .into_iter()
                .filter(|scope| token.scopes.iter().any(|word| word == scope.as_str()))
                .collect(),
            name: token.name,
        }))
    }

    async fn begin(&self, request: &Request) -> Answered<Begun> {
        let request = NewRequest {
            token: request.token,
            key: request.key.clone(),
            digest: request.digest,
            at: SystemClock.now(),
        };
        self.ledger.begin_request(&request).await.map_err(failed)
    }

    async fn end(&self, request: &Request, answer: Option<(u16, String)>) -> Answered<()> {
        let answer = answer.as_ref().map(|(status, body)| (*status, body.as_str()));
        self.ledger.end_request(request.token, &request.key, answer).await.map_err(failed)
    }

    async fn status(&self) -> Answered<Status> {
        let desk = self.desk().await?;
        let links = self.probe.counts().await.map(|links| links.to_vec());
        let report = Report::read(&desk, GAPS_MAX, links, Some(&self.probe.files()))
            .await
            .map_err(stopped)?;
        let mut told = Json::Object(report.json(&desk));
        let readiness = self.probe.readiness().await;
        told["ready"] = readiness.ready.into();
        told["notes"] = json!(readiness.notes);
        as_described(told)
    }

    async fn systems(&self) -> Answered<Vec<System>> {
        let waiting = self.ledger.waiting().await.map_err(failed)?;
        let status = self.status.borrow().clone();
        let told = self.systems.iter().map(|(name, kind)| {
            let system = status.systems.get(name).cloned().unwrap_or_default();
            let hints = waiting.iter().find(|waiting| waiting.system == *name);
            let quota = system.usage.quota;
            System {
                system: name.to_string(),
                kind: (*kind).to_owned(),
                reachable: system.reachable,
                awaited: system.awaited,
                halted: system.halted,
                quiet: system.quiet,
                trouble: system.trouble,
                calls: system.usage.calls,
                quota: quota.map(|quota| SystemQuota { used: quota.used, max: quota.max }),
                hints: hints.map_or(0, |waiting| waiting.hints),
            }
        });
        Ok(told.collect())
    }

    async fn mappings(&self) -> Answered<Vec<Mapping>> {
        self.list_mappings().await
    }

    async fn links(&self, query: LinkQuery) -> Answered<Page<Link>> {
        self.list_links(query).await
    }

    async fn link(&self, id: &str) -> Answered<Link> {
        self.one_link(id).await
    }

    async fn link_journal(&self, id: &str, query: JournalQuery) -> Answered<Page<JournalEntry>> {
        self.journal_of_link(id, query).await
    }

    async fn journal(&self, query: JournalQuery) -> Answered<Page<JournalEntry>> {
        self.whole_journal(query).await
    }

    async fn observed(&self, query: ObservedQuery) -> Answered<Page<Observed>> {
        self.list_observed(query).await
    }

    async fn conflicts(&self, query: ConflictQuery) -> Answered<Page<Conflict>> {
        self.list_conflicts(query).await
    }

    async fn conflict(&self, id: i64) -> Answered<Conflict> {
        let desk = self.desk().await?;
        let question = find(&desk, id).await.map_err(stopped)?;
        as_described(question.json())
    }

    async fn answer(&self, id: i64, answer: Answer, by: &str) -> Answered<TakenAnswer> {
        let desk = self.desk().await?;
        let seen = Seen { id, revision: answer.revision };
        let (wanted, by) = (desk::wanted(&answer)?, desk::by(by)?);
        match give(&desk, seen, &wanted, by).await.map_err(stopped)? {
            Given::Taken(question, answer) => {
                self.wake.notify_one();
                Ok(TakenAnswer {
                    question: question.seen().to_string(),
                    choice: question.mapping.choice_json(question.review.key.unit, &answer.choice),
                    by: answer.by,
                    engine_runs: Self::engine_runs(&desk).await,
                })
            }
            Given::Moved(question) => {
                let (_, message, help) = refusal(seen, &question);
                let now = as_described(question.json())?;
                Err(Failure::Moved(format!("{message}; {help}"), Box::new(now)))
            }
            Given::Misfit(question, Misfit::NotOffered) => {
                let offers = offers(&question);
                let possible: Vec<String> =
                    offers.iter().map(|offer| offer.answer.json().to_string()).collect();
                Err(Failure::Invalid(format!(
                    "this is no answer to question {}: {}; answer with {}",
                    question.seen(),
                    question.what(),
                    possible.join(", or ")
                )))
            }
            Given::Misfit(_, Misfit::Rests(why)) => Err(Failure::Invalid(why)),
            Given::Misfit(question, Misfit::Values(why)) => {
                Err(Failure::Invalid(format!("{why}; {}", values_are_for(&question))))
            }
        }
    }

    async fn parked(&self, query: ParkedQuery) -> Answered<Page<ParkedRecord>> {
        self.list_parked(query).await
    }

    async fn reports(&self, query: ReportQuery) -> Answered<Page<ReportTold>> {
        self.list_reports(query).await
    }

    async fn report(&self) -> Answered<ReportTold> {
        self.current_report().await
    }

    async fn runs(&self) -> Answered<Vec<Run>> {
        self.list_runs().await
    }

    async fn replay(&self, link: &str) -> Answered<Replay> {
        let id = desk::link(link)?;
        let desk = self.desk().await?;
        let not_parked = || Failure::NotFound(format!("link {id} is not set aside"));
        let link = self.ledger.link(id).await.map_err(failed)?.ok_or_else(not_parked)?;
        if !self.ledger.ask_again(link.mapping, id, desk.now).await.map_err(failed)? {
            return Err(not_parked());
        }
        self.wake.notify_one();
        Ok(Replay { engine_runs: Self::engine_runs(&desk).await })
    }
}
