//! Errors as `application/problem+json` (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
