//! Composite calls: up to 25 sub-requests, each with its own guard (REST guide, Composite).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::body::Fields;
use super::fault::{Fault, faults};

/// One guarded update.
#[derive(Debug, Serialize)]
pub(crate) struct SubRequest {
    method: &'static str,
    url: String,
    #[serde(rename = "referenceId")]
    reference: String,
    #[serde(rename = "httpHeaders")]
    headers: Headers,
    body: Fields,
}

/// Headers are given with each sub-request: only Accept, Authorization and Content-Type are
/// inherited from the call.
#[derive(Debug, Serialize)]
struct Headers {
    #[serde(rename = "If-Unmodified-Since")]
    unmodified_since: String,
    #[serde(rename = "Sforce-Auto-Assign")]
    auto_assign: &'static str,
    #[serde(rename = "Sforce-Call-Options")]
    call_options: String,
    #[serde(rename = "Sforce-Duplicate-Rule-Header")]
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_rule: Option<&'static str>,
}

impl SubRequest {
    /// An update of the record at `url`, refused when it changed after `unmodified_since`.
    pub(crate) fn update(
        at: usize,
        url: String,
        unmodified_since: String,
        call_options: &str,
        duplicate_rule: Option<&'static str>,
        body: Fields,
    ) -> Self {
        Self {
            method: "PATCH",
            url,
            reference: reference(at),
            headers: Headers {
                unmodified_since,
                auto_assign: "FALSE",
                call_options: call_options.to_owned(),
                duplicate_rule,
            },
            body,
        }
    }
}

fn reference(at: usize) -> String {
    format!("w{at}")
}

/// The body of a composite call whose parts stand alone. Collation is off: it would change the
/// order, and conditional sub-requests are not collated anyway.
///
/// # Errors
/// Never in practice: all parts are valid JSON already.
pub(crate) fn composite_body(parts: &[SubRequest]) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Outer<'a> {
        #[serde(rename = "allOrNone")]
        all_or_none: bool,
        #[serde(rename = "collateSubrequests")]
        collate: bool,
        #[serde(rename = "compositeRequest")]
        parts: &'a [SubRequest],
    }
    serde_json::to_vec(&Outer { all_or_none: false, collate: false, parts })
}

/// The answer to one sub-request.
#[derive(Debug)]
pub(crate) struct SubAnswer {
    pub(crate) status: u16,
    pub(crate) faults: Vec<Fault>,
}

/// The answers in the order of the requests `0..count`; nothing for one that is missing. Told
/// apart by their reference, not by their place.
pub(crate) fn sub_answers(body: &[u8], count: usize) -> Option<Vec<Option<SubAnswer>>> {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow, rename = "compositeResponse")]
        parts: Vec<Part<'a>>,
    }
    #[derive(Deserialize)]
    struct Part<'a> {
        #[serde(borrow, default)]
        body: Option<&'a RawValue>,
        #[serde(rename = "httpStatusCode")]
        status: u16,
        #[serde(rename = "referenceId")]
        reference: String,
    }
    let outer: Outer<'_> = serde_json::from_slice(body).ok()?;
    let answer = |at: usize| {
        let reference = reference(at);
        let part = outer.parts.iter().find(|part| part.reference == reference)?;
        let faults = part.body.map(|body| faults(body.get().as_bytes())).unwrap_or_default();
        Some(SubAnswer { status: part.status, faults })
    };
    Some((0..count).map(answer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_carries_its_own_guard() {
        let mut body = Fields::default();
        body.push_text("Name", "A \"B\"");
        let part = SubRequest::update(
            0,
            "/services/data/v67.0/sobjects/Account/001".into(),
            "Sat, 21 Nov 2026 08:00:00 GMT".into(),
            "client=syncline",
            None,
            body,
        );
        let json = String::from_utf8(composite_body(&[part]).unwrap()).unwrap();
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
