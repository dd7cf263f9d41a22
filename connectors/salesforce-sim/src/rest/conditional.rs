//! Conditional requests on rows (REST guide, conditional requests).

use super::call::Call;
use super::http::Reply;
use crate::json::{Json, object};
use crate::org::clock::parse_http_date;
use crate::org::settings::{ConditionalDelete, ConditionalStamp};
use crate::org::state::State;
use crate::org::table::Record;
use crate::schema::slots;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The reply that a condition calls for instead of the work; `None` when all hold.
pub(crate) fn check(state: &State, call: &Call, object: &str, row: &Record) -> Option<Reply> {
    if call.method == "DELETE" {
        match state.settings.conditional_delete {
            ConditionalDelete::Ignored => return None,
            ConditionalDelete::Honoured => {}
            ConditionalDelete::Refused => {
                let names =
                    ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];
                let given = names.iter().any(|name| call.header(name).is_some());
                let text = "Conditional headers are not supported on DELETE";
                return given.then(|| Reply::error(400, "INVALID_HTTP_HEADER", text));
            }
        }
    }
    let etag = if object == "Account" { by_etag(state, call, row) } else { None };
    etag.or_else(|| by_date(state, call, row))
}

/// Whole seconds on both sides: two saves of one second pass as one.
fn by_date(state: &State, call: &Call, row: &Record) -> Option<Reply> {
    let stamp = row.seconds(match state.settings.conditional_stamp {
        ConditionalStamp::LastModifiedDate => slots::LAST_MODIFIED_DATE,
        ConditionalStamp::SystemModstamp => slots::SYSTEM_MODSTAMP,
    });
    let read = |name: &str| match call.header(name) {
        None => Ok(None),
        Some(text) => match parse_http_date(text) {
            Some(second) => Ok(Some(second)),
            None if call.method == "GET" => Ok(None),
            None => Err(unreadable(name, text)),
        },
    };
    let (modified, unmodified) = match (read("if-modified-since"), read("if-unmodified-since")) {
        (Err(reply), _) | (_, Err(reply)) => return Some(reply),
        (Ok(modified), Ok(unmodified)) => (modified, unmodified),
    };
    if unmodified.is_some_and(|limit| stamp > limit) {
        return Some(failed(state));
    }
    if modified.is_some_and(|limit| stamp <= limit) {
        return Some(Reply::empty(304));
    }
    None
}

/// `ETag` conditions, on Account rows only.
fn by_etag(state: &State, call: &Call, row: &Record) -> Option<Reply> {
    let etag = etag(row);
    let holds = |list: &str| list.split(',').any(|it| it.trim() == etag || it.trim() == "*");
    if call.header("if-match").is_some_and(|list| !holds(list)) {
        return Some(failed(state));
    }
    if call.header("if-none-match").is_some_and(holds) {
        return Some(if call.method == "GET" { Reply::empty(304) } else { failed(state) });
    }
    None
}

/// An opaque tag of the row's content, in the recorded form.
pub(crate) fn etag(row: &Record) -> String {
    let hash = blake3::hash(format!("{row:?}").as_bytes());
    let short = hash.as_bytes().get(..20).unwrap_or_default();
    format!("\"{}--gzip\"", STANDARD.encode(short))
}

/// 412; whether it has a body is a switch.
pub(crate) fn failed(state: &State) -> Reply {
    if !state.settings.body_412 {
        return Reply::empty(412);
    }
    let error = object! {
        "message" => "The entity has been modified since the given date",
        "errorCode" => "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE",
    };
    Reply::json(412, Json::List(vec![error]))
}

/// A date that cannot be read refuses a write.
fn unreadable(name: &str, text: &str) -> Reply {
    let text = format!("The value {text:?} of header {name} is not an HTTP date");
    Reply::error(400, "INVALID_HTTP_HEADER", text)
}
