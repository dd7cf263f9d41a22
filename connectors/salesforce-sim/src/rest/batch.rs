//! `composite/batch`: up to 25 independent calls, one after the other (REST guide, batch).

use std::collections::BTreeMap;

use serde_json::Value as Raw;

use super::call::{Call, Caller};
use super::http::{Body, Http, Reply};
use super::route;
use crate::json::{Json, object};
use crate::org::state::State;
use crate::org::txn::Txn;

const PARTS_MAX: usize = 25;
const HALTED: &str = "Batch processing halted as requested after previous error(s)";

/// Runs each call by itself: what one did stays when another fails. Each counts as a call of
/// the day.
pub(crate) fn batch(state: &mut State, txn: &mut Txn, caller: &Caller, call: &Call) -> Reply {
    let bad = |text: String| Reply::error(400, "INVALID_INPUT", text);
    let body = match call.object() {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let Some(Raw::Array(items)) = body.get("batchRequests") else {
        return bad(String::from("batchRequests is missing"));
    };
    if items.len() > PARTS_MAX {
        return bad(format!("The maximum number of subrequests is {PARTS_MAX}"));
    }
    let halt = body.get("haltOnError").and_then(Raw::as_bool).unwrap_or(false);
    let caller = Caller { nested: true, ..caller.clone() };
    let (auto_assign, duplicates) = (txn.auto_assign, txn.allow_duplicates);
    let mut results = Vec::with_capacity(items.len());
    let mut errors = false;
    for (at, item) in items.iter().enumerate() {
        (txn.auto_assign, txn.allow_duplicates) = (auto_assign, duplicates);
        let reply = if errors && halt {
            Reply::error(412, "BATCH_PROCESSING_HALTED", HALTED)
        } else if at > 0 && !state.usage.count() {
            super::limits::exceeded(false)
        } else {
            one(state, txn, &caller, call, item)
        };
        errors |= !reply.is_success() && reply.status != 304;
        let result = match reply.body {
            Body::Json(json) => json,
            Body::None => Json::Null,
            Body::Text { text, .. } => Json::from(text),
        };
        results.push(object! { "statusCode" => reply.status, "result" => result });
    }
    Reply::json(200, object! { "hasErrors" => errors, "results" => results })
}

fn one(state: &mut State, txn: &mut Txn, caller: &Caller, outer: &Call, item: &Raw) -> Reply {
    let text = |name: &str| item.get(name).and_then(Raw::as_str);
    let (Some(method), Some(url)) = (text("method"), text("url")) else {
        let what = "method and url are needed in a subrequest";
        return Reply::error(400, "INVALID_INPUT", what);
    };
    // Addresses are relative to the data API: `v67.0/sobjects/…`.
    let url = url.trim_start_matches('/');
    let url = url.strip_prefix("services/data/").unwrap_or(url);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let headers: BTreeMap<String, String> = outer
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("sforce-"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let http = Http {
        method: method.to_ascii_uppercase(),
        path: format!("/services/data/{path}"),
        raw_query: query.replace(' ', "+"),
        headers,
        ..Http::default()
    };
    match Call::parse(&http) {
        Ok(call) => {
            let body = item.get("richInput").filter(|body| !body.is_null()).cloned();
            route::dispatch(state, txn, caller, &Call { body, ..call })
        }
        Err(reply) => reply,
    }
}
