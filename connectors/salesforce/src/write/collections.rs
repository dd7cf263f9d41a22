//! Creates and deletes through sObject Collections, 200 a call.

use reqwest::Method;
use syncline_sdk::Result;

use super::answer::{SavedRow, saved_rows};
use super::job::Next;
use super::outcome::{Verb, unreadable};
use super::push::{Sender, unwritten};
use crate::limits::WRITE_ROWS_MAX;
use crate::wire::{Body, Call, Fields};

impl Sender<'_> {
    /// Creates, 200 a call, each on its own, children of one parent side by side: those of two
    /// calls lock it against each other.
    pub(super) async fn inserts(
        &mut self,
        entity: &str,
        mut inserts: Vec<(usize, Fields)>,
    ) -> Result<Next> {
        inserts.sort_by(|(one, _), (other, _)| self.touched[*one].cmp(&self.touched[*other]));
        let mut rest = inserts.into_iter().peekable();
        while rest.peek().is_some() {
            let chunk = rest.by_ref().take(WRITE_ROWS_MAX).collect();
            if self.create(entity, chunk, false).await? == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        Ok(Next::Go)
    }

    /// Creates of one group: all or none.
    pub(super) async fn create_all(
        &mut self,
        entity: &str,
        inserts: Vec<(usize, Fields)>,
    ) -> Result<Next> {
        self.create(entity, inserts, true).await
    }

    async fn create(
        &mut self,
        entity: &str,
        inserts: Vec<(usize, Fields)>,
        all_or_none: bool,
    ) -> Result<Next> {
        #[derive(serde::Serialize)]
        struct Records {
            #[serde(rename = "allOrNone")]
            all_or_none: bool,
            records: Vec<Fields>,
        }
        let typed = inserts.into_iter().map(|(at, fields)| (at, fields.with_type(entity)));
        let (places, records): (Vec<usize>, Vec<Fields>) = typed.unzip();
        let json = serde_json::to_vec(&Records { all_or_none, records })
            .map_err(|error| unwritten(entity, error))?;
        let path = self.org.data("composite/sobjects");
        let call = self.write(entity, Method::POST, path, Body::Json(json));
        self.collection(&call, &places, Verb::Insert).await
    }

    /// Deletes, 200 a call. Salesforce takes no condition on a delete: the guard is the engine's
    /// (protocol 1.4.1).
    pub(super) async fn deletes(&mut self, deletes: Vec<(usize, String)>) -> Result<Next> {
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
}
