//! Records set aside, tried again.

use syncline_sdk::LinkId;

use super::workset::Workset;
use crate::mapping::MappingId;
use crate::model::{DeletePhase, HintReason, Link, LinkState, UnitState, UnitStatus};

impl Workset<'_> {
    /// Frees what was set aside of a loaded link, so that it is planned again from what its
    /// sides show by now. Refused once more, it is set aside once more.
    pub fn retry(&mut self, mapping: MappingId, link: LinkId) {
        let Some(slot) = self.slots.get_mut(&(mapping, link)) else { return };
        let state = &mut slot.link.field_state;
        // One stays: a create that was refused is searched for before it is sent again
        // (protocol C4).
        state.refusals = state.refusals.min(1);
        for (_, unit) in &mut state.units {
            if unit.status == UnitStatus::Parked {
                unit.status = UnitStatus::Free;
            }
        }
        state.units.retain(|(_, unit)| *unit != UnitState::default());
        slot.dirty = true;
        slot.touched = true;
        if let Some((side, DeletePhase::Look)) = slot.link.state.deleting()
            && let Some(key) = slot.link.keys[side].clone()
            && let Some(mapping) = self.mapping(mapping)
        {
            self.hint_later(&mapping, side, key, 0, HintReason::Look);
        }
    }
}

/// Whether something of the link is set aside.
#[must_use]
pub fn is_parked(link: &Link, refusals_max: u8) -> bool {
    let state = &link.field_state;
    let over = matches!(link.state, LinkState::Tombstone | LinkState::Merged(_));
    let unit = || state.units.iter().any(|(_, unit)| unit.status == UnitStatus::Parked);
    !over && (state.refusals >= refusals_max || unit())
}
