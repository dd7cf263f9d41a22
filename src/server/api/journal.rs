//! The journal: what was observed, decided, written, and what became of it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Reader;
use super::document::Api;
use super::extract::ApiQuery;
use super::refusal::{Always, OfList};
use super::{Actor, JournalQuery, Page, Value};
use crate::problem::Problem;

/// What one commit did to one link.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct JournalEntry {
    /// The mapping.
    #[serde(default)]
    pub mapping: String,
    /// The link.
    #[serde(default)]
    pub link: String,
    /// Its id.
    pub id: String,
    /// When it was committed.
    pub at: String,
    /// What was observed.
    pub observed: Vec<ObservedEntry>,
    /// What was decided.
    pub decided: Vec<DecidedEntry>,
    /// The write decided on.
    pub intent: Option<IntentEntry>,
    /// What became of writes.
    pub settled: Vec<SettledEntry>,
}

/// An observation that differed from what was known.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservedEntry {
    /// The side.
    pub side: String,
    /// The record's key.
    pub key: String,
    /// Its existence, where that changed.
    pub exists: Option<bool>,
    /// The fields that changed.
    pub fields: Vec<ChangedField>,
    /// Who changed it.
    pub actor: Actor,
    /// When, by the side's own clock.
    pub at: Option<String>,
    /// When it was read, by the side's own clock.
    pub read_at: Option<String>,
    /// Whether the tick of its stamp was over.
    pub closed: bool,
    /// The mark of a write of Syncline's.
    pub marker: Option<String>,
}

/// A field that changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedField {
    /// Its name.
    pub field: String,
    /// The value before.
    pub before: Value,
    /// The value now.
    pub now: Value,
}

/// A decision.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecidedEntry {
    /// The unit; null where it is about the pair.
    pub unit: Option<String>,
    /// What was decided.
    pub verdict: serde_json::Value,
    /// The same in words.
    pub words: String,
    /// The left values that it was decided from.
    pub left: Vec<Value>,
    /// The right values that it was decided from.
    pub right: Vec<Value>,
}

/// A write.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntentEntry {
    /// Its id.
    pub id: String,
    /// The side that is written.
    pub side: String,
    /// `create`, `update`, `delete` …
    pub kind: String,
    /// The record's key; null before it is made.
    pub key: Option<String>,
    /// The units.
    pub units: Vec<String>,
    /// The fields.
    pub fields: Vec<IntentField>,
    /// Whether it is one half of a decision on both sides.
    pub half: bool,
    /// Whose edit it carries.
    pub actor: Actor,
    /// When that was made.
    pub edited_at: Option<String>,
}

/// A field that is written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntentField {
    /// Its name.
    pub field: String,
    /// The value that must be there for the write to be made.
    pub expected: Value,
    /// The value that is sent.
    pub sent: Value,
    /// The value as the side stores it.
    pub stored: Value,
}

/// What became of a write.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettledEntry {
    /// Its id.
    pub intent: String,
    /// The side.
    pub side: String,
    /// What became of it.
    pub outcome: serde_json::Value,
    /// The same in words.
    pub words: String,
}

/// The whole journal, newest entry first. Entries that are older than `retention.journal` are
/// removed: the oldest that is left of a pair then still names one before it.
#[utoipa::path(get, path = "/journal", tag = "journal", params(JournalQuery),
    responses((status = OK, body = Page<JournalEntry>), Always, OfList),
    security(("token" = ["read"])))]
pub(super) async fn list(
    State(api): State<Api>,
    _reader: Reader,
    ApiQuery(query): ApiQuery<JournalQuery>,
) -> Result<Json<Page<JournalEntry>>, Problem> {
    Ok(Json(api.book.journal(query).await?))
}
