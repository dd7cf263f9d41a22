//! The mappings.

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

/// A mapping that the ledger knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Mapping {
    /// Its name.
    pub mapping: String,
    /// Its left side; null when this release cannot read its rules.
    pub left: Option<MappingSide>,
    /// Its right side.
    pub right: Option<MappingSide>,
    /// What it does: `observe`, `pilot` or `live`; null when this release cannot read its rules.
    pub mode: Option<String>,
    /// The names of its units.
    pub units: Vec<String>,
    /// Why it waits to begin or to go on, where it does.
    pub waits: Option<String>,
    /// How many of its links stand where, counted within the last minute.
    pub links: Vec<LinksIn>,
}

/// A side of a mapping.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MappingSide {
    /// The system.
    pub system: String,
    /// The entity.
    pub entity: String,
}

/// How many links stand somewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LinksIn {
    /// Where they stand.
    pub state: String,
    /// How many.
    pub count: i64,
}

/// The mappings.
#[utoipa::path(get, path = "/mappings", tag = "mappings",
    responses((status = OK, body = Page<Mapping>), Always), security(("token" = ["read"])))]
pub(super) async fn list(
    State(api): State<Api>,
    _reader: Reader,
    _query: NoQuery,
) -> Result<Json<Page<Mapping>>, Problem> {
    Ok(Json(Page { items: api.book.mappings().await?, next: None }))
}
