//! From the path of a job call to what it does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value as Raw};

use super::job::{DELIMITERS, Ended, Head, Ingest, Query, Stage, refused};
use super::{ingest, multipart, query, table};
use crate::json::{Json, object};
use crate::org::clock::instant;
use crate::org::ids::Id;
use crate::org::txn::Actor;
use crate::org::{CommitDelay, Org};
use crate::rest::{Body, Caller, Http, Reply, pairs, version_number};

/// What a job call is made with.
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) http: &'a Http,
    pub(crate) actor: Actor,
    pub(crate) delay: CommitDelay,
    /// A fault fails the job that this call closes.
    pub(crate) fail: bool,
}

/// Answers a call below `jobs/`.
pub(crate) fn answer(org: &Org, asked: Asked<'_>) -> Reply {
    let path = asked.http.path.trim_end_matches('/');
    let rest = path.strip_prefix("/services/data/").unwrap_or_default();
    let mut segments = rest.split('/');
    let version = match version_number(segments.next().unwrap_or_default()) {
        Ok(version) => version,
        Err(reply) => return reply,
    };
    let segments: Vec<&str> = segments.collect();
    match (asked.http.method.as_str(), segments.as_slice()) {
        ("POST", ["jobs", "ingest"]) => create(org, asked, version),
        ("GET", ["jobs", "ingest"]) => list(org),
        (method, ["jobs", "ingest", id, rest @ ..]) => {
            let id = Id::parse(id).filter(|id| org.state().jobs.ingest.contains_key(id));
            match (id, method, rest) {
                (None, ..) => Reply::not_found(),
                (Some(id), "GET", []) => shown(org, id),
                (Some(id), "PATCH", []) => change(org, asked, id),
                (Some(id), "DELETE", []) => delete(org, id),
                (Some(id), "PUT", ["batches"]) => upload(org, &asked, id),
                (Some(id), "GET", [what]) => results(org, id, what),
                _ => Reply::error(405, "METHOD_NOT_ALLOWED", "This job has no such call"),
            }
        }
        ("POST", ["jobs", "query"]) => create_query(org, &asked, version),
        ("GET", ["jobs", "query", id]) => query_shown(org, id),
        ("DELETE", ["jobs", "query", id]) => {
            let known = Id::parse(id).and_then(|id| org.state().jobs.query.remove(&id));
            known.map_or_else(Reply::not_found, |_| Reply::empty(204))
        }
        ("GET", ["jobs", "query", id, "results"]) => query_results(org, &asked, id, version),
        _ => Reply::not_found(),
    }
}

fn body(bytes: &[u8]) -> Result<Map<String, Raw>, Reply> {
    serde_json::from_slice(bytes).map_err(|error| {
        Reply::error(400, "JSON_PARSER_ERROR", format!("Unexpected content: {error}"))
    })
}

/// What the two kinds of job are made with.
fn head(
    org: &Org,
    asked: &Asked<'_>,
    version: u16,
    body: &Map<String, Raw>,
) -> Result<Head, Reply> {
    let text = |name: &str| body.get(name).and_then(Raw::as_str);
    let wanted = text("columnDelimiter").unwrap_or("COMMA");
    let delimiter = DELIMITERS.into_iter().find(|(name, _)| *name == wanted);
    let delimiter = delimiter
        .ok_or_else(|| refused("INVALIDJOB", format!("Unsupported columnDelimiter: {wanted}")))?;
    let line_ending = text("lineEnding").unwrap_or("LF");
    if !matches!(line_ending, "LF" | "CRLF") {
        return Err(refused("INVALIDJOB", format!("Unsupported lineEnding: {line_ending}")));
    }
    if text("contentType").is_some_and(|kind| kind != "CSV") {
        return Err(refused("INVALIDJOB", "Only contentType CSV is supported"));
    }
    let mut state = org.state();
    Ok(Head {
        id: state.new_id("750"),
        object: String::new(),
        operation: text("operation").unwrap_or_default().to_owned(),
        created_by: asked.caller.user,
        created_s: state.clock.now_s(),
        version,
        delimiter,
        line_ending: line_ending.to_owned(),
    })
}

/// A new job; one that comes with its content in one multipart call needs no upload and no close
/// (Bulk API 2.0 guide, create a job).
fn create(org: &Org, asked: Asked<'_>, version: u16) -> Reply {
    let parts = match multipart::parts(asked.http) {
        Ok(parts) => parts,
        Err(text) => return refused("INVALIDJOB", text),
    };
    let (head, content) = match parts {
        Some(parts) => (parts.job, Some(parts.content)),
        None => (asked.http.body.clone(), None),
    };
    let reply = open(org, &asked, version, &head);
    let id = match &reply.body {
        Body::Json(json) if reply.is_success() => json.to_value(),
        _ => return reply,
    };
    let id = id.get("id").and_then(Raw::as_str).and_then(Id::parse);
    let (Some(id), Some(content)) = (id, content) else {
        return reply;
    };
    if let Some(job) = org.state().jobs.ingest.get_mut(&id) {
        job.content = Some(content);
    }
    close(org, asked, id)
}

