//! Reports: what was carried, refused, asked and used in a period.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Reader;
use super::document::Api;
use super::extract::{ApiQuery, NoQuery};
use super::refusal::{Always, OfList};
use super::{Page, ReportQuery};
use crate::problem::Problem;

/// What happened between two times.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Its number; null where it was not made by a schedule.
    #[serde(default)]
    pub id: Option<i64>,
    /// The beginning.
    pub from: String,
    /// The end.
    pub until: String,
    /// The mappings, by name.
    pub mappings: Vec<ReportOfMapping>,
    /// The systems, by name.
    pub systems: Vec<ReportOfSystem>,
}

/// Of one mapping.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReportOfMapping {
    /// The mapping.
    pub mapping: String,
    /// What went to the left.
    pub to_left: Carried,
    /// What went to the right.
    pub to_right: Carried,
    /// Questions to people.
    pub questions: ReportOfQuestions,
    /// How many records are set aside at the end.
    pub parked: i64,
    /// How far the objective was met; null without one.
    pub objective: Option<Attained>,
}

/// What went one way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Carried {
    /// Writes that were applied.
    pub carried: i64,
    /// Writes that the side refused.
    pub refused: i64,
    /// The same by kind of error.
    pub refused_by_kind: BTreeMap<String, i64>,
    /// Writes that had to be planned or tried again.
    pub retried: i64,
    /// Records that were set aside.
    pub parked: i64,
    /// How long a change took on average, seconds; null where it is not known of any.
    pub lag_seconds: Option<f64>,
}

/// Questions to people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReportOfQuestions {
    /// How many were asked.
    pub asked: i64,
    /// How many answers were applied.
    pub answered: i64,
    /// How many are open at the end.
    pub open: i64,
}

/// How far an objective was met.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Attained {
    /// How soon changes were to be carried, seconds.
    pub lag_seconds: Option<f64>,
    /// The share of changes that were, 0 to 1; null where it is not known of any.
    pub within: Option<f64>,
    /// The share of writes that may be refused, 0 to 1.
    pub failures: Option<f64>,
    /// The share that was; null where nothing was written.
    pub failed: Option<f64>,
    /// Whether it was met; null where not all of it was measured and nothing was missed.
    pub met: Option<bool>,
}

/// Of one system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReportOfSystem {
    /// The system.
    pub system: String,
    /// Calls made to it.
    pub calls: i64,
}

/// The reports that were made by schedule, the latest first.
#[utoipa::path(get, path = "/reports", tag = "reports", params(ReportQuery),
    responses((status = OK, body = Page<Report>), Always, OfList), security(("token" = ["read"])))]
pub(super) async fn list(
    State(api): State<Api>,
    _reader: Reader,
    ApiQuery(query): ApiQuery<ReportQuery>,
) -> Result<Json<Page<Report>>, Problem> {
    Ok(Json(api.book.reports(query).await?))
}

/// What happened since the last report.
#[utoipa::path(get, path = "/reports/current", tag = "reports",
    responses((status = OK, body = Report), Always), security(("token" = ["read"])))]
pub(super) async fn current(
    State(api): State<Api>,
    _reader: Reader,
    _query: NoQuery,
) -> Result<Json<Report>, Problem> {
    Ok(Json(api.book.report().await?))
}
