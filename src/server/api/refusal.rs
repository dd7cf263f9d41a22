//! What routes may answer instead of what was asked for, as the document tells it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::IntoResponses;
use utoipa::openapi::{Content, Ref, RefOr, Response};

/// What every route may answer.
pub(super) struct Always;

impl IntoResponses for Always {
    fn responses() -> Refusals {
        let mut told = refusals(&[
            (StatusCode::BAD_REQUEST, "The query cannot be read, or has a parameter that is none."),
            (StatusCode::UNAUTHORIZED, "No token that is of use was sent."),
            (StatusCode::FORBIDDEN, "The token does not have the scope, or came in plain text."),
            (StatusCode::INTERNAL_SERVER_ERROR, "Something of Syncline's own is wrong."),
            (StatusCode::SERVICE_UNAVAILABLE, "The ledger does not answer: try again later."),
            (StatusCode::GATEWAY_TIMEOUT, "It took too long: ask for less, or again later."),
        ]);
        told.insert("default".to_owned(), problem("Any other refusal."));
        told
    }
}

/// What a list may answer too.
pub(super) struct OfList;

impl IntoResponses for OfList {
    fn responses() -> Refusals {
        let what = "There is no such mapping, or `after` is no place of this list.";
        refusals(&[(StatusCode::UNPROCESSABLE_ENTITY, what)])
    }
}

/// What an address with a name in it may answer too.
pub(super) struct OfOne;

impl IntoResponses for OfOne {
    fn responses() -> Refusals {
        refusals(&[(StatusCode::NOT_FOUND, "There is no such thing.")])
    }
}

/// What a change may answer too.
pub(super) struct OfChange;

impl IntoResponses for OfChange {
    fn responses() -> Refusals {
        refusals(&[
            (
                StatusCode::BAD_REQUEST,
                "The query, the body or the Idempotency-Key cannot be read, or the query has a \
                 parameter that is none.",
            ),
            (StatusCode::NOT_FOUND, "There is no such thing."),
            (
                StatusCode::CONFLICT,
                "It is not as it was seen: `question` has it as it is now. Or the same change is \
                 under way.",
            ),
            (StatusCode::PAYLOAD_TOO_LARGE, "The body is too long."),
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                "This cannot be done, or the Idempotency-Key was used for another change.",
            ),
        ])
    }
}

/// What a change with a body may answer too.
pub(super) struct OfBody;

impl IntoResponses for OfBody {
    fn responses() -> Refusals {
        refusals(&[(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not `application/json`.")])
    }
}

type Refusals = BTreeMap<String, RefOr<Response>>;

fn refusals(told: &[(StatusCode, &str)]) -> Refusals {
    told.iter().map(|(status, what)| (status.as_str().to_owned(), problem(what))).collect()
}

fn problem(what: &str) -> RefOr<Response> {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    let mut response = Response::new(what);
    response.content.insert("application/problem+json".to_owned(), content.into());
    response.into()
}
