//! The form of bodies: JSON, or XML for those who ask for it by `Accept`, by `Content-Type` or by
//! the suffix of the path; of the token endpoint also a form.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Raw};

use super::http::{Body, Http, Reply};
use crate::json::Json;
use crate::xml::{self, Element, escaped};

/// What a client wants to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Xml,
    UrlEncoded,
}

/// The answer of the data API in the form that was asked for. Composite calls and jobs have JSON
/// only.
pub(super) fn data(http: &Http, reply: Reply) -> Reply {
    if !takes_xml(http) {
        return reply;
    }
    let wanted = match suffix(&http.path) {
        Some((_, form)) => form,
        None => accepted(http),
    };
    match reply {
        Reply { status, headers, body: Body::Json(json) } if wanted == Form::Xml => {
            let text = document(&root(status, &json), &json);
            let body = Body::Text { content_type: "application/xml;charset=UTF-8", text };
            Reply { status, headers, body }
        }
        reply => reply,
    }
}

/// The answer of the token endpoint: `format=json|xml|urlencoded`, or by `Accept` (OAuth help
/// pages).
pub(super) fn token(http: &Http, reply: Reply) -> Reply {
    let wanted = match http.form().get("format").map(String::as_str) {
        Some("xml") => Form::Xml,
        Some("urlencoded") => Form::UrlEncoded,
        Some(_) => Form::Json,
        None => accepted(http),
    };
    let Reply { status, headers, body: Body::Json(json) } = reply else {
        return reply;
    };
    let body = match wanted {
        Form::Json => Body::Json(json),
        Form::Xml => {
            let text = document("OAuth", &json);
            Body::Text { content_type: "application/xml;charset=UTF-8", text }
        }
        Form::UrlEncoded => Body::Text {
            content_type: "application/x-www-form-urlencoded;charset=UTF-8",
            text: encoded(&json),
        },
    };
    Reply { status, headers, body }
}

/// Whether a call may be XML at all.
pub(super) fn takes_xml(http: &Http) -> bool {
    !http.path.contains("/composite") && !http.path.contains("/jobs/")
}

pub(super) fn is_xml(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "application/xml" | "text/xml")
}

/// The call without the suffix that named its form. That a key which ends like one loses it is
/// what the service does too.
pub(super) fn without_suffix(http: &Http) -> Cow<'_, Http> {
    match suffix(&http.path).filter(|_| takes_xml(http)) {
        Some((path, _)) => Cow::Owned(Http { path: path.to_owned(), ..http.clone() }),
        None => Cow::Borrowed(http),
    }
}

fn suffix(path: &str) -> Option<(&str, Form)> {
    let xml = path.strip_suffix(".xml").map(|path| (path, Form::Xml));
    xml.or_else(|| path.strip_suffix(".json").map(|path| (path, Form::Json)))
}

/// The first form of `Accept` that is served; JSON when there is none.
fn accepted(http: &Http) -> Form {
    let kinds = http.header("accept").unwrap_or_default().split(',');
    let mut known = kinds.filter_map(|kind| {
        let kind = kind.split(';').next()?.trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json" | "*/*" | "application/*" => Some(Form::Json),
            "application/x-www-form-urlencoded" => Some(Form::UrlEncoded),
            kind => is_xml(kind).then_some(Form::Xml),
        }
    });
    known.next().unwrap_or(Form::Json)
}

/// Reads a record: `<Account><Name>A</Name></Account>`. A parent by its external id is an element
/// with elements.
pub(super) fn read_xml(bytes: &[u8]) -> Result<Raw, Reply> {
    let root = xml::read(bytes);
    root.map(|root| members(&root)).map_err(|text| Reply::error(400, "XML_PARSER_ERROR", text))
}

fn members(element: &Element) -> Raw {
    let mut made = Map::new();
    for child in &element.children {
        let value = if child.nil {
            Raw::Null
        } else if child.children.is_empty() {
            Raw::from(child.text.clone())
        } else {
            members(child)
        };
        made.insert(child.name.clone(), value);
    }
    Raw::Object(made)
}

/// The name of the outermost element.
fn root(status: u16, json: &Json) -> String {
    let member = |name: &str| match json {
        Json::Map(members) => members.iter().find(|(it, _)| it == name).map(|(_, value)| value),
        _ => None,
    };
    let kind = member("attributes").and_then(|attributes| match attributes {
        Json::Map(members) => members.iter().find(|(it, _)| it == "type"),
        _ => None,
    });
    let text = |json: &Json| json.to_value().as_str().map(str::to_owned);
    match json {
        Json::List(_) if status >= 400 => String::from("Errors"),
        Json::List(_) if status == 200 => String::from("Versions"),
        Json::List(_) => String::from("Urls"),
        _ if member("totalSize").is_some() => String::from("QueryResult"),
        _ if member("success").is_some() => String::from("Result"),
        _ => {
            let named = kind.and_then(|(_, json)| text(json));
            let described = member("fields").and(member("name")).and_then(text);
            named.or(described).unwrap_or_else(|| String::from("Result"))
        }
    }
}

fn document(root: &str, json: &Json) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    match json {
        // The elements of a list without a name of its own are named after what they are.
        Json::List(items) => {
            let one = root.trim_end_matches('s');
            text.push_str(&format!("<{root}>"));
            items.iter().for_each(|item| element(&mut text, one, item));
            text.push_str(&format!("</{root}>"));
        }
        json => element(&mut text, root, json),
    }
    text
}

fn element(out: &mut String, name: &str, json: &Json) {
    match json {
        Json::Null => out.push_str(&format!(
            "<{name} xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/>"
        )),
        Json::List(items) => items.iter().for_each(|item| element(out, name, item)),
        Json::Map(members) => {
            out.push_str(&format!("<{name}"));
            for (_, value) in members.iter().filter(|(member, _)| member == "attributes") {
                attributes(out, value);
            }
            out.push('>');
            for (member, value) in members.iter().filter(|(member, _)| member != "attributes") {
                element(out, member, value);
            }
            out.push_str(&format!("</{name}>"));
        }
        leaf => {
            let text = match leaf.to_value() {
                Raw::String(text) => text,
                other => other.to_string(),
            };
            out.push_str(&format!("<{name}>{}</{name}>", escaped(&text)));
        }
    }
}

/// `attributes` of a record are attributes of its element.
fn attributes(out: &mut String, json: &Json) {
    let Json::Map(members) = json else {
        return;
    };
    for (name, value) in members {
        let text = value.to_value();
        out.push_str(&format!(" {name}=\"{}\"", escaped(text.as_str().unwrap_or_default())));
    }
}

/// `access_token=…&instance_url=…`
fn encoded(json: &Json) -> String {
    let Json::Map(members) = json else {
        return String::new();
    };
    let pairs = members.iter().map(|(name, value)| {
        let text = value.to_value();
        let text = text.as_str().unwrap_or_default();
        format!("{name}={}", utf8_percent_encode(text, NON_ALPHANUMERIC))
    });
    pairs.collect::<Vec<_>>().join("&")
}
