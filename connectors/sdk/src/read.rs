//! Reading: scans, polled changes, look-ups.

use std::sync::Arc;

use crate::{EntityName, FieldName, Filter, Instant, Key, LinkId, Normalizer, Record, Value};

/// Which fields of which entity are read, and in which order their values stand in a record.
/// Only fields that a mapping names ever appear here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// The entity.
    pub entity: EntityName,
    /// The fields, each once.
    pub fields: Arc<[FieldName]>,
    /// The field that holds the link id, where the entity has one.
    pub external_id: Option<FieldName>,
    /// The plain text field that holds the marker, where the entity has one.
    pub marker: Option<FieldName>,
    /// The field that tells who changed a record, where the mapping names one.
    pub actor: Option<FieldName>,
    /// The records that the mapping is about; pushed down by scans and polls, not by look-ups.
    pub filter: Option<Filter>,
}

/// Where a scan or a poll stands: opaque to everybody but its connector, and resumable after a
/// restart.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Cursor(pub Arc<str>);

/// One page of a full read, in key order.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// What to read.
    pub selection: Arc<Selection>,
    /// Where to go on; nothing starts at the beginning.
    pub after: Option<Cursor>,
    /// The most records a page may have; the side may give fewer.
    pub page_rows_max: usize,
}

/// The changes since a cursor, from a side that is polled.
#[derive(Clone, Debug)]
pub struct ChangesRequest {
    /// What to read.
    pub selection: Arc<Selection>,
    /// Where the last poll ended; nothing starts now, giving an empty page whose cursor a later
    /// poll goes on from, so that a first load begun afterwards misses nothing.
    pub since: Option<Cursor>,
    /// The most records a page may have.
    pub page_rows_max: usize,
}

/// Records that were read together.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The records, each key once. A deleted record is in `gone`.
    pub records: Vec<Record>,
    /// Records that the side itself says were deleted (a tombstone, never mere absence:
    /// protocol O7), with the reason.
    pub gone: Vec<(Key, Absence)>,
    /// Where to go on. A scan that gives none has ended; a poll always gives one.
    pub next: Option<Cursor>,
    /// Whether a poll has more to give at once.
    pub more: bool,
    /// The side's own clock at the time of the read.
    pub server_time: Option<Instant>,
}

/// Why a record that was asked for did not come.
#[derive(Clone, PartialEq, Debug)]
pub enum Absence {
    /// It was deleted; who did it and when, where the side tells.
    Deleted {
        /// Who deleted it.
        by: Option<crate::Actor>,
        /// When, by the side's own clock.
        at: Option<Instant>,
        /// The deleted record as the side's recycle bin still shows it, in the selection asked
        /// for: what the look after a guarded delete compares (protocol 1.4.1).
        image: Option<Box<Record>>,
    },
    /// It was merged into another record (protocol O8).
    MergedInto(Key),
    /// The side neither shows nor explains it: not a deletion (protocol O7).
    NotVisible,
}

/// How the records of a look-up are named.
#[derive(Clone, Debug)]
pub enum FetchBy {
    /// By native id.
    Keys(Vec<Key>),
    /// By the link id in the external-id field.
    ExternalIds(Vec<LinkId>),
    /// By the value of a field, for matching. The values are normalised already; the connector
    /// may answer with more than what matches under the normalisers (the caller compares
    /// again), never with less.
    Matching {
        /// The field that is compared.
        field: FieldName,
        /// What is done to the stored value before it is compared.
        normalize: Vec<Normalizer>,
        /// The values looked for.
        values: Vec<Value>,
    },
}

/// A look-up of records by name. The filter of the selection does not apply to it.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// What to read.
    pub selection: Arc<Selection>,
    /// Which records.
    pub by: FetchBy,
}

/// The answer to a look-up.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// The records found.
    pub records: Vec<Record>,
    /// For each key asked for by native id that did not come: why. (Look-ups by external id or
    /// field leave it empty.)
    pub missing: Vec<(Key, Absence)>,
    /// The side's own clock at the time of the read.
    pub server_time: Option<Instant>,
}
