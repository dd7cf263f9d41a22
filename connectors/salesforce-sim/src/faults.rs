//! Faults on demand: each has a selector, a count and an action.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Raw};

use crate::org::ids::Id;
use crate::save::SaveError;

/// One planned fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which calls or records it meets; empty meets all.
    #[serde(default)]
    pub on: Selector,
    /// Matches that pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// How often it strikes; null strikes until it is removed.
    #[serde(default = "once")]
    pub count: Option<u32>,
    /// What happens.
    pub action: FaultAction,
}

fn once() -> Option<u32> {
    Some(1)
}

/// Every member that is given must match.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selector {
    /// HTTP method.
    pub method: Option<String>,
    /// Kind of call as the request log names it, for example `composite` or `query`.
    pub kind: Option<String>,
    /// Part of the path with its query, percent-decoded.
    pub path: Option<String>,
    /// Object name: in the path, in a body, or in the query's `FROM`; for `record_error` the
    /// object of the record.
    pub object: Option<String>,
    /// Record id (15 or 18 characters) or any text of the call; for `record_error` the record's
    /// id or a value written to it.
    pub record: Option<String>,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultAction {
    /// Answers an error, before or (`after`) the call is applied.
    Fail {
        /// HTTP status.
        status: u16,
        /// Error code of the body.
        #[serde(default = "unknown_exception")]
        code: String,
        /// Message of the body.
        #[serde(default = "unexpected")]
        message: String,
        /// An HTML page instead of the JSON array, as the edge answers.
        #[serde(default)]
        html: bool,
        /// The call is applied and committed first.
        #[serde(default)]
        after: bool,
    },
    /// Cuts the connection without an answer, before or (`after`) the call is applied.
    Cut {
        /// The call is applied and committed first.
        #[serde(default)]
        after: bool,
    },
    /// Answers later.
    DelayReply {
        /// Milliseconds.
        ms: u64,
    },
    /// Is applied later; also when the client has gone by then.
    DelayApply {
        /// Milliseconds.
        ms: u64,
    },
    /// Is applied a second time in the background after the first.
    Duplicate {
        /// Milliseconds after the first.
        after_ms: u64,
    },
    /// 403 `REQUEST_LIMIT_EXCEEDED`.
    RequestLimit {
        /// The concurrency text instead of the daily one.
        #[serde(default)]
        concurrent: bool,
    },
    /// Locks the selected record before the call goes on.
    LockRow {
        /// Milliseconds.
        ms: u64,
    },
    /// The stamp is given now, the commit (and the answer) come later.
    CommitLate {
        /// Milliseconds.
        ms: u64,
    },
    /// Ends the session of the call: 401.
    ExpireToken {
        /// Another message than "Session expired or invalid".
        #[serde(default)]
        message: Option<String>,
    },
    /// Forgets all query locators.
    ExpireLocators,
    /// The bulk job that the call closes fails, without a message.
    FailJob,
    /// Query pages of this size.
    SmallPages {
        /// Rows.
        rows: usize,
    },
    /// The record's save fails with this error; other records of the call go on.
    RecordError {
        /// Code, for example `UNABLE_TO_LOCK_ROW` or `FIELD_CUSTOM_VALIDATION_EXCEPTION`.
        code: String,
        /// Message.
        message: String,
        /// Field names.
        #[serde(default)]
        fields: Vec<String>,
    },
}

fn unknown_exception() -> String {
    String::from("UNKNOWN_EXCEPTION")
}

fn unexpected() -> String {
    String::from(
        "An unexpected error occurred. Please include this ErrorId if you contact support: \
         1234567890-12345 (123456789)",
    )
}

/// What a selector sees of a request.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) method: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: &'a str,
}

/// The planned faults of an org.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    planned: Vec<(u64, Fault)>,
    next: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) -> u64 {
        self.next += 1;
        self.planned.push((self.next, fault));
        self.next
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.planned.len();
        self.planned.retain(|(it, _)| *it != id);
        self.planned.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.planned.clear();
    }

    pub(crate) fn list(&self) -> impl Iterator<Item = (u64, &Fault)> {
        self.planned.iter().map(|(id, fault)| (*id, fault))
    }

    /// The actions that strike a request now; counts go down.
    pub(crate) fn strike(&mut self, target: &Target<'_>) -> Vec<(FaultAction, Option<String>)> {
        self.take(|fault| {
            !matches!(fault.action, FaultAction::RecordError { .. })
                && fault.on.meets_request(target)
        })
    }

    /// The error that strikes a record's save through the API.
    pub(crate) fn record_error(
        &mut self,
        api: &str,
        object: &str,
        id: Option<Id>,
        body: &Map<String, Raw>,
    ) -> Option<SaveError> {
        if self.planned.is_empty() || matches!(api, "person" | "seed") {
            return None;
        }
        let struck = self.take(|fault| {
            matches!(fault.action, FaultAction::RecordError { .. })
                && fault.on.meets_record(object, id, body)
        });
        match struck.into_iter().next()?.0 {
            FaultAction::RecordError { code, message, fields } => {
                let code = code.into();
                Some(SaveError { status: 400, code, message, fields, duplicates: None })
            }
            _ => None,
        }
    }

    fn take(&mut self, meets: impl Fn(&Fault) -> bool) -> Vec<(FaultAction, Option<String>)> {
        let mut struck = Vec::new();
        for (_, fault) in &mut self.planned {
            if !meets(fault) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(count) = &mut fault.count {
                *count = count.saturating_sub(1);
            }
            struck.push((fault.action.clone(), fault.on.record.clone()));
        }
        self.planned.retain(|(_, fault)| fault.count != Some(0));
        struck
    }
}

impl Selector {
    fn meets_request(&self, target: &Target<'_>) -> bool {
        let holds =
            |text: &Option<String>, test: &dyn Fn(&str) -> bool| text.as_deref().is_none_or(test);
        holds(&self.method, &|method| method.eq_ignore_ascii_case(target.method))
            && holds(&self.kind, &|kind| kind == target.kind)
            && holds(&self.path, &|path| target.path.contains(path))
            && holds(&self.object, &|object| names_object(target, object))
            && holds(&self.record, &|record| {
                let short = Id::parse(record).map(|id| id.short().to_owned());
                let record = short.as_deref().unwrap_or(record);
                target.path.contains(record) || target.body.contains(record)
            })
    }

    fn meets_record(&self, object: &str, id: Option<Id>, body: &Map<String, Raw>) -> bool {
        let same_object = self.object.as_deref().is_none_or(|it| it.eq_ignore_ascii_case(object));
        let same_record = self.record.as_deref().is_none_or(|record| {
            let by_id = Id::parse(record).is_some_and(|wanted| Some(wanted) == id);
            by_id || body.values().any(|value| value.as_str() == Some(record))
        });
        same_object && same_record && self.method.is_none() && self.path.is_none()
    }
}

fn names_object(target: &Target<'_>, object: &str) -> bool {
    let in_path = format!("sobjects/{object}").to_ascii_lowercase();
    let path = target.path.to_ascii_lowercase();
    let segment = path.find(&in_path).and_then(|at| path.get(at + in_path.len()..));
    let whole = segment.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
    let from = format!("from {object}").to_ascii_lowercase();
    let typed = format!("\"{object}\"");
    let body_path = format!("sobjects/{object}");
    whole
        || path.contains(&from)
        || target.body.contains(&typed)
        || target.body.contains(&body_path)
}
