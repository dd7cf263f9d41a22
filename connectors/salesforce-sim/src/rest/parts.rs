//! The parts of a composite call or of one graph: how they are read, run one after the other with
//! references between them, and answered.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Raw;

use super::call::{Call, Caller};
use super::http::{Body, Http, Reply};
use super::route;
use crate::json::{Json, object};
use crate::org::state::State;
use crate::org::txn::Txn;

const ROLLED_BACK: &str = "The transaction was rolled back since another operation in the same \
                           transaction failed.";

/// One part as it was sent.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) reference: String,
    pub(super) body: Option<Raw>,
    pub(super) headers: BTreeMap<String, String>,
}

/// How the parts of one call ended.
pub(super) struct Ran {
    /// One answer a part, in the order of the request.
    pub(super) answers: Vec<Json>,
    /// With allOrNone: everything was taken back.
    pub(super) rolled_back: bool,
}

/// Runs the parts in the given order in one transaction; the answers keep that of the request.
pub(super) fn run_all(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    call: &Call,
    (parts, order, all_or_none): (&[Part], Vec<usize>, bool),
) -> Ran {
    let savepoint = txn.savepoint();
    let caller = Caller { nested: true, ..caller.clone() };
    let (auto_assign, duplicates) = (txn.auto_assign, txn.allow_duplicates);
    let mut replies: HashMap<usize, Reply> = HashMap::new();
    let mut bodies: HashMap<String, Option<Raw>> = HashMap::new();
    let failed = |reply: &Reply| !reply.is_success() && reply.status != 304;
    for at in order {
        let Some(part) = parts.get(at) else { continue };
        txn.auto_assign = auto_assign;
        txn.allow_duplicates = duplicates;
        let reply = run(state, txn, &caller, call, part, &bodies);
        let stop = failed(&reply);
        let body = match &reply.body {
            Body::Json(json) if !stop => Some(json.to_value()),
            _ => None,
        };
        bodies.insert(part.reference.clone(), body);
        replies.insert(at, reply);
        if stop && all_or_none {
            break;
        }
    }
    (txn.auto_assign, txn.allow_duplicates) = (auto_assign, duplicates);
    let rolled_back = all_or_none && replies.values().any(failed);
    if rolled_back {
        state.rollback_to(txn, savepoint);
    }
    let answers = parts.iter().enumerate().map(|(at, part)| {
        let reply = replies.remove(&at).filter(|reply| !rolled_back || failed(reply));
        part_json(part, reply.unwrap_or_else(halted))
    });
    Ran { answers: answers.collect(), rolled_back }
}

/// What a part answers that another one's failure took back or kept from running.
pub(super) fn halted() -> Reply {
    Reply::error(400, "PROCESSING_HALTED", ROLLED_BACK)
}

/// Reads a list of parts whose references are unique; the text says what is wrong.
pub(super) fn read_list(items: &[Raw]) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = Vec::with_capacity(items.len());
    for item in items {
        let part = read_part(item)?;
        if parts.iter().any(|known| known.reference == part.reference) {
            return Err(format!("Duplicate referenceId {}", part.reference));
        }
        parts.push(part);
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
        secure: false,
    };
    match Call::parse(&http) {
        Ok(call) => route::dispatch(state, txn, caller, &Call { body, ..call }),
        Err(reply) => reply,
    }
}

pub(super) fn part_json(part: &Part, reply: Reply) -> Json {
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
