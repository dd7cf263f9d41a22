//! Reference integrity.

use super::{Draft, SaveError, SaveResult};
use crate::org::state::State;

/// Every reference that the save sets points at a live row of an allowed object (error guide,
/// `FIELD_INTEGRITY_EXCEPTION`, `INVALID_CROSS_REFERENCE_KEY`, `ENTITY_IS_DELETED`).
pub(crate) fn check(state: &State, draft: &Draft) -> SaveResult<()> {
    let Some(table) = state.table(draft.table) else {
        return Ok(());
    };
    let mut errors = Vec::new();
    for (slot, field) in table.object.references() {
        let value = draft.row.get(slot);
        if draft.before.as_ref().is_some_and(|before| before.get(slot) == value) {
            continue;
        }
        let Some(id) = value.as_id() else { continue };
        let target = state.table_of(id).and_then(|at| state.table(at));
        let allowed = target.is_some_and(|it| field.reference_to.contains(&it.object.name));
        if !allowed {
            let text = format!("{}: id value of incorrect type: {id}", field.label);
            errors.push(SaveError::new("FIELD_INTEGRITY_EXCEPTION", text).on(&field.name));
            continue;
        }
        match target.and_then(|it| it.get(id)) {
            None => errors.push(SaveError::cross_reference().on(&field.name)),
            Some(row) if !row.is_live() => {
                errors.push(SaveError::deleted().with_status(400).on(&field.name));
            }
            Some(_) => {}
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
