//! Copies of one batch: each write takes effect at most once.

use syncline_sdk::{Cas, FetchBy, ReceiptKind, Settlement, WriteOp, WriteOutcome};

use super::session::applied;
use super::{Check, Outcome, Session, Stop, ensure};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = super::list![|can| can.receipt == ReceiptKind::Table;
        a_second_copy_never_passes_even_when_the_old_value_is_back,
        a_cancelled_batch_never_passes,
        a_receipted_refusal_never_passes_later,
        forgetting_a_settled_batch_harms_nothing,
    ];
    checks.extend(super::list![|can| matches!(can.cas, Cas::ExactRecord | Cas::Coarse { .. });
        a_second_copy_does_not_pass_the_version_guard,
    ]);
    checks.extend(super::list![|can| can.unique_external_id;
        a_second_copy_of_an_insert_makes_no_second_record,
    ]);
    checks.extend(super::list![|can| can.stored_image;
        the_stored_record_is_the_image_of_this_write,
    ]);
    checks
}

pub(super) async fn a_second_copy_never_passes_even_when_the_old_value_is_back(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    let old = session.stored(&key, &session.text()).await.unwrap_or_default();
    let record = session.settled(&key).await?;
    let batch = session.batch(vec![session.update_text(&record).0]);
    for outcome in session.push(&batch).await? {
        applied(outcome)?;
    }
    session.fixture.edit(&key, vec![(session.text(), old.clone())]).await;
    session.push(&batch).await?;
    let stored = session.stored(&key, &session.text()).await;
    ensure!(
        stored.as_ref() == Some(&old),
        "a late copy took effect after a person brought {old:?} back: {stored:?}"
    );
    match session.settle(&batch, false).await?.as_slice() {
        [Settlement::Applied { .. }] => Ok(()),
        other => Err(Stop::Broken(format!("an applied write was settled as {other:?}"))),
    }
}

pub(super) async fn a_cancelled_batch_never_passes(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let before = session.fixture.read(&key).await;
    let batch = session.batch(vec![session.update_text(&record).0]);
    match session.settle(&batch, true).await?.as_slice() {
        [Settlement::NotApplied] => {}
        other => {
            return Err(Stop::Broken(format!("a batch never sent was settled as {other:?}")));
        }
    }
    let outcomes = session.push(&batch).await?;
    let any = outcomes.iter().any(|one| matches!(one, WriteOutcome::Applied { .. }));
    let after = session.fixture.read(&key).await;
    ensure!(!any && after == before, "a cancelled batch passed: {outcomes:?}, {after:?}");
    Ok(())
}

pub(super) async fn a_receipted_refusal_never_passes_later(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let old = session.stored(&key, &session.text()).await.unwrap_or_default();
    let record = session.settled(&key).await?;
    session.edited(&key, &session.text()).await;
    let batch = session.batch(vec![session.update_text(&record).0]);
    let outcomes = session.push(&batch).await?;
    let [WriteOutcome::Stale { receipted, .. }] = outcomes.as_slice() else {
        return Err(Stop::Broken(format!("a write over an unseen edit gave {outcomes:?}")));
    };
    if !receipted {
        // Without a receipt, only the fence makes the refusal final.
        session.settle(&batch, true).await?;
    }
    session.fixture.edit(&key, vec![(session.text(), old.clone())]).await;
    session.push(&batch).await?;
    let stored = session.stored(&key, &session.text()).await;
    ensure!(
        stored.as_ref() == Some(&old),
        "a refused write passed once {old:?} was back: {stored:?}"
    );
    match session.settle(&batch, false).await?.as_slice() {
        [Settlement::NotApplied] => Ok(()),
        other => Err(Stop::Broken(format!("a refused write was settled as {other:?}"))),
    }
}

pub(super) async fn forgetting_a_settled_batch_harms_nothing(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let batch = session.batch(vec![session.update_text(&record).0]);
    for outcome in session.push(&batch).await? {
        applied(outcome)?;
    }
    session.connector().forget(&session.cx(), &[batch.batch]).await?;
    session.connector().forget(&session.cx(), &[batch.batch]).await?;
    let (write, _) = session.update_text(&session.settled(&key).await?);
    session.apply(&write).await?;
    Ok(())
}

pub(super) async fn a_second_copy_does_not_pass_the_version_guard(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    let old = session.stored(&key, &session.text()).await.unwrap_or_default();
    let record = session.settled(&key).await?;
    let batch = session.batch(vec![session.update_text(&record).0]);
    for outcome in session.push(&batch).await? {
        applied(outcome)?;
    }
    session.fixture.edit(&key, vec![(session.text(), old.clone())]).await;
    let outcomes = session.push(&batch).await?;
    let any = outcomes.iter().any(|one| matches!(one, WriteOutcome::Applied { .. }));
    let stored = session.stored(&key, &session.text()).await;
    ensure!(
        !any && stored.as_ref() == Some(&old),
        "a late copy passed the version guard: {outcomes:?}, {stored:?}"
    );
    Ok(())
}

pub(super) async fn a_second_copy_of_an_insert_makes_no_second_record(
    session: &Session<'_>,
) -> Outcome {
    let write = session.write(WriteOp::Insert { values: session.fresh() });
    let batch = session.batch(vec![write.clone()]);
    for outcome in session.push(&batch).await? {
        let Some(key) = applied(outcome)?.key else {
            return Err(Stop::Broken("an insert does not name the key".into()));
        };
        session.edited(&key, &session.text()).await;
        let before = session.fixture.read(&key).await;
        session.push(&batch).await?;
        session.search_catches_up().await;
        let found = session.fetch(FetchBy::ExternalIds(vec![write.link])).await?.records;
        ensure!(found.len() == 1, "two copies of an insert made {} records", found.len());
        let after = session.fixture.read(&key).await;
        ensure!(after == before, "the second copy overwrote {before:?} with {after:?}");
    }
    Ok(())
}

pub(super) async fn the_stored_record_is_the_image_of_this_write(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let (write, value) = session.update_text(&record);
    let answered = session.apply(&write).await?;
    let Some(stored) = answered.stored else {
        return Err(Stop::Broken("an update does not answer with the stored record".into()));
    };
    let fields = session.selection().fields.len();
    ensure!(stored.len() == fields, "{} values stored for {fields} fields", stored.len());
    let image = stored.get(session.place(&session.text()));
    ensure!(image == Some(&value), "the image of {value:?} is said to be {image:?}");
    let read = session.record(&key).await?;
    ensure!(stored == read.values, "stored {stored:?}, read {:?}", read.values);
    let insert = session.write(WriteOp::Insert { values: session.fresh() });
    let answered = session.apply(&insert).await?;
    let (Some(stored), Some(key)) = (answered.stored, answered.key) else {
        return Err(Stop::Broken("an insert does not answer with the stored record".into()));
    };
    let read = session.record(&key).await?;
    ensure!(stored == read.values, "an insert stored {stored:?}, read {:?}", read.values);
    Ok(())
}
