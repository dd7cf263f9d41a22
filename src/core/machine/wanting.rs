//! What must be read before a link can be planned.

use syncline_sdk::{Cas, LinkId};

use super::slot::Fresh;
use super::workset::{Want, Workset};
use crate::Side;
use crate::mapping::{LeaveRule, Mapping, MappingId};
use crate::model::{DeletePhase, LinkState};
use crate::reconcile::{UnitPlan, decide_unit, is_live};

impl Workset<'_> {
    /// What must be read before the touched links can be planned. Empty when nothing is missing.
    #[must_use]
    pub fn wants(&self) -> Vec<Want> {
        let unsure = self.unsure.iter().map(|((mapping, side, key), link)| Want::Fresh {
            mapping: *mapping,
            link: *link,
            side: *side,
            key: key.clone(),
        });
        let mut wants: Vec<Want> = unsure.collect();
        for (id, slot) in &self.slots {
            let looks = matches!(slot.link.state.deleting(), Some((_, DeletePhase::Look)));
            if !slot.touched || slot.deferred || (slot.link.is_open() && !looks) {
                continue;
            }
            let Some(mapping) = self.round.mappings.get(&id.0) else { continue };
            if slot.remade.is_some() {
                wants.push(Want::Journal { mapping: id.0, link: id.1 });
                continue;
            }
            let mut rereads = Side::BOTH
                .into_iter()
                .filter(|side| slot.reread[*side] && slot.fresh[*side] == Fresh::No)
                .filter_map(|side| {
                    let key = slot.link.keys[side].clone()?;
                    Some(Want::Fresh { mapping: id.0, link: id.1, side, key })
                })
                .peekable();
            if rereads.peek().is_some() {
                wants.extend(rereads);
                continue;
            }
            if let Some(want) = self.winner_want(*id) {
                wants.push(want);
                continue;
            }
            match slot.link.state {
                LinkState::Seen(side) => {
                    let rests = !slot.link.exists(side) || slot.link.field_state.outside[side];
                    if let Some(key) = slot.returning.clone() {
                        let (mapping, link) = *id;
                        wants.push(Want::Fresh { mapping, link, side: side.other(), key });
                    } else if let Some(of) = slot.twin.filter(|_| !rests) {
                        self.twin_wants(*id, mapping, side, of, &mut wants);
                    } else if !rests {
                        wants.extend(self.search_want(*id, mapping));
                    }
                }
                LinkState::Linked | LinkState::Held => self.pair_wants(*id, mapping, &mut wants),
                LinkState::Tombstone => wants.extend(self.tombstone_want(*id)),
                _ => {}
            }
        }
        wants
    }

    /// The record that could not be brought back: it may be there by now.
    fn tombstone_want(&self, id: (MappingId, LinkId)) -> Option<Want> {
        let slot = &self.slots[&id];
        let (link, fresh) = (&slot.link, &slot.fresh);
        let side = Side::BOTH.into_iter().find(|side| {
            !link.exists(*side) && link.exists(side.other()) && fresh[*side] == Fresh::No
        })?;
        let key = link.keys[side].clone().filter(|_| link.field_state.refusals > 0)?;
        Some(Want::Fresh { mapping: id.0, link: id.1, side, key })
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
        if let Some(side) = self.left_scope(id)
            && mapping.leave != LeaveRule::Keep
        {
            let elsewhere = self.elsewhere_wants(id, mapping, side).into_iter();
            wants.extend(elsewhere.map(|(other, key)| Want::Fresh {
                mapping: other,
                link: id.1,
                side,
                key,
            }));
        }
        let differs = || Side::BOTH.into_iter().any(|side| !link.pending[side].is_empty());
        if self.round.limits.side_by_side && differs() {
            Side::BOTH.into_iter().for_each(|side| want(side, wants));
        }
        for side in Side::BOTH {
            let unread = link.base[side].is_none()
                && link.exists(side)
                && link.pending[side].values.is_empty();
            if unread {
                want(side, wants);
            }
        }
        // What is only observed is not read for a write.
        for side in Side::BOTH.into_iter().filter(|_| is_live(mapping, link)) {
            if mapping.sides[side].capabilities.cas == Cas::ExactField || !link.exists(side) {
                continue;
            }
            let other_gone = !link.exists(side.other());
            let written = other_gone
                || link.field_state.outside[side.other()]
                || (0..mapping.units.len()).any(|at| match decide_unit(mapping, link, at) {
                    UnitPlan::Write { to, .. } => to == side,
                    UnitPlan::Merge(_) => true,
                    _ => false,
                });
            if written {
                want(side, wants);
            }
        }
    }
}
