//! Full reads, in key order.

use syncline_sdk::{Cursor, Error, ErrorKind, Page, Result, ScanRequest};

use crate::id::id18;
use crate::org::{Org, unreadable};
use crate::wire::{QueryAnswer, Shown, quoted, superset};

/// One page. Pages go on after the last id, not through the server's paging: they resume after
/// a restart, and a locator would end after two days.
pub(crate) async fn scan(org: &Org, request: &ScanRequest) -> Result<Page> {
    let first = page(org, request).await;
    if org.lost_field(&request.selection.entity, &first).await {
        return page(org, request).await;
    }
    first
}

async fn page(org: &Org, request: &ScanRequest) -> Result<Page> {
    let entity = &request.selection.entity;
    let (described, plan) = org.plan(&request.selection).await?;
    let limit = request.page_rows_max.clamp(1, org.settings.page_rows);
    let mut conditions = Vec::new();
    if let Some(filter) = &request.selection.filter {
        conditions.push(format!("({})", superset(filter, &described)));
    }
    if let Some(after) = &request.after {
        let id = id18(&after.0).ok_or_else(|| {
            Error::new(ErrorKind::Gap, "scan", format!("{entity}: the cursor is not one of ours"))
                .advise("start the scan again")
        })?;
        conditions.push(format!("Id > {}", quoted(&id)));
    }
    let mut soql = plan.select();
    if !conditions.is_empty() {
        soql.push_str(" WHERE ");
        soql.push_str(&conditions.join(" AND "));
    }
    soql.push_str(&format!(" ORDER BY Id LIMIT {limit}"));
    let reply = org.query("scan", entity, &soql, false).await?;
    let answer: QueryAnswer<'_> =
        serde_json::from_slice(&reply.body).map_err(|error| unreadable("scan", entity, error))?;
    let own = org.own_user();
    let mut page = Page { server_time: reply.server_time(), ..Page::default() };
    for row in &answer.records {
        match plan.shown(row, reply.floor, own.as_deref())? {
            Shown::Live(record) => page.records.push(record),
            Shown::Gone(key, absence) => page.gone.push((key, absence)),
        }
    }
    // The server may give fewer rows than asked for, when they are wide.
    let more = !answer.done || answer.records.len() >= limit;
    if more {
        let last = answer.records.last().and_then(|row| row.id());
        page.next = last.map(|id| Cursor(id.into()));
    }
    Ok(page)
}