fn open(org: &Org, asked: &Asked<'_>, version: u16, bytes: &[u8]) -> Reply {
    let made = body(bytes).and_then(|body| {
        let mut head = head(org, asked, version, &body)?;
        let text = |name: &str| body.get(name).and_then(Raw::as_str);
        let known = ["insert", "update", "upsert", "delete", "hardDelete"];
        if !known.contains(&head.operation.as_str()) {
            let what = format!("Unsupported operation: {}", head.operation);
            return Err(refused("INVALIDJOB", what));
        }
        let named = text("object").unwrap_or_default();
        let object = org.state().table_named(named).map(|table| table.object.name.clone());
        head.object = object.ok_or_else(|| {
            let what = format!("InvalidEntity : Unable to find object: {named}");
            refused("INVALIDENTITY", what)
        })?;
        let external_id = text("externalIdFieldName").map(str::to_owned);
        if head.operation == "upsert" && external_id.is_none() {
            return Err(refused("INVALIDJOB", "externalIdFieldName is required for upsert"));
        }
        Ok(Ingest {
            head,
            external_id,
            stage: Stage::Open,
            content: None,
            columns: Vec::new(),
            ended: Vec::new(),
            unprocessed: Vec::new(),
            error: None,
        })
    });
    match made {
        Ok(job) => {
            let info = job.info(false);
            org.state().jobs.ingest.insert(job.head.id, job);
            Reply::json(200, info)
        }
        Err(reply) => reply,
    }
}

fn list(org: &Org) -> Reply {
    let state = org.state();
    let records: Vec<Json> = state.jobs.ingest.values().map(|job| job.info(false)).collect();
    Reply::json(
        200,
        object! { "done" => true, "records" => records, "nextRecordsUrl" => Json::Null },
    )
}

fn shown(org: &Org, id: Id) -> Reply {
    let state = org.state();
    let job = state.jobs.ingest.get(&id);
    job.map_or_else(Reply::not_found, |job| Reply::json(200, job.info(true)))
}

/// 201 without a body (Bulk API 2.0 guide, upload job data).
fn upload(org: &Org, asked: &Asked<'_>, id: Id) -> Reply {
    let kind = asked.http.header("content-type").unwrap_or_default();
    if !kind.starts_with("text/csv") {
        let text = format!("Content-Type '{kind}' is not supported here. Use text/csv.");
        return Reply::error(415, "UNSUPPORTED_MEDIA_TYPE", text);
    }
    let mut state = org.state();
    match state.jobs.ingest.get_mut(&id) {
        Some(job) if job.stage == Stage::Open && job.content.is_none() => {
            job.content = Some(asked.http.body.clone());
            Reply::empty(201)
        }
        _ => refused("INVALIDJOBSTATE", "Only one upload, to an open job, is taken"),
    }
}

fn change(org: &Org, asked: Asked<'_>, id: Id) -> Reply {
    let wanted = match body(&asked.http.body) {
        Ok(body) => body.get("state").and_then(Raw::as_str).unwrap_or_default().to_owned(),
        Err(reply) => return reply,
    };
    let mut state = org.state();
    let Some(job) = state.jobs.ingest.get_mut(&id) else {
        return Reply::not_found();
    };
    match (wanted.as_str(), job.stage) {
        ("UploadComplete", Stage::Open) => {
            drop(state);
            close(org, asked, id)
        }
        ("Aborted", Stage::Open | Stage::UploadComplete | Stage::InProgress) => {
            job.stage = Stage::Aborted;
            Reply::json(200, job.info(false))
        }
        (wanted, stage) => {
            let text = format!("A job that is {} cannot become {wanted:?}", stage.word());
            refused("INVALIDJOBSTATE", text)
        }
    }
}

/// Starts the work on what was uploaded.
fn close(org: &Org, asked: Asked<'_>, id: Id) -> Reply {
    let info = match org.state().jobs.ingest.get_mut(&id) {
        Some(job) => {
            job.stage = Stage::UploadComplete;
            job.info(false)
        }
        None => return Reply::not_found(),
    };
    let (org, caller) = (org.clone(), asked.caller.clone());
    let job = (id, asked.fail);
    tokio::spawn(ingest::process(org, caller, asked.actor, asked.delay, job));
    Reply::json(200, info)
}

fn delete(org: &Org, id: Id) -> Reply {
    let mut state = org.state();
    let busy = [Stage::UploadComplete, Stage::InProgress];
    if state.jobs.ingest.get(&id).is_some_and(|job| busy.contains(&job.stage)) {
        return refused("INVALIDJOBSTATE", "A job that is being processed cannot be deleted");
    }
    state.jobs.ingest.remove(&id);
    Reply::empty(204)
}

