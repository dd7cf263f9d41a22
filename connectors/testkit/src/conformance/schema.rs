//! What a system says of itself.

use syncline_sdk::{EntityName, ErrorKind, Health};

use super::{Check, Outcome, Session, Stop, ensure};

pub(super) fn checks() -> Vec<Check> {
    super::list![|_| true;
        describe_shows_every_selected_field,
        describe_refuses_an_unknown_entity,
        entities_are_listed_with_those_that_can_be_described,
        effective_is_never_more_than_declared,
        check_answers_and_changes_nothing,
        prepare_can_be_repeated,
    ]
}

pub(super) async fn describe_shows_every_selected_field(session: &Session<'_>) -> Outcome {
    let selection = session.selection();
    let schema = session.connector().describe(&session.cx(), &selection.entity).await?;
    ensure!(schema.entity == selection.entity, "describe answers for {}", schema.entity);
    ensure!(!schema.key.is_empty(), "{} has no key", schema.entity);
    let named = selection.external_id.iter().chain(&selection.marker);
    for name in selection.fields.iter().chain(named) {
        ensure!(schema.field(name).is_some(), "describe does not show {name}");
    }
    for name in session.fixture.texts() {
        let writable = schema.field(&name).is_some_and(|field| field.updatable && field.creatable);
        ensure!(writable, "{name} cannot be written by this user");
    }
    Ok(())
}

pub(super) async fn describe_refuses_an_unknown_entity(session: &Session<'_>) -> Outcome {
    let entity = EntityName::new("no_such_entity");
    match session.connector().describe(&session.cx(), &entity).await {
        Err(error) if error.kind == ErrorKind::Schema => Ok(()),
        other => Err(Stop::Broken(format!("describing {entity} gave {other:?}"))),
    }
}

pub(super) async fn entities_are_listed_with_those_that_can_be_described(
    session: &Session<'_>,
) -> Outcome {
    let wanted = &session.selection().entity;
    let known = session.connector().entities(&session.cx()).await?;
    let Some(found) = known.iter().find(|one| one.entity == *wanted) else {
        return Err(Stop::Broken(format!("{wanted} is not in the list of entities")));
    };
    ensure!(found.writable, "{wanted} is listed as one that cannot be written");
    let sorted = known.windows(2).all(|two| two[0].entity < two[1].entity);
    ensure!(sorted, "the entities are not told by name, each once");
    Ok(())
}

pub(super) async fn effective_is_never_more_than_declared(session: &Session<'_>) -> Outcome {
    let (declared, effective) = (session.connector().capabilities(), session.effective());
    ensure!(
        effective.guarantee() >= declared.guarantee(),
        "{:?} is promised where only {:?} is declared",
        effective.guarantee(),
        declared.guarantee()
    );
    ensure!(
        !effective.unique_external_id || declared.unique_external_id,
        "a unique external id is promised but not declared"
    );
    ensure!(
        effective.push_writes_max > 0 && effective.fetch_keys_max > 0,
        "a limit of calls is zero"
    );
    ensure!(
        effective.push_guarded_max <= effective.push_writes_max,
        "more guarded writes than writes fit into a call"
    );
    Ok(())
}

pub(super) async fn check_answers_and_changes_nothing(session: &Session<'_>) -> Outcome {
    let selection = session.selection();
    let key = session.created().await;
    let before = session.fixture.read(&key).await;
    let first = session.connector().check(&session.cx(), &[&selection]).await?;
    let second = session.connector().check(&session.cx(), &[&selection]).await?;
    ensure!(!first.identity.is_empty(), "the system has no identity");
    ensure!(found(&first) == found(&second), "two checks differ: {first:?} and {second:?}");
    ensure!(session.fixture.read(&key).await == before, "check changed a record");
    Ok(())
}

pub(super) async fn prepare_can_be_repeated(session: &Session<'_>) -> Outcome {
    let selection = session.selection();
    session.connector().prepare(&session.cx(), &[&selection]).await?;
    let before = session.connector().check(&session.cx(), &[&selection]).await?;
    session.connector().prepare(&session.cx(), &[&selection]).await?;
    let after = session.connector().check(&session.cx(), &[&selection]).await?;
    let same = found(&before) == found(&after);
    ensure!(same, "a second prepare changed {before:?} to {after:?}");
    let missing = after.pieces.iter().find(|piece| piece.required && !piece.present);
    ensure!(missing.is_none(), "still missing after prepare: {missing:?}");
    Ok(())
}

/// What was found, without the words: those may tell of figures that move all the time.
fn found(health: &Health) -> Health {
    let mut found = health.clone();
    found.pieces.iter_mut().for_each(|piece| piece.detail.clear());
    found
}
