//! What goes out together: the writes of a batch by the way they are sent.

use std::collections::BTreeMap;

use reqwest::Method;
use syncline_sdk::{Context, Result};

use super::contention::touched;
use super::outcome::unsent;
use super::packing::Graph;
use super::plan::{Sending, plan};
use super::push::{Sender, unwritten};
use crate::limits::{COMPOSITE_MAX, GRAPH_CREATES_MAX, GRAPHS_SINCE, WRITE_ROWS_MAX};
use crate::wire::{Body, Call, Fields, SubRequest};

/// The writes of a batch, each by its place in it.
#[derive(Default)]
pub(super) struct Sorted {
    /// Creates by entity. They are sent with the children of one parent side by side.
    pub(super) inserts: Vec<(String, Vec<(usize, Fields)>)>,
    /// Large groups of creates of one entity.
    pub(super) whole: Vec<(String, Vec<(usize, Fields)>)>,
    /// Guarded updates, few.
    pub(super) composites: Vec<(usize, SubRequest)>,
    /// What belongs together, and guarded updates in number.
    pub(super) graphs: Vec<Graph>,
    /// Guarded updates that are read for references inside of another call.
    pub(super) alone: Vec<(usize, Call)>,
    pub(super) deletes: Vec<(usize, String)>,
    pub(super) undeletes: Vec<(usize, String)>,
    /// Groups of undeletes.
    pub(super) revivals: Vec<Vec<(usize, String)>>,
}

/// Sorts the writes of a batch, and answers those that are not sent.
pub(super) async fn sort(sender: &mut Sender<'_>, cx: &Context) -> Result<Sorted> {
    let mut sorted = Sorted::default();
    let mut updates: Vec<(usize, SubRequest)> = Vec::new();
    let mut groups: BTreeMap<u64, Vec<(usize, Sending)>> = BTreeMap::new();
    for (at, write) in sender.batch.writes.iter().enumerate() {
        let entity = &write.selection.entity;
        let described = sender.org.described(entity).await?;
        sender.touched[at] = touched(&write.op, &described);
        let sending = match plan(cx, write, &described) {
            Ok(sending) => sending,
            Err(outcome) => {
                sender.job.decide(at, *outcome);
                continue;
            }
        };
        if let Some(group) = write.group {
            groups.entry(group).or_default().push((at, sending));
            continue;
        }
        match sending {
            Sending::Insert(fields) => {
                let entity = entity.as_str();
                match sorted.inserts.iter_mut().find(|(known, _)| *known == entity) {
                    Some((_, inserts)) => inserts.push((at, fields)),
                    None => sorted.inserts.push((entity.to_owned(), vec![(at, fields)])),
                }
            }
            Sending::Update { id, unmodified_since, body } if body.could_refer() => {
                let json =
                    serde_json::to_vec(&body).map_err(|error| unwritten(entity.as_str(), error))?;
                let path = sender.org.data(&format!("sobjects/{entity}/{id}"));
                let call = sender.write(entity.as_str(), Method::PATCH, path, Body::Json(json));
                sorted.alone.push((at, call.header("If-Unmodified-Since", unmodified_since)));
            }
            sending @ Sending::Update { .. } => {
                updates.extend(sender.node(at, sending).map(|node| (at, node)));
            }
            Sending::Delete(id) => sorted.deletes.push((at, id)),
            Sending::Undelete(id) => sorted.undeletes.push((at, id)),
        }
    }
    let broken = sender.batch.broken_groups(|at| sender.job.is_decided(at));
    for (group, members) in groups {
        if broken.contains(&group) {
            sender.put_off(members.iter().map(|(at, _)| *at));
        } else {
            sender.group(members, &mut sorted);
        }
    }
    let graphs = sender.org.settings.api_version.is_at_least(GRAPHS_SINCE);
    if graphs && (updates.len() > COMPOSITE_MAX || !sorted.graphs.is_empty()) {
        for (at, node) in updates {
            let mut graph = Graph::default();
            graph.push(at, sender.place(at), node);
            sorted.graphs.push(graph);
        }
    } else {
        sorted.composites = updates;
    }
    Ok(sorted)
}

impl Sender<'_> {
    /// Finds the one call that takes a group as a whole. Where there is none nothing of it is
    /// sent: the engine plans its members again, each by itself.
    fn group(&mut self, members: Vec<(usize, Sending)>, sorted: &mut Sorted) {
        let places: Vec<usize> = members.iter().map(|(at, _)| *at).collect();
        let entity = self.place(places[0]).to_owned();
        let (mut creates, mut revivals, mut refers) = (0, 0, false);
        for (at, sending) in &members {
            match sending {
                Sending::Insert(fields) => {
                    creates += usize::from(self.place(*at) == entity);
                    refers |= fields.could_refer();
                }
                Sending::Update { body, .. } => refers |= body.could_refer(),
                Sending::Undelete(_) => revivals += 1,
                Sending::Delete(_) => {}
            }
        }
        let all = members.len();
        if revivals == all {
            let ids = members.into_iter().filter_map(|(at, sending)| match sending {
                Sending::Undelete(id) => Some((at, id)),
                _ => None,
            });
            sorted.revivals.push(ids.collect());
        } else if creates == all && (refers || all > GRAPH_CREATES_MAX) && all <= WRITE_ROWS_MAX {
            let fields = members.into_iter().filter_map(|(at, sending)| match sending {
                Sending::Insert(fields) => Some((at, fields)),
                _ => None,
            });
            sorted.whole.push((entity, fields.collect()));
        } else if revivals > 0 || refers {
            self.put_off(places.into_iter());
        } else {
            let mut graph = Graph::default();
            for (at, sending) in members {
                if let Some(node) = self.node(at, sending) {
                    graph.push(at, self.place(at), node);
                }
            }
            if graph.fits() {
                sorted.graphs.push(graph);
            } else {
                self.put_off(places.into_iter());
            }
        }
    }

    /// Answers writes that are not sent now and can be sent later.
    fn put_off(&mut self, places: impl Iterator<Item = usize>) {
        for at in places {
            self.job.decide(at, unsent());
        }
    }

    /// A write as a sub-request; nothing for an undelete, which REST does not have.
    fn node(&self, at: usize, sending: Sending) -> Option<SubRequest> {
        let entity = self.place(at);
        let row = |id: &str| self.org.data(&format!("sobjects/{entity}/{id}"));
        Some(match sending {
            Sending::Insert(fields) => {
                let url = self.org.data(&format!("sobjects/{entity}"));
                SubRequest::create(url, self.headers(None), fields)
            }
            Sending::Update { id, unmodified_since, body } => {
                SubRequest::update(row(&id), self.headers(Some(unmodified_since)), body)
            }
            Sending::Delete(id) => SubRequest::delete(row(&id), self.headers(None)),
            Sending::Undelete(_) => return None,
        })
    }
}
