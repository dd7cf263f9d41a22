//! Links that are only observed: what would be written or asked is journalled once, and compared
//! with what becomes of it without us. Nothing here makes an intent or asks a person.

use syncline_sdk::{LinkId, Value};

use super::bounce;
use super::workset::Workset;
use crate::encoding::encode;
use crate::mapping::{Mapping, MappingId, NoImage};
use crate::model::{
    Came, Decided, Figure, HintReason, LinkState, Verdict, Watched, Would, WrittenField,
};
use crate::reconcile::{UnitPlan, is_live};
use crate::{Side, Sides};

/// How long until a record is read again that refers to one without a partner, microseconds: its
/// partner is not ours to make, and may take days.
const PARENT_REST: i64 = 900_000_000;

impl Workset<'_> {
    /// Whether what is decided about a link is written.
    pub(super) fn is_live(&self, id: (MappingId, LinkId), mapping: &Mapping) -> bool {
        self.slots.get(&id).is_some_and(|slot| is_live(mapping, &slot.link))
    }

    /// A link that is written from here on: what was found about it before is journalled.
    pub(super) fn stop_watching(&mut self, id: (MappingId, LinkId)) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if !slot.link.field_state.watched.is_empty() {
            slot.link.field_state.watched.clear();
            slot.dirty = true;
        }
    }

    fn watched(&self, id: (MappingId, LinkId), unit: Option<u16>) -> Option<Watched> {
        let all = &self.slots[&id].link.field_state.watched;
        all.iter().find(|watched| watched.unit == unit).copied()
    }

    /// Notes or forgets what would be done about a unit or the pair.
    fn set_watched(
        &mut self,
        id: (MappingId, LinkId),
        unit: Option<u16>,
        watched: Option<Watched>,
    ) {
        if self.watched(id, unit) == watched {
            return;
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let all = &mut slot.link.field_state.watched;
        all.retain(|known| known.unit != unit);
        all.extend(watched);
        all.sort_by_key(|known| known.unit);
        slot.dirty = true;
    }

    /// This would be done about the pair as a whole. Whatever a person was asked of it while it
    /// was written is asked again once it is written again.
    pub(super) fn watch_pair(&mut self, id: (MappingId, LinkId), would: Would) {
        self.close(id, None);
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        if slot.link.state == LinkState::Held {
            slot.link.state = LinkState::Linked;
            slot.dirty = true;
        }
        if self.watched(id, None).is_some_and(|watched| watched.would == would) {
            return;
        }
        self.note(id, Verdict::Would(would));
        self.count(Figure::WouldWrite, i64::from(would != Would::Ask));
        self.set_watched(id, None, Some(Watched { unit: None, would, values: 0, shown: 0 }));
    }

    /// The reason is gone for what would have been done about the pair: it was done by somebody
    /// else, where that is what happened, else it was withdrawn.
    pub(super) fn came_of_pair(&mut self, id: (MappingId, LinkId), same: impl Fn(Would) -> bool) {
        let Some(watched) = self.watched(id, None) else { return };
        let came = if same(watched.would) { Came::Same } else { Came::Withdrawn };
        self.note(id, Verdict::Came(came));
        self.count_came(watched.would, came);
        self.set_watched(id, None, None);
    }

    fn count_came(&mut self, would: Would, came: Came) {
        let figure = match came {
            Came::Same if would != Would::Ask => Figure::CameSame,
            Came::Other(_) => Figure::CameOther,
            _ => return,
        };
        self.count(figure, 1);
    }

    /// What the plans of a pair's units would do is journalled, and nothing of it done. Values
    /// that are the same on both sides are agreed upon as ever.
    pub(super) fn watch_units(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        plans: Vec<(usize, UnitPlan)>,
    ) {
        for (at, plan) in plans {
            self.free_unit(id, at);
            let unit = u16::try_from(at).ok();
            let watched = self.watched(id, unit);
            match plan {
                UnitPlan::Unreadable => {}
                UnitPlan::Rest => self.withdrawn(id, mapping, at, watched),
                UnitPlan::Keep(side) => {
                    self.withdrawn(id, mapping, at, watched);
                    self.decided(id, mapping, at, Verdict::Kept(side));
                    self.agree(id, mapping, at, &[side]);
                }
                UnitPlan::Agree => {
                    let came = Verdict::Came(Came::Same);
                    let verdict = if watched.is_some() { came } else { Verdict::Agree };
                    self.decided(id, mapping, at, verdict);
                    if let Some(watched) = watched {
                        self.count_came(watched.would, Came::Same);
                    }
                    self.agree(id, mapping, at, &Side::BOTH);
                    self.set_watched(id, unit, None);
                }
                UnitPlan::Write { to, fields, .. } => {
                    let mut written: Sides<Vec<WrittenField>> = Sides::default();
                    written[to] = fields;
                    self.watch_unit(id, mapping, at, Would::Write(to), &written);
                }
                UnitPlan::Merge(fields) => {
                    self.watch_unit(id, mapping, at, Would::WriteBoth, &fields);
                }
                UnitPlan::NoImage(to, NoImage::NoParent(_)) => {
                    if let Some(key) = self.slots[&id].link.keys[to.other()].clone() {
                        let (side, reason) = (to.other(), HintReason::Parent);
                        self.hint_later(mapping, side, key, PARENT_REST, reason);
                    }
                }
                UnitPlan::Hold | UnitPlan::NoImage(..) => {
                    self.watch_unit(id, mapping, at, Would::Ask, &Sides::default());
                }
            }
        }
    }

    fn withdrawn(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        watched: Option<Watched>,
    ) {
        if watched.is_some() {
            self.decided(id, mapping, at, Verdict::Came(Came::Withdrawn));
            self.set_watched(id, u16::try_from(at).ok(), None);
        }
    }

    /// This would be done about a unit.
    fn watch_unit(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        would: Would,
        written: &Sides<Vec<WrittenField>>,
    ) {
        let unit = u16::try_from(at).ok();
        let before = self.watched(id, unit);
        let shows = Sides::from_fn(|side| bounce::mark(mapping, &self.slots[&id].link, at, side));
        if let Some(before) = before
            && let Some(to) = before.would.to()
            && before.shown != shows[to]
        {
            self.decided(id, mapping, at, Verdict::Came(Came::Other(to)));
            self.count_came(before.would, Came::Other(to));
        }
        let values = Sides::from_fn(|side| {
            let link = &self.slots[&id].link;
            let would_be = |field: usize| {
                let mut fields = written[side].iter();
                let put = fields.find(|put| usize::from(put.field) == field);
                put.map_or_else(|| link.observed(side, field), |put| &put.image).clone()
            };
            mapping.units[at].fields(side).map(would_be).collect::<Vec<Value>>()
        });
        // What a side that would be written shows is no part of what it would be written with.
        let given = match would {
            Would::Write(to) => number(&(to == Side::Right, values[to].clone())),
            _ => number(&(values.left.clone(), values.right.clone())),
        };
        let shown = would.to().map_or(0, |to| shows[to]);
        let now = Watched { unit, would, values: given, shown };
        if before.is_none_or(|before| (before.would, before.values) != (would, given)) {
            let verdict = Verdict::Would(would);
            let decided = Decided { unit, verdict, left: values.left, right: values.right };
            self.entry(id, false).decided.push(decided);
            self.count(Figure::WouldWrite, i64::from(would != Would::Ask));
        }
        self.set_watched(id, unit, Some(now));
    }
}

/// A number for some values.
fn number(values: &impl crate::encoding::Encoded) -> u32 {
    let [a, b, c, d, ..] = *blake3::hash(&encode(values)).as_bytes();
    u32::from_le_bytes([a, b, c, d])
}
