//! Errors as `application/problem+json` (RFC 9457).

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Conflict;

/// An error as a client is told of it.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Names the kind of problem; `about:blank` where the status says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What is wrong, in a few words that do not change.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What is wrong in this case, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The question as it is now, where it is not as it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Box<Conflict>>,
}

impl Problem {
    /// A problem of a status.
    pub(crate) fn new(status: StatusCode, title: impl Into<String>) -> Self {
        let title = title.into();
        let status = status.as_u16();
        Self { kind: "about:blank", title, status, detail: None, question: None }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The same with the question as it is now.
    pub(crate) fn with_question(mut self, question: Conflict) -> Self {
        self.question = Some(Box::new(question));
        self
    }

    /// The same with what is wrong in this case.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

const KIND: HeaderValue = HeaderValue::from_static("application/problem+json");

/// How long a client should wait before it tries again, seconds.
const RETRY_AFTER_S: u32 = 2;

/// Makes a problem of every refusal that is none yet: of what the layers around the routes refuse.
pub(crate) async fn every(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let told = response.headers().get(header::CONTENT_TYPE) == Some(&KIND);
    if told || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (title, detail) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("The body is too long", "send less at once"),
        StatusCode::GATEWAY_TIMEOUT => ("It took too long", "ask for less, or again later"),
        StatusCode::INTERNAL_SERVER_ERROR => ("Something went wrong", "the log tells more"),
        other => (other.canonical_reason().unwrap_or("Refused"), ""),
    };
    let problem = Problem::new(status, title);
    let problem = if detail.is_empty() { problem } else { problem.detail(detail) };
    let mut told = problem.into_response();
    // Which methods there are, say.
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            told.headers_mut().insert(name.clone(), value.clone());
        }
    }
    told
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        response.headers_mut().insert(header::CONTENT_TYPE, KIND);
        response
    }
}
