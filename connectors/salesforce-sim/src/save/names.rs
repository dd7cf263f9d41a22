//! Names that the service makes itself.

use super::Draft;
use crate::org::state::State;
use crate::org::value::Value;

/// `FirstName LastName` into the compound `Name` of people; a custom object without a name is
/// called by its 15-character id (recorded).
pub(crate) fn compose(state: &State, draft: &mut Draft) {
    let Some(table) = state.table(draft.table) else {
        return;
    };
    let Some((slot, _)) = table.object.live().find(|(_, field)| field.name_field) else {
        return;
    };
    let people = table.object.name != "Account" || super::people::is_person(state, draft);
    if let Some(last) = table.object.slot("LastName").filter(|_| people) {
        let first = table.object.slot("FirstName").map(|slot| draft.row.get(slot).display());
        let last = draft.row.get(last).display();
        let whole = format!("{} {last}", first.unwrap_or_default());
        draft.row.set(slot, Value::text(whole.trim()));
    } else if table.object.custom && draft.row.get(slot).is_null() {
        draft.row.set(slot, Value::text(draft.row.id.short()));
    }
}

/// Auto-number fields count on create, `00001001` and on.
pub(crate) fn auto_number(state: &mut State, draft: &mut Draft) {
    let Some(table) = state.table(draft.table) else {
        return;
    };
    let name = table.object.name.clone();
    let numbered = table.object.live().find(|(_, field)| field.auto_number);
    let Some((slot, _)) = numbered else { return };
    let number = 1000 + state.next_number(&format!("{name}#"));
    draft.row.set(slot, Value::text(&format!("{number:08}")));
}
