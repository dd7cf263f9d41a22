//! Guarded writes.

use syncline_sdk::{Cas, Current, ErrorKind, ReceiptKind, WriteBatch, WriteOp, WriteOutcome};

use super::session::applied;
use super::{Check, Outcome, Session, Stop, ensure};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = super::list![|_| true;
        an_empty_batch_answers_nothing,
        an_insert_creates_one_record_and_names_its_key,
        an_update_changes_only_the_fields_it_names,
        an_update_of_a_deleted_record_is_missing,
        a_refused_value_is_rejected_and_harms_no_other_write,
        a_locked_record_is_busy,
    ];
    checks.extend(super::list![|can| can.unique_external_id;
        an_insert_fails_when_its_link_id_exists,
        a_claim_writes_the_link_id,
    ]);
    checks.extend(super::list![|can| can.cas != Cas::None;
        an_update_of_a_changed_field_is_stale,
        outcomes_stand_in_the_order_of_the_writes,
    ]);
    checks.extend(super::list![|can| can.cas == Cas::ExactField;
        a_field_guard_ignores_other_fields,
    ]);
    checks.extend(super::list![|can| matches!(can.cas, Cas::ExactRecord | Cas::Coarse { .. });
        a_version_guard_notices_other_fields,
    ]);
    checks.extend(super::list![|can| can.transactional && can.cas != Cas::None;
        writes_that_belong_together_apply_together_or_not_at_all,
    ]);
    checks.extend(super::list![|can| can.receipt == ReceiptKind::MarkerField;
        a_write_leaves_its_marker,
    ]);
    checks
}

pub(super) async fn an_empty_batch_answers_nothing(session: &Session<'_>) -> Outcome {
    let outcomes = session.push(&session.batch(Vec::new())).await?;
    ensure!(outcomes.is_empty(), "an empty batch answered {outcomes:?}");
    Ok(())
}

pub(super) async fn an_insert_creates_one_record_and_names_its_key(
    session: &Session<'_>,
) -> Outcome {
    let values = session.fresh();
    let write = session.write(WriteOp::Insert { values: values.clone() });
    let Some(key) = session.apply(&write).await?.key else {
        return Err(Stop::Broken("an insert does not name the key".into()));
    };
    for (field, value) in &values {
        if session.fixture.texts().contains(field) {
            let stored = session.stored(&key, field).await;
            ensure!(stored.as_ref() == Some(value), "{field} was stored as {stored:?}");
        }
    }
    Ok(())
}

pub(super) async fn an_insert_fails_when_its_link_id_exists(session: &Session<'_>) -> Outcome {
    let first = session.write(WriteOp::Insert { values: session.fresh() });
    let key = session.apply(&first).await?.key;
    let mut second = session.write(WriteOp::Insert { values: session.fresh() });
    second.link = first.link;
    match session.push_one(&second).await? {
        WriteOutcome::Rejected { error, .. } if error.kind == ErrorKind::Duplicate => {}
        other => {
            return Err(Stop::Broken(format!("a second insert of a link id gave {other:?}")));
        }
    }
    let Some(key) = key else {
        return Ok(());
    };
    let WriteOp::Insert { values } = &first.op else {
        return Ok(());
    };
    let kept = values.iter().find(|(field, _)| *field == session.text());
    let stored = session.stored(&key, &session.text()).await;
    ensure!(
        stored.as_ref() == kept.map(|(_, value)| value),
        "the refused insert overwrote the record: {stored:?}"
    );
    Ok(())
}

pub(super) async fn an_update_changes_only_the_fields_it_names(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let kept = session.stored(&key, &session.other_text()).await;
    let (write, value) = session.update_text(&record);
    session.apply(&write).await?;
    let stored = session.stored(&key, &session.text()).await;
    ensure!(stored == Some(value), "the update stored {stored:?}");
    let other = session.stored(&key, &session.other_text()).await;
    ensure!(other == kept, "a field not named went from {kept:?} to {other:?}");
    Ok(())
}

