//! Values that the sync makes of both sides': written to both (protocol P7').

use syncline_sdk::{Actor, ActorKind, LinkId};

use super::halves::Maker;
use super::workset::Workset;
use crate::mapping::{Mapping, MappingId};
use crate::model::{Verdict, WrittenField};
use crate::reconcile::UnitPlan;
use crate::{Side, Sides};

impl Workset<'_> {
    /// Opens both halves of what was merged. False when nothing was, or a side cannot be written
    /// for now: it is planned again then.
    pub(super) fn plan_merges(
        &mut self,
        id: (MappingId, LinkId),
        mapping: &Mapping,
        plans: &[(usize, UnitPlan)],
    ) -> bool {
        let mut merges: Vec<(usize, &Sides<Vec<WrittenField>>)> = Vec::new();
        for (at, plan) in plans {
            if let UnitPlan::Merge(fields) = plan {
                merges.push((*at, fields));
            }
        }
        if merges.is_empty() || Side::BOTH.into_iter().any(|side| self.is_away(id, mapping, side)) {
            return false;
        }
        let closed = Side::BOTH.map(|side| self.is_closed(id, mapping, side));
        if closed.contains(&false) {
            return false;
        }
        let mut fields: Sides<Vec<WrittenField>> = Sides::default();
        let mut units = Vec::new();
        for (at, merged) in merges {
            if !self.may_write(id, mapping, at, &Side::BOTH, 0) {
                continue;
            }
            self.decided(id, mapping, at, Verdict::Merged);
            units.push(u16::try_from(at).unwrap_or(u16::MAX));
            for side in Side::BOTH {
                fields[side].extend_from_slice(&merged[side]);
            }
        }
        if units.is_empty() {
            return false;
        }
        let made = Actor { id: None, kind: ActorKind::Sync };
        self.open_halves(id, mapping, &units, fields, &Maker { actor: made, at: None });
        true
    }
}
