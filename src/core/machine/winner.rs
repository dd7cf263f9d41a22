//! The record that another was merged into, where no link knows it (protocol 1.4.2).

use syncline_sdk::{Key, LinkId};

use super::observation::{Missing, Observation};
use super::workset::{Want, Workset};
use crate::Side;
use crate::mapping::{Mapping, MappingId};
use crate::model::{HintReason, LinkState, ReviewKind};

/// A merge whose winner is looked for within the round.
#[derive(Clone, Debug)]
pub(super) struct Merging {
    /// Whom the loser went into, as far as that is known: a winner may have lost since.
    winner: Key,
    /// Whether the winner was read.
    read: bool,
    /// The loser's side, and what was seen of it.
    side: Side,
    seen: Observation,
}

impl Workset<'_> {
    /// No link knows the winner: it is read before the merge is planned.
    pub(super) fn look_for_winner(
        &mut self,
        id: (MappingId, LinkId),
        side: Side,
        winner: &Key,
        seen: &Observation,
    ) {
        let slot = self.slots.get_mut(&id).expect("the link is in the workset");
        slot.touched = true;
        // The loser may be read once more within the round: what is known of the winner stays.
        self.merging.entry(id).or_insert_with(|| Merging {
            winner: winner.clone(),
            read: false,
            side,
            seen: seen.clone(),
        });
    }

    /// The reading that a merge waits for.
    pub(super) fn winner_want(&self, id: (MappingId, LinkId)) -> Option<Want> {
        let merging = self.merging.get(&id).filter(|merging| !merging.read)?;
        let (side, key) = (merging.side, merging.winner.clone());
        Some(Want::Fresh { mapping: id.0, link: id.1, side, key })
    }

    /// Something is seen of a record: it may be a winner that is looked for.
    pub(super) fn winner_seen(&mut self, mapping: MappingId, side: Side, seen: &Observation) {
        let of = self.merging.iter_mut().filter(|(id, _)| id.0 == mapping).map(|(_, at)| at);
        for merging in of.filter(|at| at.side == side && at.winner == seen.key) {
            match &seen.content {
                Err(Missing::MergedInto(next)) => merging.winner = next.clone(),
                // One that a create of ours may have made has its link soon.
                _ => merging.read = seen.marked.is_empty(),
            }
        }
    }

    /// The link that a record's own went into, where the record was gone and is seen again.
    pub(super) fn returning_orphan(&self, id: (MappingId, LinkId), side: Side) -> Option<LinkId> {
        let link = &self.slots[&id].link;
        match link.state {
            LinkState::Merged(into) if !link.exists(side) => Some(into),
            _ => None,
        }
    }

    /// The partner of a loser is a duplicate of the winner's partner now: a person decides.
    pub(super) fn ask_of_orphan(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        into: LinkId,
    ) {
        let winner = self.slots.get(&(mapping.id, into));
        let partner = winner.and_then(|slot| slot.link.keys[side].clone());
        self.ask(id, mapping, None, ReviewKind::Merged(side.other(), partner));
    }

    /// Carries out the merges whose winners were found. A winner that is gone itself, or that no
    /// link takes, proves no deletion of the pair: a person decides.
    pub(super) fn merge_found(&mut self) {
        for (id, merging) in std::mem::take(&mut self.merging) {
            let Merging { winner, read, side, seen } = merging;
            let Some(mapping) = self.mapping(id.0) else { continue };
            if self.link_of(id.0, side, &winner).is_some() {
                self.merge(id, &mapping, side, &winner, &seen);
            } else if read && !self.slots[&id].link.is_open() {
                self.fold_gone(id, side, &seen, &Missing::Suspected);
            } else {
                // It could not be read: it is looked for again, and nothing is planned before.
                let slot = self.slots.get_mut(&id).expect("the link is in the workset");
                slot.deferred = true;
                let wait = self.round.limits.retry_max;
                self.hint_later(&mapping, side, seen.key, wait, HintReason::Again);
            }
        }
    }
}
