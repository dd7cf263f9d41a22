//! Calls on records: `delete()`, `undelete()`, `emptyRecycleBin()`, `merge()`.

use super::answer::{Flavour, merged, result};
use super::request::MergeRequest;
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::txn::{Actor, Txn};
use crate::org::{CommitDelay, Org};
use crate::rest::Reply;
use crate::save::{self, SaveError, SaveResult};

/// Records, and merges, of one call (SOAP guide).
const CALL_MAX: usize = 200;
/// A merge takes three records, the one that stays among them (SOAP guide, merge).
const LOSERS_MAX: usize = 2;

/// Whoever writes, and how long after its stamp.
pub(super) struct Writer<'a> {
    pub(super) org: &'a Org,
    pub(super) actor: Actor,
    pub(super) username: String,
    pub(super) delay: CommitDelay,
    pub(super) flavour: Flavour,
    /// One record that is refused takes back all others of its call, of those calls that the
    /// header is for: not of `emptyRecycleBin()` and `merge()` (SOAP guide, AllOrNoneHeader).
    pub(super) all_or_none: bool,
}

impl Writer<'_> {
    fn too_many(&self, count: usize) -> Option<Reply> {
        let text = "record limit reached. cannot submit more than 200 records into this call";
        let fault = || self.flavour.fault("sf:EXCEEDED_ID_LIMIT", "EXCEEDED_ID_LIMIT", text);
        (count > CALL_MAX).then(fault)
    }

    /// One result per id, in order; each id stands alone unless the header says otherwise.
    pub(super) async fn each(
        &self,
        call: &str,
        ids: &[String],
        work: fn(&mut State, &mut Txn, Id) -> SaveResult<()>,
    ) -> Reply {
        if let Some(fault) = self.too_many(ids.len()) {
            return fault;
        }
        let all_or_none = self.all_or_none && call != "emptyRecycleBin";
        let results = self
            .org
            .transact(&self.actor, self.delay, |state, txn| {
                let savepoint = txn.savepoint();
                let mut results: Vec<(String, SaveResult<()>)> = Vec::with_capacity(ids.len());
                for text in ids {
                    results.push(match Id::parse(text) {
                        None => (text.clone(), Err(vec![malformed(text)])),
                        Some(id) => (id.to_string(), work(state, txn, id)),
                    });
                }
                if all_or_none && results.iter().any(|(_, result)| result.is_err()) {
                    state.rollback_to(txn, savepoint);
                    let innocent = results.iter_mut().filter(|(_, result)| result.is_ok());
                    for (_, result) in innocent {
                        *result = Err(vec![SaveError::rolled_back()]);
                    }
                }
                results
            })
            .await;
        let shown: String = results.iter().map(|(id, done)| result(id, done)).collect();
        self.flavour.response(call, &shown)
    }

    /// One result per merge, in order; each is a transaction of its own, so that several may lead
    /// to one record (SOAP guide, successive merges).
    pub(super) async fn merges(&self, requests: &[MergeRequest]) -> Reply {
        if let Some(fault) = self.too_many(requests.len()) {
            return fault;
        }
        let mut shown = String::new();
        for request in requests {
            let done = self
                .org
                .transact(&self.actor, self.delay, |state, txn| self.merge(state, txn, request))
                .await;
            shown.push_str(&merged(&request.master, &request.losers, &done));
        }
        self.flavour.response("merge", &shown)
    }

    fn merge(
        &self,
        state: &mut State,
        txn: &mut Txn,
        request: &MergeRequest,
    ) -> SaveResult<Vec<Id>> {
        let parse = |text: &String| Id::parse(text).ok_or_else(|| vec![malformed(text)]);
        let winner = parse(&request.master)?;
        let losers = request.losers.iter().map(parse).collect::<SaveResult<Vec<Id>>>()?;
        if losers.is_empty() || losers.len() > LOSERS_MAX {
            let text = format!("a merge takes one or two records to merge, not {}", losers.len());
            return Err(vec![SaveError::new("INVALID_OPERATION", text)]);
        }
        let object = state.table_of(winner).and_then(|at| state.table(at));
        let object = object.map(|table| table.object.name.clone()).unwrap_or_default();
        if !object.eq_ignore_ascii_case(&request.object) {
            let text = format!("{winner} is no record of type '{}'", request.object);
            return Err(vec![SaveError::new("INVALID_TYPE", text)]);
        }
        let viewer = Some(self.username.as_str());
        save::merge(state, txn, (winner, &losers), &request.fields, viewer)
    }
}

fn malformed(text: &str) -> SaveError {
    SaveError::new("MALFORMED_ID", format!("malformed id {text}"))
}
