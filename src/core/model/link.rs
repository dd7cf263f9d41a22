//! Links: the belief that one left and one right record are the same thing.

use serde::{Deserialize, Serialize};
use syncline_sdk::{Actor, ActorKind, Instant, IntentId, Key, LinkId, Value, Version};

use super::{EntryId, Would};
use crate::mapping::MappingId;
use crate::{Side, Sides};

/// Where a link stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// One side is known, and no partner (SEEN_A, SEEN_B).
    Seen(Side),
    /// A create on this side is under way (CREATING_A, CREATING_B).
    Creating(Side),
    /// Both sides are known.
    Linked,
    /// A guarded delete on this side is under way (DELETING_A, DELETING_B).
    Deleting(Side, DeletePhase),
    /// The record that a create of ours made on this side is taken back by a guarded delete,
    /// because somebody made the same record there; the record of the other side stays (protocol
    /// C6).
    Retracting(Side, DeletePhase),
    /// Both records are gone. Base and keys are kept.
    Tombstone,
    /// The records went into another link.
    Merged(LinkId),
    /// A person must choose before anything happens to the pair; the review says what.
    Held,
    /// The link ended by a rule of the mapping or by a person; both records go their own way.
    Ended,
}

impl LinkState {
    /// The side of which a record is being deleted, and how far that has come.
    #[must_use]
    pub fn deleting(self) -> Option<(Side, DeletePhase)> {
        match self {
            Self::Deleting(side, phase) | Self::Retracting(side, phase) => Some((side, phase)),
            _ => None,
        }
    }
    /// The same delete in another phase; any other state stays as it is.
    #[must_use]
    pub fn in_phase(self, phase: DeletePhase) -> Self {
        match self {
            Self::Deleting(side, _) => Self::Deleting(side, phase),
            Self::Retracting(side, _) => Self::Retracting(side, phase),
            state => state,
        }
    }
}

/// How far a guarded delete has come (protocol 1.4.1). Each phase is recorded before it starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletePhase {
    /// The fence is written: the marker, guarded by the version.
    Fence,
    /// The delete is sent.
    Delete,
    /// The recycle bin is looked at, once no copy of the delete can arrive any more.
    Look,
    /// The record is brought back, because it was changed before the delete took it.
    Undelete,
}

/// The last agreed state of one side, as that side stores it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Base {
    /// Whether the record was agreed to exist.
    pub exists: bool,
    /// The image: one value a field of the mapping's image on that side.
    pub image: Vec<Value>,
}

/// What a side showed last, where it differs from the base.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Pending {
    /// Its existence, where that differs.
    pub exists: Option<bool>,
    /// The fields that differ, by index in the image, ascending.
    pub values: Vec<(u16, Value)>,
    /// Who made the change.
    pub actor: Actor,
    /// When, by the side's own clock.
    pub at: Option<Instant>,
    /// Whether the change came from outside: not from a transaction of ours.
    pub foreign: bool,
    /// Whether the version it was read with can no longer be shared by a later change.
    pub closed: bool,
    /// The journal entry that recorded it.
    pub entry: Option<EntryId>,
}

impl Pending {
    /// True when nothing differs from the base.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exists.is_none() && self.values.is_empty()
    }
    /// The value of a field, where it differs.
    #[must_use]
    pub fn value(&self, field: usize) -> Option<&Value> {
        let place = self.values.binary_search_by_key(&field, |(at, _)| usize::from(*at)).ok()?;
        Some(&self.values[place].1)
    }
}

/// Where the base of a unit comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The side on which the value was first seen.
    pub side: Side,
    /// The kind of actor that made it.
    pub actor: ActorKind,
    /// The entry that made it the base: the intent that carried it, or the agreement.
    pub entry: EntryId,
    /// When it was made, microseconds UTC, 0 where the side did not tell.
    pub at: i64,
}

/// What keeps a unit from being planned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitStatus {
    /// Nothing.
    Free,
    /// It waits for a person.
    Held,
    /// The target refused its value; it waits for another value or for a person to mend the
    /// cause.
    Parked,
    /// It is observed but not written, after drift or a brake.
    Frozen,
    /// It waits for the record that it refers to; how often it was tried.
    Awaiting(u8),
    /// What joins its fields is another rule than the one that it was agreed under: it is agreed
    /// anew as soon as nothing is under way (protocol 1.10).
    Changed,
    /// A field of it was gone and is back: nothing is agreed of it, and a side that is empty by now
    /// takes what the other has.
    Returned,
    /// A person chose that the record about to be made on the other side gets none of it: it
    /// stays as it is here, and empty there.
    LeftOut,
}

