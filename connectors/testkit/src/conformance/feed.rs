//! Pushed feeds.

use syncline_sdk::{
    Change, ChangeKind, ErrorKind, Feed, FeedBatch, FeedKind, Key, Position, ReceiptKind, Value,
    VersionOrder,
};

use super::session::applied;
use super::{Check, Outcome, Session, Stop, ensure};

/// The most calls within which an expected change has to come.
const CALLS_MAX: usize = 200;

pub(super) fn checks() -> Vec<Check> {
    super::list![|can| can.feed == FeedKind::Images;
        a_feed_shows_changes_in_order_with_complete_images,
        our_own_writes_carry_their_marker_and_version,
        events_from_before_a_write_or_a_reading_are_older,
        a_feed_resumes_from_a_position_and_shows_it_again_until_acknowledged,
        the_feed_start_misses_nothing,
        a_position_comes_only_behind_a_whole_transaction,
        a_place_of_another_stream_is_a_gap,
    ]
}

async fn open(session: &Session<'_>, from: Option<&Position>) -> Result<Box<dyn Feed>, Stop> {
    let selection = session.selection();
    Ok(session.connector().open_feed(&session.cx(), &[&selection], from).await?)
}

/// Reads until the wanted change has come, and gives everything read on the way.
async fn read_until(
    session: &Session<'_>,
    feed: &mut dyn Feed,
    rows_max: usize,
    wanted: impl Fn(&Change) -> bool,
) -> Result<Vec<FeedBatch>, Stop> {
    let mut batches = Vec::new();
    for _ in 0..CALLS_MAX {
        let batch = feed.next(&session.cx(), rows_max).await?;
        ensure!(
            batch.changes.len() <= rows_max,
            "{} changes where at most {rows_max} were asked for",
            batch.changes.len()
        );
        let found = batch.changes.iter().any(&wanted);
        batches.push(batch);
        if found {
            return Ok(batches);
        }
    }
    Err(Stop::Broken(format!("an expected change did not come within {CALLS_MAX} calls")))
}

/// Reads on until a position comes.
async fn read_position(
    session: &Session<'_>,
    feed: &mut dyn Feed,
    batches: &mut Vec<FeedBatch>,
) -> Result<Position, Stop> {
    for _ in 0..CALLS_MAX {
        if let Some(position) = batches.last().and_then(|batch| batch.position.clone()) {
            return Ok(position);
        }
        batches.push(feed.next(&session.cx(), 100).await?);
    }
    Err(Stop::Broken(format!("no position came within {CALLS_MAX} calls")))
}

fn shows(session: &Session<'_>, change: &Change, key: &Key, value: &Value) -> bool {
    let place = session.place(&session.text());
    let ChangeKind::Upsert(values) = &change.kind else {
        return false;
    };
    change.key == *key && values.get(place) == Some(value)
}

fn changes_of<'b>(batches: &'b [FeedBatch], key: &Key) -> Vec<&'b Change> {
    let changes = batches.iter().flat_map(|batch| &batch.changes);
    changes.filter(|change| change.key == *key).collect()
}

pub(super) async fn a_feed_shows_changes_in_order_with_complete_images(
    session: &Session<'_>,
) -> Outcome {
    let mut feed = open(session, None).await?;
    let key = session.created().await;
    let first = session.edited(&key, &session.text()).await;
    let second = session.edited(&key, &session.text()).await;
    let stored = session.fixture.read(&key).await;
    session.fixture.delete(&key).await;
    let gone = |change: &Change| change.key == key && change.kind == ChangeKind::Delete;
    let batches = read_until(session, &mut *feed, 100, gone).await?;
    let changes = changes_of(&batches, &key);
    let place = |value| changes.iter().position(|change| shows(session, change, &key, value));
    let (one, two) = (place(&first), place(&second));
    ensure!(one.is_some() && one < two, "two edits came as {changes:?}");
    let image = two.and_then(|two| changes.get(two)).map(|change| change.kind.clone());
    ensure!(
        image == stored.clone().map(ChangeKind::Upsert),
        "the image of the last edit is {image:?}, stored was {stored:?}"
    );
    for pair in changes.windows(2) {
        let [before, after] = pair else { continue };
        let order = session.connector().order(&before.version, &after.version);
        ensure!(order == VersionOrder::Older, "two changes in a row are {order:?}");
    }
    let marked = changes.iter().any(|change| change.marker.is_some());
    ensure!(!marked, "a person's change carries a marker of ours");
    Ok(())
}

pub(super) async fn our_own_writes_carry_their_marker_and_version(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    let mut feed = open(session, None).await?;
    let record = session.settled(&key).await?;
    let (write, value) = session.update_text(&record);
    let batch = session.batch(vec![write]);
    let mut written = None;
    for outcome in session.push(&batch).await? {
        written = applied(outcome)?.version;
    }
    let ours = |change: &Change| shows(session, change, &key, &value);
    let batches = read_until(session, &mut *feed, 100, ours).await?;
    let expected = session.cx().batch_marker(batch.batch);
    let changes = changes_of(&batches, &key);
    let Some(change) = changes.iter().find(|change| ours(change)) else {
        return Err(Stop::Broken("our own change did not come".into()));
    };
    ensure!(
        change.marker.as_deref() == Some(&expected),
        "our own change carries the marker {:?}, not {expected}",
        change.marker
    );
    if let Some(written) = &written {
        let order = session.connector().order(&change.version, written);
        ensure!(order == VersionOrder::Same, "our change and our write are {order:?}");
    }
    if session.effective().receipt == ReceiptKind::Stream {
        let mut batches = batches;
        read_position(session, &mut *feed, &mut batches).await?;
        let mut markers = batches.iter().flat_map(|batch| &batch.markers);
        let found = markers.any(|(marker, _)| **marker == *expected);
        ensure!(found, "the marker {expected} was not seen to commit");
    }
    Ok(())
}

