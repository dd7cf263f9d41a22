//! What stands behind the API.

use async_trait::async_trait;
use axum::http::StatusCode;

use super::Begun;
use super::once::Request;
use super::{
    Answer, Caller, Conflict, ConflictQuery, JournalEntry, JournalQuery, Link, LinkQuery, Mapping,
    Observed, ObservedQuery, Page, ParkedQuery, ParkedRecord, Replay, Report, ReportQuery, Run,
    Status, System, TakenAnswer,
};
use crate::problem::Problem;

/// Why something is not answered. The words say what, where, and what to do.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// What was asked cannot be.
    #[error("{0}")]
    Invalid(String),
    /// It moved since it was seen; as it is now.
    #[error("{0}")]
    Moved(String, Box<Conflict>),
    /// The ledger does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// Something of our own is wrong.
    #[error("{0}")]
    Internal(String),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let detail = failure.to_string();
        let (status, title) = match &failure {
            Failure::NotFound(_) => (StatusCode::NOT_FOUND, "There is no such thing"),
            Failure::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "This cannot be done"),
            Failure::Moved(..) => (StatusCode::CONFLICT, "The question is not as it was seen"),
            Failure::Unavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "The ledger does not answer")
            }
            Failure::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"),
        };
        let problem = Self::new(status, title).detail(detail);
        match failure {
            Failure::Moved(_, now) => problem.with_question(*now),
            _ => problem,
        }
    }
}

/// The result of a question.
pub type Answered<T> = Result<T, Failure>;

/// What the API asks of the ledger, and the few things that it writes there.
#[async_trait]
pub trait Book: Send + Sync + 'static {
    /// The caller with the token of that SHA-256, if it is of use now.
    async fn caller(&self, digest: [u8; 32]) -> Answered<Option<Caller>>;
    /// Begins a request that must not be carried out twice.
    async fn begin(&self, request: &Request) -> Answered<Begun>;
    /// Ends it with its answer; without one it may be made again.
    async fn end(&self, request: &Request, answer: Option<(u16, String)>) -> Answered<()>;

    /// How everything stands.
    async fn status(&self) -> Answered<Status>;
    /// The systems.
    async fn systems(&self) -> Answered<Vec<System>>;
    /// The mappings that the ledger knows.
    async fn mappings(&self) -> Answered<Vec<Mapping>>;
    /// Links of a mapping.
    async fn links(&self, query: LinkQuery) -> Answered<Page<Link>>;
    /// One link.
    async fn link(&self, id: &str) -> Answered<Link>;
    /// The journal of a link, newest entry first.
    async fn link_journal(&self, id: &str, query: JournalQuery) -> Answered<Page<JournalEntry>>;
    /// The whole journal, newest entry first.
    async fn journal(&self, query: JournalQuery) -> Answered<Page<JournalEntry>>;
    /// What mappings that only observe would have written.
    async fn observed(&self, query: ObservedQuery) -> Answered<Page<Observed>>;
    /// Questions.
    async fn conflicts(&self, query: ConflictQuery) -> Answered<Page<Conflict>>;
    /// One question.
    async fn conflict(&self, id: i64) -> Answered<Conflict>;
    /// Answers a question, in the revision that was seen.
    async fn answer(&self, id: i64, answer: Answer, by: &str) -> Answered<TakenAnswer>;
    /// The reports that were made by schedule, the latest first.
    async fn reports(&self, query: ReportQuery) -> Answered<Page<Report>>;
    /// What happened since the last report.
    async fn report(&self) -> Answered<Report>;
    /// What happens at set times.
    async fn runs(&self) -> Answered<Vec<Run>>;
    /// Records set aside.
    async fn parked(&self, query: ParkedQuery) -> Answered<Page<ParkedRecord>>;
    /// Asks that a record set aside is tried again.
    async fn replay(&self, link: &str) -> Answered<Replay>;
}