/// The path is matched in any case: the documents and one client differ.
fn results(org: &Org, id: Id, what: &str) -> Reply {
    let state = org.state();
    let Some(job) = state.jobs.ingest.get(&id) else {
        return Reply::not_found();
    };
    let what = what.to_ascii_lowercase();
    let own: &[&str] = match what.as_str() {
        "successfulresults" => &["sf__Id", "sf__Created"],
        "failedresults" => &["sf__Id", "sf__Error"],
        "unprocessedrecords" => &[],
        _ => return Reply::not_found(),
    };
    let line = |first: [String; 2], row: &[String]| -> Vec<String> {
        first.into_iter().chain(row.iter().cloned()).collect()
    };
    let mut rows: Vec<Vec<String>> = match what.as_str() {
        "unprocessedrecords" => job.unprocessed.clone(),
        "successfulresults" => {
            let saved = job.ended.iter().filter_map(|ended| match ended {
                Ended::Saved { id, created, row } => {
                    Some(line([id.to_string(), created.to_string()], row))
                }
                Ended::Failed { .. } => None,
            });
            saved.collect()
        }
        _ => {
            let failed = job.ended.iter().filter_map(|ended| match ended {
                Ended::Failed { id, error, row } => {
                    let id = id.map(|id| id.to_string()).unwrap_or_default();
                    Some(line([id, error.clone()], row))
                }
                Ended::Saved { .. } => None,
            });
            failed.collect()
        }
    };
    // The order of the rows is no promise.
    if state.settings.bulk_reorders {
        rows.reverse();
    }
    let columns = own.iter().copied().chain(job.columns.iter().map(String::as_str));
    Reply::text(200, "text/csv", table::write(&job.head, columns, rows.into_iter()))
}

fn create_query(org: &Org, asked: &Asked<'_>, version: u16) -> Reply {
    let made = body(&asked.http.body).and_then(|body| {
        let mut head = head(org, asked, version, &body)?;
        let all = match head.operation.as_str() {
            "query" => false,
            "queryAll" => true,
            other => return Err(refused("INVALIDJOB", format!("Unsupported operation: {other}"))),
        };
        let statement = body.get("query").and_then(Raw::as_str).unwrap_or_default();
        let state = org.state();
        let answer = query::run(&state, asked.caller, statement, all)?;
        head.object = answer.object;
        let wait = std::time::Duration::from_millis(state.settings.bulk_ms);
        let ready_at = instant() + wait;
        Ok(Query { head, ready_at, columns: answer.columns, rows: answer.rows })
    });
    match made {
        Ok(job) => {
            let info = job.info(false);
            org.state().jobs.query.insert(job.head.id, job);
            Reply::json(200, info)
        }
        Err(reply) => reply,
    }
}

fn query_shown(org: &Org, id: &str) -> Reply {
    let state = org.state();
    let job = Id::parse(id).and_then(|id| state.jobs.query.get(&id));
    job.map_or_else(Reply::not_found, |job| Reply::json(200, job.info(true)))
}

/// One page of a query job; the last has the literal locator `null`.
fn query_results(org: &Org, asked: &Asked<'_>, id: &str, version: u16) -> Reply {
    let state = org.state();
    let Some(job) = Id::parse(id).and_then(|id| state.jobs.query.get(&id)) else {
        return Reply::not_found();
    };
    if job.head.version != version {
        let text = "The API version of a job is that of all its calls";
        return Reply::error(409, "VERSION_MISMATCH", text);
    }
    if !job.is_ready() {
        return Reply::error(412, "JOB_NOT_COMPLETE", "The job is not complete yet");
    }
    let query = pairs(&asked.http.raw_query);
    let parameter = |name: &str| query.iter().find(|(it, _)| it == name).map(|(_, it)| it.as_str());
    let start = match parameter("locator") {
        None => Some(0),
        Some(text) => offset(text).filter(|start| *start < job.rows.len()),
    };
    let Some(start) = start else {
        return refused("INVALID_LOCATOR", "The locator is not one of this job");
    };
    let most = parameter("maxRecords").and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    let most = most.clamp(1, state.settings.bulk_page_rows.max(1));
    let end = start.saturating_add(most).min(job.rows.len());
    let rows = job.rows.get(start..end).unwrap_or_default();
    let locator = match end < job.rows.len() {
        true => STANDARD_NO_PAD.encode(end.to_string()),
        false => String::from("null"),
    };
    let columns = job.columns.iter().map(String::as_str);
    let text = table::write(&job.head, columns, rows.iter().cloned());
    Reply::text(200, "text/csv", text)
        .with_header("Sforce-NumberOfRecords", rows.len().to_string())
        .with_header("Sforce-Locator", locator)
}

fn offset(locator: &str) -> Option<usize> {
    String::from_utf8(STANDARD_NO_PAD.decode(locator).ok()?).ok()?.parse().ok()
}
