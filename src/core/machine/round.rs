//! What a round works with.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_sdk::{Instant, LinkId, SystemName, Version, VersionOrder};

use crate::mapping::{Mapping, MappingId, Priority};
use crate::model::Fence;

/// The mappings in force, by number.
pub type Mappings = BTreeMap<MappingId, Arc<Mapping>>;

/// Bounds that the machine keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Writes to one unit in a row without an edit from outside, before it is frozen (protocol
    /// P8a: K).
    pub bounces_max: u8,
    /// The same where each write was followed by a new value from a side that does not tell who
    /// made it: far more than people pass a value to and fro at such a pace, and still an end
    /// where automations of both sides do.
    pub reactions_max: u8,
    /// How soon a value must be back, or a new one be there, after the edit that our write
    /// carried, for it to count as a write that does not hold where nobody tells who changed it,
    /// microseconds.
    pub bounce_within: i64,
    /// The shortest wait before a record that was locked, or a tick that was open, is tried
    /// again, microseconds.
    pub retry_min: i64,
    /// The longest such wait, microseconds.
    pub retry_max: i64,
    /// How often a record waits for the one it refers to before its reference is left null for
    /// the time being, or a person is asked.
    pub parent_tries_max: u8,
    /// Refusals of one create or delete before it is parked.
    pub refusals_max: u8,
    /// How long after our create its record may still be taken back for somebody's (protocol C6),
    /// microseconds: later, somebody has worked with it.
    pub twin_within: i64,
    /// Whether one side is read after the other, and no feed tells of changes, as in a rehearsal:
    /// both records of a pair are read before anything of it is decided, and one that is not found
    /// is gone.
    pub side_by_side: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bounces_max: 3,
            reactions_max: 30,
            bounce_within: 900_000_000,
            retry_min: 50_000,
            retry_max: 60_000_000,
            parent_tries_max: 8,
            refusals_max: 5,
            twin_within: 3_600_000_000,
            side_by_side: false,
        }
    }
}

/// What a round is given of time: the engine's clock, read once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Now.
    pub now: Instant,
}

/// What a round works with.
pub struct Round<'a> {
    /// The mappings in force.
    pub mappings: &'a Mappings,
    /// The number reserved for the round's commit.
    pub commit: i64,
    /// Who commits.
    pub fence: Fence,
    /// The time.
    pub clock: Clock,
    /// The bounds.
    pub limits: Limits,
    /// How long a copy of a write may still arrive after it was sent, per system, microseconds:
    /// time-out and request horizon together.
    pub die_after: &'a (dyn Fn(&SystemName) -> i64 + Sync),
    /// How long what is to be sent to a system that does not answer is put off, microseconds;
    /// nothing where it answers.
    pub away: &'a (dyn Fn(&SystemName) -> Option<i64> + Sync),
    /// How long what a mapping of this priority would write to a system is put off, microseconds,
    /// because the system has no room for it; nothing where it has.
    pub crowded: &'a (dyn Fn(&SystemName, Priority) -> Option<i64> + Sync),
    /// Compares two versions of a system.
    pub order: &'a (dyn Fn(&SystemName, &Version, &Version) -> VersionOrder + Sync),
    /// Gives a new link id.
    pub new_id: &'a mut (dyn FnMut() -> LinkId + Send),
}
