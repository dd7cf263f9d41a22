//! Sending a batch: creates and deletes through collections, updates and fences as guarded
//! composite sub-requests, or alone where that would read a value as a reference, undeletes over
//! SOAP.

use std::collections::BTreeSet;

use reqwest::Method;
use syncline_sdk::{Context, Error, ErrorKind, Result, Write, WriteBatch, WriteOutcome};

use super::answer::{SavedRow, saved_rows, update};
use super::contention::{Held, locked, own_key, touched};
use super::job::{Job, Next};
use super::outcome::{Verb, applied, refused, unreadable, updated};
use super::plan::{Sending, plan};
use crate::limits::{COMPOSITE_MAX, UNDELETE_IDS_MAX, WRITE_ROWS_MAX};
use crate::org::Org;
use crate::wire::{
    Body, Call, CallError, Fault, Fields, Reach, SubAnswer, SubRequest, composite_body,
    sub_answers, undelete_answer,
};

const PUSH: &str = "push";
const ALLOW_SAVE: &str = "allowSave=true";

/// Sends the writes of a batch and answers each.
pub(crate) async fn push(org: &Org, cx: &Context, batch: &WriteBatch) -> Result<Vec<WriteOutcome>> {
    if batch.writes.iter().any(|write| write.group.is_some()) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            PUSH,
            "records of different calls cannot be written in one transaction",
        ));
    }
    let mut job = Job::new(batch.writes.len());
    let writes = &batch.writes;
    let touched = vec![BTreeSet::new(); writes.len()];
    let mut sender = Sender { org, writes, job: &mut job, touched };
    let outcomes = match tokio::time::timeout(cx.timeout, sender.send_all(cx)).await {
        Ok(Ok(())) => job.finish(),
        Ok(Err(error)) => job.interrupt(error)?,
        Err(_) => {
            let what = format!("Salesforce gave no answer in {:?}", cx.timeout);
            job.interrupt(Error::new(ErrorKind::Unavailable, PUSH, what))?
        }
    };
    for (write, outcome) in writes.iter().zip(&outcomes) {
        doubt(org, write, outcome);
    }
    Ok(outcomes)
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
        _ => {}
    }
}

/// What goes out together: writes of one sort, by their place in the batch.
#[derive(Default)]
struct Sorted {
    /// By entity. They are sent with the children of one parent side by side.
    inserts: Vec<(String, Vec<(usize, Fields)>)>,
    updates: Vec<(usize, SubRequest)>,
    /// Guarded updates that a composite call would not carry as they are.
    alone: Vec<(usize, Call)>,
    deletes: Vec<(usize, String)>,
    undeletes: Vec<(usize, String)>,
}

struct Sender<'a> {
    org: &'a Org,
    writes: &'a [Write],
    job: &'a mut Job,
    /// The records that each write touches: its own, and those it points to.
    touched: Vec<BTreeSet<String>>,
}

