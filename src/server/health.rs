//! Liveness and readiness.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::Readiness;
use crate::serve::Shared;

/// The process is alive: it answers.
pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

/// The process can do its work: 200, else 503, with what keeps it from it.
pub(crate) async fn ready(State(shared): State<Shared>) -> (StatusCode, Json<Readiness>) {
    let readiness = shared.probe.readiness().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}
