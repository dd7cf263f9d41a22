//! Unique fields.

use super::{Draft, SaveError, SaveResult, lock};
use crate::org::locks::LockKey;
use crate::org::state::State;
use crate::org::table::key_of;
use crate::org::txn::Txn;

/// A unique field holds a value once among live rows (recorded text, with the 15-character
/// id). An open transaction that is about to insert the key is waited for.
pub(crate) fn check(state: &State, txn: &mut Txn, draft: &Draft) -> SaveResult<()> {
    let Some(table) = state.table(draft.table) else {
        return Ok(());
    };
    for (slot, field) in table.object.live().filter(|(_, field)| field.unique) {
        let value = draft.row.get(slot);
        let Some(key) = key_of(field, value) else {
            continue;
        };
        lock(state, txn, LockKey::Key(draft.table, slot, key))?;
        let other = table.with_key(slot, value).into_iter().find(|id| *id != draft.row.id);
        if let Some(other) = other {
            let text = format!(
                "duplicate value found: {} duplicates value on record with id: {}",
                field.name,
                other.short()
            );
            return Err(vec![SaveError::new("DUPLICATE_VALUE", text).on(&field.name)]);
        }
    }
    Ok(())
}
