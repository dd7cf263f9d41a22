//! The calls of an envelope, by local names: prefixes and the order of headers do not matter.

use serde_json::{Map, Value as Raw};

use crate::xml::{self, Element};

/// A call with what its headers say.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Request {
    /// `SessionHeader`.
    pub(crate) session: String,
    /// `CallOptions`.
    pub(crate) client: Option<String>,
    /// `AllOrNoneHeader`.
    pub(crate) all_or_none: bool,
    pub(crate) call: Call,
}

/// A call that the simulator knows.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Call {
    Login {
        username: String,
        password: String,
    },
    Delete(Vec<String>),
    Undelete(Vec<String>),
    EmptyRecycleBin(Vec<String>),
    Merge(Vec<MergeRequest>),
    GetServerTimestamp,
    GetUserInfo,
    #[default]
    Unknown,
}

/// One merge (SOAP guide, merge).
#[derive(Debug, Default, PartialEq)]
pub(crate) struct MergeRequest {
    /// Id of the record that stays.
    pub(crate) master: String,
    /// Its type, as it was named.
    pub(crate) object: String,
    /// What is written to it. An empty element writes nothing; a null is named in
    /// `fieldsToNull` (SOAP guide, resetting values to null).
    pub(crate) fields: Map<String, Raw>,
    /// Ids of the records that go.
    pub(crate) losers: Vec<String>,
}

/// Reads an envelope; the error text goes into a fault.
pub(crate) fn read(bytes: &[u8]) -> Result<Request, String> {
    let envelope = xml::read(bytes)?;
    let call = envelope.child("Body").and_then(|body| body.children.first());
    let call = call.filter(|_| envelope.name == "Envelope");
    let call = call.ok_or_else(|| String::from("The envelope has no Body with a call"))?;
    let header = |way: [&str; 3]| Some(envelope.at(&way)?.text.clone());
    Ok(Request {
        session: header(["Header", "SessionHeader", "sessionId"]).unwrap_or_default(),
        client: header(["Header", "CallOptions", "client"]),
        all_or_none: header(["Header", "AllOrNoneHeader", "allOrNone"])
            .is_some_and(|text| matches!(text.as_str(), "true" | "1")),
        call: named(call),
    })
}

fn named(call: &Element) -> Call {
    let text = |name: &str| call.child(name).map(|it| it.text.clone()).unwrap_or_default();
    match call.name.as_str() {
        "login" => Call::Login { username: text("username"), password: text("password") },
        "delete" => Call::Delete(ids(call)),
        "undelete" => Call::Undelete(ids(call)),
        "emptyRecycleBin" => Call::EmptyRecycleBin(ids(call)),
        "merge" => {
            let requests = call.children.iter().filter(|it| {
                it.name.eq_ignore_ascii_case("request")
                    || it.name.eq_ignore_ascii_case("mergeRequests")
            });
            Call::Merge(requests.map(merge).collect())
        }
        "getServerTimestamp" => Call::GetServerTimestamp,
        "getUserInfo" => Call::GetUserInfo,
        _ => Call::Unknown,
    }
}

/// `ids`, as every client repeats it.
fn ids(call: &Element) -> Vec<String> {
    let named = call.children.iter().filter(|it| it.name.eq_ignore_ascii_case("ids"));
    named.map(|it| it.text.clone()).collect()
}

fn merge(request: &Element) -> MergeRequest {
    let mut made = MergeRequest::default();
    let losers = request.all("recordToMergeIds");
    made.losers = losers.map(|it| it.text.clone()).collect();
    let fields = request.child("masterRecord").map(|it| it.children.as_slice());
    for field in fields.unwrap_or_default() {
        match field.name.as_str() {
            "type" => made.object.clone_from(&field.text),
            name if name.eq_ignore_ascii_case("id") => made.master.clone_from(&field.text),
            "fieldsToNull" => drop(made.fields.insert(field.text.clone(), Raw::Null)),
            _ if field.nil || field.text.is_empty() => {}
            name => drop(made.fields.insert(name.to_owned(), Raw::from(field.text.clone()))),
        }
    }
    made
}
