//! Who owns a new row.

use super::Draft;
use crate::org::state::State;
use crate::org::txn::Txn;
use crate::org::value::Value;

/// The calling user owns a new row, unless the caller names an owner. When the call does not
/// say `Sforce-Auto-Assign: FALSE`, the assignment of the object changes the owner at once (REST
/// guide, assignment rule header: TRUE by default; help article 000395506).
pub(crate) fn on_create(state: &State, txn: &Txn, draft: &mut Draft) {
    let Some(table) = state.table(draft.table) else {
        return;
    };
    let Some(slot) = table.object.slot("OwnerId") else {
        return;
    };
    let named = draft.given.contains(&slot);
    if draft.row.get(slot).is_null() {
        draft.row.set(slot, Value::Id(txn.actor.user));
    }
    let assigned = state.settings.assignment.get(&table.object.name);
    if let (true, Some(name)) = (txn.auto_assign, assigned)
        && let Some(id) = state.user_id(name)
    {
        draft.row.set(slot, Value::Id(id));
        if named {
            draft.by_flow.push(slot);
        }
    }
}
