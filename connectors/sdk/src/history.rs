//! The past changes of a record, as its side remembers them.

use crate::{Actor, EntityName, FieldName, Instant, Key, Value, Version};

/// The past changes of one record.
#[derive(Clone, Debug)]
pub struct HistoryRequest {
    /// The entity.
    pub entity: EntityName,
    /// The record.
    pub key: Key,
    /// The fields of interest.
    pub fields: Vec<FieldName>,
    /// Only changes after this version.
    pub after: Version,
}

/// One past change of one field.
#[derive(Clone, PartialEq, Debug)]
pub struct HistoryEntry {
    /// The field.
    pub field: FieldName,
    /// Its value before, where the side kept it.
    pub old: Value,
    /// Its value after, where the side kept it.
    pub new: Value,
    /// Who changed it.
    pub actor: Actor,
    /// When, by the side's clock.
    pub at: Option<Instant>,
}
