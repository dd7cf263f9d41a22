//! Bulk API 2.0: ingest and query jobs with CSV (Bulk API 2.0 guide).

mod first;
mod ingest;
mod job;
mod multipart;
mod query;
mod route;
mod table;

pub(crate) use first::answer as first_answer;
pub(crate) use job::Jobs;
pub(crate) use route::{Asked, answer};
