//! Deletes, the recycle bin, and abilities that a kind of system does not have.

use syncline_sdk::{
    Absence, ActorKind, Cas, ErrorKind, FeedKind, FetchBy, HistoryKind, HistoryRequest, Key,
    ReceiptKind, WriteOp, WriteOutcome,
};

use super::{Check, Outcome, Session, Stop, ensure};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = super::list![|_| true;
        a_delete_leaves_positive_evidence,
        an_ability_that_is_not_there_is_refused,
    ];
    checks.extend(super::list![|can| can.conditional_delete && can.cas != Cas::None;
        a_delete_of_a_changed_record_is_stale,
    ]);
    checks.extend(super::list![|can| can.recycle_bin.is_some();
        the_bin_shows_who_deleted_what,
        an_undelete_brings_the_record_back_under_its_key,
    ]);
    checks.extend(super::list![
        |can| can.receipt == ReceiptKind::MarkerField
            && matches!(can.cas, Cas::ExactRecord | Cas::Coarse { .. });
        a_fence_writes_the_marker_alone_and_moves_the_version,
    ]);
    checks.extend(super::list![|can| can.history >= HistoryKind::EventsWithValues;
        history_shows_an_overwritten_value,
    ]);
    checks
}

async fn absence(session: &Session<'_>, key: &Key) -> Result<Absence, Stop> {
    let fetched = session.fetch(FetchBy::Keys(vec![key.clone()])).await?;
    let found = fetched.missing.into_iter().find(|(missing, _)| missing == key);
    found
        .map(|(_, absence)| absence)
        .ok_or_else(|| Stop::Broken(format!("{key} is still shown after its delete")))
}

pub(super) async fn a_delete_leaves_positive_evidence(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    session.apply(&session.delete(&record)).await?;
    ensure!(session.fixture.read(&key).await.is_none(), "{key} is still there");
    let absence = absence(session, &key).await?;
    ensure!(
        matches!(absence, Absence::Deleted { .. }),
        "a deleted record is explained as {absence:?}"
    );
    let again = session.push_one(&session.delete(&record)).await?;
    ensure!(matches!(again, WriteOutcome::Missing { .. }), "a second delete gave {again:?}");
    Ok(())
}

pub(super) async fn a_delete_of_a_changed_record_is_stale(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    session.edited(&key, &session.other_text()).await;
    let outcome = session.push_one(&session.delete(&record)).await?;
    ensure!(
        matches!(outcome, WriteOutcome::Stale { .. }),
        "a delete over an unseen edit gave {outcome:?}"
    );
    ensure!(session.fixture.read(&key).await.is_some(), "{key} was deleted all the same");
    Ok(())
}

pub(super) async fn the_bin_shows_who_deleted_what(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    // An edit that the plan of the delete has not seen: the look must find it (protocol 1.4.1).
    let value = session.edited(&key, &session.text()).await;
    let mut delete = session.delete(&record);
    if session.effective().conditional_delete {
        delete = session.delete(&session.record(&key).await?);
    }
    session.apply(&delete).await?;
    let Absence::Deleted { by, image, .. } = absence(session, &key).await? else {
        return Err(Stop::Broken("a deleted record is not explained as deleted".into()));
    };
    let ours = by.is_some_and(|by| by.kind == ActorKind::Sync);
    ensure!(ours, "the bin does not say that it was our own user who deleted {key}");
    let shown = image.as_ref().and_then(|image| session.shown(image, &session.text()));
    ensure!(shown == Some(&value), "the bin shows {shown:?}, the record held {value:?}");
    let other = session.created().await;
    session.fixture.delete(&other).await;
    let Absence::Deleted { by, .. } = absence(session, &other).await? else {
        return Err(Stop::Broken("a deleted record is not explained as deleted".into()));
    };
    let ours = by.is_some_and(|by| by.kind == ActorKind::Sync);
    ensure!(!ours, "the bin says that our user deleted what a person deleted");
    Ok(())
}

