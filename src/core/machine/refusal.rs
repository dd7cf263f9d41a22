//! Writes that did not take effect: tried again, read anew, or set aside (protocol 1.5).

use syncline_sdk::{Error, ErrorKind, Key, LinkId, Value, Version};

use super::batching::Carried;
use super::claims::claims_of;
use super::observation::{Missing, Observation, Source};
use super::settle::Settling;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    Figure, Half, HintReason, Intent, IntentKind, LinkState, Outcome, Parked, UnitState, UnitStatus,
};

impl Workset<'_> {
    /// The intent did not take effect and never will.
    pub(super) fn refused(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        carried: &Carried,
        settling: &Settling,
    ) {
        let Carried { intent, .. } = carried;
        let side = intent.side;
        if self.is_retracting(id) {
            self.not_retracted(id, mapping, side, settling);
            return;
        }
        self.close_intent(id, side, outcome(settling));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = match slot.link.state {
            LinkState::Creating(at) => LinkState::Seen(at.other()),
            LinkState::Deleting(..) => LinkState::Linked,
            state => state,
        };
        if intent.half {
            if let Some(both) = &mut slot.link.field_state.both {
                both.halves[side] = Half::Refused;
            }
            self.settle_halves(id, mapping, intent);
        }
        match settling {
            Settling::Stale(current) => {
                self.count(Figure::Stale, 1);
                match current {
                    Some(seen) => self.fold(id, mapping, side, seen),
                    None => self.again(id, mapping, side),
                }
            }
            // On a side with a feed the deletion comes with it, or else a truncation.
            Settling::Missing(Some(Missing::Deleted)) if mapping.has_feed(side) => {
                // It did not come for long: a person decides.
                let refusals = self.slots[&id].link.field_state.refusals;
                if refusals >= self.round.limits.refusals_max {
                    let seen = gone(intent, Missing::Suspected);
                    self.fold(id, mapping, side, &seen);
                } else {
                    self.again(id, mapping, side);
                }
            }
            Settling::Missing(Some(missing)) => {
                let seen = gone(intent, missing.clone());
                self.fold(id, mapping, side, &seen);
            }
            Settling::Busy => self.later(id, mapping, side, HintReason::Busy),
            Settling::Refused(error) => self.turned_down(id, mapping, carried, error),
            Settling::Unfindable(_) => self.unfindable(id, mapping, side),
            _ => self.again(id, mapping, side),
        }
    }

    /// Of a create nobody knows what became. It is never sent again blindly (protocol C5): the
    /// record is searched for by its business key first; without one a person is asked.
    fn unfindable(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        let from = side.other();
        let link = &self.slots[&id].link;
        let known: Vec<Value> =
            (0..mapping.sides[from].image_len).map(|at| link.observed(from, at).clone()).collect();
        if claims_of(mapping, from, &known).is_empty() {
            self.hold_ambiguous(id, mapping, Vec::new());
        } else {
            self.again(id, mapping, side);
        }
    }

    /// The record is read again soon; the back-off grows with each refusal.
    pub(super) fn again(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        self.later(id, mapping, side, HintReason::Again);
    }

    fn later(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        reason: HintReason,
    ) {
        let wait = self.backoff(id);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.field_state.refusals = slot.link.field_state.refusals.saturating_add(1);
        slot.deferred = true;
        slot.dirty = true;
        let keys = slot.link.keys.clone();
        for at in [side, side.other()] {
            if let Some(key) = keys[at].clone() {
                self.hint_later(mapping, at, key, wait, reason);
            }
        }
    }

    /// The system said no: later, or set aside until something is mended.
    fn turned_down(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        carried: &Carried,
        error: &Error,
    ) {
        let side = carried.intent.side;
        let refusals = self.slots[&id].link.field_state.refusals;
        let create = carried.intent.kind == IntentKind::Create;
        match error.kind {
            kind if passes(kind) => self.later(id, mapping, side, HintReason::Again),
            // The record may exist already: it is searched before the create is tried again
            // (protocol C4).
            ErrorKind::Duplicate if create && refusals < self.round.limits.refusals_max => {
                self.later(id, mapping, side, HintReason::Again);
            }
            // It may be back already, or gone for good: then it is made anew (protocol 1.4).
            _ if carried.intent.kind == IntentKind::Undelete
                && refusals < self.round.limits.refusals_max =>
            {
                self.later(id, mapping, side, HintReason::Again);
            }
            _ => self.park(id, mapping, carried, error),
        }
    }

    /// Sets the units of a write aside, with the system's own words.
    fn park(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        carried: &Carried,
        error: &Error,
    ) {
        let side = carried.intent.side;
        let named = error.field.as_deref().and_then(|name| {
            let selection = &mapping.sides[side].selection;
            let at = selection
                .fields
                .iter()
                .position(|field| field.as_str().eq_ignore_ascii_case(name))?;
            let unit = mapping.unit_of(side, at)?;
            u16::try_from(unit).ok().filter(|unit| carried.intent.units.contains(unit))
        });
        let update = carried.intent.kind == IntentKind::Update;
        let units = match named {
            Some(unit) if update => vec![unit],
            _ => carried.intent.units.clone(),
        };
        for unit in &units {
            let at = usize::from(*unit);
            let state = self.slots[&id].link.field_state.unit(at);
            self.set_unit(id, at, UnitState { status: UnitStatus::Parked, ..state });
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if carried.intent.kind == IntentKind::Delete {
            slot.link.field_state.refusals = self.round.limits.refusals_max;
        }
        // A create or delete is set aside as a whole: it is not planned again before the record
        // changes or a person asks for it.
        slot.deferred = !update;
        self.set_aside(id, side, error);
    }

    /// Writes down that something of a link is set aside, and why.
    pub(super) fn set_aside(&mut self, id: (MappingId, LinkId), side: Side, error: &Error) {
        let parked = Parked {
            asked_again: false,
            mapping: id.0,
            link: id.1,
            side,
            kind: error.kind.as_str().to_owned(),
            message: error.without_advice(),
            advice: error.advice.clone().unwrap_or_default(),
            entry: self.slots[&id].link.last_entry,
            at: self.round.clock.now.micros(),
        };
        self.out.parked.push(parked);
        self.count(Figure::Parked, 1);
    }
}

