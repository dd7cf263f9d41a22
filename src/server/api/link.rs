//! Links: how pairs of records stand.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Reader;
use super::document::Api;
use super::extract::{ApiPath, ApiQuery, NoQuery};
use super::refusal::{Always, OfList, OfOne};
use super::{Both, JournalEntry, JournalQuery, LinkQuery, Page, Value};
use crate::problem::Problem;

/// How a pair of records stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The mapping.
    pub mapping: String,
    /// Its id, for life.
    pub link: String,
    /// `linked`, `held`, `seen_left`, `creating_right`, `tombstone` …
    pub state: String,
    /// How often it was agreed.
    pub sync_version: i64,
    /// The keys of the records.
    pub keys: Both<Option<String>>,
    /// Whether the records are there.
    pub exists: Both<bool>,
    /// The intents under way.
    pub open: Both<Option<String>>,
    /// Its units.
    pub units: Vec<LinkUnit>,
    /// Its questions that are not closed: `17@2`.
    pub questions: Vec<String>,
    /// Why it is set aside, where it is.
    pub parked: Option<ParkedIn>,
}

/// A unit of a pair.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkUnit {
    /// Its name.
    pub unit: String,
    /// The left side's.
    pub left: UnitSide,
    /// The right side's.
    pub right: UnitSide,
    /// Where the agreed value comes from.
    pub origin: Option<Origin>,
    /// `free`, `held`, `parked`, `frozen`, or `{"awaiting": n}`.
    pub state: serde_json::Value,
}

/// A unit of one side.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitSide {
    /// The last agreed values, as the side stores them.
    pub agreed: Vec<Value>,
    /// The values now, where they differ from what was agreed.
    pub differs: Option<Vec<Value>>,
}

/// Where an agreed value comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The side.
    pub side: String,
    /// `person`, `automation`, `sync` or `unknown`.
    pub actor: String,
    /// The journal entry.
    pub entry: String,
    /// When, where that is known.
    pub at: Option<String>,
}

/// Why a pair is set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParkedIn {
    /// The side that refused.
    pub side: String,
    /// The kind of error.
    pub kind: String,
    /// The side's message.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// When.
    pub at: String,
}

/// Links of a mapping: all, in the order of their ids, or that of one record.
#[utoipa::path(get, path = "/links", tag = "links", params(LinkQuery),
    responses((status = OK, body = Page<Link>), Always, OfList), security(("token" = ["read"])))]
pub(super) async fn list(
    State(api): State<Api>,
    _reader: Reader,
    ApiQuery(query): ApiQuery<LinkQuery>,
) -> Result<Json<Page<Link>>, Problem> {
    Ok(Json(api.book.links(query).await?))
}

/// One link: what was agreed, what differs from it, what is under way or waits.
#[utoipa::path(get, path = "/links/{link}", tag = "links",
    params(("link" = String, Path, description = "The id of the link.")),
    responses((status = OK, body = Link), Always, OfOne), security(("token" = ["read"])))]
pub(super) async fn show(
    State(api): State<Api>,
    _reader: Reader,
    ApiPath(link): ApiPath<String>,
    _query: NoQuery,
) -> Result<Json<Link>, Problem> {
    Ok(Json(api.book.link(&link).await?))
}

/// Why a pair is what it is: its journal, newest entry first.
#[utoipa::path(get, path = "/links/{link}/journal", tag = "links",
    params(("link" = String, Path, description = "The id of the link."), JournalQuery),
    responses((status = OK, body = Page<JournalEntry>), Always, OfList, OfOne),
    security(("token" = ["read"])))]
pub(super) async fn journal(
    State(api): State<Api>,
    _reader: Reader,
    ApiPath(link): ApiPath<String>,
    ApiQuery(query): ApiQuery<JournalQuery>,
) -> Result<Json<Page<JournalEntry>>, Problem> {
    Ok(Json(api.book.link_journal(&link, query).await?))
}
