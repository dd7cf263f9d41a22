//! What systems send unasked, and what became of it.

use std::time::Duration;

use async_trait::async_trait;
use syncline_core::model::Hint;
use syncline_sdk::{Instant, SystemName};

use crate::Result;

/// How long notices are remembered, so that one sent again is known. Outbound messages are sent
/// again for 24 hours.
pub const NOTICES_KEPT: Duration = Duration::from_secs(3 * 24 * 3600);

/// How long deliveries are listed.
pub const DELIVERIES_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// What became of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Verdict {
    /// Taken: its hints are durable.
    Accepted,
    /// Taken, and all its notices had come before.
    Repeated,
    /// Refused: the very same signed delivery had come before.
    Replayed,
    /// Refused: not what the system sends.
    Malformed,
    /// Refused: from another installation of that kind of system.
    Stranger,
    /// Refused for now: it could not be judged.
    NotYet,
    /// Refused: the signature does not fit.
    Forged,
    /// Refused: signed too long ago, or in the future.
    Stale,
    /// Refused: not signed, where a signature is asked for.
    Unsigned,
    /// Refused: longer than a delivery can be.
    Oversized,
    /// Refused: the address holds a secret that is not, or no longer, valid.
    WrongSecret,
    /// Refused: from an address that the settings do not list.
    WrongAddress,
    /// Refused: without the client certificate that the settings ask for.
    NoCertificate,
    /// Refused: it came in plain text over a network.
    Insecure,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Accepted,
        Self::Repeated,
        Self::Replayed,
        Self::Malformed,
        Self::Stranger,
        Self::NotYet,
        Self::Forged,
        Self::Stale,
        Self::Unsigned,
        Self::Oversized,
        Self::WrongSecret,
        Self::WrongAddress,
        Self::NoCertificate,
        Self::Insecure,
    ];

    /// The name used in the ledger, in metrics and as JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Repeated => "repeated",
            Self::Replayed => "replayed",
            Self::Malformed => "malformed",
            Self::Stranger => "stranger",
            Self::NotYet => "not_yet",
            Self::Forged => "forged",
            Self::Stale => "stale",
            Self::Unsigned => "unsigned",
            Self::Oversized => "oversized",
            Self::WrongSecret => "wrong_secret",
            Self::WrongAddress => "wrong_address",
            Self::NoCertificate => "no_certificate",
            Self::Insecure => "insecure",
        }
    }

    /// Whether the sender was told that it is taken.
    #[must_use]
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Accepted | Self::Repeated)
    }
}

/// A notice of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewNotice {
    /// The sender's id of it.
    pub id: String,
    /// The hint it makes; none for an entity that no mapping reads.
    pub hint: Option<Hint>,
}

/// A delivery, as it is recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewDelivery {
    /// The system it is for.
    pub system: SystemName,
    /// What is to become of it; `Accepted` becomes `Repeated` where all its notices had come.
    pub verdict: Verdict,
    /// Why, where there is something to say.
    pub reason: Option<String>,
    /// The sender's own id of it.
    pub sender: Option<String>,
    /// When.
    pub at: Instant,
    /// The address it came from.
    pub remote: String,
    /// The length of its body, as far as it was read.
    pub bytes: i64,
    /// Its notices.
    pub notices: Vec<NewNotice>,
    /// A name that no delivery of the system may have twice: of a signed one its id and time.
    pub once: Option<String>,
    /// How many refused ones like it came since the last that was recorded, and were not.
    pub alike: i64,
}

/// A delivery as it was recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// The system it was for.
    pub system: SystemName,
    /// What became of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<String>,
    /// The sender's own id of it.
    pub sender: Option<String>,
    /// When.
    pub at: Instant,
    /// The address it came from.
    pub remote: String,
    /// The length of its body.
    pub bytes: i64,
    /// How many notices it had.
    pub notices: i32,
    /// How many hints were made of them.
    pub hints: i32,
    /// How many of them had come before.
    pub repeated: i32,
    /// How many of them no mapping reads.
    pub unmapped: i32,
    /// How many refused ones like it were not recorded before it.
    pub alike: i64,
}

/// What recording a delivery came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivered {
    /// It is durable, with its hints.
    Recorded(Delivery),
    /// Nothing was recorded: its name that may not come twice had come before.
    Replayed,
}

/// What systems send unasked.
#[async_trait]
pub trait Deliveries: Send + Sync + 'static {
    /// Records a delivery with its hints, in one transaction: a sender may be told that it is
    /// taken once this has answered (protocol O1). Of notices that had come before no hint is
    /// made. What is older than is kept goes with it.
    ///
    /// # Errors
    /// As every call: nothing is promised then, and the sender tries again.
    async fn deliver(&self, delivery: &NewDelivery) -> Result<Delivered>;

    /// Deliveries, of one system or all, the latest first.
    ///
    /// # Errors
    /// As every call.
    async fn deliveries(&self, system: Option<&SystemName>, max: usize) -> Result<Vec<Delivery>>;
}

/// The time before which what is kept for so long is forgotten, microseconds UTC.
pub(crate) fn kept_from(now: Instant, kept: Duration) -> i64 {
    now.micros().saturating_sub(i64::try_from(kept.as_micros()).unwrap_or(i64::MAX))
}

/// Counts of one delivery, of what is new in it.
pub(crate) struct Counted {
    /// The hints that are new.
    pub hints: Vec<Hint>,
    /// The delivery as it is recorded, its number not given yet.
    pub delivery: Delivery,
}

impl NewDelivery {
    /// What is recorded when `is_new` tells which notices had not come before.
    pub(crate) fn counted(&self, is_new: impl Fn(&str) -> bool) -> Counted {
        let new = || self.notices.iter().filter(|notice| is_new(&notice.id));
        let hints: Vec<Hint> = new().filter_map(|notice| notice.hint.clone()).collect();
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let repeated = self.notices.len() - new().count();
        let all_came = self.verdict == Verdict::Accepted
            && !self.notices.is_empty()
            && repeated == self.notices.len();
        let delivery = Delivery {
            id: 0,
            system: self.system.clone(),
            verdict: if all_came { Verdict::Repeated } else { self.verdict },
            reason: self.reason.clone(),
            sender: self.sender.clone(),
            at: self.at,
            remote: self.remote.clone(),
            bytes: self.bytes,
            notices: count(self.notices.len()),
            hints: count(hints.len()),
            repeated: count(repeated),
            unmapped: count(new().filter(|notice| notice.hint.is_none()).count()),
            alike: self.alike,
        };
        Counted { hints, delivery }
    }
}
