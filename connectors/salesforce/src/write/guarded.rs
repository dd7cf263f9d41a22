//! Writes as sub-requests: guarded updates in composite calls, graphs of what belongs together,
//! and updates that neither may carry.
//!
//! Both kinds of call carry a guard with each part, answer for each part, and count as one call
//! of the day. A composite call takes 25 parts, a graph call 75 graphs, so that more than 25
//! guarded updates go as graphs of one node each. A call of few parts stays a composite one: a
//! graph call ends early once 14 of its graphs have failed, and its rest is sent again.

use bytes::Bytes;
use reqwest::Method;
use syncline_sdk::{Result, WriteOutcome};

use super::answer::{node, update};
use super::contention::Held;
use super::job::Next;
use super::outcome::{unreadable, updated};
use super::packing::{Graph, calls};
use super::push::{Sender, unwritten};
use crate::limits::COMPOSITE_MAX;
use crate::wire::{
    Body, Call, CallError, Reach, SubAnswer, SubRequest, composite_body, graph_answers,
    graphs_body, sub_answers,
};

/// How a call ended.
enum Sent<'a> {
    Answered(Held<'a>, Bytes),
    Failed(Next),
}

impl<'a> Sender<'a> {
    /// Guarded updates, 25 a call, each on its own.
    pub(super) async fn updates(&mut self, updates: Vec<(usize, SubRequest)>) -> Result<Next> {
        let mut rest = updates.into_iter().peekable();
        while rest.peek().is_some() {
            let (places, parts): (Vec<usize>, Vec<SubRequest>) =
                rest.by_ref().take(COMPOSITE_MAX).unzip();
            let json = composite_body(parts).map_err(|error| unwritten("composite", error))?;
            let path = self.org.data("composite");
            let call = self.write("guarded updates", Method::POST, path, Body::Json(json));
            match self.sent(&call, &places).await? {
                Sent::Failed(Next::Stop) => return Ok(Next::Stop),
                Sent::Failed(Next::Go) => {}
                Sent::Answered(held, body) => {
                    let answers = sub_answers(&body, places.len()).unwrap_or_default();
                    self.told(held, &places, answers, |sender, at, answer| {
                        let at = places[at];
                        update(&sender.one(at).op, sender.place(at), answer)
                    });
                }
            }
        }
        Ok(Next::Go)
    }

    /// Graphs, each all or nothing, as many a call as it takes.
    pub(super) async fn graphs(&mut self, graphs: Vec<Graph>) -> Result<Next> {
        for graphs in calls(graphs) {
            let sizes: Vec<usize> = graphs.iter().map(Graph::len).collect();
            let places: Vec<usize> = graphs.iter().flat_map(Graph::places).collect();
            let nodes = graphs.into_iter().map(Graph::into_nodes).collect();
            let json = graphs_body(nodes).map_err(|error| unwritten("graphs", error))?;
            let path = self.org.data("composite/graph");
            let call = self.write("graphs", Method::POST, path, Body::Json(json));
            match self.sent(&call, &places).await? {
                Sent::Failed(Next::Stop) => return Ok(Next::Stop),
                Sent::Failed(Next::Go) => {}
                Sent::Answered(held, body) => {
                    let graphs = graph_answers(&body, &sizes).unwrap_or_default().into_iter();
                    let (mut answers, mut successful) = (Vec::new(), Vec::new());
                    for (graph, size) in graphs.zip(&sizes) {
                        successful
                            .extend(vec![graph.as_ref().is_some_and(|it| it.successful); *size]);
                        let none = || std::iter::repeat_with(|| None).take(*size).collect();
                        answers.extend(graph.map_or_else(none, |graph| graph.nodes));
                    }
                    self.told(held, &places, answers, |sender, at, answer| {
                        let successful = successful.get(at).copied().unwrap_or_default();
                        let at = places[at];
                        node(&sender.one(at).op, sender.place(at), successful, answer)
                    });
                }
            }
        }
        Ok(Next::Go)
    }

    /// Guarded updates, each in a call of its own.
    pub(super) async fn alone(&mut self, updates: Vec<(usize, Call)>) -> Result<Next> {
        for (at, call) in updates {
            self.job.wait();
            let held = self.org.contention.hold(&self.touched[at]).await;
            self.job.start(&[at]);
            let (op, place) = (&self.one(at).op, self.place(at));
            let outcome = match self.org.transport.send(&call).await {
                Ok(_) => {
                    held.passed();
                    updated(op)
                }
                Err(CallError { error, reach: Reach::Refused, status: Some(status), faults })
                    if !error.kind.is_outage() =>
                {
                    self.contended(held, &[at], [faults.as_slice()].into_iter());
                    update(op, place, &SubAnswer { status, faults, id: None })
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

    /// Sends a call of several parts, once no other call of ours touches a contended record of it.
    async fn sent(&mut self, call: &Call, places: &[usize]) -> Result<Sent<'a>> {
        let org = self.org;
        self.job.wait();
        let held = org.contention.hold(&self.touched_by(places)).await;
        self.job.start(places);
        match org.transport.send(call).await {
            Err(failed) => Ok(Sent::Failed(self.job.fail(failed)?)),
            Ok(reply) => Ok(Sent::Answered(held, reply.body)),
        }
    }

    /// Takes the answers of a call, part by part. One that is missing says nothing.
    fn told(
        &mut self,
        held: Held<'_>,
        places: &[usize],
        answers: Vec<Option<SubAnswer>>,
        outcome: impl Fn(&Self, usize, &SubAnswer) -> WriteOutcome,
    ) {
        let faults = (0..places.len()).map(|at| match answers.get(at) {
            Some(Some(answer)) => answer.faults.as_slice(),
            _ => &[],
        });
        self.contended(held, places, faults);
        let outcomes = places.iter().enumerate().map(|(at, place)| match answers.get(at) {
            Some(Some(answer)) => outcome(self, at, answer),
            _ => unreadable(self.place(*place)),
        });
        let outcomes = outcomes.collect();
        self.job.answer(outcomes);
    }
}
