//! Polled changes.

use std::collections::BTreeSet;

use std::sync::Arc;

use syncline_sdk::{ChangesRequest, Comparison, Cursor, FeedKind, Filter, Key, Page, Selection};

use super::{Check, Outcome, Session, Stop, ensure};

/// The most pages that one poll of the fixture's entity may have.
const POLL_PAGES_MAX: usize = 100_000;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = super::list![|can| can.feed == FeedKind::Polled;
        a_first_poll_starts_now,
        a_poll_shows_what_changed_since_its_cursor,
        small_pages_miss_nothing,
        an_old_cursor_still_misses_nothing,
        a_poll_shows_what_left_the_filter,
    ];
    checks.extend(super::list![
        |can| can.feed == FeedKind::Polled && can.recycle_bin.is_some();
        a_poll_shows_deletions,
    ]);
    checks
}

async fn page(
    session: &Session<'_>,
    since: Option<&Cursor>,
    page_rows_max: usize,
) -> Result<(Page, Cursor), Stop> {
    page_of(session, &session.selection(), since, page_rows_max).await
}

async fn page_of(
    session: &Session<'_>,
    selection: &Arc<Selection>,
    since: Option<&Cursor>,
    page_rows_max: usize,
) -> Result<(Page, Cursor), Stop> {
    let selection = selection.clone();
    let request = ChangesRequest { selection, since: since.cloned(), page_rows_max };
    let page = session.connector().changes(&session.cx(), request).await?;
    let Some(next) = page.next.clone() else {
        return Err(Stop::Broken("a poll gives no cursor".into()));
    };
    let rows = page.records.len() + page.gone.len();
    ensure!(rows <= page_rows_max, "a page of at most {page_rows_max} has {rows} rows");
    Ok((page, next))
}

/// Everything that a poll shows, and the next cursor.
async fn poll(
    session: &Session<'_>,
    since: &Cursor,
    page_rows_max: usize,
) -> Result<(BTreeSet<Key>, BTreeSet<Key>, Cursor), Stop> {
    let (mut seen, mut gone, mut cursor) = (BTreeSet::new(), BTreeSet::new(), since.clone());
    for _ in 0..POLL_PAGES_MAX {
        let (page, next) = page(session, Some(&cursor), page_rows_max).await?;
        cursor = next;
        seen.extend(page.records.into_iter().map(|record| record.key));
        gone.extend(page.gone.into_iter().map(|(key, _)| key));
        if !page.more {
            return Ok((seen, gone, cursor));
        }
    }
    Err(Stop::Broken(format!("a poll did not end within {POLL_PAGES_MAX} pages")))
}

async fn start(session: &Session<'_>) -> Result<Cursor, Stop> {
    page(session, None, 10).await.map(|(_, cursor)| cursor)
}

pub(super) async fn a_first_poll_starts_now(session: &Session<'_>) -> Outcome {
    session.created().await;
    let (page, _) = page(session, None, 10).await?;
    ensure!(
        page.records.is_empty() && page.gone.is_empty() && !page.more,
        "a first poll shows {page:?}"
    );
    Ok(())
}

pub(super) async fn a_poll_shows_what_changed_since_its_cursor(session: &Session<'_>) -> Outcome {
    let edited = session.created().await;
    let cursor = start(session).await?;
    let created = session.created().await;
    session.edited(&edited, &session.text()).await;
    session.next_tick().await;
    let (seen, _, cursor) = poll(session, &cursor, 50).await?;
    ensure!(seen.contains(&created), "the created {created} is not in {seen:?}");
    ensure!(seen.contains(&edited), "the edited {edited} is not in {seen:?}");
    session.edited(&created, &session.text()).await;
    session.next_tick().await;
    let (seen, _, _) = poll(session, &cursor, 50).await?;
    ensure!(seen.contains(&created), "the second edit of {created} is not in {seen:?}");
    Ok(())
}

pub(super) async fn small_pages_miss_nothing(session: &Session<'_>) -> Outcome {
    let cursor = start(session).await?;
    let mut made = BTreeSet::new();
    for _ in 0..5 {
        made.insert(session.created().await);
    }
    session.next_tick().await;
    let (seen, _, _) = poll(session, &cursor, 2).await?;
    ensure!(made.is_subset(&seen), "of {made:?}, pages of 2 show {seen:?}");
    Ok(())
}

pub(super) async fn an_old_cursor_still_misses_nothing(session: &Session<'_>) -> Outcome {
    let cursor = start(session).await?;
    let key = session.created().await;
    session.next_tick().await;
    poll(session, &cursor, 50).await?;
    // A restart goes on from the cursor that was stored last, which may be an older one.
    let (seen, _, _) = poll(session, &cursor, 50).await?;
    ensure!(seen.contains(&key), "the second use of a cursor misses {key}");
    Ok(())
}

/// Else nobody would learn that it left.
pub(super) async fn a_poll_shows_what_left_the_filter(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let filter = Filter::Compare {
        field: session.text(),
        comparison: Comparison::Equal,
        value: session.token(),
    };
    let selection = Arc::new(Selection { filter: Some(filter), ..(*session.selection()).clone() });
    let (_, mut cursor) = page_of(session, &selection, None, 10).await?;
    session.edited(&key, &session.text()).await;
    session.next_tick().await;
    for _ in 0..POLL_PAGES_MAX {
        let (page, next) = page_of(session, &selection, Some(&cursor), 50).await?;
        cursor = next;
        if page.records.iter().any(|record| record.key == key) {
            return Ok(());
        }
        ensure!(page.more, "{key} is outside the filter, and its change is not shown");
    }
    Err(Stop::Broken(format!("a poll did not end within {POLL_PAGES_MAX} pages")))
}

pub(super) async fn a_poll_shows_deletions(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let cursor = start(session).await?;
    session.fixture.delete(&key).await;
    session.next_tick().await;
    let (_, gone, _) = poll(session, &cursor, 50).await?;
    ensure!(gone.contains(&key), "the deleted {key} is not in {gone:?}");
    Ok(())
}
