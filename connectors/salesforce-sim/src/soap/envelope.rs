//! Reads SOAP envelopes by local names; prefixes and order of headers do not matter.

use quick_xml::Reader;
use quick_xml::events::Event;

/// A call that the simulator knows.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Login { username: String, password: String },
    Undelete { session: String, ids: Vec<String>, client: Option<String> },
    Other(String),
}

/// Reads an envelope; the error text goes into a fault.
pub(crate) fn read(bytes: &[u8]) -> Result<Request, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let leaves = leaves(text)?;
    let first = |name: &str| {
        let found = leaves.iter().find(|(path, _)| path.last().is_some_and(|it| it == name));
        found.map(|(_, text)| text.clone())
    };
    let call = leaves.iter().find_map(|(path, _)| {
        let body = path.iter().position(|name| name == "Body")?;
        path.get(body + 1).cloned()
    });
    match call.as_deref() {
        Some("login") => Ok(Request::Login {
            username: first("username").unwrap_or_default(),
            password: first("password").unwrap_or_default(),
        }),
        Some("undelete") => Ok(Request::Undelete {
            session: first("sessionId").unwrap_or_default(),
            ids: leaves
                .iter()
                .filter(|(path, _)| {
                    path.last().is_some_and(|name| matches!(name.as_str(), "ids" | "ID"))
                })
                .map(|(_, text)| text.clone())
                .collect(),
            client: first("client"),
        }),
        Some(other) => Ok(Request::Other(other.to_owned())),
        None => Err(String::from("The envelope has no Body with a call")),
    }
}

/// Every element with its path of local names and its own text.
pub(crate) fn leaves(text: &str) -> Result<Vec<(Vec<String>, String)>, String> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut found = Vec::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                texts.push(String::new());
            }
            Event::Empty(start) => {
                path.push(start.local_name().as_ref().to_owned());
                found.push((path.clone(), String::new()));
                path.pop();
            }
            Event::Text(part) => {
                if let Some(text) = texts.last_mut() {
                    text.push_str(&part);
                }
            }
            Event::CData(part) => {
                if let Some(text) = texts.last_mut() {
                    text.push_str(&part);
                }
            }
            Event::GeneralRef(name) => {
                if let (Some(text), Some(c)) = (texts.last_mut(), entity(&name)) {
                    text.push(c);
                }
            }
            Event::End(_) => {
                let text = texts.pop().unwrap_or_default();
                found.push((path.clone(), text.trim().to_owned()));
                path.pop();
            }
            Event::Eof if path.is_empty() => return Ok(found),
            Event::Eof => return Err(String::from("The envelope ends too early")),
            _ => {}
        }
    }
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Text for an element.
pub(crate) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
