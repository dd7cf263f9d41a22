//! What is done at set times: reports, and the removal of what is old. By the process that owns
//! the shards, once for each time that was due; what was missed meanwhile is done once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use syncline_engine::driver::{Status, SystemClock};
use syncline_engine::{Clock as _, Times};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{FinishedRun, KeptFrom, NewReport, Pruned, Scheduled, Schedules as _};
use syncline_ledger::{NOTICES_KEPT, REQUESTS_KEPT};
use syncline_sdk::{Instant, SystemName};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::probe::ServiceProbe;
use crate::queue::account::{account_since, last_report, line};
use crate::queue::desk::Desk;
use crate::settings::ScheduleSettings;
use crate::stop::{Stop, told};

/// How often it is looked what is due. Short, for a look is one small table; nothing is due more
/// often than once a second.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long after a failure a run is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// How many entries of the journal are looked through with one statement.
const PAGE_MAX: usize = 2_000;

/// How long the removal rests after each page: it is in no hurry, and the engine is.
const REST: Duration = Duration::from_millis(20);

/// What happens at set times.
const REPORT: &str = "report";
const RETENTION: &str = "retention";

/// What a calendar is made of.
pub(super) struct Calendar {
    /// The ledger, by a handle that the engine does not wait for.
    pub ledger: Arc<Postgres>,
    /// The name of this process in the ledger.
    pub owner: String,
    pub settings: ScheduleSettings,
    pub config: PathBuf,
    /// What is told of the service.
    pub probe: ServiceProbe,
    pub status: watch::Receiver<Status>,
}

impl Calendar {
    /// Does what is due until it is stopped.
    pub async fn keep(self, stop: CancellationToken) {
        let mut counted = BTreeMap::new();
        let mut again: BTreeMap<String, i64> = BTreeMap::new();
        loop {
            let stopped = stop.run_until_cancelled(wait(LOOK_EVERY)).await.is_none();
            self.count_calls(&mut counted).await;
            self.probe.note_quotas();
            if stopped {
                return;
            }
            let owner = self.status.borrow().owner;
            if owner && let Err(error) = self.look(&mut again, &stop).await {
                tracing::warn!(error = told(&error), "what is due was not looked up");
            }
        }
    }

    /// Adds the calls that this process made since they were counted last.
    async fn count_calls(&self, counted: &mut BTreeMap<SystemName, u64>) {
        let made: Vec<(SystemName, u64)> = {
            let status = self.status.borrow();
            let calls = status.systems.iter();
            calls.map(|(name, system)| (name.clone(), system.usage.calls)).collect()
        };
        let new: Vec<(SystemName, i64)> = made
            .iter()
            .filter_map(|(name, calls)| {
                let before = counted.get(name).copied().unwrap_or(0);
                let new = i64::try_from(calls.saturating_sub(before)).ok()?;
                (new > 0).then(|| (name.clone(), new))
            })
            .collect();
        if new.is_empty() {
            return;
        }
        match self.ledger.count_calls(&new).await {
            Ok(()) => counted.extend(made),
            // They are counted with the next.
            Err(error) => tracing::debug!(%error, "calls were not counted"),
        }
    }

