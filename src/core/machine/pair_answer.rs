//! Answers of people to questions about a pair, folded (protocol P4).

use syncline_sdk::{Key, LinkId};

use super::answer::UNREAD;
use super::slot::Search;
use super::workset::Workset;
use crate::mapping::{DeleteRule, Mapping, MappingId};
use crate::model::{Answer, Choice, LinkState, ReviewKind, Verdict};
use crate::{Side, Sides};

impl Workset<'_> {
    /// Carries out what was chosen for a pair. The reason, where that cannot be.
    pub(super) fn answer_pair(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        kind: &ReviewKind,
        answer: &Answer,
    ) -> Result<(), String> {
        match (kind, &answer.choice) {
            (
                ReviewKind::DeleteUpdate(gone)
                | ReviewKind::Delete(gone)
                | ReviewKind::SuspectedDelete(gone),
                Choice::Take(side),
            ) => {
                if side == gone {
                    self.delete_wins(id, mapping, *gone)
                } else {
                    self.close(id, None);
                    self.bring_back(id, mapping, *side);
                    Ok(())
                }
            }
            (ReviewKind::Leave(left), Choice::Take(side)) if side == left => {
                self.delete_wins(id, mapping, *left)
            }
            (ReviewKind::Ambiguous(_), Choice::Adopt(key)) => self.adopt_chosen(id, mapping, key),
            (ReviewKind::Ambiguous(_), Choice::Separate) => self.separate(id, mapping),
            (ReviewKind::Merged(..), Choice::Separate) => self.separate(id, mapping),
            (ReviewKind::Merged(merged, _), Choice::Take(side)) if side == merged => {
                self.delete_left_over(id, mapping, *merged)
            }
            // The winner's partner stays that, and the loser's goes its own way.
            (ReviewKind::Merged(_, partner), Choice::Adopt(key))
                if partner.as_ref() == Some(key) =>
            {
                self.end(id, mapping);
                Ok(())
            }
            (_, Choice::Separate) => {
                self.end(id, mapping);
                Ok(())
            }
            (kind, Choice::Retry) if !matches!(kind, ReviewKind::Merged(..)) => {
                self.close(id, None);
                let slot = self.slots.get_mut(&id).expect("the link is in the workset");
                slot.link.field_state.refusals = 0;
                slot.link.state = match slot.link.keys {
                    Sides { left: Some(_), right: Some(_) } => LinkState::Linked,
                    Sides { left: Some(_), .. } => LinkState::Seen(Side::Left),
                    Sides { .. } => LinkState::Seen(Side::Right),
                };
                slot.search = Search::Rule(0);
                slot.dirty = true;
                Ok(())
            }
            (ReviewKind::Merged(..), choice) => {
                Err(format!("`{choice}` is no answer to a question about merged records"))
            }
            (kind, choice) => Err(format!("`{choice}` is no answer to {kind:?}")),
        }
    }

    /// The deletion stands: what the other side changed meanwhile is given up, with its values
    /// in the journal. The base does not move: should the deletion come to nothing, both records
    /// are not at one.
    fn delete_wins(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        gone: Side,
    ) -> Result<(), String> {
        let stays = gone.other();
        if !self.slots[&id].link.exists(stays) {
            return Err("the other record is gone too".to_owned());
        }
        if !self.is_closed(id, mapping, stays) {
            return Err(UNREAD.to_owned());
        }
        for at in 0..mapping.units.len() {
            let pending = &self.slots[&id].link.pending[stays];
            let changed = mapping.units[at].fields(stays).any(|at| pending.value(at).is_some());
            if changed {
                self.decided(id, mapping, at, Verdict::PolicyTook(gone));
            }
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let given_up = slot.link.pending[stays].values.clone();
        slot.link.field_state.given_up[stays] = given_up;
        slot.dirty = true;
        self.plan_delete(id, mapping, stays);
        Ok(())
    }

    /// The record that a merge left goes too. From here on the pair is one of which a side was
    /// deleted, whatever becomes of the delete.
    fn delete_left_over(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        merged: Side,
    ) -> Result<(), String> {
        if mapping.delete[merged] == DeleteRule::Keep || !self.slots[&id].link.base_exists(merged) {
            return Err(format!("deletions of the {merged} side are not carried over"));
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        let before = slot.link.clone();
        slot.link.state = LinkState::Held;
        slot.link.pending[merged].exists = Some(false);
        let planned = self.delete_wins(id, mapping, merged);
        if planned.is_err() {
            self.slots.get_mut(&id).expect("the link is in the workset").link = before;
        }
        planned
    }

    /// A person named the partner.
    fn adopt_chosen(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        key: &Key,
    ) -> Result<(), String> {
        let link = &self.slots[&id].link;
        if matches!(link.state, LinkState::Merged(_)) {
            return Err("both are records of one side: merge them there, or keep both".to_owned());
        }
        let Some(side) = Side::BOTH.into_iter().find(|side| link.keys[*side].is_none()) else {
            return Err("the link has both its records".to_owned());
        };
        if let Some(other) = self.link_of(id.0, side, key) {
            self.let_go((id.0, other), mapping, side, key, id.1)?;
        }
        self.close(id, None);
        self.set_key(id, side, Some(key.clone()));
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Linked;
        slot.link.pending[side].exists = Some(true);
        self.note(id, Verdict::Adopt(side));
        Ok(())
    }

    /// The link that knows a record which a person chose as a partner leaves it to the other one,
    /// where it looks for a partner itself. Of a record whose link was ended nothing is known any
    /// more, not even whether it is still there.
    fn let_go(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        key: &Key,
        to: LinkId,
    ) -> Result<(), String> {
        let Some(slot) = self.slots.get(&id) else { return Err("it was not read".to_owned()) };
        let link = &slot.link;
        match (link.state, &link.keys[side.other()]) {
            (LinkState::Ended, _) => {
                return Err(format!("the record {key} went its own way: its link was ended"));
            }
            (LinkState::Seen(at), None) if at == side && !link.is_open() => {
                self.join(mapping, side, id.1, to);
            }
            (LinkState::Held, None) if !link.is_open() => {
                self.close_all(id);
                self.join(mapping, side, id.1, to);
            }
            (_, Some(partner)) => {
                return Err(format!("the record {key} has a partner already: {partner}"));
            }
            (_, None) => return Err(format!("the record {key} is about to get a partner")),
        }
        Ok(())
    }

    /// The candidates are none: the record gets a partner of its own.
    fn separate(&mut self, id: (MappingId, LinkId), mapping: &Mapping) -> Result<(), String> {
        let link = &self.slots[&id].link;
        let Some(side) = Side::BOTH.into_iter().find(|side| link.keys[*side].is_some()) else {
            return Err("the link has no record".to_owned());
        };
        let link_state = link.state;
        if link.keys[side.other()].is_some() {
            self.end(id, mapping);
            return Ok(());
        }
        if !mapping.create[side.other()] {
            self.end(id, mapping);
            return Ok(());
        }
        self.close(id, None);
        if matches!(link_state, LinkState::Merged(_)) {
            self.alone(id, mapping, side);
        }
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.link.state = LinkState::Seen(side);
        slot.search = Search::Over;
        slot.deferred = false;
        slot.dirty = true;
        Ok(())
    }
}
