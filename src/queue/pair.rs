//! A pair of records.

use syncline_core::model::{Alias, Link, Parked, Review};

use super::desk::KnownMapping;

/// A pair of records with all that the ledger knows of how it stands.
pub struct Pair {
    pub mapping: KnownMapping,
    pub link: Link,
    /// The old name by which it was found.
    pub alias: Option<Alias>,
    /// Its questions that are not closed.
    pub questions: Vec<Review>,
    pub parked: Option<Parked>,
    /// The only unit that is told of.
    pub unit: Option<u16>,
}