    /// Does what is due.
    async fn look(
        &self,
        again: &mut BTreeMap<String, i64>,
        stop: &CancellationToken,
    ) -> syncline_ledger::Result<()> {
        let known = self.ledger.scheduled().await?;
        let wanted = self.wanted();
        for scheduled in known.iter().filter(|known| !wanted.contains_key(known.name.as_str())) {
            self.ledger.unschedule(&self.owner, &scheduled.name).await?;
        }
        for (name, times) in wanted {
            let now = SystemClock.now();
            let known = known.iter().find(|known| known.name == name);
            let Some(next) = times.after(now).map(Instant::micros) else { continue };
            match known.filter(|known| known.times == times.as_str()) {
                None => {
                    self.ledger.schedule(&self.owner, name, times.as_str(), next).await?;
                }
                Some(known) if known.next_at <= now.micros() => {
                    let rests = again.get(name).is_some_and(|until| *until > now.micros());
                    if !rests && !stop.is_cancelled() {
                        self.try_run(known, next, again, stop).await;
                    }
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn wanted(&self) -> BTreeMap<&'static str, &Times> {
        let report = self.settings.report.iter().map(|times| (REPORT, times));
        report.chain([(RETENTION, &self.settings.retention)]).collect()
    }

    async fn try_run(
        &self,
        due: &Scheduled,
        next: i64,
        again: &mut BTreeMap<String, i64>,
        stop: &CancellationToken,
    ) {
        let ran = match due.name.as_str() {
            REPORT => self.report(due, next).await,
            _ => self.remove_old(due, next, stop).await,
        };
        match ran {
            Ok(()) => drop(again.remove(&due.name)),
            Err(stopped) => {
                let (name, error) = (&due.name, words(&stopped));
                tracing::error!(run = name, error, "a run that was due failed; it is tried again");
                let pause = i64::try_from(AGAIN.as_micros()).unwrap_or(i64::MAX);
                again.insert(due.name.clone(), SystemClock.now().micros().saturating_add(pause));
            }
        }
    }

    /// Makes a report, and says it in the log once it is kept.
    async fn report(&self, due: &Scheduled, next_at: i64) -> Result<(), Stop> {
        let desk = Desk::at(&self.ledger, &self.config).await?;
        let last = last_report(&self.ledger).await.context("the ledger")?;
        let now = SystemClock.now().micros();
        let (account, totals, (from_at, until_at)) =
            account_since(&desk, Some(&self.probe.files()), last.as_ref(), now).await?;
        let body = serde_json::to_string(&account).context("the report cannot be written down")?;
        let said = line(&account);
        let report = NewReport { from_at, until_at, totals: totals.text(), body };
        if self.finish(due, next_at, said.clone(), Some(report)).await? {
            tracing::info!(from = account.from, until = account.until, "report: {said}");
        }
        Ok(())
    }

    /// Removes what is older than it is to be kept. What is removed before it ends early stays so,
    /// and the next try goes on from there.
    async fn remove_old(
        &self,
        due: &Scheduled,
        next_at: i64,
        stop: &CancellationToken,
    ) -> Result<(), Stop> {
        let now = SystemClock.now().micros();
        let kept = self.kept_from(now);
        let entries = match kept.journal {
            Some(before) => match self.prune_journal(before, stop).await.context("the ledger")? {
                Some(removed) => removed,
                None => return Ok(()),
            },
            None => 0,
        };
        let rest = self.ledger.prune(&kept).await.context("the ledger")?;
        let said = removed_words(entries, &rest);
        if self.finish(due, next_at, said.clone(), None).await? {
            tracing::info!("retention: {said}");
        }
        Ok(())
    }

    /// From when on things are kept.
    fn kept_from(&self, now: i64) -> KeptFrom {
        let from = |kept: Duration| {
            now.saturating_sub(i64::try_from(kept.as_micros()).unwrap_or(i64::MAX))
        };
        KeptFrom {
            journal: self.settings.journal.map(from),
            deliveries: self.settings.deliveries.map(from),
            reports: self.settings.reports.map(from),
            notices: from(NOTICES_KEPT),
            requests: from(REQUESTS_KEPT),
        }
    }

    /// How many entries of the journal were removed; nothing when it was stopped, or another
    /// process took over.
    async fn prune_journal(
        &self,
        before: i64,
        stop: &CancellationToken,
    ) -> syncline_ledger::Result<Option<u64>> {
        let (mut removed, mut after) = (0, None);
        loop {
            let page = self.ledger.prune_journal(before, after, PAGE_MAX).await?;
            removed += page.removed;
            match page.last {
                Some(last) if !page.young => after = Some(last),
                _ => return Ok(Some(removed)),
            }
            let stopped = stop.run_until_cancelled(wait(REST)).await.is_none();
            if stopped || !self.status.borrow().owner {
                return Ok(None);
            }
        }
    }

    /// Records the run; whether it was this process's to record.
    async fn finish(
        &self,
        due: &Scheduled,
        next_at: i64,
        outcome: String,
        report: Option<NewReport>,
    ) -> Result<bool, Stop> {
        let run = FinishedRun {
            name: due.name.clone(),
            due: due.next_at,
            next_at,
            at: SystemClock.now().micros(),
            outcome,
            report,
        };
        Ok(self.ledger.finish_run(&self.owner, &run).await.context("the ledger")?)
    }
}

fn removed_words(entries: u64, rest: &Pruned) -> String {
    let parts = [
        (entries, "journal entries"),
        (rest.questions, "closed questions"),
        (rest.gaps, "closed gaps"),
        (rest.batches, "settled batches"),
        (rest.deliveries, "deliveries and notices"),
        (rest.requests, "answers of the API"),
        (rest.reports, "reports"),
        (rest.keys, "keys of ended links"),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match told.as_slice() {
        [] => "nothing was old".to_owned(),
        told => format!("removed {}", told.join(", ")),
    }
}

fn words(stop: &Stop) -> String {
    match stop {
        Stop::Found(found) => found.to_string(),
        Stop::Failed(error) => told(&**error),
    }
}

#[expect(clippy::disallowed_methods, reason = "what is due by the calendar is looked for by time")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}
