//! `composite`: up to 25 calls in one, with references between them (REST guide, composite).

use serde_json::{Map, Value as Raw};

use super::call::{Call, Caller};
use super::http::Reply;
use super::parts::{Part, read_list, run_all};
use crate::json::object;
use crate::org::state::State;
use crate::org::txn::Txn;

const PARTS_MAX: usize = 25;
/// Queries and collection calls among the parts.
const HEAVY_MAX: usize = 5;

/// Runs the parts in one transaction; the answers keep the order of the request.
pub(crate) fn composite(state: &mut State, txn: &mut Txn, caller: &Caller, call: &Call) -> Reply {
    let parts = match call.object().and_then(read_parts) {
        Ok(parts) => parts,
        Err(reply) => return reply,
    };
    let flag = |name: &str, default: bool| {
        let given = call.body.as_ref().and_then(|body| body.get(name)).and_then(Raw::as_bool);
        given.unwrap_or(default)
    };
    let all_or_none = flag("allOrNone", false);
    let collate = flag("collateSubrequests", call.number >= 49) && state.settings.composite_groups;
    let order = if collate { grouped(&parts) } else { (0..parts.len()).collect() };
    let ran = run_all(state, txn, caller, call, (&parts, order, all_or_none));
    Reply::json(200, object! { "compositeResponse" => ran.answers })
}

fn read_parts(body: &Map<String, Raw>) -> Result<Vec<Part>, Reply> {
    let bad = |text: String| Reply::error(400, "INVALID_INPUT", text);
    let Some(Raw::Array(items)) = body.get("compositeRequest") else {
        return Err(bad(String::from("compositeRequest is missing")));
    };
    if items.len() > PARTS_MAX {
        return Err(bad(format!("The maximum number of subrequests is {PARTS_MAX}")));
    }
    let parts = read_list(items).map_err(bad)?;
    let heavy = parts
        .iter()
        .filter(|part| part.url.contains("/query") || part.url.contains("/composite/sobjects"));
    if heavy.count() > HEAVY_MAX {
        let text = format!("At most {HEAVY_MAX} subrequests may be queries or collections");
        return Err(bad(text));
    }
    Ok(parts)
}

/// Independent parts of one kind run together when the call allows it, so the written order is
/// no promise; conditional parts and parts with references stay where they are.
fn grouped(parts: &[Part]) -> Vec<usize> {
    let kind = |part: &Part| -> Option<(String, String)> {
        let free = part.headers.is_empty()
            && !part.url.contains("@{")
            && !part.body.as_ref().is_some_and(|body| body.to_string().contains("@{"));
        let object = part.url.split("/sobjects/").nth(1)?.split('/').next()?;
        let single = !part.url.contains("/composite/");
        (free && single && part.method != "GET").then(|| (part.method.clone(), object.to_owned()))
    };
    let mut order = Vec::with_capacity(parts.len());
    for (at, part) in parts.iter().enumerate() {
        if order.contains(&at) {
            continue;
        }
        order.push(at);
        let Some(mine) = kind(part) else { continue };
        for (later, other) in parts.iter().enumerate().skip(at + 1) {
            if !order.contains(&later) && kind(other).as_ref() == Some(&mine) {
                order.push(later);
            }
        }
    }
    order
}
