//! Sending a batch: creates and deletes through collections, updates and fences as guarded
//! sub-requests, what belongs together as graphs, undeletes over SOAP.

use std::collections::BTreeSet;

use reqwest::Method;
use syncline_sdk::{
    Context, Error, ErrorKind, Result, Value, Write, WriteBatch, WriteOp, WriteOutcome,
};

use super::contention::{Held, locked, own_key};
use super::job::{Job, Next};
use super::outcome::{Verb, applied, refused, unreadable};
use super::sorting::{Sorted, sort};
use crate::limits::{GRAPHS_SINCE, UNDELETE_IDS_MAX};
use crate::org::Org;
use crate::wire::{Body, Call, Fault, Headers, RECORD_TYPE, RECORD_TYPE_ID, undelete_answer};

pub(super) const PUSH: &str = "push";
const ALLOW_SAVE: &str = "allowSave=true";

/// Sends the writes of a batch and answers each.
pub(crate) async fn push(org: &Org, cx: &Context, batch: &WriteBatch) -> Result<Vec<WriteOutcome>> {
    let graphs = org.settings.api_version.is_at_least(GRAPHS_SINCE);
    if !graphs && batch.writes.iter().any(|write| write.group.is_some()) {
        let what = "this API version writes no records of several calls in one transaction";
        return Err(Error::new(ErrorKind::Unsupported, PUSH, what));
    }
    let mut job = Job::new(batch.writes.len());
    let touched = vec![BTreeSet::new(); batch.writes.len()];
    let mut sender = Sender { org, batch, job: &mut job, touched };
    let mut outcomes = match tokio::time::timeout(cx.timeout, sender.send_all(cx)).await {
        Ok(Ok(())) => job.finish(),
        Ok(Err(error)) => job.interrupt(error)?,
        Err(_) => {
            let what = format!("Salesforce gave no answer in {:?}", cx.timeout);
            let error = Error::new(ErrorKind::Unavailable, PUSH, what);
            job.interrupt(error.advise("it is settled; if it stays, lower guarded_rows"))?
        }
    };
    for (write, outcome) in batch.writes.iter().zip(&mut outcomes) {
        doubt(org, write, outcome);
        name(org, write, outcome);
    }
    Ok(outcomes)
}

/// A refusal names the field that was sent; where that stands for the one that is mapped, the
/// mapped one is meant. A record type that our user may not give is refused as a reference to a
/// record that is not there: what is missing is its assignment.
fn name(org: &Org, write: &Write, outcome: &mut WriteOutcome) {
    let WriteOutcome::Rejected { error, .. } = outcome else {
        return;
    };
    let values = match &write.op {
        WriteOp::Insert { values } | WriteOp::Update { values, .. } => values,
        WriteOp::Fence { .. } | WriteOp::Delete { .. } | WriteOp::Undelete { .. } => return,
    };
    if error.field.as_deref() != Some(RECORD_TYPE_ID) {
        return;
    }
    let sent = |field: &str| {
        let value = values.iter().find(|(name, _)| name.as_str() == field).map(|(_, it)| it);
        value.map(|value| if let Value::Text(text) = value { &**text } else { "" })
    };
    let entity = &write.selection.entity;
    let described = org.measured(entity);
    let given = match (sent(RECORD_TYPE), sent(RECORD_TYPE_ID)) {
        (Some(name), _) => {
            error.field = Some(RECORD_TYPE.to_owned());
            name
        }
        (None, Some(id)) => {
            let named = described.as_ref().and_then(|it| it.record_types.named(id));
            named.unwrap_or(id)
        }
        (None, None) => return,
    };
    if error.code.as_deref() == Some("INVALID_CROSS_REFERENCE_KEY") {
        error.advice = Some(format!(
            "assign the record type {given:?} of {entity} to the integration user, in its profile \
             or a permission set (Object Settings, {entity}, Record Type Assignments), or map \
             another one"
        ));
    }
}

/// A write refused for a field that is gone, or closed to us, says that the entity is no longer
/// what it was described as.
fn doubt(org: &Org, write: &Write, outcome: &WriteOutcome) {
    let WriteOutcome::Rejected { error, .. } = outcome else {
        return;
    };
    let entity = &write.selection.entity;
    match error.code.as_deref() {
        Some("INVALID_FIELD" | "INVALID_FIELD_FOR_INSERT_UPDATE") => org.doubt(entity),
        Some(
            "STRING_TOO_LONG"
            | "NUMBER_OUTSIDE_VALID_RANGE"
            | "JSON_PARSER_ERROR"
            | "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
            | "REQUIRED_FIELD_MISSING",
        ) => org.suspect(entity),
        // A record type that came, went or was renamed since.
        _ if matches!(error.field.as_deref(), Some(RECORD_TYPE | RECORD_TYPE_ID)) => {
            org.suspect(entity);
        }
        _ => {}
    }
}

