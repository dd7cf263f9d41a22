//! From a path to what serves it, and what all routes share.

use super::{edits, outbound, schema, world};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Raw, json};

use crate::org::state::State;
use crate::org::table::Record;
use crate::org::{Org, Refused};
use crate::rest::{Body, Http, Reply};
use crate::schema::slots;
use crate::soql::field_json;

/// What a control route answers: the JSON of a 200, or a refusal.
pub(super) type Answered = Result<Raw, Refusal>;

/// Why a control call failed.
#[derive(Debug)]
pub(super) enum Refusal {
    NotFound,
    BadInput(String),
    Refused(Refused),
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Answers a control call.
pub(crate) async fn answer(org: &Org, http: &Http) -> Reply {
    let path = crate::rest::decoded(&http.path);
    let rest = path.strip_prefix("/__sim").unwrap_or_default().trim_matches('/');
    let segments: Vec<&str> = rest.split('/').filter(|it| !it.is_empty()).collect();
    let answered = match segments.as_slice() {
        [verb @ ("create" | "update" | "delete" | "undelete" | "purge" | "merge" | "seed")] => {
            edits::route(org, http, verb).await
        }
        ["outbound"] => outbound::route(org, http),
        ["schema", rest @ ..] => schema::route(org, http, rest),
        rest => world::route(org, http, rest),
    };
    match answered {
        Ok(body) => Reply::json(200, body.into()),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Reply {
    let (status, body) = match refusal {
        Refusal::NotFound => {
            (404, json!({ "code": "NOT_FOUND", "message": "no such control route or thing" }))
        }
        Refusal::BadInput(message) => (400, json!({ "code": "BAD_INPUT", "message": message })),
        Refusal::Refused(refused) => (
            422,
            json!({
                "code": refused.code,
                "message": refused.message,
                "fields": refused.fields,
            }),
        ),
    };
    Reply { status, headers: Vec::new(), body: Body::Json(body.into()) }
}

/// Reads the body into what the route wants.
pub(super) fn read<T: DeserializeOwned>(http: &Http) -> Result<T, Refusal> {
    let bytes: &[u8] = if http.body.is_empty() { b"{}" } else { &http.body };
    serde_json::from_slice(bytes).map_err(|error| Refusal::BadInput(error.to_string()))
}

/// A parameter of the query.
pub(super) fn parameter(http: &Http, name: &str) -> Option<String> {
    let pairs = crate::rest::pairs(&http.raw_query);
    pairs.into_iter().find(|(it, _)| it == name).map(|(_, value)| value)
}

/// Every field of a row; one in the recycle bin also tells who deleted it and when.
pub(crate) fn full_record(state: &State, table: usize, row: &Record) -> Map<String, Raw> {
    let mut made = Map::new();
    let Some(table) = state.table(table) else {
        return made;
    };
    for (slot, field) in table.object.live() {
        made.insert(field.name.clone(), field_json(&table.object, row, slot).to_value());
    }
    if let Some(deletion) = &row.deleted {
        made.insert(String::from("deletedBy"), Raw::from(state.username(deletion.by)));
        made.insert(String::from("deletedById"), Raw::from(deletion.by.to_string()));
        let at = crate::org::clock::rest_datetime(deletion.at_s);
        made.insert(String::from("deletedDate"), Raw::from(at));
    }
    made.insert(String::from("IsDeleted"), row.get(slots::IS_DELETED).to_json().to_value());
    made
}
