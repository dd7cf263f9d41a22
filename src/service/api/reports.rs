//! The reports of the book, and what runs at set times.

use serde_json::Value as Json;
use syncline_ledger::Schedules as _;
use syncline_server::api::{Answered, Page, Report, ReportQuery, Run};

use super::ServiceBook;
use super::desk::number;
use super::failure::{as_described, failed, stopped};
use crate::queue::account::{account_since, last_report};
use crate::queue::report::scheduled_json;

impl ServiceBook {
    pub(super) async fn list_reports(&self, query: ReportQuery) -> Answered<Page<Report>> {
        let before = query.after.as_deref().map(|after| number(Some(after))).transpose()?;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let kept = self.ledger.reports(before, limit + 1).await.map_err(failed)?;
        let page = Page::new(kept, limit, |kept| kept.id.to_string());
        let items = page.items.into_iter().map(|kept| {
            let mut told: Json = serde_json::from_str(&kept.report.body).unwrap_or_default();
            told["id"] = kept.id.into();
            as_described(told)
        });
        Ok(Page { items: items.collect::<Answered<_>>()?, next: page.next })
    }

    pub(super) async fn list_runs(&self) -> Answered<Vec<Run>> {
        let scheduled = self.ledger.scheduled().await.map_err(failed)?;
        scheduled.iter().map(|one| as_described(scheduled_json(one))).collect()
    }

    pub(super) async fn current_report(&self) -> Answered<Report> {
        let desk = self.desk().await?;
        let last = last_report(&self.ledger).await.map_err(failed)?;
        let files = self.probe.files();
        let now = desk.now.micros();
        let (account, _, _) =
            account_since(&desk, Some(&files), last.as_ref(), now).await.map_err(stopped)?;
        as_described(serde_json::to_value(&account).unwrap_or_default())
    }
}