/// What is remembered of one unit beyond its base; nothing at rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnitState {
    /// What keeps it from being planned.
    pub status: UnitStatus,
    /// Writes made in a row without an edit from outside in between (protocol P8a).
    pub bounces: u8,
    /// A number for what the last write replaced on its side, where that side does not tell who
    /// makes a change; else 0.
    pub replaced: u32,
}

impl Default for UnitState {
    fn default() -> Self {
        Self { status: UnitStatus::Free, bounces: 0, replaced: 0 }
    }
}

/// One half of a decision that wrote both sides.
#[derive(Clone, PartialEq, Debug)]
pub enum Half {
    /// It is not settled.
    Open,
    /// It was applied, with this image of the units' fields on that side.
    Applied(Vec<(u16, Value)>),
    /// It was not applied.
    Refused,
}

/// A decision that wrote both sides, while a half is open (protocol P7').
#[derive(Clone, PartialEq, Debug)]
pub struct BothHalves {
    /// The units it decided.
    pub units: Vec<u16>,
    /// The values that each side had when the decision was made, for the units' fields.
    pub seen: Sides<Vec<(u16, Value)>>,
    /// What became of each half.
    pub halves: Sides<Half>,
}

/// What would have been written or asked, and was not, since the mapping observes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watched {
    /// The unit; nothing for the pair as a whole.
    pub unit: Option<u16>,
    /// What.
    pub would: Would,
    /// A number for the values it would have been done with, so that it is journalled once.
    pub values: u32,
    /// A number for what the side that would have been written shows.
    pub shown: u32,
}

/// What is remembered of a link beyond base and pending; nothing at rest.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FieldState {
    /// Units that are not as at rest, ascending.
    pub units: Vec<(u16, UnitState)>,
    /// Whether the record of a side stands outside the mapping's filter.
    pub outside: Sides<bool>,
    /// Of a pair that came from another mapping with one of its records: the mapping in whose
    /// filter the record of a side still stands.
    pub stays: Sides<Option<MappingId>>,
    /// Whether a write of ours came after the version that is known of a side, which did not tell
    /// its own: an observation of that very version is from before the write (protocol E2').
    pub overtaken: Sides<bool>,
    /// The open decision on both sides.
    pub both: Option<BothHalves>,
    /// While an intent is open on a side of a feed: the fields that differed from the base in
    /// the feed's event of that very write: the image of the write, kept for its settlement
    /// (protocol E2).
    pub evidence: Sides<Option<Vec<(u16, Value)>>>,
    /// Whether a record is gone since a gap without proof that it was deleted (protocol O7).
    pub suspected: Sides<bool>,
    /// What a person gave up of a side's edits when the deletion of its partner won: while just
    /// that is pending, it keeps the deletion from nothing (protocol 1.4).
    pub given_up: Sides<Vec<(u16, Value)>>,
    /// What kept the link's last create or delete from going through, as a count of refusals.
    pub refusals: u8,
    /// What would have been written or asked, had its mapping not only observed: of each unit,
    /// and of the pair as a whole.
    pub watched: Vec<Watched>,
}