pub(super) async fn events_from_before_a_write_or_a_reading_are_older(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    let mut feed = open(session, None).await?;
    let before = session.edited(&key, &session.text()).await;
    let record = session.settled(&key).await?;
    let (write, _) = session.update_text(&record);
    let written = session.apply(&write).await?.version;
    let after = session.edited(&key, &session.text()).await;
    let last = |change: &Change| shows(session, change, &key, &after);
    let batches = read_until(session, &mut *feed, 100, last).await?;
    let order = |a, b| session.connector().order(a, b);
    for change in changes_of(&batches, &key) {
        if shows(session, change, &key, &before) {
            let read = order(&change.version, &record.version);
            ensure!(read == VersionOrder::Older, "an event in a reading is {read:?} to it");
            if let Some(written) = &written {
                let write = order(&change.version, written);
                ensure!(write == VersionOrder::Older, "an event before our write is {write:?}");
            }
        }
        if last(change) {
            let read = order(&change.version, &record.version);
            ensure!(read == VersionOrder::Newer, "an event after a reading is {read:?} to it");
            if let Some(written) = &written {
                let write = order(&change.version, written);
                ensure!(write == VersionOrder::Newer, "an event after our write is {write:?}");
            }
        }
    }
    Ok(())
}

pub(super) async fn a_feed_resumes_from_a_position_and_shows_it_again_until_acknowledged(
    session: &Session<'_>,
) -> Outcome {
    let mut feed = open(session, None).await?;
    let key = session.created().await;
    let first = session.edited(&key, &session.text()).await;
    let is_first = |change: &Change| shows(session, change, &key, &first);
    let mut batches = read_until(session, &mut *feed, 100, is_first).await?;
    let middle = read_position(session, &mut *feed, &mut batches).await?;
    let second = session.edited(&key, &session.text()).await;
    let is_second = |change: &Change| shows(session, change, &key, &second);
    read_until(session, &mut *feed, 100, is_second).await?;
    drop(feed);
    // What was read and not acknowledged comes again.
    let mut feed = open(session, Some(&middle)).await?;
    let batches = read_until(session, &mut *feed, 100, is_second).await?;
    let early = changes_of(&batches, &key).into_iter().any(is_first);
    ensure!(!early, "a change from before the position came again");
    feed.ack(&middle).await?;
    let third = session.edited(&key, &session.text()).await;
    let is_third = |change: &Change| shows(session, change, &key, &third);
    read_until(session, &mut *feed, 100, is_third).await?;
    drop(feed);
    let mut feed = open(session, Some(&middle)).await?;
    read_until(session, &mut *feed, 100, is_third).await?;
    Ok(())
}

pub(super) async fn the_feed_start_misses_nothing(session: &Session<'_>) -> Outcome {
    let Some(start) = session.connector().feed_start(&session.cx()).await? else {
        return Err(Stop::Broken("a pushed feed has no start".into()));
    };
    let key = session.created().await;
    let value = session.stored(&key, &session.text()).await.unwrap_or_default();
    let mut feed = open(session, Some(&start)).await?;
    let made = |change: &Change| shows(session, change, &key, &value);
    read_until(session, &mut *feed, 100, made).await?;
    Ok(())
}

pub(super) async fn a_position_comes_only_behind_a_whole_transaction(
    session: &Session<'_>,
) -> Outcome {
    if !session.effective().transactional {
        return Err(Stop::Skipped("batches are not transactions there"));
    }
    let mut records = Vec::new();
    for _ in 0..3 {
        let key = session.created().await;
        records.push(session.settled(&key).await?);
    }
    let mut feed = open(session, None).await?;
    // Whatever came before is over, so that a position inside cannot be that of its end.
    let last = session.created().await;
    let made = |change: &Change| change.key == last;
    let mut before = read_until(session, &mut *feed, 100, made).await?;
    read_position(session, &mut *feed, &mut before).await?;
    let writes = records.iter().map(|record| session.update_text(record).0).collect();
    let batch = session.batch(writes);
    for outcome in session.push(&batch).await? {
        applied(outcome)?;
    }
    let marker = session.cx().batch_marker(batch.batch);
    let mut seen = 0;
    for _ in 0..CALLS_MAX {
        let part = feed.next(&session.cx(), 1).await?;
        let mut groups: Vec<u64> = part.changes.iter().map(|change| change.group).collect();
        groups.dedup();
        ensure!(groups.len() <= 1, "one change of at most one, of groups {groups:?}");
        seen += part.changes.iter().filter(|one| one.marker.as_deref() == Some(&marker)).count();
        let inside = seen > 0 && seen < records.len();
        ensure!(
            !inside || part.position.is_none(),
            "a position after {seen} of {} changes of a transaction",
            records.len()
        );
        if seen >= records.len() {
            return Ok(());
        }
    }
    Err(Stop::Broken(format!("{seen} of {} changes came", records.len())))
}

pub(super) async fn a_place_of_another_stream_is_a_gap(session: &Session<'_>) -> Outcome {
    let Some(start) = session.connector().feed_start(&session.cx()).await? else {
        return Err(Stop::Broken("a pushed feed has no start".into()));
    };
    let strange =
        Position { stream: format!("{}-of-another", start.stream).into(), place: start.place };
    let selection = session.selection();
    match session.connector().open_feed(&session.cx(), &[&selection], Some(&strange)).await {
        Err(error) if error.kind == ErrorKind::Gap => Ok(()),
        Err(error) => Err(Stop::Broken(format!("another stream's place gave {error}"))),
        Ok(_) => Err(Stop::Broken("another stream's place was accepted".into())),
    }
}