pub(super) async fn an_update_of_a_changed_field_is_stale(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let value = session.edited(&key, &session.text()).await;
    let (write, _) = session.update_text(&record);
    match session.push_one(&write).await? {
        WriteOutcome::Stale { current, .. } => {
            if let Current::Record(current) = current {
                let shown = session.shown(&current, &session.text());
                ensure!(shown == Some(&value), "the current record shows {shown:?}, not {value:?}");
            }
        }
        other => {
            return Err(Stop::Broken(format!("a write over an unseen edit gave {other:?}")));
        }
    }
    let stored = session.stored(&key, &session.text()).await;
    ensure!(stored == Some(value), "the refused write stored {stored:?}");
    Ok(())
}

pub(super) async fn an_update_of_a_deleted_record_is_missing(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    session.fixture.delete(&key).await;
    let (write, _) = session.update_text(&record);
    let outcome = session.push_one(&write).await?;
    ensure!(
        matches!(outcome, WriteOutcome::Missing { .. }),
        "an update of a deleted record gave {outcome:?}"
    );
    ensure!(session.fixture.read(&key).await.is_none(), "the update brought the record back");
    Ok(())
}

pub(super) async fn a_refused_value_is_rejected_and_harms_no_other_write(
    session: &Session<'_>,
) -> Outcome {
    let Some((field, value)) = session.fixture.refused() else {
        return Err(Stop::Skipped("the fixture knows no value that is refused"));
    };
    let (bad, good) = (session.created().await, session.created().await);
    let before = session.fixture.read(&bad).await;
    let (bad, good) = (session.settled(&bad).await?, session.settled(&good).await?);
    let refused = session.update(&bad, vec![(field.clone(), value)]);
    let (fine, value) = session.update_text(&good);
    let outcomes = session.push(&session.batch(vec![refused, fine])).await?;
    match outcomes.as_slice() {
        [WriteOutcome::Rejected { error, .. }, second] => {
            ensure!(
                matches!(error.kind, ErrorKind::Invalid | ErrorKind::Schema),
                "a refused value is answered as {error}"
            );
            ensure!(!error.context.is_empty(), "the refusal does not say why");
            let stored = session.stored(&good.key, &session.text()).await;
            // A side that applies a batch as a whole may refuse the other one as well, and says so.
            let went = matches!(second, WriteOutcome::Applied { .. });
            ensure!(
                went == (stored == Some(value)),
                "the other write is answered {second:?} and stored {stored:?}"
            );
        }
        other => {
            return Err(Stop::Broken(format!("a refused value of {field} gave {other:?}")));
        }
    }
    let after = session.fixture.read(&bad.key).await;
    ensure!(after == before, "the refused write changed {before:?} to {after:?}");
    Ok(())
}

pub(super) async fn a_locked_record_is_busy(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    if !session.fixture.lock(&key).await {
        return Err(Stop::Skipped("nobody can lock a record there"));
    }
    let (write, _) = session.update_text(&record);
    let outcome = session.push_one(&write).await;
    session.fixture.unlock(&key).await;
    let outcome = outcome?;
    ensure!(
        matches!(outcome, WriteOutcome::Busy { .. }),
        "a write to a locked record gave {outcome:?}"
    );
    let (again, value) = session.update_text(&session.settled(&key).await?);
    session.apply(&again).await?;
    let stored = session.stored(&key, &session.text()).await;
    ensure!(stored == Some(value), "after the lock, the write stored {stored:?}");
    Ok(())
}

pub(super) async fn a_claim_writes_the_link_id(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let mut write = session.update(&record, Vec::new());
    if let WriteOp::Update { claim, .. } = &mut write.op {
        *claim = true;
    }
    session.apply(&write).await?;
    let after = session.record(&key).await?;
    ensure!(
        after.external_id == Some(write.link),
        "a claimed record carries {:?}, not {}",
        after.external_id,
        write.link
    );
    Ok(())
}

