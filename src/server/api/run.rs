//! Runs: what happens at set times.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Page;
use super::caller::Reader;
use super::document::Api;
use super::extract::NoQuery;
use super::refusal::Always;
use crate::problem::Problem;

/// Something that runs at set times.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// What: `report` or `retention`.
    pub name: String,
    /// When, as the settings say it: five fields of cron, UTC.
    pub times: String,
    /// When it is due next.
    pub next_at: String,
    /// When it ran last; null before that.
    pub last_at: Option<String>,
    /// What the last run did, in words.
    pub outcome: Option<String>,
}

/// What runs at set times: when next, and what the last run did.
#[utoipa::path(get, path = "/runs", tag = "runs",
    responses((status = OK, body = Page<Run>), Always), security(("token" = ["read"])))]
pub(super) async fn list(
    State(api): State<Api>,
    _reader: Reader,
    _query: NoQuery,
) -> Result<Json<Page<Run>>, Problem> {
    Ok(Json(Page { items: api.book.runs().await?, next: None }))
}
