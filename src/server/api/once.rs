//! Changes that are made once, however often they are asked for.

use std::future::Future;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use syncline_ledger::Begun;
use utoipa::IntoParams;

use super::caller::Writer;
use super::document::Api;
use crate::problem::Problem;

const HEADER: &str = "idempotency-key";
const KEY_CHARS_MAX: usize = 255;

/// The key of a change.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct Key {
    /// A name of the caller's own for this change. The same change again under the same key, for
    /// a day, is answered as the first time and not made again; another one is refused.
    #[serde(rename = "Idempotency-Key")]
    #[param(min_length = 1, max_length = 255, pattern = "^[!-~]([ -~]*[!-~])?$", nullable = false)]
    pub key: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Ok(Self { key: None });
        };
        let fits = |key: &&str| !key.is_empty() && key.len() <= KEY_CHARS_MAX;
        match value.to_str().ok().filter(fits) {
            Some(key) if values.next().is_none() => Ok(Self { key: Some(key.to_owned()) }),
            _ => {
                let detail = format!("write one, of 1 to {KEY_CHARS_MAX} printable characters");
                let title = "The Idempotency-Key cannot be read";
                Err(Problem::new(StatusCode::BAD_REQUEST, title).detail(detail))
            }
        }
    }
}

/// A change that is asked for under a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The token that asks.
    pub token: i64,
    /// The key.
    pub key: String,
    /// A SHA-256 of what is asked, salted with what only the caller knows.
    pub digest: [u8; 32],
}

/// Makes a change, unless the same was made under its key.
pub(super) async fn once<T: Serialize>(
    api: &Api,
    writer: &Writer,
    key: Key,
    asked: &serde_json::Value,
    change: impl Future<Output = Result<T, Problem>>,
) -> Result<Response, Problem> {
    let Some(key) = key.key else {
        return Ok(axum::Json(change.await?).into_response());
    };
    let digest = Sha256::new().chain_update(writer.salt).chain_update(asked.to_string());
    let digest = digest.finalize().into();
    let request = Request { token: writer.caller.token, key, digest };
    match api.book.begin(&request).await? {
        Begun::New => {}
        Begun::UnderWay => {
            let title = "The same change is under way";
            let detail = "ask again in a moment: it is answered alike";
            return Err(Problem::new(StatusCode::CONFLICT, title).detail(detail));
        }
        Begun::Other => {
            let title = "The Idempotency-Key was used for another change";
            let detail = "take a new key for each change";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, title).detail(detail));
        }
        Begun::Answered(status, body) => {
            let mut response = answer(status, body);
            let replayed = HeaderValue::from_static("true");
            response.headers_mut().insert("idempotent-replayed", replayed);
            return Ok(response);
        }
    }
    let (status, body) = match change.await {
        Ok(done) => (200, text(&done)?),
        Err(problem) => (problem.status(), text(&problem)?),
    };
    // What failed for a reason that passes may be tried under the same key.
    let kept = (status < 500).then(|| (status, body.clone()));
    api.book.end(&request, kept).await?;
    Ok(answer(status, body))
}

fn text<T: Serialize>(value: &T) -> Result<String, Problem> {
    serde_json::to_string(value)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"))
}

fn answer(status: u16, body: String) -> Response {
    let kind = if status < 400 { "application/json" } else { "application/problem+json" };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
