//! Records set aside because a machine or its set-up must be mended.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Reader, Writer};
use super::document::Api;
use super::extract::{ApiPath, ApiQuery, NoQuery};
use super::once::{Key, once};
use super::refusal::{Always, OfChange, OfList};
use super::{Page, ParkedQuery};
use crate::problem::Problem;

/// A record set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ParkedRecord {
    /// The mapping.
    pub mapping: String,
    /// The link.
    pub link: String,
    /// The side that refused.
    pub side: String,
    /// The key of the record there; null before it is made.
    pub key: Option<String>,
    /// The kind of error.
    pub kind: String,
    /// The side's message.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// When.
    pub at: String,
    /// Whether somebody has asked since that it is tried again.
    pub asked_again: bool,
}

/// Records set aside, the latest first.
#[utoipa::path(get, path = "/parked", tag = "parked", params(ParkedQuery),
    responses((status = OK, body = Page<ParkedRecord>), Always, OfList),
    security(("token" = ["read"])))]
pub(super) async fn list(
    State(api): State<Api>,
    _reader: Reader,
    ApiQuery(query): ApiQuery<ParkedQuery>,
) -> Result<Json<Page<ParkedRecord>>, Problem> {
    Ok(Json(api.book.parked(query).await?))
}

/// Asks that a record that is set aside is tried again. Refused once more, it is set aside once
/// more.
#[utoipa::path(post, path = "/parked/{link}/replay", tag = "parked",
    params(("link" = String, Path, description = "The id of the link."), Key),
    responses((status = OK, body = super::Replay), Always, OfChange),
    security(("token" = ["write"])))]
pub(super) async fn replay(
    State(api): State<Api>,
    writer: Writer,
    key: Key,
    ApiPath(link): ApiPath<String>,
    _query: NoQuery,
) -> Result<Response, Problem> {
    let asked = serde_json::json!({ "replay": link });
    once(&api, &writer, key, &asked, async { Ok(api.book.replay(&link).await?) }).await
}
