//! Composite calls: up to 25 sub-requests, each with its own guard (REST guide, Composite).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::body::Fields;
use super::fault::{Fault, faults};

/// One call inside of another: a part of a composite call, a node of a graph.
#[derive(Debug, Serialize)]
pub(crate) struct SubRequest {
    method: &'static str,
    url: String,
    #[serde(rename = "referenceId")]
    reference: String,
    #[serde(rename = "httpHeaders")]
    headers: Headers,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Fields>,
}

/// Headers are given with each sub-request: only Accept, Authorization and Content-Type are
/// inherited from the call (REST guide, Composite Subrequest, of Composite and of Composite
/// Graph).
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Headers {
    #[serde(rename = "If-Unmodified-Since")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unmodified_since: Option<String>,
    #[serde(rename = "Sforce-Auto-Assign")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auto_assign: Option<&'static str>,
    #[serde(rename = "Sforce-Call-Options")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) call_options: Option<String>,
    #[serde(rename = "Sforce-Duplicate-Rule-Header")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duplicate_rule: Option<&'static str>,
    #[serde(rename = "Sforce-Query-Options")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) query_options: Option<String>,
}

impl SubRequest {
    /// A new record below `url`.
    pub(crate) fn create(url: String, headers: Headers, body: Fields) -> Self {
        Self::new("POST", url, headers, Some(body))
    }
    /// An update of the record at `url`, refused when it changed after the guard in the headers.
    pub(crate) fn update(url: String, headers: Headers, body: Fields) -> Self {
        Self::new("PATCH", url, headers, Some(body))
    }
    /// A delete of the record at `url`.
    pub(crate) fn delete(url: String, headers: Headers) -> Self {
        Self::new("DELETE", url, headers, None)
    }
    /// A reading of `url`.
    pub(crate) fn get(url: String, headers: Headers) -> Self {
        Self::new("GET", url, headers, None)
    }
    fn new(method: &'static str, url: String, headers: Headers, body: Option<Fields>) -> Self {
        Self { method, url, reference: String::new(), headers, body }
    }
    /// Takes its place in a call, by which its answer is found.
    pub(super) fn numbered(mut self, at: usize) -> Self {
        self.reference = reference(at);
        self
    }
}

pub(super) fn reference(at: usize) -> String {
    format!("w{at}")
}

/// The body of a composite call whose parts stand alone. Collation is off: it would change the
/// order, and conditional sub-requests are not collated anyway.
///
/// # Errors
/// Never in practice: all parts are valid JSON already.
pub(crate) fn composite_body(parts: Vec<SubRequest>) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Outer {
        #[serde(rename = "allOrNone")]
        all_or_none: bool,
        #[serde(rename = "collateSubrequests")]
        collate: bool,
        #[serde(rename = "compositeRequest")]
        parts: Vec<SubRequest>,
    }
    let parts = parts.into_iter().enumerate().map(|(at, part)| part.numbered(at)).collect();
    serde_json::to_vec(&Outer { all_or_none: false, collate: false, parts })
}

/// The answer to one sub-request.
#[derive(Debug)]
pub(crate) struct SubAnswer {
    pub(crate) status: u16,
    pub(crate) faults: Vec<Fault>,
    /// The id of a record that it made.
    pub(crate) id: Option<String>,
}

/// One part of an answer as it came.
#[derive(Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(rename = "httpStatusCode")]
    status: u16,
    #[serde(rename = "referenceId")]
    reference: String,
}

impl Part<'_> {
    fn answer(&self) -> SubAnswer {
        #[derive(Deserialize)]
        struct Made {
            id: String,
        }
        let body = self.body.map(|body| body.get().as_bytes()).unwrap_or_default();
        let made = || serde_json::from_slice::<Made>(body).ok().map(|made| made.id);
        let good = (200..300).contains(&self.status);
        let id = if good { made() } else { None };
        SubAnswer { status: self.status, faults: faults(body), id }
    }
}

