//! Writes whose outcome is not known.

use syncline_sdk::{Cas, Current, ReceiptKind, Settlement, WriteBatch, WriteOp, WriteOutcome};

use super::session::applied;
use super::{Check, Outcome, Session, Stop, ensure};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = super::list![|_| true;
        settling_nothing_answers_nothing,
        a_write_that_may_still_arrive_is_never_given_up_without_proof,
    ];
    checks.extend(super::list![
        |can| matches!(can.receipt, ReceiptKind::Table | ReceiptKind::MarkerField);
        an_applied_update_is_settled_as_applied,
        an_applied_write_stays_applied_under_a_later_edit,
        settlements_stand_in_the_order_of_the_writes,
        a_write_never_sent_is_settled_as_not_applied,
    ]);
    checks.extend(super::list![
        |can| can.receipt == ReceiptKind::Table
            || (can.receipt == ReceiptKind::MarkerField && can.unique_external_id);
        an_applied_insert_is_settled_with_its_key,
    ]);
    checks.extend(super::list![
        |can| can.receipt == ReceiptKind::MarkerField
            && matches!(can.cas, Cas::ExactRecord | Cas::Coarse { .. });
        a_moved_version_without_our_marker_is_not_applied,
    ]);
    checks
}

async fn pushed(session: &Session<'_>) -> Result<(WriteBatch, syncline_sdk::Key), Stop> {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let batch = session.batch(vec![session.update_text(&record).0]);
    for outcome in session.push(&batch).await? {
        applied(outcome)?;
    }
    Ok((batch, key))
}

pub(super) async fn settling_nothing_answers_nothing(session: &Session<'_>) -> Outcome {
    let settled = session.connector().settle(&session.cx(), &[]).await?;
    ensure!(settled.is_empty(), "nothing was settled as {settled:?}");
    Ok(())
}

pub(super) async fn an_applied_update_is_settled_as_applied(session: &Session<'_>) -> Outcome {
    let (batch, key) = pushed(session).await?;
    match session.settle(&batch, true).await?.as_slice() {
        [Settlement::Applied { stored, .. }] => {
            if let Some(stored) = stored {
                let by_hand = session.fixture.read(&key).await;
                ensure!(
                    Some(stored) == by_hand.as_ref(),
                    "settled with the image {stored:?} where {by_hand:?} is stored"
                );
            }
            Ok(())
        }
        other => Err(Stop::Broken(format!("an applied update was settled as {other:?}"))),
    }
}

pub(super) async fn an_applied_write_stays_applied_under_a_later_edit(
    session: &Session<'_>,
) -> Outcome {
    let (batch, key) = pushed(session).await?;
    let value = session.edited(&key, &session.text()).await;
    match session.settle(&batch, true).await?.as_slice() {
        [Settlement::Applied { stored, .. }] => {
            let image =
                stored.as_ref().and_then(|stored| stored.get(session.place(&session.text())));
            ensure!(
                image != Some(&value),
                "a person's later edit was given as the image of our write"
            );
        }
        other => {
            return Err(Stop::Broken(format!("an applied update was settled as {other:?}")));
        }
    }
    let stored = session.stored(&key, &session.text()).await;
    ensure!(stored == Some(value), "settling changed the record to {stored:?}");
    Ok(())
}

pub(super) async fn settlements_stand_in_the_order_of_the_writes(session: &Session<'_>) -> Outcome {
    let (one, two) = (session.created().await, session.created().await);
    let (one, two) = (session.settled(&one).await?, session.settled(&two).await?);
    session.edited(&one.key, &session.text()).await;
    let writes = vec![session.update_text(&one).0, session.update_text(&two).0];
    let batch = session.batch(writes);
    let outcomes = session.push(&batch).await?;
    ensure!(
        matches!(outcomes.as_slice(), [WriteOutcome::Stale { .. }, WriteOutcome::Applied { .. }]),
        "stale, applied was answered as {outcomes:?}"
    );
    let settled = session.settle(&batch, false).await?;
    ensure!(
        matches!(settled.as_slice(), [Settlement::NotApplied, Settlement::Applied { .. }]),
        "not applied, applied was settled as {settled:?}"
    );
    Ok(())
}

pub(super) async fn an_applied_insert_is_settled_with_its_key(session: &Session<'_>) -> Outcome {
    let write = session.write(WriteOp::Insert { values: session.fresh() });
    let batch = session.batch(vec![write]);
    let mut made = None;
    for outcome in session.push(&batch).await? {
        made = applied(outcome)?.key;
    }
    session.search_catches_up().await;
    match session.settle(&batch, true).await?.as_slice() {
        [Settlement::Applied { key, .. }] => {
            ensure!(*key == made, "created {made:?}, settled as {key:?}");
            Ok(())
        }
        other => Err(Stop::Broken(format!("an applied insert was settled as {other:?}"))),
    }
}

pub(super) async fn a_write_never_sent_is_settled_as_not_applied(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let batch = session.batch(vec![session.update_text(&record).0]);
    match session.settle(&batch, false).await?.as_slice() {
        [Settlement::NotApplied] => Ok(()),
        other => Err(Stop::Broken(format!("a write never sent was settled as {other:?}"))),
    }
}

/// The heart of protocol I4: whoever says "not applied" while a copy may still arrive must have
/// made sure that the copy fails.
pub(super) async fn a_write_that_may_still_arrive_is_never_given_up_without_proof(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let (write, value) = session.update_text(&record);
    let batch = session.batch(vec![write]);
    let settled = session.settle(&batch, true).await?;
    match settled.as_slice() {
        [Settlement::NotApplied] => {
            session.push(&batch).await?;
            let stored = session.stored(&key, &session.text()).await;
            ensure!(stored != Some(value), "a write settled as not applied was applied later");
        }
        [Settlement::Awaited] => {}
        [Settlement::Undecided { current }] => {
            if let Current::Record(current) = current {
                ensure!(current.key == key, "the current record of {key} is {}", current.key);
            }
        }
        other => {
            return Err(Stop::Broken(format!("a write never sent was settled as {other:?}")));
        }
    }
    Ok(())
}

pub(super) async fn a_moved_version_without_our_marker_is_not_applied(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let (write, value) = session.update_text(&record);
    session.edited(&key, &session.other_text()).await;
    let batch = session.batch(vec![write]);
    let settled = session.settle(&batch, true).await?;
    ensure!(
        matches!(settled.as_slice(), [Settlement::NotApplied]),
        "no copy can pass a moved version, yet it is settled as {settled:?}"
    );
    session.push(&batch).await?;
    let stored = session.stored(&key, &session.text()).await;
    ensure!(stored != Some(value), "a write settled as not applied was applied later");
    Ok(())
}