impl FieldState {
    /// The state of a unit.
    #[must_use]
    pub fn unit(&self, unit: usize) -> UnitState {
        self.units
            .binary_search_by_key(&unit, |(at, _)| usize::from(*at))
            .map(|place| self.units[place].1)
            .unwrap_or_default()
    }
    /// Sets the state of a unit; one at rest is forgotten.
    pub fn set_unit(&mut self, unit: usize, state: UnitState) {
        let key = u16::try_from(unit).unwrap_or(u16::MAX);
        match self.units.binary_search_by_key(&key, |(at, _)| *at) {
            Ok(place) if state == UnitState::default() => {
                self.units.remove(place);
            }
            Ok(place) => self.units[place].1 = state,
            Err(_) if state == UnitState::default() => {}
            Err(place) => self.units.insert(place, (key, state)),
        }
    }
    /// True when there is nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A link as the ledger keeps it.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// Its mapping.
    pub mapping: MappingId,
    /// Its id, for life.
    pub id: LinkId,
    /// The unit of ownership it belongs to.
    pub shard: i16,
    /// Where it stands.
    pub state: LinkState,
    /// The owner epoch of the last commit that changed it.
    pub epoch: i64,
    /// The mapping revision that its base is written in.
    pub mapping_rev: i32,
    /// How often its base moved.
    pub sync_version: i64,
    /// The native ids.
    pub keys: Sides<Option<Key>>,
    /// The last agreed state; nothing before the first agreement.
    pub base: Sides<Option<Base>>,
    /// What differs from it now.
    pub pending: Sides<Pending>,
    /// The intent under way on each side (protocol P0 as data).
    pub open: Sides<Option<IntentId>>,
    /// What one side has and the other cannot express (protocol M3).
    pub complement: Vec<u8>,
    /// What is remembered beyond that.
    pub field_state: FieldState,
    /// How new the last observation of each side is.
    pub versions: Sides<Version>,
    /// Where the base of each unit comes from; nothing before the first agreement.
    pub origins: Vec<Option<Origin>>,
    /// The link's newest journal entry.
    pub last_entry: Option<EntryId>,
}

impl Link {
    /// A link about which nothing is known yet.
    #[must_use]
    pub fn new(mapping: MappingId, id: LinkId, state: LinkState) -> Self {
        Self {
            mapping,
            id,
            shard: shard_of(id),
            state,
            epoch: 0,
            mapping_rev: 0,
            sync_version: 0,
            keys: Sides::default(),
            base: Sides::default(),
            pending: Sides::default(),
            open: Sides::default(),
            complement: Vec::new(),
            field_state: FieldState::default(),
            versions: Sides::default(),
            origins: Vec::new(),
            last_entry: None,
        }
    }
    /// Whether the side's record exists, by the last observation.
    #[must_use]
    pub fn exists(&self, side: Side) -> bool {
        self.pending[side].exists.unwrap_or_else(|| self.base_exists(side))
    }
    /// Whether the side's record was agreed to exist.
    #[must_use]
    pub fn base_exists(&self, side: Side) -> bool {
        self.base[side].as_ref().is_some_and(|base| base.exists)
    }
    /// Whether nothing was ever observed of the side's record: somebody named its key.
    #[must_use]
    pub fn is_unread(&self, side: Side) -> bool {
        !self.base_exists(side) && self.versions[side].is_none()
    }
    /// What differs from the base on a side and was not given up to a deletion.
    pub fn edits(&self, side: Side) -> impl Iterator<Item = &(u16, Value)> {
        let given_up = &self.field_state.given_up[side];
        self.pending[side].values.iter().filter(move |edit| !given_up.contains(edit))
    }
    /// The value of a field as last observed.
    #[must_use]
    pub fn observed(&self, side: Side, field: usize) -> &Value {
        self.pending[side].value(field).unwrap_or_else(|| self.base_value(side, field))
    }
    /// The agreed value of a field; absent before the first agreement.
    #[must_use]
    pub fn base_value(&self, side: Side, field: usize) -> &Value {
        self.base[side].as_ref().and_then(|base| base.image.get(field)).unwrap_or(&Value::Absent)
    }
    /// Forgets every value that was agreed upon or shown. What is left is that of a link of which
    /// nothing was agreed yet, so that records that come back meet as at first.
    pub fn erase(&mut self) {
        for side in Side::BOTH {
            if let Some(base) = &mut self.base[side] {
                base.image.fill(Value::Absent);
            }
            self.pending[side] =
                Pending { exists: self.pending[side].exists, ..Pending::default() };
        }
        self.complement.clear();
        self.origins.fill(None);
        let kept = std::mem::take(&mut self.field_state);
        self.field_state = FieldState {
            outside: kept.outside,
            stays: kept.stays,
            overtaken: kept.overtaken,
            suspected: kept.suspected,
            refusals: kept.refusals,
            ..FieldState::default()
        };
    }
    /// True when an intent is under way on either side.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.left.is_some() || self.open.right.is_some()
    }
}

/// The unit of ownership that a link belongs to, out of 256, the same for ever.
#[must_use]
pub fn shard_of(id: LinkId) -> i16 {
    i16::from(id.0.as_bytes()[15])
}
