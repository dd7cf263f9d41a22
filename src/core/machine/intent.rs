//! Intents: journalled, opened and put into the batches of the round (protocol I1).

use syncline_sdk::{Actor, IntentId, Key, LinkId, Value, Version};

use super::batching::{Carried, Step};
use super::slot::Fresh;
use super::workset::Workset;
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{HintReason, Intent, IntentKind, WrittenField};

/// How long a record waits at least for a system that does not answer, microseconds.
const AWAY: i64 = 1_000_000;

impl Workset<'_> {
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
            .flat_map(|unit| mapping.units[usize::from(*unit)].fields(side))
            .map(|at| (u16::try_from(at).unwrap_or(u16::MAX), link.observed(side, at).clone()))
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
        let mapping = self.mapping(id.0);
        let live = mapping.is_some_and(|mapping| self.is_live(id, &mapping));
        debug_assert!(live, "a write of a link that is only observed");
        if !live {
            // Whoever plans asks first; should one forget, nothing is opened and nothing sent.
            return;
        }
        let intent = Intent { key, ..intent };
        let place = intent.id;
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let mut group = None;
        if let Some(entry) = slot.entries.iter_mut().find(|entry| entry.id == place) {
            entry.intent = Some(intent.clone());
            group = entry.group_behind(&intent);
        }
        slot.link.open[side] = Some(place);
        slot.dirty = true;
        let unclaimed = matches!(slot.fresh[side], Fresh::Read { unclaimed: true, .. });
        // A record without a partner may get one whose link has another id.
        let pair = slot.link.keys.left.is_some() && slot.link.keys.right.is_some();
        let claim = step == Step::Write && intent.kind == IntentKind::Update && unclaimed && pair;
        self.sends.push(Carried { mapping: id.0, link: id.1, intent, step, claim, group });
    }

    /// Whether a side's system does not answer for now, or has no room for what matters less.
    /// Nothing is sent there then: the record is put off, so that what waits for one system holds
    /// back no other.
    pub(super) fn is_away(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
    ) -> bool {
        let system = &mapping.sides[side].system;
        let crowded = || (self.round.crowded)(system, mapping.priority);
        let Some(left) = (self.round.away)(system).or_else(crowded) else { return false };
        // Read beside the rounds, its own record tells first that the system is back.
        let keys = &self.slots[&id].link.keys;
        let place = if keys[side].is_some() { side } else { side.other() };
        if let Some(key) = keys[place].clone() {
            self.hint_later(mapping, place, key, left.max(AWAY), HintReason::Again);
        }
        true
    }

    /// How long a link waits after so many refusals, microseconds.
    pub(super) fn backoff(&self, id: (MappingId, LinkId)) -> i64 {
        self.doubled(self.slots[&id].link.field_state.refusals)
    }

    pub(super) fn doubled(&self, times: u8) -> i64 {
        let limits = self.round.limits;
        let factor = 1i64 << u32::from(times.min(20));
        limits.retry_min.saturating_mul(factor).min(limits.retry_max)
    }
}
