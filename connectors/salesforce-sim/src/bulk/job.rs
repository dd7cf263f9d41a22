//! Jobs, and how they show themselves.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::json::{Json, object};
use crate::org::clock::rest_datetime;
use crate::org::ids::Id;
use crate::rest::Reply;

/// All jobs of an org.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    pub(super) ingest: BTreeMap<Id, Ingest>,
    pub(super) query: BTreeMap<Id, Query>,
}

/// Where an ingest job stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Open,
    UploadComplete,
    InProgress,
    JobComplete,
    Failed,
    Aborted,
}

impl Stage {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::JobComplete => "JobComplete",
            Self::Failed => "Failed",
            Self::Aborted => "Aborted",
        }
    }
}

/// What all jobs say of themselves.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) id: Id,
    pub(super) object: String,
    pub(super) operation: String,
    pub(super) created_by: Id,
    pub(super) created_s: i64,
    pub(super) version: u16,
    pub(super) delimiter: (&'static str, u8),
    pub(super) line_ending: String,
}

/// One row's end.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    Saved { id: Id, created: bool, row: Vec<String> },
    Failed { id: Option<Id>, error: String, row: Vec<String> },
}

/// An ingest job.
#[derive(Clone, Debug)]
pub(super) struct Ingest {
    pub(super) head: Head,
    pub(super) external_id: Option<String>,
    pub(super) stage: Stage,
    pub(super) content: Option<bytes::Bytes>,
    pub(super) columns: Vec<String>,
    pub(super) ended: Vec<Ended>,
    pub(super) unprocessed: Vec<Vec<String>>,
    pub(super) error: Option<String>,
}

/// A query job.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) head: Head,
    pub(super) ready_at: Instant,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// The delimiters by name (Bulk API 2.0 guide, prepare CSV files).
pub(super) const DELIMITERS: [(&str, u8); 6] = [
    ("BACKQUOTE", b'`'),
    ("CARET", b'^'),
    ("COMMA", b','),
    ("PIPE", b'|'),
    ("SEMICOLON", b';'),
    ("TAB", b'\t'),
];

impl Head {
    /// `apiVersion` is a number, and `contentUrl` has no slash in front (recorded).
    fn members(&self, stage: &'static str) -> Vec<(std::borrow::Cow<'static, str>, Json)> {
        let stamp = rest_datetime(self.created_s);
        let shown = object! {
            "id" => self.id.to_string(),
            "operation" => self.operation.clone(),
            "object" => self.object.clone(),
            "createdById" => self.created_by.to_string(),
            "createdDate" => stamp.clone(),
            "systemModstamp" => stamp,
            "state" => stage,
            "concurrencyMode" => "Parallel",
            "contentType" => "CSV",
            "apiVersion" => Json::Double(f64::from(self.version)),
            "lineEnding" => self.line_ending.clone(),
            "columnDelimiter" => self.delimiter.0,
        };
        match shown {
            Json::Map(members) => members,
            _ => Vec::new(),
        }
    }
}

impl Ingest {
    /// Job info; a look at one job tells of its progress too.
    pub(super) fn info(&self, whole: bool) -> Json {
        let mut members = self.head.members(self.stage.word());
        let mut add = |name: &'static str, value: Json| members.push((name.into(), value));
        if let Some(field) = &self.external_id {
            add("externalIdFieldName", Json::from(field.clone()));
        }
        if self.stage == Stage::Open {
            let (version, id) = (self.head.version, self.head.id);
            let url = format!("services/data/v{version}.0/jobs/ingest/{id}/batches");
            add("contentUrl", Json::from(url));
        }
        if whole {
            let failed = self.ended.iter().filter(|one| matches!(one, Ended::Failed { .. }));
            add("jobType", Json::from("V2Ingest"));
            add("numberRecordsFailed", Json::from(failed.count()));
            add("numberRecordsProcessed", Json::from(self.ended.len()));
            add("retries", Json::Int(0));
            add("totalProcessingTime", Json::Int(1));
            add("apiActiveProcessingTime", Json::Int(1));
            add("apexProcessingTime", Json::Int(0));
            if let Some(error) = &self.error {
                add("errorMessage", Json::from(error.clone()));
            }
        }
        Json::Map(members)
    }
}

impl Query {
    pub(super) fn is_ready(&self) -> bool {
        self.ready_at <= crate::org::clock::instant()
    }

    pub(super) fn info(&self, whole: bool) -> Json {
        let stage = match (whole, self.is_ready()) {
            (false, _) => Stage::UploadComplete,
            (true, false) => Stage::InProgress,
            (true, true) => Stage::JobComplete,
        };
        let mut members = self.head.members(stage.word());
        if whole {
            let rows = if stage == Stage::JobComplete { self.rows.len() } else { 0 };
            members.push(("jobType".into(), Json::from("V2Query")));
            members.push(("numberRecordsProcessed".into(), Json::from(rows)));
            members.push(("retries".into(), Json::Int(0)));
            members.push(("totalProcessingTime".into(), Json::Int(1)));
        }
        Json::Map(members)
    }
}

/// A refusal that concerns the job and not the service.
pub(super) fn refused(code: &str, text: impl Into<String>) -> Reply {
    Reply::error(400, code, text)
}
