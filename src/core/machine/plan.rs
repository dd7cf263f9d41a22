//! The plan: what is touched is decided, and intents are journalled and opened.

use syncline_sdk::{Actor, Cas, Instant, IntentId, Key, LinkId, Value, Version};

use super::batching::{Carried, Step};
use super::slot::Fresh;
use super::workset::{Want, Workset};
use crate::mapping::{Mapping, MappingId, NoImage};
use crate::model::{
    Decided, HintReason, Intent, IntentKind, LinkState, Origin, ReviewKind, UnitState, UnitStatus,
    Verdict, WrittenField,
};
use crate::reconcile::{UnitPlan, decide_unit, written_fields};
use crate::{Side, Sides};

/// What goes to one side of one link.
#[derive(Default)]
struct Outgoing {
    units: Vec<u16>,
    fields: Vec<WrittenField>,
}

impl Workset<'_> {
    /// What must be read before the touched links can be planned. Empty when nothing is missing.
    #[must_use]
    pub fn wants(&self) -> Vec<Want> {
        let mut wants = Vec::new();
        for (id, slot) in &self.slots {
            if !slot.touched || slot.deferred || slot.link.is_open() {
                continue;
            }
            let Some(mapping) = self.round.mappings.get(&id.0) else { continue };
            match slot.link.state {
                LinkState::Seen(side) => {
                    let rests = !slot.link.exists(side) || slot.link.field_state.outside[side];
                    if !rests {
                        wants.extend(self.search_want(*id, mapping));
                    }
                }
                LinkState::Linked | LinkState::Held => self.pair_wants(*id, mapping, &mut wants),
                _ => {}
            }
        }
        wants
    }

    fn pair_wants(&self, id: (MappingId, LinkId), mapping: &Mapping, wants: &mut Vec<Want>) {
        let slot = &self.slots[&id];
        let link = &slot.link;
        let want = |side: Side, wants: &mut Vec<Want>| {
            if slot.fresh[side] == Fresh::No
                && let Some(key) = link.keys[side].clone()
            {
                wants.push(Want::Fresh { mapping: id.0, link: id.1, side, key });
            }
        };
        for side in Side::BOTH {
            if link.base[side].is_none()
                && link.exists(side)
                && link.pending[side].values.is_empty()
            {
                want(side, wants);
            }
        }
        for side in Side::BOTH {
            if mapping.sides[side].capabilities.cas == Cas::ExactField || !link.exists(side) {
                continue;
            }
            let other_gone = !link.exists(side.other());
            let written = other_gone
                || link.field_state.outside[side.other()]
                || (0..mapping.units.len()).any(|at| {
                    matches!(decide_unit(mapping, link, at),
                        UnitPlan::Write { to, .. } if to == side)
                });
            if written {
                want(side, wants);
            }
        }
    }

    /// Plans every touched link.
    pub(super) fn plan_touched(&mut self) {
        let touched: Vec<(MappingId, LinkId)> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.touched && !slot.deferred)
            .map(|(id, _)| *id)
            .collect();
        for id in touched {
            self.plan_link(id);
        }
    }

    /// Plans one link. With an intent open on either side nothing is planned (protocol P0).
    fn plan_link(&mut self, id: (MappingId, LinkId)) {
        let Some(mapping) = self.mapping(id.0) else { return };
        let slot = &self.slots[&id];
        if slot.link.is_open() {
            return;
        }
        match slot.link.state {
            LinkState::Seen(side) => self.plan_lone(id, &mapping, side),
            LinkState::Linked | LinkState::Held => self.plan_pair(id, &mapping),
            LinkState::Tombstone => self.plan_tombstone(id, &mapping),
            LinkState::Creating(_)
            | LinkState::Deleting(..)
            | LinkState::Merged(_)
            | LinkState::Ended => {}
        }
    }

    /// A record without a partner.
    fn plan_lone(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        let slot = &self.slots[&id];
        if !slot.link.exists(side) {
            self.both_gone(id, mapping);
            return;
        }
        if slot.link.field_state.outside[side] {
            return;
        }
        if self.search_want(id, mapping).is_some() {
            let key = slot.link.keys[side].clone();
            if let Some(key) = key {
                let wait = self.backoff(id);
                self.hint_later(mapping, side, key, wait, HintReason::Again);
            }
            return;
        }
        if mapping.create[side.other()] {
            self.plan_create(id, mapping, side);
            return;
        }
        // It waits for a partner to appear; its values are read again then.
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.pending[side].values.clear();
        slot.dirty = true;
    }

    fn plan_create(&mut self, id: (MappingId, LinkId), mapping: &Mapping, from: Side) {
        let to = from.other();
        let complete = {
            let link = &self.slots[&id].link;
            (0..mapping.sides[from].image_len).any(|at| link.observed(from, at).is_present())
        };
        if !complete {
            self.await_read(id, mapping, from);
            return;
        }
        let parked = |at| self.slots[&id].link.field_state.unit(at).status == UnitStatus::Parked;
        if (0..mapping.units.len()).any(parked) {
            return;
        }
        let mut out = Outgoing::default();
        for at in 0..mapping.units.len() {
            if !mapping.units[at].direction.reaches(to) {
                self.keep_unreached(id, mapping, at, from);
                continue;
            }
            let unit = u16::try_from(at).unwrap_or(u16::MAX);
            let parents = self.parents_ready(id, mapping, at, to);
            match written_fields(mapping, &self.slots[&id].link, at, to) {
                Ok(fields) if parents => {
                    out.units.push(unit);
                    out.fields.extend(fields);
                }
                Ok(_) | Err(NoImage::NoParent(_)) => {
                    if !self.defer_reference(id, mapping, at, from, &mut out) {
                        return;
                    }
                }
                Err(NoImage::Absent) => {}
                Err(NoImage::NotNullable) => {
                    // Null for a field that may not be null: the target's own default stands,
                    // and comes back as its edit.
                }
                Err(reason) => {
                    if !self.leave_out(id, mapping, at, to, reason, &mut out) {
                        return;
                    }
                }
            }
        }
        self.note(id, Verdict::Create(to));
        let mut intent = self.make_intent(id, mapping, to, IntentKind::Create, out.fields);
        intent.units = out.units;
        intent.source = self.source_of_create(id, mapping, from, &intent);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Creating(to);
        self.send(id, to, intent, Step::Write, None);
    }

    /// A value that does not travel is written down with the decision, since the side that leads
    /// may replace it later.
    fn keep_unreached(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
    ) {
        let link = &self.slots[&id].link;
        let mut pairs = mapping.units[at].pairs.iter();
        if pairs.any(|pair| !link.observed(from, pair.on(from)).is_null()) {
            self.decided(id, mapping, at, Verdict::Kept(from));
        }
    }

    fn await_read(&mut self, id: (MappingId, LinkId), mapping: &Mapping, side: Side) {
        if let Some(key) = self.slots[&id].link.keys[side].clone() {
            self.hint_later(mapping, side, key, 0, HintReason::Again);
        }
    }

    /// The values of the other side that a create carries. Units whose value is left out for now
    /// are recorded as null on both sides, so that the value stays pending (protocol 1.7).
    fn source_of_create(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        from: Side,
        intent: &Intent,
    ) -> Vec<(u16, Value)> {
        let link = &self.slots[&id].link;
        let mut source = Vec::new();
        for (at, unit) in mapping.units.iter().enumerate() {
            let carried = intent.units.contains(&u16::try_from(at).unwrap_or(u16::MAX));
            let left_out = unit.pairs.iter().any(|pair| {
                intent
                    .fields
                    .iter()
                    .any(|field| usize::from(field.field) == pair.on(from.other()) && !carried)
            });
            for pair in &unit.pairs {
                let field = u16::try_from(pair.on(from)).unwrap_or(u16::MAX);
                let value =
                    if left_out { Value::Null } else { link.observed(from, pair.on(from)).clone() };
                source.push((field, value));
            }
        }
        source
    }

    /// A reference whose record is not on the target yet: the create waits a while, then goes
    /// without it, where the target allows null. False when the create is put off.
    fn defer_reference(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
        out: &mut Outgoing,
    ) -> bool {
        let to = from.other();
        let tries = match self.slots[&id].link.field_state.unit(at).status {
            UnitStatus::Awaiting(tries) => tries,
            _ => 0,
        };
        let fields = mapping.units[at].pairs.iter().map(|pair| pair.on(to));
        let nullable = fields.clone().all(|field| mapping.sides[to].fields[field].nullable);
        if tries >= 2 && nullable {
            out.fields.extend(fields.map(null_field));
            return true;
        }
        self.await_parent(id, mapping, at, from, tries);
        if tries > self.round.limits.parent_tries_max && !nullable {
            let reason = NoImage::NoParent(String::from("of a required reference"));
            self.ask(id, mapping, Some(at), ReviewKind::NoImage(to, reason));
        }
        false
    }

    /// A value without image is left out of a create where the target allows null, and asked
    /// about; else the create waits for a person. False when it does.
    fn leave_out(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        to: Side,
        reason: NoImage,
        out: &mut Outgoing,
    ) -> bool {
        self.hold_unit(id, mapping, at, ReviewKind::NoImage(to, reason));
        let fields = mapping.units[at].pairs.iter().map(|pair| pair.on(to));
        let nullable = fields.clone().all(|field| mapping.sides[to].fields[field].nullable);
        if nullable {
            out.fields.extend(fields.map(null_field));
        }
        nullable
    }

    /// Decides every unit of a pair of which both records exist, and opens one intent a side.
    pub(super) fn plan_units(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        for side in Side::BOTH {
            let link = &self.slots[&id].link;
            if link.base[side].is_none() && link.pending[side].values.is_empty() {
                self.await_read(id, mapping, side);
                return;
            }
        }
        self.first_base(id, mapping);
        let mut out: Sides<Outgoing> = Sides::default();
        for at in 0..mapping.units.len() {
            let status = self.slots[&id].link.field_state.unit(at).status;
            if matches!(status, UnitStatus::Frozen | UnitStatus::Parked) {
                continue;
            }
            let plan = decide_unit(mapping, &self.slots[&id].link, at);
            self.plan_unit(id, mapping, at, plan, &mut out);
        }
        for side in Side::BOTH {
            let Outgoing { units, fields } = std::mem::take(&mut out[side]);
            if units.is_empty() {
                continue;
            }
            let mut intent = self.make_intent(id, mapping, side, IntentKind::Update, fields);
            intent.source = self.source(id, mapping, side.other(), &units);
            intent.units = units;
            let key = self.slots[&id].link.keys[side].clone();
            self.send(id, side, intent, Step::Write, key);
        }
    }

    /// Gives a pair that was just matched the base of which nothing is agreed yet.
    fn first_base(&mut self, id: (MappingId, LinkId), mapping: &Mapping) {
        let units = mapping.units.len();
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        for side in Side::BOTH {
            if slot.link.base[side].is_some() {
                continue;
            }
            let image = vec![Value::Absent; mapping.sides[side].image_len];
            slot.link.base[side] = Some(crate::model::Base { exists: true, image });
            slot.link.pending[side].exists = None;
            slot.link.origins.resize(units, None);
            slot.dirty = true;
        }
    }

    fn plan_unit(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        plan: UnitPlan,
        out: &mut Sides<Outgoing>,
    ) {
        match plan {
            UnitPlan::Rest => self.free_unit(id, at),
            UnitPlan::Unreadable => {}
            UnitPlan::Agree => {
                self.decided(id, mapping, at, Verdict::Agree);
                self.agree(id, mapping, at, Side::BOTH.as_slice());
                self.free_unit(id, at);
            }
            UnitPlan::Keep(side) => {
                self.decided(id, mapping, at, Verdict::Kept(side));
                self.agree(id, mapping, at, &[side]);
                self.free_unit(id, at);
            }
            UnitPlan::Hold => {
                let first = mapping.units[at].pairs.iter().all(|pair| {
                    let link = &self.slots[&id].link;
                    !link.base_value(Side::Left, pair.left).is_present()
                        && !link.base_value(Side::Right, pair.right).is_present()
                });
                let kind = if first { ReviewKind::Initial } else { ReviewKind::Conflict };
                if self.slots[&id].link.field_state.unit(at).status != UnitStatus::Held {
                    self.decided(id, mapping, at, Verdict::Hold);
                }
                self.hold_unit(id, mapping, at, kind);
            }
            UnitPlan::NoImage(side, NoImage::NoParent(_)) => {
                self.wait_for_parent(id, mapping, at, side.other());
            }
            UnitPlan::NoImage(side, reason) => {
                if self.slots[&id].link.field_state.unit(at).status != UnitStatus::Held {
                    self.decided(id, mapping, at, Verdict::NoImage(side, reason.clone()));
                }
                self.hold_unit(id, mapping, at, ReviewKind::NoImage(side, reason));
            }
            UnitPlan::Write { to, verdict, fields } => {
                self.plan_write(id, mapping, at, to, verdict, fields, out);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one decision")]
    fn plan_write(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        to: Side,
        verdict: Verdict,
        fields: Vec<WrittenField>,
        out: &mut Sides<Outgoing>,
    ) {
        if !self.parents_ready(id, mapping, at, to) {
            self.wait_for_parent(id, mapping, at, to.other());
            return;
        }
        if !self.is_closed(id, mapping, to) {
            return;
        }
        let foreign = self.slots[&id].link.pending[to.other()].foreign;
        let state = self.slots[&id].link.field_state.unit(at);
        let bounces = if foreign { 0 } else { state.bounces.saturating_add(1) };
        if bounces > self.round.limits.bounces_max {
            self.decided(id, mapping, at, Verdict::Oscillates);
            self.set_unit(id, at, UnitState { status: UnitStatus::Frozen, bounces });
            self.ask(id, mapping, Some(at), ReviewKind::Oscillation);
            return;
        }
        self.free_unit(id, at);
        self.set_unit(id, at, UnitState { status: UnitStatus::Free, bounces });
        self.decided(id, mapping, at, verdict);
        out[to].units.push(u16::try_from(at).unwrap_or(u16::MAX));
        out[to].fields.extend(fields);
    }

    /// A reference waits for its record; after many tries a person is told.
    fn wait_for_parent(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
    ) {
        let tries = match self.slots[&id].link.field_state.unit(at).status {
            UnitStatus::Awaiting(tries) => tries,
            UnitStatus::Held => self.round.limits.parent_tries_max,
            _ => {
                self.decided(id, mapping, at, Verdict::AwaitParent);
                0
            }
        };
        self.await_parent(id, mapping, at, from, tries);
        if tries >= self.round.limits.parent_tries_max {
            let reason = NoImage::NoParent(self.parent_names(id, mapping, at, from));
            self.ask(id, mapping, Some(at), ReviewKind::NoImage(from.other(), reason));
        }
    }

    fn parent_names(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
    ) -> String {
        let link = &self.slots[&id].link;
        let names: Vec<String> = mapping.units[at]
            .pairs
            .iter()
            .map(|pair| link.observed(from, pair.on(from)).to_string())
            .collect();
        names.join(", ")
    }

    fn await_parent(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        from: Side,
        tries: u8,
    ) {
        let state = self.slots[&id].link.field_state.unit(at);
        let status = UnitStatus::Awaiting(tries.saturating_add(1));
        self.set_unit(id, at, UnitState { status, ..state });
        if let Some(key) = self.slots[&id].link.keys[from].clone() {
            let wait = self.doubled(tries).min(2_000_000);
            self.hint_later(mapping, from, key, wait, HintReason::Parent);
        }
    }

    /// Whether the records that a unit refers to are on the target.
    fn parents_ready(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        to: Side,
    ) -> bool {
        let from = to.other();
        mapping.units[at].pairs.iter().all(|pair| {
            let Some(parents) = pair.reference else { return true };
            match self.slots[&id].link.observed(from, pair.on(from)) {
                Value::Link(parent) => self.slots.get(&(parents, *parent)).is_some_and(|slot| {
                    slot.link.keys[to].is_some()
                        && matches!(slot.link.state, LinkState::Linked | LinkState::Held)
                }),
                _ => true,
            }
        })
    }

    /// The parents that touched links refer to and that are not loaded.
    #[must_use]
    pub fn parents_wanted(&self) -> Vec<(MappingId, LinkId)> {
        let mut wanted = std::collections::BTreeSet::new();
        for (id, slot) in self.slots.iter().filter(|(_, slot)| slot.touched) {
            let Some(mapping) = self.round.mappings.get(&id.0) else { continue };
            for pair in mapping.units.iter().flat_map(|unit| &unit.pairs) {
                let Some(parents) = pair.reference else { continue };
                for side in Side::BOTH {
                    if let Value::Link(parent) = slot.link.observed(side, pair.on(side))
                        && !self.slots.contains_key(&(parents, *parent))
                    {
                        wanted.insert((parents, *parent));
                    }
                }
            }
        }
        wanted.into_iter().collect()
    }

    /// Moves the base of a unit to what sides show, without a write.
    pub(super) fn agree(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        sides: &[Side],
    ) {
        let entry = self.entry(id, false).id;
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let from = sides.iter().copied().find(|side| {
            mapping.units[at]
                .pairs
                .iter()
                .any(|pair| slot.link.pending[*side].value(pair.on(*side)).is_some())
        });
        let from = from.unwrap_or(sides[0]);
        for side in sides {
            for pair in &mapping.units[at].pairs {
                let field = pair.on(*side);
                let value = slot.link.observed(*side, field).clone();
                if let Some(base) = &mut slot.link.base[*side]
                    && let Some(place) = base.image.get_mut(field)
                {
                    *place = value;
                }
            }
        }
        let pending = &slot.link.pending[from];
        let origin = Origin {
            side: from,
            actor: pending.actor.kind,
            entry,
            at: pending.at.map_or(0, Instant::micros),
        };
        slot.link.origins.resize(mapping.units.len(), None);
        slot.link.origins[at] = Some(origin);
        slot.link.sync_version += 1;
        slot.link.mapping_rev = mapping.revision;
        for side in sides {
            slot.settle_pending(*side);
        }
        slot.dirty = true;
    }

    /// The unit is at rest: what kept it is over, and its question closes itself.
    fn free_unit(&mut self, id: (MappingId, LinkId), at: usize) {
        let state = self.slots[&id].link.field_state.unit(at);
        if matches!(state.status, UnitStatus::Held | UnitStatus::Awaiting(_)) {
            self.set_unit(id, at, UnitState { status: UnitStatus::Free, ..state });
        }
        self.close(id, Some(at));
    }

    fn hold_unit(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        kind: ReviewKind,
    ) {
        let state = self.slots[&id].link.field_state.unit(at);
        self.set_unit(id, at, UnitState { status: UnitStatus::Held, ..state });
        self.ask(id, mapping, Some(at), kind);
    }

    pub(super) fn set_unit(&mut self, id: (MappingId, LinkId), at: usize, state: UnitState) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if slot.link.field_state.unit(at) != state {
            slot.link.field_state.set_unit(at, state);
            slot.dirty = true;
        }
    }

    pub(super) fn decided(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        verdict: Verdict,
    ) {
        let link = &self.slots[&id].link;
        let shown = Sides::from_fn(|side| {
            let pairs = mapping.units[at].pairs.iter();
            pairs.map(|pair| link.observed(side, pair.on(side)).clone()).collect::<Vec<_>>()
        });
        let decided = Decided {
            unit: Some(u16::try_from(at).unwrap_or(u16::MAX)),
            verdict,
            left: shown.left,
            right: shown.right,
        };
        self.entry(id, false).decided.push(decided);
    }

    /// The values of a side for units.
    pub(super) fn source(
        &self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        units: &[u16],
    ) -> Vec<(u16, Value)> {
        let link = &self.slots[&id].link;
        units
            .iter()
            .flat_map(|unit| &mapping.units[usize::from(*unit)].pairs)
            .map(|pair| {
                let field = u16::try_from(pair.on(side)).unwrap_or(u16::MAX);
                (field, link.observed(side, pair.on(side)).clone())
            })
            .collect()
    }

    /// An intent with the id of a journal entry that will carry it.
    pub(super) fn make_intent(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        kind: IntentKind,
        fields: Vec<WrittenField>,
    ) -> Intent {
        debug_assert_eq!(mapping.id, id.0);
        let intent: IntentId = self.open_entry(id);
        let link = &self.slots[&id].link;
        let from = &link.pending[side.other()];
        Intent {
            id: intent,
            side,
            kind,
            key: link.keys[side].clone(),
            units: Vec::new(),
            fields,
            version: match kind {
                IntentKind::Create | IntentKind::Undelete => Version::default(),
                IntentKind::Update | IntentKind::Delete => link.versions[side].clone(),
            },
            source: Vec::new(),
            half: false,
            actor: if from.is_empty() { Actor::default() } else { from.actor.clone() },
            edited_at: from.at,
        }
    }

    /// Journals an intent, opens it and puts it into the batches of the round.
    pub(super) fn send(
        &mut self,
        id: (MappingId, LinkId),
        side: Side,
        intent: Intent,
        step: Step,
        key: Option<Key>,
    ) {
        let intent = Intent { key, ..intent };
        let place = intent.id;
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if let Some(entry) = slot.entries.iter_mut().find(|entry| entry.id == place) {
            entry.intent = Some(intent.clone());
        }
        slot.link.open[side] = Some(place);
        slot.dirty = true;
        let unclaimed = matches!(slot.fresh[side], Fresh::Read { unclaimed: true, .. });
        let claim = step == Step::Write && intent.kind == IntentKind::Update && unclaimed;
        self.sends.push(Carried { mapping: id.0, link: id.1, intent, step, claim });
    }

    /// How long a link waits after so many refusals, microseconds.
    pub(super) fn backoff(&self, id: (MappingId, LinkId)) -> i64 {
        self.doubled(self.slots[&id].link.field_state.refusals)
    }

    fn doubled(&self, times: u8) -> i64 {
        let limits = self.round.limits;
        let factor = 1i64 << u32::from(times.min(20));
        limits.retry_min.saturating_mul(factor).min(limits.retry_max)
    }
}

/// A field written as null, because its value has no image for now.
fn null_field(field: usize) -> WrittenField {
    WrittenField {
        field: u16::try_from(field).unwrap_or(u16::MAX),
        value: Value::Null,
        image: Value::Null,
        expected: Value::Absent,
    }
}
