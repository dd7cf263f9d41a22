//! The past changes of records, as their side remembers them.

use crate::{Actor, EntityName, FieldName, Instant, Key, Value, Version};

/// The past changes of some records of one entity.
#[derive(Clone, Debug)]
pub struct HistoryRequest {
    /// The entity.
    pub entity: EntityName,
    /// The records, each with the version of a reading: changes that are not older are wanted,
    /// those of that very version included, since a transaction may be stamped before it is seen
    /// (protocol section 3, class 2). No version for all that are remembered.
    pub records: Vec<(Key, Version)>,
    /// The fields of interest.
    pub fields: Vec<FieldName>,
}

/// One past change of one field.
#[derive(Clone, PartialEq, Debug)]
pub struct HistoryEntry {
    /// The record.
    pub key: Key,
    /// The field.
    pub field: FieldName,
    /// Its value before, where the side kept it.
    pub old: Value,
    /// Its value after, where the side kept it.
    pub new: Value,
    /// Who changed it.
    pub actor: Actor,
    /// How new the change is: comparable with the versions of the record's readings. Changes of
    /// one version have no order that the side could tell.
    pub version: Version,
    /// When, by the side's clock.
    pub at: Option<Instant>,
}
