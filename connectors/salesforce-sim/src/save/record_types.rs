//! Record types.

use super::{Draft, SaveError, SaveResult};
use crate::org::PERSON;
use crate::org::state::State;
use crate::org::txn::Txn;
use crate::org::value::Value;

/// A create that names no record type takes the default one of the object; a named one must be
/// of this object, and one that the caller may give (error guide, `INVALID_CROSS_REFERENCE_KEY`).
pub(crate) fn check(state: &State, txn: &Txn, draft: &mut Draft) -> SaveResult<()> {
    let Some(object) = state.table(draft.table).map(|table| &table.object) else {
        return Ok(());
    };
    let Some(slot) = object.slot("RecordTypeId") else {
        return Ok(());
    };
    if draft.is_create() && draft.row.get(slot).is_null() {
        let default = state.default_record_types.get(&object.name);
        draft.row.set(slot, default.map_or(Value::Null, |id| Value::Id(*id)));
        return Ok(());
    }
    let Some(id) = draft.row.get(slot).as_id() else {
        return Ok(());
    };
    let kept = draft.before.as_ref().is_some_and(|before| before.get(slot).as_id() == Some(id));
    let withheld = txn.actor.api != PERSON && state.withheld_record_types.contains(&id);
    if state.record_types_of(&object.name).contains(&id) && (kept || !withheld) {
        return Ok(());
    }
    let text = format!("Record Type ID: this ID value isn't valid for the user: {id}");
    Err(vec![SaveError::new("INVALID_CROSS_REFERENCE_KEY", text).on("RecordTypeId")])
}
