//! Edits of a record whose partner was merged into that of another pair, before they could travel:
//! candidates there (protocol 1.4.2).

use syncline_sdk::LinkId;

use super::kept_edit::number;
use super::workset::Workset;
use crate::mapping::{Mapping, MappingId};
use crate::model::{
    Answer, Choice, Decided, Link, LinkState, ReviewKind, ReviewStatus, Shown, UnitStatus, Verdict,
};
use crate::{Side, Sides};

/// Who answers where nobody has to.
const BY: &str = "the merge";

impl Workset<'_> {
    /// The partner of a link was merged into that of another one. What people changed in the
    /// record of `side` that is left, and that had not travelled, is put against the other pair's
    /// units: journalled there, and a question with the edit's values. Where the other pair shows
    /// just what the edit was made from, as agreed, the question is answered as it is asked.
    pub(super) fn bequeath(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        side: Side,
        into: LinkId,
    ) {
        let heir = (id.0, into);
        let Some(slot) = self.slots.get(&heir) else { return };
        let pair = matches!(slot.link.state, LinkState::Linked | LinkState::Held);
        let left = self.slots[&id].link.clone();
        if !pair || !left.base_exists(side) || !self.is_live(heir, mapping) {
            return;
        }
        for (at, unit) in mapping.units.iter().enumerate() {
            let fields: Vec<usize> = unit.fields(side).collect();
            let edited = left.edits(side).any(|(field, _)| fields.contains(&usize::from(*field)));
            // Of several edits for one unit the first is asked about here; the others are shown by
            // the questions about their own records.
            if edited
                && unit.direction.reaches(side.other())
                && self.asked_of_edit(heir, at).is_none()
            {
                self.inherit(heir, mapping, at, side, &left);
            }
        }
    }

    fn inherit(
        &mut self,
        heir: (MappingId, LinkId),
        mapping: &Mapping,
        at: usize,
        side: Side,
        left: &Link,
    ) {
        let Some(record) = left.keys[side].clone() else { return };
        let fields: Vec<usize> = mapping.units[at].fields(side).collect();
        let mut shown = Sides::from_fn(|of| self.shown(heir, mapping, of, Some(at)));
        let values = fields.iter().map(|field| left.observed(side, *field).clone()).collect();
        let there = std::mem::replace(&mut shown[side].values, values);
        if shown[side].values == there {
            return;
        }
        let unchanged = fields
            .iter()
            .zip(&there)
            .all(|(field, shows)| shows == left.base_value(side, *field) && shows.is_present());
        let own = &self.slots[&heir];
        let number = number(at);
        let settled = own.link.state == LinkState::Linked
            && own.link.field_state.unit(at).status == UnitStatus::Free
            && left.field_state.unit(at).status == UnitStatus::Free
            && !own.asked.contains_key(&Some(number))
            && Side::BOTH.into_iter().all(|of| {
                let mut places = mapping.units[at].fields(of);
                places.all(|place| own.link.pending[of].value(place).is_none())
            });
        let edit = &left.pending[side];
        let Shown { exists, values, .. } = std::mem::take(&mut shown[side]);
        shown[side] = Shown { exists, values, base: there, actor: edit.actor.clone(), at: edit.at };
        let decided = Decided {
            unit: Some(number),
            verdict: Verdict::Candidate(side),
            left: shown.left.values.clone(),
            right: shown.right.values.clone(),
        };
        self.entry(heir, false).decided.push(decided);
        self.hold_edit(heir, at, ReviewKind::Candidate(side, record), shown);
        let now = self.round.clock.now;
        let slot = self.slots.get_mut(&heir).expect("the link is in the workset");
        slot.dirty = true;
        if let Some(asked) = slot.asked.get_mut(&Some(number)).filter(|_| unchanged && settled) {
            let by = BY.to_owned();
            asked.review.answer = Some(Answer { choice: Choice::Take(side), by, at: now });
            asked.review.status = ReviewStatus::Answered;
        }
    }
}
