//! Hints that a round leaves: records that are read again.

use syncline_sdk::{EntityName, Key, SystemName};

use super::workset::Workset;
use crate::Side;
use crate::mapping::Mapping;
use crate::model::{Hint, HintReason};

impl Workset<'_> {
    /// Puts a record of a link off: it is read again at `due`.
    pub(super) fn hint_later(
        &mut self,
        mapping: &Mapping,
        side: Side,
        key: Key,
        wait: i64,
        reason: HintReason,
    ) {
        let place = &mapping.sides[side];
        let due = if wait == 0 { 0 } else { self.now() + wait };
        self.hint(place.system.clone(), place.selection.entity.clone(), key, due, reason);
    }
    /// Adds a hint; one of the same record in this round keeps the earlier due time.
    pub fn hint(
        &mut self,
        system: SystemName,
        entity: EntityName,
        key: Key,
        due: i64,
        reason: HintReason,
    ) {
        let name = (system.clone(), entity.clone(), key.clone());
        if let Some(at) = self.hinted.get(&name) {
            let hint = &mut self.out.hints[*at];
            hint.due = hint.due.min(due);
            hint.reason = reason.joined(hint.reason);
            return;
        }
        self.hinted.insert(name, self.out.hints.len());
        self.out.hints.push(Hint { system, entity, key, seq: 0, due, reason, tries: 0 });
    }
}
