//! One link within a round.

use std::collections::{BTreeMap, BTreeSet};

use syncline_sdk::{ActorKind, Key, LinkId, Value, Version};

use super::made::Made;
use super::observation::Observation;
use crate::mapping::Unit;
use crate::model::{Entry, Guard, Link, LinkState, Review, ReviewKey, ReviewStatus, UnitState};
use crate::{Side, Sides};

/// What is known of a record beyond its link, from a reading made in this very round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Fresh {
    /// It was not read in this round.
    #[default]
    No,
    /// It was read; whether its version is closed (protocol O6).
    Read {
        /// Whether no later change can share the version.
        closed: bool,
        /// Whether its external-id field is empty.
        unclaimed: bool,
    },
}

/// How far the search for a partner has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Search {
    /// The rule with this index is to be tried next; past the last one, the search is over and
    /// found nobody.
    Rule(usize),
    /// The partner was found, or the pair waits for a person.
    Over,
}

/// A question of a link, with what was read of it, for the guard.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub review: Review,
    pub read: (i32, ReviewStatus),
    /// What this round does to it.
    pub changed: bool,
    /// Whether it was asked in this round.
    pub new: bool,
}

/// One link within a round: the row as it becomes, and what was loaded.
#[derive(Debug)]
pub(super) struct Slot {
    pub link: Link,
    /// What was loaded; nothing for a link made in this round.
    pub guard: Option<Guard>,
    pub keys_changed: bool,
    /// Whether something of it was set aside when it was loaded.
    pub was_parked: bool,
    /// Whether both its records were there when it was loaded.
    pub was_ready: bool,
    /// Whether the row is to be written.
    pub dirty: bool,
    /// Whether the link is to be planned at the end of the round.
    pub touched: bool,
    pub entries: Vec<Entry>,
    pub fresh: Sides<Fresh>,
    /// The whole reading of this round, fields beyond the image included.
    pub read: Sides<Option<Vec<Value>>>,
    /// Who changed the record last, by that reading.
    pub changed_by: Sides<ActorKind>,
    /// How new what was known of each side was when the link was loaded; nothing where a write
    /// of ours that did not tell came after it.
    pub known: Sides<Version>,
    pub search: Search,
    pub external_id_searched: bool,
    /// The link whose partner on this record's side is another record of the same business key.
    pub twin: Option<LinkId>,
    /// Who could be the partner of a record that has a twin, as a search by this match rule or a
    /// later one finds.
    pub candidates: (usize, Vec<Key>),
    /// What its journal says of the record that a create of ours made, once that was read.
    pub made: Option<Made>,
    /// Whether another record of a side refers to the record there, once that was looked for.
    pub referred: Option<bool>,
    /// A record that carries this link's id was seen on a side whose own is gone: the journal
    /// tells what to make of it.
    pub remade: Option<Box<(Side, Observation)>>,
    /// A record that it had let go was seen again: it is read before that is believed.
    pub returning: Option<Key>,
    pub asked: BTreeMap<Option<u16>, Asked>,
    /// The questions of a former revision that were closed.
    pub outdated: BTreeSet<ReviewKey>,
    /// A side showed something else under the version that is known: it is read again (protocol
    /// O3).
    pub reread: Sides<bool>,
    /// Set when the link was put off within this round: it waits for its hint.
    pub deferred: bool,
}

impl Slot {
    pub fn loaded(link: Link) -> Self {
        let guard =
            Guard { sync_version: link.sync_version, open: link.open, last_entry: link.last_entry };
        let overtaken = &link.field_state.overtaken;
        let known = Sides::from_fn(|side| match overtaken[side] {
            true => Version::default(),
            false => link.versions[side].clone(),
        });
        let new = Self::new(link);
        Self { guard: Some(guard), known, was_ready: new.is_ready(), ..new }
    }
    pub fn new(link: Link) -> Self {
        Self {
            link,
            guard: None,
            keys_changed: false,
            was_parked: false,
            was_ready: false,
            dirty: false,
            touched: false,
            entries: Vec::new(),
            fresh: Sides::default(),
            read: Sides::default(),
            changed_by: Sides::default(),
            known: Sides::default(),
            search: Search::Rule(0),
            external_id_searched: false,
            twin: None,
            candidates: (0, Vec::new()),
            made: None,
            referred: None,
            remade: None,
            returning: None,
            asked: BTreeMap::new(),
            outdated: BTreeSet::new(),
            reread: Sides::default(),
            deferred: false,
        }
    }
    /// Whether both its records are there, so that a reference to the one can be carried over as
    /// one to the other.
    pub fn is_ready(&self) -> bool {
        let pair = self.link.keys.left.is_some() && self.link.keys.right.is_some();
        pair && matches!(self.link.state, LinkState::Linked | LinkState::Held)
    }
    /// Notes whether a record is gone without proof. A suspicion stands until there is proof.
    pub fn suspect(&mut self, side: Side, suspected: bool) {
        let before = self.link.field_state.suspected[side];
        let now = suspected && (before || self.link.exists(side));
        self.link.field_state.suspected[side] = now;
        self.dirty |= before != now;
    }
    /// Moves fields of a side's base and keeps what the side shows: a value observed since the
    /// plan is pending above the new base, also where it equals the base of before (an edit that
    /// was taken back while its write was under way).
    pub fn rebase(&mut self, side: Side, images: &[(u16, Value)]) {
        for (field, value) in images {
            let at = usize::from(*field);
            let now = self.link.observed(side, at).clone();
            let Some(base) = &mut self.link.base[side] else { return };
            let Some(place) = base.image.get_mut(at) else { continue };
            *place = value.clone();
            if now.is_present() && now != *value {
                self.show(side, *field, now);
            }
        }
        self.settle_pending(side);
    }
    /// Notes what a field of a side shows.
    pub fn show(&mut self, side: Side, field: u16, now: Value) {
        let pending = &mut self.link.pending[side];
        pending.foreign |= pending.is_empty();
        match pending.values.binary_search_by_key(&field, |(at, _)| *at) {
            Ok(place) => pending.values[place].1 = now,
            Err(place) => pending.values.insert(place, (field, now)),
        }
    }
    /// Takes back what was agreed of a unit: what both sides show is compared as at a first match.
    pub fn disagree(&mut self, unit: &Unit, at: usize) {
        for side in Side::BOTH {
            for field in unit.fields(side) {
                let shown = self.link.observed(side, field).clone();
                if let Ok(place) = u16::try_from(field)
                    && shown.is_present()
                {
                    self.show(side, place, shown);
                }
                let base = self.link.base[side].as_mut();
                if let Some(agreed) = base.and_then(|base| base.image.get_mut(field)) {
                    *agreed = Value::Absent;
                }
            }
        }
        self.link.field_state.set_unit(at, UnitState::default());
        self.dirty = true;
    }
    /// Forgets the pending fields of a side that by now equal its base.
    pub fn settle_pending(&mut self, side: Side) {
        let base = self.link.base[side].as_ref();
        let exists = base.is_some_and(|base| base.exists);
        let image = base.map(|base| base.image.as_slice()).unwrap_or_default();
        let pending = &mut self.link.pending[side];
        pending.values.retain(|(field, value)| image.get(usize::from(*field)) != Some(value));
        if pending.exists == Some(exists) {
            pending.exists = None;
        }
        if pending.is_empty() {
            *pending = crate::model::Pending::default();
        }
    }
}
