//! What mappings that only observe would have written, against what became of it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Reader;
use super::document::Api;
use super::extract::ApiQuery;
use super::refusal::{Always, OfList};
use super::{Both, ObservedQuery, Page, SideName, Value};
use crate::problem::Problem;

/// What one mapping would have written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The mapping.
    pub mapping: String,
    /// `observe`, `pilot` or `live`; null when this release cannot read its rules.
    pub mode: Option<String>,
    /// By what would have been done, and to which side.
    pub rows: Vec<ObservedRow>,
}

/// How often something would have been done, and what became of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservedRow {
    /// `create`, `delete`, `undelete`, `write` or `ask`.
    pub what: String,
    /// The unit that it is about; null where that is the pair.
    pub unit: Option<String>,
    /// The side that it would have been done to; null where that is both, or a person.
    pub side: Option<SideName>,
    /// How often.
    pub would: u64,
    /// How often the sides came to hold the same without Syncline.
    pub same: u64,
    /// How often the side came to show another value.
    pub other: u64,
    /// How often it still shows nothing new.
    pub missing: u64,
    /// How often it was taken back, replaced by something newer, or done once the mapping was
    /// live.
    pub past: u64,
    /// How long the others took to do the same; null where they did not.
    pub same_after_seconds: Option<Took>,
    /// When the oldest of the missing would have been done.
    pub oldest_missing_at: Option<String>,
    /// Examples where it came otherwise.
    pub other_samples: Vec<ObservedSample>,
    /// Examples where it is missing.
    pub missing_samples: Vec<ObservedSample>,
}

/// How long something took, seconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Took {
    /// In the middle.
    pub median: f64,
    /// At most.
    pub max: f64,
}

/// One thing that would have been done.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservedSample {
    /// The id of the link.
    pub link: String,
    /// The keys of its records.
    pub keys: Both<Option<String>>,
    /// When it would have been done.
    pub at: String,
    /// What the side would have been given, field by field of the unit.
    pub would: Vec<Value>,
    /// What it came to show instead; null while it shows nothing new.
    pub shows: Option<Vec<Value>>,
}

/// What mappings that only observe would have written in the last days, and whether it came all
/// the same. The journal is read for it, so ask for few days or one mapping where there is much.
#[utoipa::path(get, path = "/observed", tag = "observed", params(ObservedQuery),
    responses((status = OK, body = Page<Observed>), Always, OfList),
    security(("token" = ["read"])))]
pub(super) async fn list(
    State(api): State<Api>,
    _reader: Reader,
    ApiQuery(query): ApiQuery<ObservedQuery>,
) -> Result<Json<Page<Observed>>, Problem> {
    Ok(Json(api.book.observed(query).await?))
}
