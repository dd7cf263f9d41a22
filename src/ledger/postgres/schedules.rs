//! What the owner does at set times.

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection};
use syncline_sdk::SystemName;

use super::error::Meaning;
use super::session::call;
use super::{Postgres, calls, install, journal, prune, report, schedule};
use crate::Result;
use crate::schedules::{
    FinishedRun, KeptFrom, KeptReport, Pruned, PrunedPage, Scheduled, Schedules,
};

#[async_trait]
impl Schedules for Postgres {
    async fn scheduled(&self) -> Result<Vec<Scheduled>> {
        call!(self, "read what is scheduled", |connection| schedule::all(connection))
    }

    async fn schedule(&self, owner: &str, name: &str, times: &str, next_at: i64) -> Result<()> {
        call!(self, "schedule a run", |connection| {
            schedule::plan(connection, owner, name, times, next_at)
        })
    }

    async fn unschedule(&self, owner: &str, name: &str) -> Result<()> {
        call!(self, "unschedule a run", |connection| schedule::drop(connection, owner, name))
    }

    async fn finish_run(&self, owner: &str, run: &FinishedRun) -> Result<bool> {
        call!(self, "record a run", |connection| finish(connection, owner, run))
    }

    async fn count_calls(&self, calls: &[(SystemName, i64)]) -> Result<()> {
        call!(self, "count calls", |connection| calls::raise(connection, calls))
    }

    async fn calls(&self) -> Result<Vec<(SystemName, i64)>> {
        call!(self, "read the counts of calls", |connection| calls::all(connection))
    }

    async fn installed_at(&self) -> Result<Option<i64>> {
        call!(self, "look when the ledger was made", |connection| install::made_at(connection))
    }

    async fn reports(&self, before: Option<i64>, max: usize) -> Result<Vec<KeptReport>> {
        call!(self, "list reports", |connection| report::list(connection, before, max))
    }

    async fn report_until(&self, at: i64) -> Result<Option<KeptReport>> {
        call!(self, "look for a report", |connection| report::until(connection, at))
    }

    async fn prune_journal(
        &self,
        before: i64,
        after: Option<i64>,
        max: usize,
    ) -> Result<PrunedPage> {
        call!(self, "remove old entries of the journal", |connection| {
            journal::prune(connection, before, after, max)
        })
    }

    async fn prune(&self, kept: &KeptFrom) -> Result<Pruned> {
        call!(self, "remove what is old", |connection| prune::rest(connection, &self.keyring, kept))
    }
}

/// The run and its report, or neither.
async fn finish(connection: &mut PgConnection, owner: &str, run: &FinishedRun) -> Result<bool> {
    const WHAT: &str = "record a run";
    let mut transaction = connection.begin().await.meaning(WHAT)?;
    if !schedule::passed(&mut transaction, owner, run).await? {
        transaction.rollback().await.meaning(WHAT)?;
        return Ok(false);
    }
    if let Some(made) = &run.report {
        report::keep(&mut transaction, made).await?;
    }
    transaction.commit().await.meaning(WHAT)?;
    Ok(true)
}
