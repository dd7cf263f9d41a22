//! What a sender is told of a delivery that is not taken.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use syncline_ledger::Verdict;

use crate::problem::Problem;

/// How long a sender should wait before it tries again, seconds.
const RETRY_AFTER_S: u32 = 15;

/// The answer to a delivery that is refused. It says no more than who sent it may know.
pub(super) fn refusal(verdict: Verdict, reason: &str) -> Response {
    let (status, title) = match verdict {
        Verdict::Oversized => (StatusCode::PAYLOAD_TOO_LARGE, "The delivery is too long"),
        Verdict::Malformed => (StatusCode::BAD_REQUEST, "The delivery cannot be read"),
        Verdict::Forged | Verdict::Stale | Verdict::Unsigned => {
            (StatusCode::UNAUTHORIZED, "The signature is not accepted")
        }
        Verdict::Replayed => (StatusCode::CONFLICT, "The delivery has come before"),
        Verdict::NotYet => return unavailable(reason),
        Verdict::WrongSecret => return not_found(),
        Verdict::Stranger
        | Verdict::WrongAddress
        | Verdict::NoCertificate
        | Verdict::Insecure
        | Verdict::Accepted
        | Verdict::Repeated => (StatusCode::FORBIDDEN, "The delivery is not accepted"),
    };
    Problem::new(status, title).detail(reason).into_response()
}

/// The one answer to an address that is not known: it does not tell which part of it was wrong.
pub(super) fn not_found() -> Response {
    let detail = "`syncline webhooks` prints the addresses that there are";
    Problem::new(StatusCode::NOT_FOUND, "No such webhook").detail(detail).into_response()
}

/// The delivery may come again.
pub(super) fn unavailable(reason: &str) -> Response {
    let title = "The delivery cannot be taken now";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, title).detail(reason);
    let mut response = problem.into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
    response
}
