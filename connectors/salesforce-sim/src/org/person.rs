//! Edits by other users of the org: people at their screens, automations, imports.

use serde_json::{Map, Value as Raw};

use super::Org;
use super::exec::CommitDelay;
use super::ids::Id;
use super::state::State;
use super::txn::{Actor, Txn};
use crate::save::{self, SaveError, SaveResult};

/// What stands for the API in the edits of people.
pub(crate) const PERSON: &str = "person";

/// Somebody who works in the org, not through the API under test. Field permissions and
/// faults do not touch a person's edits; every save rule does.
#[derive(Clone, Debug)]
pub struct Person {
    org: Org,
    user: Id,
    client: Option<String>,
    commit_after_ms: u64,
}

/// The save rules refused an edit, or what it names does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message} (fields {fields:?})")]
pub struct Refused {
    /// Error code of the first error.
    pub code: String,
    /// Message of the first error.
    pub message: String,
    /// Fields of the first error.
    pub fields: Vec<String>,
}

impl Refused {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), fields: Vec::new() }
    }
}

impl From<Vec<SaveError>> for Refused {
    fn from(errors: Vec<SaveError>) -> Self {
        match errors.into_iter().next() {
            Some(first) => {
                Self { code: first.code.into_owned(), message: first.message, fields: first.fields }
            }
            None => Self::new("UNKNOWN_EXCEPTION", "refused without an error"),
        }
    }
}

impl Person {
    pub(crate) fn new(org: Org, user: Id) -> Self {
        Self { org, user, client: None, commit_after_ms: 0 }
    }

    /// The user's id.
    pub fn id(&self) -> Id {
        self.user
    }

    /// The stamp of the following edits is given at once, their commit comes `ms` later; the
    /// call returns after the commit.
    #[must_use]
    pub fn committing_after(mut self, ms: u64) -> Self {
        self.commit_after_ms = ms;
        self
    }

    /// The client name of the following edits in the history.
    #[must_use]
    pub fn through(mut self, client: &str) -> Self {
        self.client = Some(client.to_owned());
        self
    }

    /// Creates a record. Refused as the API would refuse it.
    pub async fn create(&self, object: &str, fields: &Map<String, Raw>) -> Result<Id, Refused> {
        let Some(table) = self.org.state().table_at(object) else {
            return Err(Refused::new("INVALID_TYPE", format!("no object {object}")));
        };
        self.run(|state, txn| save::create(state, txn, table, fields, None)).await
    }

    /// Changes fields of a record.
    pub async fn update(&self, id: Id, fields: &Map<String, Raw>) -> Result<(), Refused> {
        self.run(|state, txn| save::update(state, txn, id, fields, None)).await
    }

    /// Deletes a record into the recycle bin.
    pub async fn delete(&self, id: Id) -> Result<(), Refused> {
        self.run(|state, txn| save::delete(state, txn, id)).await
    }

    /// Brings a record back from the recycle bin.
    pub async fn undelete(&self, id: Id) -> Result<(), Refused> {
        self.run(|state, txn| save::undelete(state, txn, id)).await
    }

    /// Takes a record out of the recycle bin for good.
    pub async fn purge(&self, id: Id) -> Result<(), Refused> {
        self.run(|state, txn| save::purge(state, txn, id)).await
    }

    /// Merges `losers` into `winner`, whose `fields` change in the same transaction.
    pub async fn merge(
        &self,
        winner: Id,
        losers: &[Id],
        fields: &Map<String, Raw>,
    ) -> Result<(), Refused> {
        self.run(|state, txn| save::merge(state, txn, (winner, losers), fields, None).map(drop))
            .await
    }

    async fn run<T>(
        &self,
        work: impl FnMut(&mut State, &mut Txn) -> SaveResult<T>,
    ) -> Result<T, Refused> {
        let actor =
            Actor { user: self.user, client: self.client.clone(), api: PERSON, request: None };
        let delay = match self.commit_after_ms {
            0 => CommitDelay::None,
            ms => CommitDelay::Ms(ms),
        };
        self.org.transact(&actor, delay, work).await.map_err(Refused::from)
    }
}
