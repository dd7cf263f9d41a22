//! What is kept of the set-up, and the sealing of logins.

use async_trait::async_trait;
use secrecy::SecretString;
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_sdk::{EntityName, Instant, SystemName};

use super::session::call;
use super::{
    Postgres, SealKey, awaited, description, install, mapping, mapping_revision, schema_snapshot,
    token,
};
use crate::{Awaited, Description, LedgerError, MappingRevision, Result, Setup, Snapshot};

#[async_trait]
impl Setup for Postgres {
    async fn install(&self, candidate: &str) -> Result<String> {
        call!(self, "read the installation's id", |connection| install::id(connection, candidate))
    }

    async fn mapping(&self, name: &str, source: &str, at: Instant) -> Result<MappingRevision> {
        call!(self, "number a mapping", |connection| mapping::number(connection, name, source, at))
    }

    async fn revisions(&self, mapping: MappingId) -> Result<Vec<(i32, String)>> {
        call!(self, "read the revisions of a mapping", |connection| {
            mapping_revision::all(connection, mapping.0)
        })
    }

    async fn mappings(&self) -> Result<Vec<MappingRevision>> {
        call!(self, "list mappings", |connection| mapping::all(connection))
    }

    async fn snapshot(&self, system: &SystemName, entity: &EntityName) -> Result<Option<Snapshot>> {
        call!(self, "read a schema snapshot", |connection| schema_snapshot::find(
            connection, system, entity
        ))
    }

    async fn keep_snapshot(
        &self,
        system: &SystemName,
        entity: &EntityName,
        snapshot: &Snapshot,
    ) -> Result<()> {
        call!(self, "keep a schema snapshot", |connection| {
            schema_snapshot::keep(connection, system, entity, snapshot)
        })
    }

    async fn description(&self, mapping: MappingId, side: Side) -> Result<Option<Description>> {
        call!(self, "read a description", |connection| {
            description::find(connection, mapping, side)
        })
    }

    async fn keep_description(
        &self,
        mapping: MappingId,
        side: Side,
        description: &Description,
    ) -> Result<()> {
        call!(self, "keep a description", |connection| {
            description::keep(connection, mapping, side, description)
        })
    }

    async fn keep_awaited(&self, awaited: &[Awaited]) -> Result<()> {
        call!(self, "keep what is waited for", |connection| awaited::keep(connection, awaited))
    }

    async fn token(&self, system: &SystemName, name: &str) -> Result<Option<SecretString>> {
        const WHAT: &str = "read a stored login";
        let sealed: Option<Vec<u8>> =
            call!(self, "read a stored login", |connection| token::find(connection, system, name))?;
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.key(WHAT)?.open(&place(system, name), &sealed);
        let reason = format!(
            "{name} of {system} was sealed with another key; bring that key back, or log in again"
        );
        opened.map(Some).ok_or(LedgerError::Refused { what: WHAT, reason, source: None })
    }

    async fn keep_token(
        &self,
        system: &SystemName,
        name: &str,
        token: &SecretString,
    ) -> Result<()> {
        const WHAT: &str = "keep a login";
        let sealed = self.key(WHAT)?.seal(&place(system, name), token);
        let sealed = sealed.ok_or_else(|| LedgerError::Refused {
            what: WHAT,
            reason: "the system's generator of random numbers failed".to_owned(),
            source: None,
        })?;
        call!(self, "keep a login", |connection| token::keep(connection, system, name, &sealed))
    }
}

impl Postgres {
    /// The id of the installation that uses this database; nothing when none does yet. Makes
    /// nothing, and needs no tables.
    ///
    /// # Errors
    /// As every call.
    pub async fn known_install(&self) -> Result<Option<String>> {
        call!(self, "look for the installation's id", |connection| install::find(connection))
    }

    /// Whether our tables are in this database, of whatever release. Makes nothing.
    ///
    /// # Errors
    /// As every call.
    pub async fn has_tables(&self) -> Result<bool> {
        call!(self, "look for the ledger's tables", |connection| token::has_table(connection))
    }

    /// Whether what is kept of mappings with sensitive fields can be opened with the key at hand.
    ///
    /// # Errors
    /// `Refused` when it cannot, with what to do; else as every call.
    pub async fn check_key(&self) -> Result<()> {
        call!(self, "look at the keys of links", |connection| self.keyring.check(connection))
    }

    fn key(&self, what: &'static str) -> Result<&SealKey> {
        self.keyring.seal_key().ok_or_else(|| LedgerError::Refused {
            what,
            reason: "there is no key to seal logins with".to_owned(),
            source: None,
        })
    }
}

/// Where a sealed secret belongs.
fn place(system: &SystemName, name: &str) -> String {
    format!("{system}/{name}")
}
