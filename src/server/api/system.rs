//! The systems, and how everything stands.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Reader;
use super::document::Api;
use super::extract::NoQuery;
use super::refusal::Always;
use super::{Page, Run};
use crate::problem::Problem;

/// A system, as this process sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct System {
    /// Its name.
    pub system: String,
    /// Its kind.
    pub kind: String,
    /// Whether the last call to it was answered.
    pub reachable: bool,
    /// Whether it is waited for since the process started.
    pub awaited: bool,
    /// Whether it is halted until a person acts.
    pub halted: bool,
    /// Whether nothing new is sent to it, because of its quiet hours.
    pub quiet: bool,
    /// What it said last when it gave no answer, with the remedy.
    pub trouble: Option<String>,
    /// Calls made to it by this process.
    pub calls: u64,
    /// The quota as it last stated it.
    pub quota: Option<SystemQuota>,
    /// How many of its records wait to be read.
    pub hints: i64,
}

/// A quota of calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SystemQuota {
    /// Calls used in the running period, by everybody.
    pub used: u64,
    /// Calls allowed in the period.
    pub max: u64,
}

/// How everything stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Who works on the ledger.
    pub engine: Engine,
    /// Whether this process can do its work.
    pub ready: bool,
    /// What keeps it from it, and troubles that do not.
    pub notes: Vec<String>,
    /// Running figures since the ledger began.
    pub figures: BTreeMap<String, i64>,
    /// Questions that wait for a person.
    pub questions: serde_json::Value,
    /// How far each stream is folded.
    pub streams: Vec<serde_json::Value>,
    /// What happens at set times, and when next.
    pub schedules: Vec<Run>,
    /// How far objectives were met since the last report.
    pub objectives: Vec<serde_json::Value>,
    /// Gaps that are not closed.
    pub gaps: Vec<serde_json::Value>,
    /// Batches under way.
    pub batches: Vec<serde_json::Value>,
    /// Mappings and systems that were removed from the files, of which something is left.
    pub removed: Vec<serde_json::Value>,
}

/// Who works on the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Engine {
    /// Whether an engine runs now.
    pub runs: bool,
    /// The name of its process.
    pub owner: Option<String>,
    /// How often the ownership changed hands.
    pub epoch: Option<i64>,
    /// When it gave its last sign of life.
    pub last_sign_of_life: Option<String>,
    /// Until when it owns the shards.
    pub lease_until: Option<String>,
}

/// How everything stands.
#[utoipa::path(get, path = "/status", tag = "status",
    responses((status = OK, body = Status), Always), security(("token" = ["read"])))]
pub(super) async fn status(
    State(api): State<Api>,
    _reader: Reader,
    _query: NoQuery,
) -> Result<Json<Status>, Problem> {
    Ok(Json(api.book.status().await?))
}

/// The systems.
#[utoipa::path(get, path = "/systems", tag = "systems",
    responses((status = OK, body = Page<System>), Always), security(("token" = ["read"])))]
pub(super) async fn list(
    State(api): State<Api>,
    _reader: Reader,
    _query: NoQuery,
) -> Result<Json<Page<System>>, Problem> {
    Ok(Json(Page { items: api.book.systems().await?, next: None }))
}
