//! Questions that wait for a person.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Reader, Writer};
use super::document::Api;
use super::extract::{ApiJson, ApiPath, ApiQuery, NoQuery};
use super::once::{Key, once};
use super::refusal::{Always, OfBody, OfChange, OfList, OfOne};
use super::{Actor, Answer, ConflictQuery, Page, Value};
use crate::problem::Problem;

/// A question that only a person can decide.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// Number and revision: `17@2`.
    pub question: String,
    /// Its number.
    pub id: i64,
    /// Raised whenever what it shows moves.
    pub revision: i32,
    /// `open`, `answered` (not folded by the engine yet) or `closed`.
    pub status: String,
    /// Why the last answer was not carried out; null where none was refused, and in lists.
    pub answer_not_applied: Option<String>,
    /// Why nobody would act on an answer, and what to do; null where somebody would.
    pub rests: Option<String>,
    /// The mapping.
    pub mapping: String,
    /// The link.
    pub link: String,
    /// The unit; null where it is about the pair.
    pub unit: Option<String>,
    /// The base it stands on.
    pub sync_version: i64,
    /// `conflict`, `initial`, `anew`, `delete_update`, `delete`, `leave`, `ambiguous`, `no_image`,
    /// `oscillation`, `suspected_delete`, `overwritten`: a write replaced an edit unseen,
    /// `merged`: the record of that side was merged into another one, or `candidate`: an edit of a
    /// record whose partner was merged into this one's.
    pub kind: String,
    /// The side that the kind is about, where it is about one.
    pub kind_side: Option<String>,
    /// What is asked, in words.
    pub what: String,
    /// Why a value cannot be stored, where that is what is asked about.
    pub reason: Option<String>,
    /// The possible partners.
    pub candidates: Vec<Candidate>,
    /// When it was first asked.
    pub asked_at: String,
    /// What the left side shows.
    pub left: ConflictSide,
    /// What the right side shows.
    pub right: ConflictSide,
    /// The answer, once given.
    pub answer: Option<Given>,
    /// The answers that can be given.
    pub answers: Vec<Offered>,
}

/// A record that could be the partner.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Its key.
    pub key: String,
    /// The key of the record that it is the partner of already.
    pub partner: Option<String>,
    /// Whether its link was ended, so that it goes its own way.
    pub apart: bool,
    /// What it shows, as far as the ledger knows.
    pub fields: Vec<CandidateField>,
}

/// A field of a possible partner.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateField {
    /// Its name.
    pub field: String,
    /// Its value, as last read.
    pub now: Value,
}

/// What a side shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConflictSide {
    /// The system.
    pub system: Option<String>,
    /// The entity.
    pub entity: Option<String>,
    /// The record's key.
    pub key: Option<String>,
    /// Whether the record is there.
    pub exists: bool,
    /// Its fields.
    pub fields: Vec<ShownField>,
    /// Who changed it.
    pub actor: Actor,
    /// When, by the side's own clock.
    pub at: Option<String>,
}

/// A field that a question shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownField {
    /// Its name.
    pub field: String,
    /// Its value now.
    pub now: Value,
    /// The last agreed value.
    pub agreed: Value,
    /// The edit that the question is about, where it stands there no more or not yet.
    #[serde(default)]
    pub edit: Option<Value>,
}

/// An answer that was given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// What was chosen: `{"take": "left"}`, `{"value": [...]}`, `{"adopt": "..."}`, `"separate"`
    /// or `"retry"`.
    pub choice: serde_json::Value,
    /// Who answered.
    pub by: String,
    /// When.
    pub at: String,
}

/// An answer that can be given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// What it does.
    pub effect: String,
    /// What is chosen: `{"take": "left"}`, say.
    pub choice: serde_json::Value,
    /// What is posted to give it, as it is: `{"take": "left", "revision": 2}`. Where a value is to
    /// be filled in stands null: `{"value": [null], "revision": 2}` for the one field of a unit.
    pub body: serde_json::Value,
}

/// An answer that was taken.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct TakenAnswer {
    /// The question it was given to.
    pub question: String,
    /// What was chosen.
    pub choice: serde_json::Value,
    /// Who answered.
    pub by: String,
    /// Whether an engine is running, which reads both records afresh and acts on it.
    pub engine_runs: bool,
}

/// The questions, by number.
#[utoipa::path(get, path = "/conflicts", tag = "conflicts", params(ConflictQuery),
    responses((status = OK, body = Page<Conflict>), Always, OfList),
    security(("token" = ["read"])))]
pub(super) async fn list(
    State(api): State<Api>,
    _reader: Reader,
    ApiQuery(query): ApiQuery<ConflictQuery>,
) -> Result<Json<Page<Conflict>>, Problem> {
    Ok(Json(api.book.conflicts(query).await?))
}

/// One question: both sides, the last agreed values, the possible answers.
#[utoipa::path(get, path = "/conflicts/{id}", tag = "conflicts",
    params(("id" = i64, Path, description = "The number of the question.")),
    responses((status = OK, body = Conflict), Always, OfOne), security(("token" = ["read"])))]
pub(super) async fn show(
    State(api): State<Api>,
    _reader: Reader,
    ApiPath(id): ApiPath<i64>,
    _query: NoQuery,
) -> Result<Json<Conflict>, Problem> {
    Ok(Json(api.book.conflict(id).await?))
}

/// Answers a question, in the revision that was seen. When it moved since, or was answered or
/// closed, nothing is answered: 409, with the question as it is now.
#[utoipa::path(post, path = "/conflicts/{id}/answer", tag = "conflicts",
    params(("id" = i64, Path, description = "The number of the question."), Key),
    request_body = Answer,
    responses((status = OK, body = super::TakenAnswer), Always, OfChange, OfBody),
    security(("token" = ["write"])))]
pub(super) async fn answer(
    State(api): State<Api>,
    writer: Writer,
    key: Key,
    ApiPath(id): ApiPath<i64>,
    _query: NoQuery,
    ApiJson(answer): ApiJson<Answer>,
) -> Result<Response, Problem> {
    let asked = serde_json::json!({ "answer": id, "with": answer });
    once(&api, &writer, key, &asked, async {
        // Who has the token is known, who it speaks for is what it says.
        let by = match &answer.by {
            Some(by) => format!("{by} (token {})", writer.caller.name),
            None => writer.caller.name.clone(),
        };
        Ok(api.book.answer(id, answer, &by).await?)
    })
    .await
}