pub(super) async fn an_undelete_brings_the_record_back_under_its_key(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    let before = session.stored(&key, &session.text()).await;
    session.fixture.delete(&key).await;
    let undelete = session.write(WriteOp::Undelete { key: key.clone() });
    session.apply(&undelete).await?;
    let after = session.stored(&key, &session.text()).await;
    ensure!(after == before, "{before:?} came back as {after:?}");
    session.record(&key).await?;
    Ok(())
}

pub(super) async fn a_fence_writes_the_marker_alone_and_moves_the_version(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let fence =
        session.write(WriteOp::Fence { key: key.clone(), expect: session.expect(&record, &[]) });
    session.apply(&fence).await?;
    let fenced = session.settled(&key).await?;
    let expected = session.cx().marker(fence.intent);
    ensure!(
        fenced.marker.as_deref() == Some(&expected),
        "a fenced record carries the marker {:?}, not {expected}",
        fenced.marker
    );
    for field in session.fixture.texts() {
        let (before, after) = (session.shown(&record, &field), session.shown(&fenced, &field));
        ensure!(before == after, "the fence changed {field} from {before:?} to {after:?}");
    }
    ensure!(fenced.version != record.version, "the fence did not move the version");
    let late = session.write(WriteOp::Fence { key, expect: session.expect(&record, &[]) });
    let outcome = session.push_one(&late).await?;
    ensure!(
        matches!(outcome, WriteOutcome::Stale { .. }),
        "a fence on a moved version gave {outcome:?}"
    );
    Ok(())
}

pub(super) async fn history_shows_an_overwritten_value(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let overwritten = session.edited(&key, &session.text()).await;
    let last = session.edited(&key, &session.text()).await;
    let request = HistoryRequest {
        entity: session.selection().entity.clone(),
        records: vec![(key, record.version)],
        fields: vec![session.text()],
    };
    let entries = session.connector().history(&session.cx(), request).await?;
    let place = |value| entries.iter().position(|entry| entry.new == value);
    let (first, second) = (place(overwritten.clone()), place(last));
    ensure!(first.is_some() && first < second, "the history of two edits is {entries:?}");
    if session.effective().history == HistoryKind::FullValues {
        let old = entries.iter().any(|entry| entry.old == overwritten);
        ensure!(old, "no old value in {entries:?}");
    }
    Ok(())
}

pub(super) async fn an_ability_that_is_not_there_is_refused(session: &Session<'_>) -> Outcome {
    let (can, cx, selection) = (session.effective(), session.cx(), session.selection());
    let mut wrong = Vec::new();
    let mut refused = |what: &'static str, error: Option<syncline_sdk::Error>| match error {
        Some(error) if error.kind == ErrorKind::Unsupported => {}
        Some(error) => wrong.push(format!("{what}: {error}")),
        None => wrong.push(format!("{what}: no error")),
    };
    if can.feed == FeedKind::Images {
        let request = syncline_sdk::ChangesRequest {
            selection: selection.clone(),
            since: None,
            page_rows_max: 1,
        };
        refused("changes", session.connector().changes(&cx, request).await.err());
    } else {
        let opened = session.connector().open_feed(&cx, &[&selection], None).await;
        refused("open_feed", opened.err());
        let start = session.connector().feed_start(&cx).await?;
        ensure!(start.is_none(), "a polled system has the feed start {start:?}");
    }
    let key = session.created().await;
    if can.history == HistoryKind::None {
        let request = HistoryRequest {
            entity: selection.entity.clone(),
            records: vec![(key.clone(), syncline_sdk::Version::default())],
            fields: vec![session.text()],
        };
        refused("history", session.connector().history(&cx, request).await.err());
    }
    if can.recycle_bin.is_none() {
        session.fixture.delete(&key).await;
        let undelete = session.write(WriteOp::Undelete { key });
        match session.push_one(&undelete).await? {
            WriteOutcome::Rejected { error, .. } => refused("undelete", Some(error)),
            other => {
                return Err(Stop::Broken(format!("an undelete without a bin gave {other:?}")));
            }
        }
    }
    ensure!(wrong.is_empty(), "not refused as unsupported: {}", wrong.join("; "));
    Ok(())
}
