//! `composite`: up to 25 calls in one, with references between them (REST guide, composite).

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Raw};

use super::call::{Call, Caller};
use super::http::{Body, Http, Reply};
use super::route;
use crate::json::{Json, object};
use crate::org::state::State;
use crate::org::txn::Txn;

const PARTS_MAX: usize = 25;
/// Queries and collection calls among the parts.
const HEAVY_MAX: usize = 5;
const ROLLED_BACK: &str = "The transaction was rolled back since another operation in the same \
                           transaction failed.";

/// One part as it was sent.
#[derive(Clone, Debug)]
struct Part {
    method: String,
    url: String,
    reference: String,
    body: Option<Raw>,
    headers: BTreeMap<String, String>,
}

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
    let savepoint = txn.savepoint();
    let caller = Caller { nested: true, ..caller.clone() };
    let auto_assign = txn.auto_assign;
    let mut answers: HashMap<usize, Reply> = HashMap::new();
    let mut bodies: HashMap<String, Option<Raw>> = HashMap::new();
    for at in order {
        let Some(part) = parts.get(at) else { continue };
        txn.auto_assign = auto_assign;
        let reply = run(state, txn, &caller, call, part, &bodies);
        let failed = !reply.is_success() && reply.status != 304;
        let body = match &reply.body {
            Body::Json(json) if !failed => Some(json.to_value()),
            _ => None,
        };
        bodies.insert(part.reference.clone(), body);
        answers.insert(at, reply);
        if failed && all_or_none {
            break;
        }
    }
    let failed = |reply: &Reply| !reply.is_success() && reply.status != 304;
    let rolled_back = all_or_none && answers.values().any(failed);
    if rolled_back {
        state.rollback_to(txn, savepoint);
    }
    let results = parts.iter().enumerate().map(|(at, part)| {
        let reply = answers.remove(&at).filter(|reply| !rolled_back || failed(reply));
        let reply = reply.unwrap_or_else(|| Reply::error(400, "PROCESSING_HALTED", ROLLED_BACK));
        part_json(part, reply)
    });
    let results: Vec<Json> = results.collect();
    Reply::json(200, object! { "compositeResponse" => results })
}

fn read_parts(body: &Map<String, Raw>) -> Result<Vec<Part>, Reply> {
    let bad = |text: String| Reply::error(400, "INVALID_INPUT", text);
    let Some(Raw::Array(items)) = body.get("compositeRequest") else {
        return Err(bad(String::from("compositeRequest is missing")));
    };
    if items.len() > PARTS_MAX {
        return Err(bad(format!("The maximum number of subrequests is {PARTS_MAX}")));
    }
    let mut parts: Vec<Part> = Vec::with_capacity(items.len());
    for item in items {
        let part = read_part(item).map_err(bad)?;
        if parts.iter().any(|known| known.reference == part.reference) {
            return Err(bad(format!("Duplicate referenceId {}", part.reference)));
        }
        parts.push(part);
    }
    let heavy = parts
        .iter()
        .filter(|part| part.url.contains("/query") || part.url.contains("/composite/sobjects"));
    if heavy.count() > HEAVY_MAX {
        let text = format!("At most {HEAVY_MAX} subrequests may be queries or collections");
        return Err(bad(text));
    }
    Ok(parts)
}

