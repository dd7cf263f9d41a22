//! What is kept of the installation and its settings.

use async_trait::async_trait;
use secrecy::SecretString;
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_sdk::{Capabilities, EntityName, EntitySchema, FieldName, Instant, SystemName};

use crate::Result;

/// A mapping as the ledger numbers it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MappingRevision {
    /// Its number, for life.
    pub mapping: MappingId,
    /// Its name.
    pub name: String,
    /// The newest revision of its rules.
    pub revision: i32,
}

/// What was last seen of an entity's schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The text that changes when a change of the schema matters (protocol 1.10).
    pub fingerprint: String,
    /// When it was taken.
    pub at: Instant,
}

/// What a side of a mapping was bound to: how its system described it when it last did. A
/// process that starts while the system is out of reach binds the mapping to this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// The system.
    pub system: SystemName,
    /// The entity, as the mapping names it.
    pub entity: EntityName,
    /// How the system described the entity.
    pub schema: EntitySchema,
    /// What the side could do with the pieces that the mapping named.
    pub capabilities: Capabilities,
    /// Fields that a mapping uses and that were not there when it was looked last: they are not
    /// taken for what they were before somebody says so.
    pub gone: Vec<FieldName>,
    /// When it was described.
    pub at: Instant,
}

/// What an owner waits for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AwaitedThing {
    /// A system that has not answered since the owner started.
    System(SystemName),
    /// A mapping that cannot begin yet, by its name.
    Mapping(String),
    /// A field that is left alone until somebody takes it as it is now: mapping, side and name.
    Field(String),
}

/// Something that is waited for, and why.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Awaited {
    /// What.
    pub thing: AwaitedThing,
    /// Why, in words for an operator, with the remedy.
    pub reason: String,
    /// Since when.
    pub since: Instant,
}

/// What is written when things are set up, and read when a process starts.
#[async_trait]
pub trait Setup: Send + Sync + 'static {
    /// The id of the installation, part of every marker: `candidate` when none was given yet.
    ///
    /// # Errors
    /// As every call.
    async fn install(&self, candidate: &str) -> Result<String>;

    /// The number of a mapping and the revision of these rules. A text that differs from the
    /// newest revision's makes a new one; an older text coming back is a new revision too.
    ///
    /// # Errors
    /// As every call.
    async fn mapping(&self, name: &str, source: &str, at: Instant) -> Result<MappingRevision>;

    /// The texts that a mapping has had, by revision.
    ///
    /// # Errors
    /// As every call.
    async fn revisions(&self, mapping: MappingId) -> Result<Vec<(i32, String)>>;

    /// All mappings that were ever used, by number.
    ///
    /// # Errors
    /// As every call.
    async fn mappings(&self) -> Result<Vec<MappingRevision>>;

    /// What was last kept of an entity's schema.
    ///
    /// # Errors
    /// As every call.
    async fn snapshot(&self, system: &SystemName, entity: &EntityName) -> Result<Option<Snapshot>>;

    /// Keeps what was seen of an entity's schema.
    ///
    /// # Errors
    /// As every call.
    async fn keep_snapshot(
        &self,
        system: &SystemName,
        entity: &EntityName,
        snapshot: &Snapshot,
    ) -> Result<()>;

    /// What a side of a mapping was last bound to.
    ///
    /// # Errors
    /// As every call.
    async fn description(&self, mapping: MappingId, side: Side) -> Result<Option<Description>>;

    /// Keeps what a side of a mapping is bound to, in place of what was kept before.
    ///
    /// # Errors
    /// As every call.
    async fn keep_description(
        &self,
        mapping: MappingId,
        side: Side,
        description: &Description,
    ) -> Result<()>;

    /// Keeps what the owner waits for, in place of all that was kept before.
    ///
    /// # Errors
    /// As every call.
    async fn keep_awaited(&self, awaited: &[Awaited]) -> Result<()>;

    /// A secret kept for a system: a refresh token.
    ///
    /// # Errors
    /// As every call; `Refused` when it cannot be opened with the key at hand.
    async fn token(&self, system: &SystemName, name: &str) -> Result<Option<SecretString>>;

    /// Keeps a secret for a system in place of the one before.
    ///
    /// # Errors
    /// As every call; `Refused` when there is no key to seal it with.
    async fn keep_token(&self, system: &SystemName, name: &str, token: &SecretString)
    -> Result<()>;
}