/// The part of that number among those of an answer.
pub(super) fn numbered<'p, 'a>(parts: &'p [Part<'a>], at: usize) -> Option<&'p Part<'a>> {
    let reference = reference(at);
    parts.iter().find(|part| part.reference == reference)
}

/// The answer of that number among the parts of an answer.
pub(super) fn answer_of(parts: &[Part<'_>], at: usize) -> Option<SubAnswer> {
    numbered(parts, at).map(Part::answer)
}

#[derive(Deserialize)]
struct Answered<'a> {
    #[serde(borrow, rename = "compositeResponse")]
    parts: Vec<Part<'a>>,
}

/// The answers in the order of the requests `0..count`; nothing for one that is missing. Told
/// apart by their reference, not by their place.
pub(crate) fn sub_answers(body: &[u8], count: usize) -> Option<Vec<Option<SubAnswer>>> {
    let outer: Answered<'_> = serde_json::from_slice(body).ok()?;
    Some((0..count).map(|at| answer_of(&outer.parts, at)).collect())
}

/// The status of a part, and its body.
pub(crate) type SubBody<'a> = (u16, &'a [u8]);

/// The answers to readings, in the order of the requests `0..count`.
pub(crate) fn sub_bodies(body: &[u8], count: usize) -> Option<Vec<Option<SubBody<'_>>>> {
    let outer: Answered<'_> = serde_json::from_slice(body).ok()?;
    let one = |at: usize| {
        let part = numbered(&outer.parts, at)?;
        Some((part.status, part.body.map(|body| body.get().as_bytes()).unwrap_or_default()))
    };
    Some((0..count).map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_carries_its_own_guard() {
        let mut body = Fields::default();
        body.push_text("Name", "A \"B\"");
        let headers = Headers {
            unmodified_since: Some("Sat, 21 Nov 2026 08:00:00 GMT".into()),
            auto_assign: Some("FALSE"),
            call_options: Some("client=syncline".into()),
            ..Headers::default()
        };
        let url = "/services/data/v67.0/sobjects/Account/001";
        let part = SubRequest::update(url.into(), headers, body);
        let json = String::from_utf8(composite_body(vec![part]).unwrap()).unwrap();
        assert_eq!(
            json,
            "{\"allOrNone\":false,\"collateSubrequests\":false,\"compositeRequest\":[{\
             \"method\":\"PATCH\",\"url\":\"/services/data/v67.0/sobjects/Account/001\",\
             \"referenceId\":\"w0\",\"httpHeaders\":{\
             \"If-Unmodified-Since\":\"Sat, 21 Nov 2026 08:00:00 GMT\",\
             \"Sforce-Auto-Assign\":\"FALSE\",\"Sforce-Call-Options\":\"client=syncline\"},\
             \"body\":{\"Name\":\"A \\\"B\\\"\"}}]}"
        );
    }

    #[test]
    fn answers_are_told_apart_by_reference() {
        let body = br#"{"compositeResponse":[
            {"body":[{"errorCode":"STRING_TOO_LONG","message":"m","fields":["Name"]}],
             "httpHeaders":{},"httpStatusCode":400,"referenceId":"w1"},
            {"body":null,"httpHeaders":{},"httpStatusCode":204,"referenceId":"w0"},
            {"body":"","httpHeaders":{},"httpStatusCode":412,"referenceId":"w2"}]}"#;
        let answers = sub_answers(body, 4).unwrap();
        let status = |at: usize| answers[at].as_ref().map(|answer| answer.status);
        assert_eq!(
            [status(0), status(1), status(2), status(3)],
            [Some(204), Some(400), Some(412), None]
        );
        assert_eq!(answers[1].as_ref().unwrap().faults[0].code, "STRING_TOO_LONG");
        assert!(sub_answers(b"<html>", 1).is_none());
    }
}