/// The sending of one batch.
pub(super) struct Sender<'a> {
    pub(super) org: &'a Org,
    pub(super) batch: &'a WriteBatch,
    pub(super) job: &'a mut Job,
    /// The records that each write touches: its own, and those it points to.
    pub(super) touched: Vec<BTreeSet<String>>,
}

impl Sender<'_> {
    async fn send_all(&mut self, cx: &Context) -> Result<()> {
        // Log in first: a login that fails has sent nothing.
        self.org.transport.login().session(None).await?;
        let Sorted { inserts, whole, composites, graphs, alone, deletes, undeletes, revivals } =
            sort(self, cx).await?;
        for (entity, inserts) in inserts {
            if self.inserts(&entity, inserts).await? == Next::Stop {
                return Ok(());
            }
        }
        for (entity, inserts) in whole {
            if self.create_all(&entity, inserts).await? == Next::Stop {
                return Ok(());
            }
        }
        if self.graphs(graphs).await? == Next::Stop
            || self.updates(composites).await? == Next::Stop
            || self.alone(alone).await? == Next::Stop
            || self.deletes(deletes).await? == Next::Stop
        {
            return Ok(());
        }
        for chunk in undeletes.chunks(UNDELETE_IDS_MAX) {
            if self.undelete(chunk, false).await? == Next::Stop {
                return Ok(());
            }
        }
        for group in revivals {
            if self.undelete(&group, true).await? == Next::Stop {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One of the writes.
    pub(super) fn one(&self, at: usize) -> &Write {
        &self.batch.writes[at]
    }

    /// Where a write goes, for messages.
    pub(super) fn place(&self, at: usize) -> &'_ str {
        self.one(at).selection.entity.as_str()
    }

    /// The headers of a sub-request that writes.
    pub(super) fn headers(&self, unmodified_since: Option<String>) -> Headers {
        Headers {
            unmodified_since,
            auto_assign: Some("FALSE"),
            call_options: Some(self.org.transport.call_options().to_owned()),
            duplicate_rule: self.org.settings.allow_duplicates.then_some(ALLOW_SAVE),
            query_options: None,
        }
    }

    /// Undeletes over SOAP: REST has none. Those of a group in a call of their own, which the
    /// header makes all or nothing (SOAP guide, AllOrNoneHeader).
    async fn undelete(&mut self, chunk: &[(usize, String)], whole: bool) -> Result<Next> {
        let places: Vec<usize> = chunk.iter().map(|(at, _)| *at).collect();
        let ids = chunk.iter().map(|(_, id)| id.clone()).collect();
        let path = format!("/services/Soap/u/{}", self.org.settings.api_version);
        let body = Body::Undelete { ids, whole };
        let call = Call::new(PUSH, "undelete", Method::POST, path, body);
        self.job.start(&places);
        match self.org.transport.send(&call).await {
            Err(failed) => self.job.fail(failed),
            Ok(reply) => {
                let rows = undelete_answer(&reply.body).unwrap_or_default();
                let mut rows = rows.into_iter();
                let outcomes = places.iter().map(|at| match rows.next() {
                    Some(row) if row.success => applied(None),
                    Some(row) => refused(Verb::Undelete, self.place(*at), &row.faults()),
                    None => unreadable(self.place(*at)),
                });
                let outcomes = outcomes.collect();
                self.job.answer(outcomes);
                Ok(Next::Go)
            }
        }
    }

    pub(super) fn touched_by(&self, places: &[usize]) -> BTreeSet<String> {
        places.iter().flat_map(|at| &self.touched[*at]).cloned().collect()
    }

    /// Notes which locks the writes of a call met.
    pub(super) fn contended<'f>(
        &self,
        held: Held<'_>,
        places: &[usize],
        faults: impl Iterator<Item = &'f [Fault]>,
    ) {
        let mut any = false;
        for (at, faults) in places.iter().zip(faults) {
            let locked = locked(faults);
            any |= !locked.is_empty();
            self.org.contention.met(own_key(&self.one(*at).op).as_deref(), locked);
        }
        if !any {
            held.passed();
        }
    }

    /// A call that writes. Without `Sforce-Auto-Assign: FALSE` assignment rules may change the
    /// owner under us (help article 000395506).
    pub(super) fn write(&self, place: &str, method: Method, path: String, body: Body) -> Call {
        let saves = method != Method::DELETE;
        let call = Call::new(PUSH, place, method, path, body).header("Sforce-Auto-Assign", "FALSE");
        if self.org.settings.allow_duplicates && saves {
            call.header("Sforce-Duplicate-Rule-Header", ALLOW_SAVE)
        } else {
            call
        }
    }
}

pub(super) fn unwritten(place: &str, error: serde_json::Error) -> Error {
    let what = format!("{place}: the request cannot be written");
    Error::new(ErrorKind::Protocol, PUSH, what).caused_by(error)
}
