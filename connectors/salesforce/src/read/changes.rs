//! Polled changes.
//!
//! A poll goes forward by (stamp, id), so that any number of records may share a second, and
//! stays `lag` behind the server's clock. A stamp is given before its commit: a change of a long
//! transaction appears behind the poll. Therefore the window of `overlap` behind the poll is
//! read again each `overlap_every` (protocol O9); rows that were shown unchanged are dropped.
//! One query shows records and deletions: `queryAll` includes the recycle bin.

use syncline_sdk::{ChangesRequest, Context, Cursor, Error, ErrorKind, Page, Result};

use super::cursor::{Place, Poll};
use super::shown::{Memory, Print};
use crate::limits::RECYCLE_BIN;
use crate::org::{Org, unreadable};
use crate::version::Stamp;
use crate::wire::{QueryAnswer, Reply, RowPlan, Shown, quoted};

/// One page of changes.
pub(crate) async fn changes(org: &Org, cx: &Context, request: &ChangesRequest) -> Result<Page> {
    let entity = &request.selection.entity;
    let Some(since) = &request.since else {
        return begin(org, request).await;
    };
    let mut poll: Poll = since.0.parse().map_err(|()| {
        Error::new(ErrorKind::Gap, "poll changes", format!("{entity}: the cursor is not ours"))
            .advise("compare both sides in full and poll from now")
    })?;
    let (chain, mut memory) = org.shown.take(poll.chain, &since.0, cx.now.micros());
    poll.chain = chain;
    let mut result = page(org, request, poll.clone(), &mut memory).await;
    if org.lost_field(entity, &result).await {
        result = page(org, request, poll, &mut memory).await;
    }
    let (page, poll) = result?;
    let gave = poll.to_string();
    let window = Stamp(poll.at.stamp.0.saturating_sub(seconds(org.settings.overlap)));
    org.shown.put(chain, memory, &since.0, &gave, window);
    Ok(Page { next: Some(Cursor(gave.into())), ..page })
}

/// A poll that starts now: nothing is shown, and the first poll re-reads the window, because
/// what commits after a first load has begun may carry a stamp from before.
async fn begin(org: &Org, request: &ChangesRequest) -> Result<Page> {
    let entity = &request.selection.entity;
    let (_, plan) = org.plan(&request.selection).await?;
    let soql = format!("SELECT Id, {} FROM {entity} LIMIT 1", plan.stamp_field());
    let reply = org.query("poll changes", entity, &soql, false).await?;
    let now = reply.clock("poll changes")?;
    let poll = Poll {
        at: Place::before(Stamp(now.0.saturating_sub(seconds(org.settings.lag)))),
        due: Stamp(0),
        back: None,
        chain: 0,
    };
    let next = Some(Cursor(poll.to_string().into()));
    Ok(Page { next, server_time: Some(now.instant()), ..Page::default() })
}

async fn page(
    org: &Org,
    request: &ChangesRequest,
    mut poll: Poll,
    memory: &mut Memory,
) -> Result<(Page, Poll)> {
    let entity = &request.selection.entity;
    let (_, plan) = org.plan(&request.selection).await?;
    let limit = request.page_rows_max.clamp(1, org.settings.page_rows);
    let soql = statement(&plan, &poll, limit);
    let reply = org.query("poll changes", entity, &soql, plan.tells_deleted()).await?;
    let now = reply.clock("poll changes")?;
    if plan.tells_deleted() && now.0 - poll.at.stamp.0 > seconds(RECYCLE_BIN) {
        let what = format!(
            "{entity}: the last poll was at {}, and the recycle bin keeps deletions for 15 days",
            poll.at.stamp.instant()
        );
        return Err(Error::new(ErrorKind::Gap, "poll changes", what)
            .advise("compare both sides in full and poll from now"));
    }
    let answer: QueryAnswer<'_> = serde_json::from_slice(&reply.body)
        .map_err(|error| unreadable("poll changes", entity, error))?;
    // What is younger than this is left for a later poll.
    let bound = Stamp(now.0.saturating_sub(seconds(org.settings.lag)));
    let own = org.own_user();
    let read = Reading { plan: &plan, reply: &reply, own: own.as_deref(), bound };
    let (mut page, last) = read.rows(&answer, memory)?;
    let rows = answer.records.len();
    let full = rows > 0 && (!answer.done || rows >= limit);
    let cut = rows > last.seen;
    page.server_time = Some(now.instant());
    page.more = advance(org, &mut poll, last.place, full && !cut, now, bound);
    Ok((page, poll))
}

