//! Profiles: which kind of system the in-memory one plays.

use std::time::Duration;

use syncline_sdk::{
    Actor, ActorKind, Capabilities, Cas, FeedKind, HistoryKind, Instant, ReceiptKind,
};

/// How an in-memory system behaves: its capabilities, and what they do not say. Every switch may
/// be changed alone; the constructors are the kinds met in practice.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// The name, for messages.
    pub name: &'static str,
    /// What it declares, and does.
    pub capabilities: Capabilities,
    /// Whether a refusal of a whole batch leaves a receipt too (receipt tables only).
    pub refusal_receipts: bool,
    /// Whether a write answers with the version that it produced.
    pub tells_version: bool,
    /// How far a poll looks back behind its cursor: at least the longest transaction of a person
    /// (protocol O9).
    pub poll_overlap: Duration,
    /// Whether a reference must point to a living record.
    pub checks_references: bool,
    /// The user that Syncline is.
    pub user: Actor,
}

const DAY: Duration = Duration::from_hours(24);

impl Profile {
    /// An exact conditional write of each field's value, a receipt table, stored images, an
    /// ordered feed with complete images: Postgres.
    #[must_use]
    pub fn postgres() -> Self {
        Self {
            name: "postgres",
            capabilities: Capabilities {
                cas: Cas::ExactField,
                receipt: ReceiptKind::Table,
                history: HistoryKind::None,
                feed: FeedKind::Images,
                unique_external_id: true,
                conditional_delete: true,
                recycle_bin: None,
                transactional: true,
                stored_image: true,
                search_lag: Duration::ZERO,
                request_horizon: Duration::from_mins(1),
                push_writes_max: 500,
                push_guarded_max: 500,
                fetch_keys_max: 1000,
            },
            refusal_receipts: true,
            tells_version: true,
            poll_overlap: Duration::ZERO,
            checks_references: true,
            user: sync_user(),
        }
    }
    /// Postgres without the right to a receipt table: the marker in the stream is the receipt
    /// (protocol I7).
    #[must_use]
    pub fn postgres_stream() -> Self {
        let mut profile = Self::postgres();
        profile.name = "postgres_stream";
        profile.capabilities.receipt = ReceiptKind::Stream;
        profile.refusal_receipts = false;
        profile
    }
    /// An exact version per record, a marker field, polled changes, a conditional delete and
    /// full history: a well-made API.
    #[must_use]
    pub fn versioned() -> Self {
        let mut profile = Self::crm();
        profile.name = "versioned";
        profile.capabilities.cas = Cas::ExactRecord;
        profile.capabilities.history = HistoryKind::FullValues;
        profile.capabilities.conditional_delete = true;
        profile.capabilities.stored_image = true;
        profile.tells_version = true;
        profile
    }
    /// A conditional write on a clock of one second, a marker field, polled changes, a recycle
    /// bin, a delete without condition: Salesforce.
    #[must_use]
    pub fn crm() -> Self {
        Self {
            name: "crm",
            capabilities: Capabilities {
                cas: Cas::Coarse { tick: Duration::from_secs(1) },
                receipt: ReceiptKind::MarkerField,
                history: HistoryKind::FullValues,
                feed: FeedKind::Polled,
                unique_external_id: true,
                conditional_delete: false,
                recycle_bin: Some(15 * DAY),
                transactional: false,
                stored_image: false,
                search_lag: Duration::ZERO,
                request_horizon: Duration::from_mins(10),
                push_writes_max: 200,
                push_guarded_max: 25,
                fetch_keys_max: 200,
            },
            refusal_receipts: false,
            tells_version: false,
            poll_overlap: Duration::from_mins(10),
            checks_references: true,
            user: sync_user(),
        }
    }
    /// No conditional write, but answers that carry the record with its version, a marker field, a
    /// unique external id and a full history: class 3 as it is met (protocol section 3).
    #[must_use]
    pub fn unguarded() -> Self {
        let mut profile = Self::crm();
        profile.name = "unguarded";
        profile.capabilities.cas = Cas::None;
        profile.capabilities.stored_image = true;
        profile.tells_version = true;
        profile
    }
    /// No conditional write and no receipt, but a full history: class 3 (protocol section 3).
    #[must_use]
    pub fn audited() -> Self {
        let mut profile = Self::crm();
        profile.name = "audited";
        profile.capabilities.cas = Cas::None;
        profile.capabilities.receipt = ReceiptKind::None;
        profile.capabilities.search_lag = Duration::from_secs(5);
        profile.capabilities.unique_external_id = false;
        profile
    }
    /// Nothing at all: class 5.
    #[must_use]
    pub fn bare() -> Self {
        let mut profile = Self::audited();
        profile.name = "bare";
        profile.capabilities.history = HistoryKind::None;
        profile.capabilities.recycle_bin = None;
        profile
    }
    /// All profiles, for suites that run under each.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::postgres(),
            Self::postgres_stream(),
            Self::versioned(),
            Self::crm(),
            Self::unguarded(),
            Self::audited(),
            Self::bare(),
        ]
    }

    /// The tick of the stamps, in microseconds.
    pub(crate) fn tick_micros(&self) -> i64 {
        match self.capabilities.cas {
            Cas::Coarse { tick } => micros(tick).max(1),
            _ => 1,
        }
    }
    /// The stamp of a point in time.
    pub(crate) fn stamp(&self, at: Instant) -> i64 {
        at.micros() - at.micros().rem_euclid(self.tick_micros())
    }
}

fn sync_user() -> Actor {
    Actor { id: Some("syncline".into()), kind: ActorKind::Sync }
}

/// A duration in microseconds; one beyond the range of the clock is its end.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A point in time so much later.
pub(crate) fn later(at: Instant, by: Duration) -> Instant {
    Instant::from_micros(at.micros().saturating_add(micros(by)))
}
