//! Edits that a write of ours replaced unseen: journalled, and put before people (protocol W1).

use syncline_sdk::LinkId;

use super::kept_edit::number;
use super::workset::Workset;
use crate::audit::Overwritten;
use crate::mapping::MappingId;
use crate::model::{Decided, LinkState, ReviewKind, Verdict};
use crate::{Side, Sides};

impl Workset<'_> {
    /// Takes what the history of a side tells of writes to a loaded link's record there: each edit
    /// is journalled with its value, and a person is asked of the last one. What stands there by
    /// now needs nobody.
    pub fn overwritten(
        &mut self,
        mapping: MappingId,
        link: LinkId,
        side: Side,
        found: &[Overwritten],
    ) {
        let id = (mapping, link);
        let Some(mapping) = self.mapping(mapping) else { return };
        if !self.slots.contains_key(&id) {
            return;
        }
        for (at, unit) in mapping.units.iter().enumerate() {
            let fields: Vec<usize> = unit.fields(side).collect();
            let of_unit = |edit: &&Overwritten| fields.contains(&usize::from(edit.field));
            let edits: Vec<&Overwritten> = found.iter().filter(of_unit).collect();
            let Some(last) = edits.last() else { continue };
            let mut shown = Sides::from_fn(|of| self.shown(id, &mapping, of, Some(at)));
            shown[side].base = shown[side].values.clone();
            for edit in &edits {
                let place = fields.iter().position(|field| *field == usize::from(edit.field));
                let place = place.and_then(|place| shown[side].values.get_mut(place));
                place.into_iter().for_each(|value| *value = edit.value.clone());
                let decided = Decided {
                    unit: Some(number(at)),
                    verdict: Verdict::Overwritten(side),
                    left: shown.left.values.clone(),
                    right: shown.right.values.clone(),
                };
                self.entry(id, false).decided.push(decided);
            }
            (shown[side].actor, shown[side].at) = (last.actor.clone(), last.at);
            self.slots.get_mut(&id).expect("the link is in the workset").dirty = true;
            let pair = matches!(self.slots[&id].link.state, LinkState::Linked | LinkState::Held);
            if pair && shown[side].values != shown[side].base {
                self.hold_edit(id, at, ReviewKind::Overwritten(side), shown);
            }
        }
    }
}