pub(super) async fn outcomes_stand_in_the_order_of_the_writes(session: &Session<'_>) -> Outcome {
    let mut records = Vec::new();
    for _ in 0..3 {
        records.push(session.created().await);
    }
    let mut writes = Vec::new();
    session.next_tick().await;
    for (at, key) in records.iter().enumerate() {
        let record = session.record(key).await?;
        if at == 1 {
            session.edited(key, &session.text()).await;
        }
        writes.push(session.update_text(&record).0);
    }
    let outcomes = session.push(&session.batch(writes)).await?;
    ensure!(
        matches!(
            outcomes.as_slice(),
            [
                WriteOutcome::Applied { .. },
                WriteOutcome::Stale { .. },
                WriteOutcome::Applied { .. }
            ]
        ),
        "applied, stale, applied was answered as {outcomes:?}"
    );
    Ok(())
}

pub(super) async fn a_field_guard_ignores_other_fields(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let other = session.edited(&key, &session.other_text()).await;
    let (write, _) = session.update_text(&record);
    session.apply(&write).await?;
    let stored = session.stored(&key, &session.other_text()).await;
    ensure!(stored == Some(other), "the edit of another field was lost: {stored:?}");
    Ok(())
}

pub(super) async fn a_version_guard_notices_other_fields(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    session.edited(&key, &session.other_text()).await;
    let (write, _) = session.update_text(&record);
    let outcome = session.push_one(&write).await?;
    ensure!(
        matches!(outcome, WriteOutcome::Stale { .. }),
        "a write on a moved version gave {outcome:?}"
    );
    Ok(())
}

pub(super) async fn writes_that_belong_together_apply_together_or_not_at_all(
    session: &Session<'_>,
) -> Outcome {
    let (first, second) = (session.created().await, session.created().await);
    let (first, second) = (session.settled(&first).await?, session.settled(&second).await?);
    session.edited(&second.key, &session.text()).await;
    let before = session.fixture.read(&first.key).await;
    let writes = vec![session.update_text(&first).0, session.update_text(&second).0];
    let batch = grouped(session.batch(writes));
    let outcomes = session.push(&batch).await?;
    let any = outcomes.iter().any(|one| matches!(one, WriteOutcome::Applied { .. }));
    ensure!(!any, "one of two that belong together was refused: {outcomes:?}");
    let after = session.fixture.read(&first.key).await;
    ensure!(after == before, "half of a group was applied: {after:?}");
    let second = session.record(&second.key).await?;
    let writes = vec![session.update_text(&first).0, session.update_text(&second).0];
    let batch = grouped(session.batch(writes));
    for outcome in session.push(&batch).await? {
        applied(outcome)?;
    }
    Ok(())
}

fn grouped(mut batch: WriteBatch) -> WriteBatch {
    for write in &mut batch.writes {
        write.group = Some(1);
    }
    batch
}

pub(super) async fn a_write_leaves_its_marker(session: &Session<'_>) -> Outcome {
    let insert = session.write(WriteOp::Insert { values: session.fresh() });
    let Some(key) = session.apply(&insert).await?.key else {
        return Err(Stop::Broken("an insert does not name the key".into()));
    };
    let record = session.settled(&key).await?;
    let expected = session.cx().marker(insert.intent);
    ensure!(
        record.marker.as_deref() == Some(&expected),
        "a created record carries the marker {:?}, not {expected}",
        record.marker
    );
    let (update, _) = session.update_text(&record);
    session.apply(&update).await?;
    let after = session.record(&key).await?;
    let expected = session.cx().marker(update.intent);
    ensure!(
        after.marker.as_deref() == Some(&expected),
        "an updated record carries the marker {:?}, not {expected}",
        after.marker
    );
    Ok(())
}
