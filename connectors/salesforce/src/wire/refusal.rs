//! What a request without success means: how far it got, and why.

use reqwest::StatusCode;
use syncline_sdk::{Error, ErrorKind};

use super::call::{Body, Call, CallError};
use super::fault::{Fault, Reach, classify, faults};
use super::soap;

/// What a refusal comes to.
pub(super) enum Refusal {
    Failed(CallError),
    /// The session ended: a renewal helps.
    Expired(CallError),
}

/// A request without an answer. Refused connections sent nothing; all else may have arrived.
pub(super) fn lost(call: &Call, error: reqwest::Error) -> CallError {
    let reach = if error.is_connect() { Reach::NotSent } else { Reach::Unknown };
    let what = if reach == Reach::NotSent { "cannot be reached" } else { "gave no answer" };
    let error = Error::new(
        ErrorKind::Unavailable,
        call.operation,
        format!("{}: Salesforce {what}", call.place),
    )
    .advise("check the way to the instance; it is tried again")
    .caused_by(error.without_url());
    CallError { error, reach, status: None, faults: Vec::new() }
}

/// A request answered with something other than success.
pub(super) fn refused(call: &Call, status: StatusCode, body: &[u8]) -> Refusal {
    let faults = match &call.body {
        Body::Undelete { .. } => soap::fault(body).into_iter().collect(),
        _ => faults(body),
    };
    let code = status.as_u16();
    if session_ended(code, &faults) {
        let (error, _) = classify(&faults, call.operation, &call.place);
        let reach = Reach::Refused;
        return Refusal::Expired(CallError { error, reach, status: Some(code), faults });
    }
    // A SOAP fault comes with status 500 although it is a refusal like any other.
    let soap_refusal = matches!(call.body, Body::Undelete { .. })
        && faults.first().is_some_and(|fault| fault.code != "UNKNOWN_EXCEPTION");
    let reach = match code {
        408 => Reach::Unknown,
        500.. if !soap_refusal => Reach::Unknown,
        _ => Reach::Refused,
    };
    let error = if faults.is_empty() {
        unexplained(call, code)
    } else {
        classify(&faults, call.operation, &call.place).0
    };
    Refusal::Failed(CallError { error, reach, status: Some(code), faults })
}

/// Whether the refusal says that the session ended, so that a renewal helps. Two refusals with
/// status 401 say something else, and a renewal would only repeat them.
fn session_ended(status: u16, faults: &[Fault]) -> bool {
    faults.first().is_some_and(|fault| {
        let ended = fault.code == "INVALID_SESSION_ID" && matches!(status, 401 | 500);
        let header = fault.code == "INVALID_AUTH_HEADER" && status == 401;
        let other = fault.message.contains("not valid for use with the REST API")
            || fault.message.contains("not attached to Agent");
        (ended || header) && !other
    })
}

fn unexplained(call: &Call, status: u16) -> Error {
    let (kind, advice) = match status {
        300..=399 => (ErrorKind::Config, "the instance moved: set url to the My Domain address"),
        401 => (ErrorKind::Auth, "log in again; check the external client app"),
        403 => (ErrorKind::Forbidden, "check the rights of the integration user"),
        404 | 410 => (ErrorKind::Schema, "check api_version and the entity's name"),
        414 | 431 => (ErrorKind::Protocol, "the request is too long: map fewer fields"),
        420 | 429 => (ErrorKind::Throttled, "it is tried again later"),
        408 | 500.. => (ErrorKind::Unavailable, "it is tried again"),
        _ => (ErrorKind::Protocol, "look at Salesforce's status page"),
    };
    let what = format!("{}: Salesforce answered {status} without a reason", call.place);
    Error::new(kind, call.operation, what).advise(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_refusals_with_401_are_not_renewed() {
        let fault = |message: &str| {
            vec![Fault { code: "INVALID_SESSION_ID".into(), message: message.into(), fields: None }]
        };
        assert!(session_ended(401, &fault("Session expired or invalid")));
        let rest = "This session is not valid for use with the REST API";
        assert!(!session_ended(401, &fault(rest)));
        assert!(!session_ended(401, &fault("Connected app is not attached to Agent")));
        assert!(!session_ended(403, &fault("Session expired or invalid")));
    }
}