impl Sender<'_> {
    async fn send_all(&mut self, cx: &Context) -> Result<()> {
        // Log in first: a login that fails has sent nothing.
        self.org.transport.login().session(None).await?;
        let sorted = self.sort(cx).await?;
        for (entity, inserts) in sorted.inserts {
            if self.inserts(&entity, inserts).await? == Next::Stop {
                return Ok(());
            }
        }
        if self.updates(sorted.updates).await? == Next::Stop {
            return Ok(());
        }
        if self.alone(sorted.alone).await? == Next::Stop {
            return Ok(());
        }
        if self.deletes(sorted.deletes).await? == Next::Stop {
            return Ok(());
        }
        self.undeletes(sorted.undeletes).await.map(drop)
    }

    /// Where a write goes, for messages.
    fn place(&self, at: usize) -> &'_ str {
        self.writes[at].selection.entity.as_str()
    }

    async fn sort(&mut self, cx: &Context) -> Result<Sorted> {
        let mut sorted = Sorted::default();
        for (at, write) in self.writes.iter().enumerate() {
            let entity = &write.selection.entity;
            let described = self.org.described(entity).await?;
            self.touched[at] = touched(&write.op, &described);
            match plan(cx, write, &described) {
                Ok(Sending::Insert(fields)) => {
                    let entity = entity.as_str();
                    match sorted.inserts.iter_mut().find(|(known, _)| *known == entity) {
                        Some((_, inserts)) => inserts.push((at, fields)),
                        None => sorted.inserts.push((entity.to_owned(), vec![(at, fields)])),
                    }
                }
                Ok(Sending::Update { id, unmodified_since, body }) if body.could_refer() => {
                    let json = serde_json::to_vec(&body)
                        .map_err(|error| unwritten(entity.as_str(), error))?;
                    let path = self.org.data(&format!("sobjects/{entity}/{id}"));
                    let call = self
                        .write(entity.as_str(), Method::PATCH, path, Body::Json(json))
                        .header("If-Unmodified-Since", unmodified_since);
                    sorted.alone.push((at, call));
                }
                Ok(Sending::Update { id, unmodified_since, body }) => {
                    let url = self.org.data(&format!("sobjects/{entity}/{id}"));
                    let options = self.org.transport.call_options();
                    let rule = self.org.settings.allow_duplicates.then_some(ALLOW_SAVE);
                    let place = sorted.updates.len() % COMPOSITE_MAX;
                    let part =
                        SubRequest::update(place, url, unmodified_since, options, rule, body);
                    sorted.updates.push((at, part));
                }
                Ok(Sending::Delete(id)) => sorted.deletes.push((at, id)),
                Ok(Sending::Undelete(id)) => sorted.undeletes.push((at, id)),
                Err(outcome) => self.job.decide(at, *outcome),
            }
        }
        Ok(sorted)
    }

    /// Creates, 200 a call, each on its own (`allOrNone: false`), children of one parent side by
    /// side: those of two calls lock it against each other.
    async fn inserts(&mut self, entity: &str, inserts: Vec<(usize, Fields)>) -> Result<Next> {
        let mut inserts = inserts;
        inserts.sort_by(|(one, _), (other, _)| self.touched[*one].cmp(&self.touched[*other]));
        #[derive(serde::Serialize)]
        struct Records {
            #[serde(rename = "allOrNone")]
            all_or_none: bool,
            records: Vec<Fields>,
        }
        let mut rest = inserts.into_iter().peekable();
        while rest.peek().is_some() {
            let (places, records): (Vec<usize>, Vec<Fields>) =
                rest.by_ref().take(WRITE_ROWS_MAX).unzip();
            let json = serde_json::to_vec(&Records { all_or_none: false, records })
                .map_err(|error| unwritten(entity, error))?;
            let path = self.org.data("composite/sobjects");
            let call = self.write(entity, Method::POST, path, Body::Json(json));
            if self.collection(&call, &places, Verb::Insert).await? == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        Ok(Next::Go)
    }

    /// Guarded updates, 25 a call.
    async fn updates(&mut self, updates: Vec<(usize, SubRequest)>) -> Result<Next> {
        let mut rest = updates.into_iter().peekable();
        while rest.peek().is_some() {
            let (places, parts): (Vec<usize>, Vec<SubRequest>) =
                rest.by_ref().take(COMPOSITE_MAX).unzip();
            let json = composite_body(&parts).map_err(|error| unwritten("composite", error))?;
            let path = self.org.data("composite");
            let call = self.write("guarded updates", Method::POST, path, Body::Json(json));
            self.job.wait();
            let held = self.org.contention.hold(&self.touched_by(&places)).await;
            self.job.start(&places);
            let next = match self.org.transport.send(&call).await {
                Err(failed) => self.job.fail(failed)?,
                Ok(reply) => {
                    let answers = sub_answers(&reply.body, places.len()).unwrap_or_default();
                    let faults = answers.iter().map(|answer| match answer {
                        Some(answer) => answer.faults.as_slice(),
                        None => &[],
                    });
                    self.contended(held, &places, faults);
                    let mut answers = answers.into_iter();
                    let outcomes = places.iter().map(|at| {
                        let place = self.place(*at);
                        let answer = answers.next().flatten();
                        let op = &self.writes[*at].op;
                        answer
                            .map_or_else(|| unreadable(place), |answer| update(op, place, &answer))
                    });
                    let outcomes = outcomes.collect();
                    self.job.answer(outcomes);
                    Next::Go
                }
            };
            if next == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        Ok(Next::Go)
    }

    /// Guarded updates, each in a call of its own.
    async fn alone(&mut self, updates: Vec<(usize, Call)>) -> Result<Next> {
        for (at, call) in updates {
            self.job.wait();
            let held = self.org.contention.hold(&self.touched[at]).await;
            self.job.start(&[at]);
            let (op, place) = (&self.writes[at].op, self.place(at));
            let outcome = match self.org.transport.send(&call).await {
                Ok(_) => {
                    held.passed();
                    updated(op)
                }
                Err(CallError { error, reach: Reach::Refused, status: Some(status), faults })
                    if !error.kind.is_outage() =>
                {
                    self.contended(held, &[at], [faults.as_slice()].into_iter());
                    update(op, place, &SubAnswer { status, faults })
                }
                Err(failed) => {
                    if self.job.fail(failed)? == Next::Stop {
                        return Ok(Next::Stop);
                    }
                    continue;
                }
            };
            self.job.answer(vec![outcome]);
        }
        Ok(Next::Go)
    }

    /// Deletes, 200 a call. Salesforce takes no condition on a delete: the guard is the engine's
    /// (protocol 1.4.1).
    async fn deletes(&mut self, deletes: Vec<(usize, String)>) -> Result<Next> {
        for chunk in deletes.chunks(WRITE_ROWS_MAX) {
            let places: Vec<usize> = chunk.iter().map(|(at, _)| *at).collect();
            let ids: Vec<&str> = chunk.iter().map(|(_, id)| id.as_str()).collect();
            let query = format!("composite/sobjects?ids={}&allOrNone=false", ids.join(","));
            let path = self.org.data(&query);
            let call = self.write("deletes", Method::DELETE, path, Body::None);
            if self.collection(&call, &places, Verb::Delete).await? == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        Ok(Next::Go)
    }

    async fn collection(&mut self, call: &Call, places: &[usize], verb: Verb) -> Result<Next> {
        self.job.wait();
        let held = self.org.contention.hold(&self.touched_by(places)).await;
        self.job.start(places);
        let reply = match self.org.transport.send(call).await {
            Err(failed) => return self.job.fail(failed),
            Ok(reply) => reply,
        };
        let rows = saved_rows(&reply.body);
        let faults = rows.iter().map(|row| row.as_ref().map_or(&[][..], SavedRow::faults));
        self.contended(held, places, faults);
        let mut rows = rows.into_iter();
        let outcomes = places.iter().map(|at| match rows.next().flatten() {
            Some(row) => row.outcome(verb, self.place(*at)),
            None => unreadable(self.place(*at)),
        });
        let outcomes = outcomes.collect();
        self.job.answer(outcomes);
        Ok(Next::Go)
    }

    /// Undeletes over SOAP, 200 a call: REST has none.
    async fn undeletes(&mut self, undeletes: Vec<(usize, String)>) -> Result<Next> {
        for chunk in undeletes.chunks(UNDELETE_IDS_MAX) {
            let places: Vec<usize> = chunk.iter().map(|(at, _)| *at).collect();
            let ids = chunk.iter().map(|(_, id)| id.clone()).collect();
            let path = format!("/services/Soap/u/{}", self.org.settings.api_version);
            let call = Call::new(PUSH, "undelete", Method::POST, path, Body::Undelete(ids));
            self.job.start(&places);
            match self.org.transport.send(&call).await {
                Err(failed) => {
                    if self.job.fail(failed)? == Next::Stop {
                        return Ok(Next::Stop);
                    }
                }
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
                }
            }
        }
        Ok(Next::Go)
    }

    fn touched_by(&self, places: &[usize]) -> BTreeSet<String> {
        places.iter().flat_map(|at| &self.touched[*at]).cloned().collect()
    }

    /// Notes which locks the writes of a call met.
    fn contended<'f>(
        &self,
        held: Held<'_>,
        places: &[usize],
        faults: impl Iterator<Item = &'f [Fault]>,
    ) {
        let mut any = false;
        for (at, faults) in places.iter().zip(faults) {
            let locked = locked(faults);
            any |= !locked.is_empty();
            self.org.contention.met(own_key(&self.writes[*at].op).as_deref(), locked);
        }
        if !any {
            held.passed();
        }
    }

    /// A call that writes. Without `Sforce-Auto-Assign: FALSE` assignment rules may change the
    /// owner under us (help article 000395506).
    fn write(&self, place: &str, method: Method, path: String, body: Body) -> Call {
        let saves = method != Method::DELETE;
        let call = Call::new(PUSH, place, method, path, body).header("Sforce-Auto-Assign", "FALSE");
        if self.org.settings.allow_duplicates && saves {
            call.header("Sforce-Duplicate-Rule-Header", ALLOW_SAVE)
        } else {
            call
        }
    }
}

fn unwritten(place: &str, error: serde_json::Error) -> Error {
    let what = format!("{place}: the request cannot be written");
    Error::new(ErrorKind::Protocol, PUSH, what).caused_by(error)
}