fn read_part(item: &Raw) -> Result<Part, String> {
    let text = |name: &str| {
        let found = item.get(name).and_then(Raw::as_str);
        found.map(str::to_owned).ok_or_else(|| format!("{name} is missing in a subrequest"))
    };
    let reference = text("referenceId")?;
    let good = reference.starts_with(|c: char| c.is_ascii_alphabetic())
        && reference.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !good {
        return Err(format!(
            "Provided referenceId ('{reference}') must start with a letter and \
                            contain only letters, digits and underscores"
        ));
    }
    let mut headers = BTreeMap::new();
    if let Some(Raw::Object(given)) = item.get("httpHeaders") {
        for (name, value) in given {
            let name = name.to_ascii_lowercase();
            if matches!(name.as_str(), "accept" | "authorization" | "content-type") {
                return Err(format!("Header {name} is not allowed in a subrequest"));
            }
            headers.insert(name, value.as_str().unwrap_or_default().to_owned());
        }
    }
    let body = item.get("body").filter(|body| !body.is_null()).cloned();
    Ok(Part {
        method: text("method")?.to_ascii_uppercase(),
        url: text("url")?,
        reference,
        body,
        headers,
    })
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

fn run(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    outer: &Call,
    part: &Part,
    bodies: &HashMap<String, Option<Raw>>,
) -> Reply {
    let url = match filled(&part.url, bodies) {
        Ok(url) => url,
        Err(reply) => return reply,
    };
    let body = match part.body.as_ref().map(|body| filled_body(body, bodies)).transpose() {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let mut headers: BTreeMap<String, String> = outer
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("sforce-"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    headers.extend(part.headers.clone());
    let http = Http {
        method: part.method.clone(),
        path: path.to_owned(),
        raw_query: query.replace(' ', "+"),
        headers,
        body: bytes::Bytes::new(),
    };
    match Call::parse(&http) {
        Ok(call) => route::dispatch(state, txn, caller, &Call { body, ..call }),
        Err(reply) => reply,
    }
}

fn part_json(part: &Part, reply: Reply) -> Json {
    let headers = reply.headers.into_iter().map(|(name, value)| (name.into(), Json::from(value)));
    let body = match reply.body {
        Body::Json(json) => json,
        Body::None => Json::Null,
        Body::Text { text, .. } => Json::from(text),
    };
    object! {
        "body" => body,
        "httpHeaders" => Json::Map(headers.collect()),
        "httpStatusCode" => reply.status,
        "referenceId" => part.reference.clone(),
    }
}

fn filled_body(body: &Raw, bodies: &HashMap<String, Option<Raw>>) -> Result<Raw, Reply> {
    Ok(match body {
        Raw::String(text) => match text.strip_prefix("@{").and_then(|it| it.strip_suffix('}')) {
            Some(reference) if !reference.contains("@{") => looked_up(reference, bodies)?,
            _ => Raw::from(filled(text, bodies)?),
        },
        Raw::Array(items) => {
            let made = items.iter().map(|item| filled_body(item, bodies));
            Raw::Array(made.collect::<Result<_, _>>()?)
        }
        Raw::Object(members) => {
            let made =
                members.iter().map(|(name, value)| Ok((name.clone(), filled_body(value, bodies)?)));
            Raw::Object(made.collect::<Result<_, Reply>>()?)
        }
        other => other.clone(),
    })
}

/// `@{ref.id}` places of a text.
fn filled(text: &str, bodies: &HashMap<String, Option<Raw>>) -> Result<String, Reply> {
    let mut made = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once("@{") {
        made.push_str(head);
        let Some((reference, after)) = tail.split_once('}') else {
            made.push_str("@{");
            rest = tail;
            continue;
        };
        match looked_up(reference, bodies)? {
            Raw::String(value) => made.push_str(&value),
            other => made.push_str(&other.to_string()),
        }
        rest = after;
    }
    made.push_str(rest);
    Ok(made)
}

/// `ref.records[0].Id`.
fn looked_up(reference: &str, bodies: &HashMap<String, Option<Raw>>) -> Result<Raw, Reply> {
    let (name, path) = reference.split_once('.').unwrap_or((reference, ""));
    let missing = || {
        let text = format!("Invalid reference specified. No value for {path} found in {name}");
        Reply::error(400, "PROCESSING_HALTED", text)
    };
    let mut at = bodies.get(name).and_then(Option::as_ref).ok_or_else(missing)?;
    for step in path.split(['.', '[', ']']).filter(|step| !step.is_empty()) {
        let index = step.parse::<usize>().ok();
        let next = at.get(step).or_else(|| index.and_then(|index| at.get(index)));
        at = next.ok_or_else(missing)?;
    }
    Ok(at.clone())
}
