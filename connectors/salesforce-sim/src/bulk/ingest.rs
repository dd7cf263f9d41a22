//! Ingest jobs: what becomes of each row.

use serde_json::{Map, Value as Raw};

use super::job::{Ended, Ingest, Stage};
use super::table;
use crate::org::clock::pause;
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::txn::{Actor, Txn};
use crate::org::{CommitDelay, Org};
use crate::rest::{Caller, Upserted, external_key, upsert, without_id};
use crate::save::{self, SaveError};

/// Rows of one transaction, as in every other API.
const CHUNK_ROWS: usize = 200;

/// Works through an uploaded job, chunk by chunk, until it ends or is aborted.
pub(super) async fn process(
    org: Org,
    caller: Caller,
    actor: Actor,
    delay: CommitDelay,
    (id, fail): (Id, bool),
) {
    let wait_ms = org.state().settings.bulk_ms;
    pause(wait_ms).await;
    let Some(job) = advance(&org, id, Stage::UploadComplete, Stage::InProgress) else {
        return;
    };
    if fail {
        // A failed job may carry no message.
        end(&org, id, Stage::Failed, None);
        return;
    }
    let content = job.content.clone().unwrap_or_default();
    let (columns, rows) = match table::read(&job.head, &content) {
        Ok(read) => read,
        Err(text) => {
            end(&org, id, Stage::Failed, Some(text));
            return;
        }
    };
    note(&org, id, |job| job.columns.clone_from(&columns));
    for (at, chunk) in rows.chunks(CHUNK_ROWS).enumerate() {
        let aborted =
            org.state().jobs.ingest.get(&id).is_none_or(|job| job.stage == Stage::Aborted);
        if aborted {
            let rest = rows.get(at * CHUNK_ROWS..).unwrap_or_default().to_vec();
            note(&org, id, |job| job.unprocessed = rest);
            return;
        }
        let ended = org.transact(&actor, delay, |state, txn| {
            let each = chunk.iter().map(|row| one(state, txn, &caller, &job, (&columns, row)));
            each.collect::<Vec<Ended>>()
        });
        let ended = ended.await;
        note(&org, id, |job| job.ended.extend(ended));
    }
    end(&org, id, Stage::JobComplete, None);
}

fn advance(org: &Org, id: Id, from: Stage, to: Stage) -> Option<Ingest> {
    let mut state = org.state();
    let job = state.jobs.ingest.get_mut(&id).filter(|job| job.stage == from)?;
    job.stage = to;
    Some(job.clone())
}

fn note(org: &Org, id: Id, change: impl FnOnce(&mut Ingest)) {
    if let Some(job) = org.state().jobs.ingest.get_mut(&id) {
        change(job);
    }
}

fn end(org: &Org, id: Id, stage: Stage, error: Option<String>) {
    note(org, id, |job| {
        if job.stage == Stage::InProgress {
            job.stage = stage;
            job.error = error;
        }
    });
}

fn one(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    job: &Ingest,
    (columns, row): (&[String], &[String]),
) -> Ended {
    let body = table::body(columns, row);
    let done = match job.head.operation.as_str() {
        "insert" => create(state, txn, caller, job, &body),
        "upsert" => upserted(state, txn, caller, job, &body),
        _ => existing(state, txn, caller, job, &body),
    };
    let row = row.to_vec();
    match done {
        Ok((id, created)) => Ended::Saved { id, created, row },
        Err((id, errors)) => {
            let told = errors.first().map(|error| {
                let fields = error.fields.join(",");
                format!("{}:{}:{fields} --", error.code, error.message)
            });
            Ended::Failed { id, error: told.unwrap_or_default(), row }
        }
    }
}

type Done = Result<(Id, bool), (Option<Id>, Vec<SaveError>)>;

fn create(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    job: &Ingest,
    body: &Map<String, Raw>,
) -> Done {
    let table = state.table_at(&job.head.object);
    let table = table.ok_or_else(|| (None, vec![SaveError::not_found()]))?;
    let made = save::create(state, txn, table, body, Some(&caller.username));
    made.map(|id| (id, true)).map_err(|errors| (None, errors))
}

fn upserted(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    job: &Ingest,
    body: &Map<String, Raw>,
) -> Done {
    let refused = |error: SaveError| (None, vec![error]);
    let name = job.external_id.as_deref().unwrap_or("Id");
    let table = state.table_at(&job.head.object).ok_or_else(|| refused(SaveError::not_found()))?;
    let slot = external_key(state, table, name, &caller.username);
    let slot = slot.ok_or_else(|| refused(SaveError::gone(true, name)))?;
    let mut body = body.clone();
    let named = body.keys().find(|it| it.eq_ignore_ascii_case(name)).cloned();
    let key = named.and_then(|it| body.remove(&it)).unwrap_or(Raw::Null);
    match upsert(state, txn, caller, (table, slot), &key, &body, false) {
        Upserted::Created(id) => Ok((id, true)),
        Upserted::Updated(id) => Ok((id, false)),
        Upserted::Refused(errors) => Err((None, errors)),
        Upserted::Missing => Err(refused(SaveError::cross_reference())),
        Upserted::Several(ids) => {
            let text = format!("{name}: more than one record found: {}", ids.len());
            Err(refused(SaveError::new("DUPLICATE_EXTERNAL_ID", text).on(name)))
        }
    }
}

/// Update, delete and hard delete, by `Id`.
fn existing(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    job: &Ingest,
    body: &Map<String, Raw>,
) -> Done {
    let (raw, rest) = without_id(body);
    let text = raw.as_ref().and_then(Raw::as_str).unwrap_or_default();
    let Some(id) = Id::parse(text) else {
        let error = match text {
            "" => SaveError::new("MISSING_ARGUMENT", "Id not specified in an update call"),
            text => SaveError::new("MALFORMED_ID", format!("malformed id {text}")),
        };
        return Err((None, vec![error]));
    };
    let done = match job.head.operation.as_str() {
        "update" => save::update(state, txn, id, &rest, Some(&caller.username)),
        "delete" => save::delete(state, txn, id),
        _ => save::delete(state, txn, id).and_then(|()| save::purge(state, txn, id)),
    };
    done.map(|()| (id, false)).map_err(|errors| (Some(id), errors))
}
