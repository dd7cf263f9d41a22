//! Scans and look-ups.

use std::collections::BTreeSet;
use std::sync::Arc;

use syncline_sdk::{
    Absence, Comparison, FetchBy, Filter, Key, Normalizer, Record, ScanRequest, Selection, Value,
    WriteOp,
};

use super::{Check, Outcome, Session, Stop, ensure};

/// The most pages that a scan of the fixture's entity may have: more means that it never ends.
const SCAN_PAGES_MAX: usize = 100_000;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = super::list![|_| true;
        scan_shows_every_record_once_and_resumes_from_its_cursor,
        scan_applies_the_filter,
        fetch_answers_for_every_key,
        fetch_by_key_does_not_apply_the_filter,
        matching_misses_nothing_that_matches_when_normalised,
        a_hidden_field_is_absent_and_an_empty_one_is_null,
    ];
    checks.extend(super::list![|can| can.unique_external_id;
        a_link_id_finds_its_record,
    ]);
    checks
}

async fn scan(
    session: &Session<'_>,
    selection: &Arc<Selection>,
    page_rows_max: usize,
) -> Result<Vec<Record>, Stop> {
    let mut records = Vec::new();
    let mut after = None;
    for _ in 0..SCAN_PAGES_MAX {
        let request = ScanRequest { selection: selection.clone(), after, page_rows_max };
        let page = session.connector().scan(&session.cx(), request).await?;
        ensure!(
            page.records.len() <= page_rows_max,
            "a page of at most {page_rows_max} has {} records",
            page.records.len()
        );
        records.extend(page.records);
        after = page.next;
        if after.is_none() {
            return Ok(records);
        }
    }
    Err(Stop::Broken(format!("a scan did not end within {SCAN_PAGES_MAX} pages")))
}

pub(super) async fn scan_shows_every_record_once_and_resumes_from_its_cursor(
    session: &Session<'_>,
) -> Outcome {
    let mut made = BTreeSet::new();
    for _ in 0..5 {
        made.insert(session.created().await);
    }
    let selection = session.selection();
    let small: Vec<Key> =
        scan(session, &selection, 2).await?.into_iter().map(|one| one.key).collect();
    let large: Vec<Key> =
        scan(session, &selection, 1000).await?.into_iter().map(|one| one.key).collect();
    ensure!(small == large, "pages of 2 and of 1000 differ: {small:?} and {large:?}");
    let seen: BTreeSet<Key> = small.iter().cloned().collect();
    ensure!(seen.len() == small.len(), "a scan shows a record twice: {small:?}");
    ensure!(made.is_subset(&seen), "a scan misses some of {made:?}");
    Ok(())
}

pub(super) async fn scan_applies_the_filter(session: &Session<'_>) -> Outcome {
    let (wanted, unwanted) = (session.created().await, session.created().await);
    let value = session.stored(&wanted, &session.text()).await.unwrap_or_default();
    let mut selection = (*session.selection()).clone();
    selection.filter =
        Some(Filter::Compare { field: session.text(), comparison: Comparison::Equal, value });
    session.search_catches_up().await;
    let found = scan(session, &Arc::new(selection), 10).await?;
    let keys: Vec<&Key> = found.iter().map(|record| &record.key).collect();
    ensure!(keys == [&wanted], "the filter of {wanted} lets {keys:?} pass, not {unwanted}");
    Ok(())
}

pub(super) async fn fetch_answers_for_every_key(session: &Session<'_>) -> Outcome {
    let (live, gone) = (session.created().await, session.created().await);
    session.fixture.delete(&gone).await;
    let unknown = session.fixture.unknown_key();
    let keys = vec![unknown.clone(), live.clone(), gone.clone(), live.clone()];
    let fetched = session.fetch(FetchBy::Keys(keys)).await?;
    let shown: Vec<&Key> = fetched.records.iter().map(|record| &record.key).collect();
    ensure!(shown == [&live], "fetch shows {shown:?} where only {live} is there");
    let missing: BTreeSet<&Key> = fetched.missing.iter().map(|(key, _)| key).collect();
    ensure!(
        missing == BTreeSet::from([&gone, &unknown]) && fetched.missing.len() == 2,
        "fetch explains {:?}, asked were {gone} and {unknown}",
        fetched.missing
    );
    let why = fetched.missing.iter().find(|(key, _)| *key == gone);
    ensure!(
        matches!(why, Some((_, Absence::Deleted { .. }))),
        "a deleted record is explained as {why:?}"
    );
    Ok(())
}