/// Moves the poll past a page; whether there is more at once.
fn advance(
    org: &Org,
    poll: &mut Poll,
    last: Option<Place>,
    more: bool,
    now: Stamp,
    bound: Stamp,
) -> bool {
    match (&mut poll.back, more) {
        (Some(back), true) => {
            *back = last.unwrap_or_else(|| back.clone());
            true
        }
        (Some(_), false) => {
            poll.back = None;
            poll.due = Stamp(now.0.saturating_add(seconds(org.settings.overlap_every)));
            false
        }
        (None, true) => {
            poll.at = last.unwrap_or_else(|| poll.at.clone());
            true
        }
        (None, false) => {
            let shown = last.unwrap_or_else(|| poll.at.clone());
            // Everything visible up to the bound was shown. What is not, but carries an older
            // stamp, is found by the re-read.
            poll.at = shown.max(Place::before(Stamp(bound.0.saturating_sub(1))));
            let due = now >= poll.due;
            if due {
                let start = poll.at.stamp.0.saturating_sub(seconds(org.settings.overlap));
                poll.back = Some(Place::before(Stamp(start)));
            }
            due
        }
    }
}

fn statement(plan: &RowPlan, poll: &Poll, limit: usize) -> String {
    let stamp = plan.stamp_field();
    let from = poll.back.as_ref().unwrap_or(&poll.at);
    let start = from.stamp.soql();
    let mut conditions = vec![if from.id.is_empty() {
        format!("{stamp} >= {start}")
    } else {
        format!("(({stamp} = {start} AND Id > {}) OR {stamp} > {start})", quoted(&from.id))
    }];
    if poll.back.is_some() {
        conditions.push(format!("{stamp} <= {}", poll.at.stamp.soql()));
    }
    format!(
        "{} WHERE {} ORDER BY {stamp}, Id LIMIT {limit}",
        plan.select(),
        conditions.join(" AND ")
    )
}

struct Reading<'a> {
    plan: &'a RowPlan,
    reply: &'a Reply,
    own: Option<&'a str>,
    bound: Stamp,
}

/// How far a page was read.
struct Last {
    place: Option<Place>,
    seen: usize,
}

impl Reading<'_> {
    fn rows(&self, answer: &QueryAnswer<'_>, memory: &mut Memory) -> Result<(Page, Last)> {
        let mut page = Page::default();
        let mut last = Last { place: None, seen: 0 };
        for row in &answer.records {
            let shown = self.plan.shown(row, self.reply.floor, self.own)?;
            let key = match &shown {
                Shown::Live(record) => record.key.clone(),
                Shown::Gone(key, _) => key.clone(),
            };
            let Some(stamp) = self.plan.stamp(row) else {
                continue;
            };
            if stamp >= self.bound {
                break;
            }
            last.seen += 1;
            last.place = Some(Place { stamp, id: key.as_str().to_owned() });
            let print = match &shown {
                Shown::Live(record) => Print::of_record(stamp, record),
                Shown::Gone(_, absence) => Print::of_absence(stamp, absence),
            };
            if memory.knows(&key, print) {
                continue;
            }
            memory.give(key.clone(), print);
            match shown {
                Shown::Live(record) => page.records.push(record),
                Shown::Gone(key, absence) => page.gone.push((key, absence)),
            }
        }
        Ok((page, last))
    }
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
