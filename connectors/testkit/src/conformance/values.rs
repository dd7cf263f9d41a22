//! Values of every kind.

use syncline_sdk::{FieldName, Normalizer, Value, WriteOp};

use super::{Check, Outcome, Session, ensure};

pub(super) fn checks() -> Vec<Check> {
    super::list![|_| true;
        values_survive_an_update,
        values_survive_an_insert,
        a_read_by_hand_agrees_with_the_connector,
    ]
}

/// The image that the schema's normalisers predict.
async fn predicted(
    session: &Session<'_>,
    field: &FieldName,
    value: &Value,
) -> Result<Value, super::Stop> {
    let entity = session.selection().entity.clone();
    let schema = session.connector().describe(&session.cx(), &entity).await?;
    let steps = schema.field(field).map(|field| field.normalizers.clone());
    Ok(Normalizer::apply_all(&steps.unwrap_or_default(), value.clone()))
}

pub(super) async fn values_survive_an_update(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    for (field, samples) in session.fixture.samples() {
        for sample in samples {
            let record = session.settled(&key).await?;
            let write = session.update(&record, vec![(field.clone(), sample.clone())]);
            session.apply(&write).await?;
            let after = session.record(&key).await?;
            let image = predicted(session, &field, &sample).await?;
            let shown = session.shown(&after, &field);
            ensure!(
                shown == Some(&image),
                "{field}: {sample:?} came back as {shown:?}, not {image:?}"
            );
        }
    }
    Ok(())
}

pub(super) async fn values_survive_an_insert(session: &Session<'_>) -> Outcome {
    let samples = session.fixture.samples();
    let most = samples.iter().map(|(_, samples)| samples.len()).max().unwrap_or(0);
    for at in 0..most {
        let mut values = session.fresh();
        let row: Vec<(FieldName, Value)> = samples
            .iter()
            .filter_map(|(field, samples)| samples.get(at).map(|one| (field.clone(), one.clone())))
            .collect();
        values.retain(|(field, _)| !row.iter().any(|(other, _)| other == field));
        values.extend(row.clone());
        let write = session.write(WriteOp::Insert { values });
        let Some(key) = session.apply(&write).await?.key else {
            return Err(super::Stop::Broken("an insert does not name the key".into()));
        };
        let after = session.record(&key).await?;
        for (field, sample) in row {
            let image = predicted(session, &field, &sample).await?;
            let shown = session.shown(&after, &field);
            ensure!(
                shown == Some(&image),
                "{field}: {sample:?} came back as {shown:?}, not {image:?}"
            );
        }
    }
    Ok(())
}

pub(super) async fn a_read_by_hand_agrees_with_the_connector(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let (write, _) = session.update_text(&record);
    session.apply(&write).await?;
    let record = session.record(&key).await?;
    let by_hand = session.fixture.read(&key).await;
    ensure!(
        by_hand.as_ref() == Some(&record.values),
        "by hand {by_hand:?}, by the connector {:?}",
        record.values
    );
    Ok(())
}