pub(super) async fn fetch_by_key_does_not_apply_the_filter(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let mut selection = (*session.selection()).clone();
    selection.filter = Some(Filter::Compare {
        field: session.text(),
        comparison: Comparison::Equal,
        value: session.token(),
    });
    let request = syncline_sdk::FetchRequest {
        selection: Arc::new(selection),
        by: FetchBy::Keys(vec![key.clone()]),
    };
    let fetched = session.connector().fetch(&session.cx(), request).await?;
    ensure!(fetched.records.len() == 1, "{key} is not shown because of the filter");
    Ok(())
}

pub(super) async fn matching_misses_nothing_that_matches_when_normalised(
    session: &Session<'_>,
) -> Outcome {
    let mut keys = Vec::new();
    let token = session.token().to_string();
    for text in [token.clone(), token.to_uppercase()] {
        let mut values = session.fresh();
        values.retain(|(field, _)| *field != session.text());
        values.push((session.text(), Value::from(text)));
        keys.push(session.fixture.create(values).await);
    }
    session.search_catches_up().await;
    let by = FetchBy::Matching {
        field: session.text(),
        normalize: vec![Normalizer::Trim, Normalizer::Lowercase],
        values: vec![Value::from(token.to_lowercase())],
    };
    let found: BTreeSet<Key> =
        session.fetch(by).await?.records.into_iter().map(|one| one.key).collect();
    let missed = keys.iter().find(|key| !found.contains(*key));
    ensure!(missed.is_none(), "{missed:?} matches {token:?} in lower case and is not found");
    Ok(())
}

pub(super) async fn a_link_id_finds_its_record(session: &Session<'_>) -> Outcome {
    let write = session.write(WriteOp::Insert { values: session.fresh() });
    let key = session.apply(&write).await?.key;
    session.search_catches_up().await;
    let found = session.fetch(FetchBy::ExternalIds(vec![write.link, session.link()])).await?;
    let keys: Vec<Key> = found.records.iter().map(|record| record.key.clone()).collect();
    ensure!(keys.len() == 1 && key.is_none_or(|key| keys == [key]), "the link id finds {keys:?}");
    let carried = found.records.iter().all(|record| record.external_id == Some(write.link));
    ensure!(carried, "the record does not carry its link id");
    ensure!(found.missing.is_empty(), "a look-up by link id explains {:?}", found.missing);
    Ok(())
}

pub(super) async fn a_hidden_field_is_absent_and_an_empty_one_is_null(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    session.fixture.edit(&key, vec![(session.other_text(), Value::Null)]).await;
    let record = session.record(&key).await?;
    ensure!(
        record.values.len() == session.selection().fields.len(),
        "{} values for {} fields",
        record.values.len(),
        session.selection().fields.len()
    );
    let shown = session.shown(&record, &session.other_text());
    ensure!(shown == Some(&Value::Null), "an empty field is shown as {shown:?}");
    ensure!(
        record.values.iter().all(Value::is_present),
        "a field that this user may see is absent: {:?}",
        record.values
    );
    let Some(hidden) = session.fixture.hide_field().await else {
        return Ok(());
    };
    let after = session.record(&key).await;
    session.fixture.show_field().await;
    let after = after?;
    let shown = session.shown(&after, &hidden);
    ensure!(shown == Some(&Value::Absent), "the hidden {hidden} is shown as {shown:?}");
    Ok(())
}