/// What is journalled of a write that did not take effect.
pub(super) fn outcome(settling: &Settling) -> Outcome {
    match settling {
        Settling::Stale(_) => Outcome::Stale,
        Settling::Missing(_) => Outcome::Missing,
        Settling::Busy => Outcome::Busy,
        Settling::Refused(error) | Settling::Unfindable(error) => {
            Outcome::Refused(error.kind.as_str().to_owned(), error.without_advice())
        }
        _ => Outcome::Cancelled,
    }
}

/// Whether a refusal is over by itself sooner or later.
pub(super) fn passes(kind: ErrorKind) -> bool {
    PASSING.contains(&kind)
}

/// The same, by the name under which a refusal is journalled.
pub(super) fn passes_by_name(kind: &str) -> bool {
    PASSING.iter().any(|passing| passing.as_str() == kind)
}

const PASSING: [ErrorKind; 5] = [
    ErrorKind::Unavailable,
    ErrorKind::Throttled,
    ErrorKind::Quota,
    ErrorKind::Auth,
    ErrorKind::Locked,
];

/// The observation that a write found its record gone.
fn gone(intent: &Intent, missing: Missing) -> Observation {
    Observation {
        key: intent.key.clone().unwrap_or_else(|| Key::new("")),
        old_key: None,
        version: Version::default(),
        content: Err(missing),
        bin: None,
        external_id: None,
        closed: true,
        actor: syncline_sdk::Actor::default(),
        at: None,
        server_time: None,
        group: None,
        marker: None,
        marked: std::sync::Arc::from([]),
        source: Source::Read,
    }
}
