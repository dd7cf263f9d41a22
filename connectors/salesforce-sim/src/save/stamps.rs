//! The audit fields.

use super::Draft;
use crate::org::table::Record;
use crate::org::txn::Txn;
use crate::org::value::Value;
use crate::schema::slots;

/// Every save moves `SystemModstamp` and `LastModified…`, also one that changes nothing; the
/// stamp is the transaction's, given before it commits (SOAP guide, system fields).
pub(crate) fn on_save(txn: &Txn, draft: &mut Draft) {
    if draft.is_create() {
        draft.row.set(slots::CREATED_DATE, Value::DateTime(txn.stamp_s));
        draft.row.set(slots::CREATED_BY, Value::Id(txn.actor.user));
    }
    modified(txn, &mut draft.row);
}

/// A user's change.
pub(crate) fn modified(txn: &Txn, row: &mut Record) {
    row.set(slots::LAST_MODIFIED_DATE, Value::DateTime(txn.stamp_s));
    row.set(slots::LAST_MODIFIED_BY, Value::Id(txn.actor.user));
    system(txn, row);
}

/// A change by the system: only `SystemModstamp` moves.
pub(crate) fn system(txn: &Txn, row: &mut Record) {
    row.set(slots::SYSTEM_MODSTAMP, Value::DateTime(txn.stamp_s));
}
