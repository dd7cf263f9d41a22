//! What is taken out of requests; what cannot be is a problem like any other.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query};
use axum::http::StatusCode;

use crate::problem::Problem;

/// A parameter of the path.
#[derive(FromRequestParts)]
#[from_request(via(Path), rejection(Problem))]
pub(super) struct ApiPath<T>(pub T);

/// The parameters of the query.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(Problem))]
pub(super) struct ApiQuery<T>(pub T);

/// A query without parameters: one that is there all the same is refused, not ignored.
pub(super) type NoQuery = ApiQuery<Nothing>;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The body.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Problem))]
pub(super) struct ApiJson<T>(pub T);

fn unreadable(status: StatusCode, what: &str, why: String) -> Problem {
    Problem::new(status, format!("The {what} cannot be read")).detail(why)
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        // A part of a path that is no number, say, names nothing.
        unreadable(StatusCode::NOT_FOUND, "address", rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        unreadable(rejection.status(), "query", rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        unreadable(rejection.status(), "body", rejection.body_text())
    }
}
