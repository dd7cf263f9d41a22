//! Delete, undelete, purge and merge.

use super::{SaveError, SaveResult, lock, stamps, tracking};
use crate::history::{Event, FieldChange, Op};
use crate::org::ids::Id;
use crate::org::locks::LockKey;
use crate::org::state::State;
use crate::org::table::{Deletion, Record};
use crate::org::txn::Txn;
use crate::org::value::Value;
use crate::schema::slots;

/// Soft delete: the row and its cascade children go to the recycle bin; other references to
/// them are cleared (SOAP guide, delete).
pub(crate) fn delete(state: &mut State, txn: &mut Txn, id: Id) -> SaveResult<()> {
    let savepoint = txn.savepoint();
    let done = delete_tree(state, txn, id, id);
    if done.is_err() {
        state.rollback_to(txn, savepoint);
    }
    done
}

fn delete_tree(state: &mut State, txn: &mut Txn, id: Id, root: Id) -> SaveResult<()> {
    let (table, mut row) = live_row(state, id)?;
    let Some(object) = state.table(table).map(|table| &table.object) else {
        return Ok(());
    };
    if !object.deletable {
        return Err(vec![SaveError::no_access()]);
    }
    let name = object.name.clone();
    lock(state, txn, LockKey::Row(id))?;
    let none = serde_json::Map::new();
    if let Some(error) = state.faults.record_error(txn.actor.api, &name, Some(id), &none) {
        return Err(vec![error]);
    }
    for (child, slot, cascade) in children(state, &name, id) {
        if cascade {
            delete_tree(state, txn, child, root)?;
        } else {
            set_reference(state, txn, child, slot, None)?;
        }
    }
    row.deleted = Some(Deletion { by: txn.actor.user, at_s: txn.stamp_s, root });
    row.set(slots::IS_DELETED, Value::Bool(true));
    if state.settings.delete_moves_last_modified {
        stamps::modified(txn, &mut row);
    } else {
        stamps::system(txn, &mut row);
    }
    store(state, txn, table, row, Op::Delete, Vec::new());
    Ok(())
}

/// Brings a row and what its deletion took along back from the recycle bin, with the same ids
/// (SOAP guide, undelete).
pub(crate) fn undelete(state: &mut State, txn: &mut Txn, id: Id) -> SaveResult<()> {
    let savepoint = txn.savepoint();
    let done = undelete_tree(state, txn, id);
    if done.is_err() {
        state.rollback_to(txn, savepoint);
    }
    done
}

fn undelete_tree(state: &mut State, txn: &mut Txn, id: Id) -> SaveResult<()> {
    let at_s = bin_row(state, id)?.1.deleted.as_ref().map_or(0, |deletion| deletion.at_s);
    let along = taken_along(state, id, at_s);
    undelete_one(state, txn, id)?;
    for child in along {
        undelete_one(state, txn, child)?;
    }
    Ok(())
}

/// The rows that a row's deletion, at that second, took along.
fn taken_along(state: &State, root: Id, at_s: i64) -> Vec<Id> {
    let bin = state.tables.iter().flat_map(|table| table.bin(at_s, at_s));
    let along =
        bin.filter(|row| row.id != root && row.deleted.as_ref().is_some_and(|it| it.root == root));
    along.map(|row| row.id).collect()
}

fn undelete_one(state: &mut State, txn: &mut Txn, id: Id) -> SaveResult<()> {
    let (table, mut row) = bin_row(state, id)?;
    lock(state, txn, LockKey::Row(id))?;
    let Some(object) = state.table(table).map(|table| table.object.clone()) else {
        return Ok(());
    };
    if !object.undeletable {
        return Err(vec![SaveError::new("UNDELETE_FAILED", "entity cannot be undeleted")]);
    }
    for (slot, _) in object.references() {
        let gone = row
            .get(slot)
            .as_id()
            .is_some_and(|target| state.row(target).is_none_or(|(_, row)| !row.is_live()));
        if gone {
            row.set(slot, Value::Null);
        }
    }
    row.deleted = None;
    row.set(slots::IS_DELETED, Value::Bool(false));
    let mut changes = Vec::new();
    // A live record is nobody's loser.
    if let Some(slot) = object.slot("MasterRecordId").filter(|slot| !row.get(*slot).is_null()) {
        changes.push(FieldChange {
            field: "MasterRecordId".into(),
            old: row.get(slot).clone(),
            new: Value::Null,
            by_flow: false,
        });
        row.set(slot, Value::Null);
    }
    if state.settings.undelete_moves_last_modified {
        stamps::modified(txn, &mut row);
    } else {
        stamps::system(txn, &mut row);
    }
    let draft = super::Draft {
        table,
        before: None,
        row: row.clone(),
        given: Vec::new(),
        by_flow: Vec::new(),
    };
    super::unique::check(state, txn, &draft)?;
    store(state, txn, table, row, Op::Undelete, changes);
    Ok(())
}

/// Takes a row, and what its deletion took along, out of the recycle bin for good: no query sees
/// them again. A row that went along with another one goes with that one only (SOAP guide,
/// emptyRecycleBin).
pub(crate) fn purge(state: &mut State, txn: &mut Txn, id: Id) -> SaveResult<()> {
    let savepoint = txn.savepoint();
    let done = purge_tree(state, txn, id);
    if done.is_err() {
        state.rollback_to(txn, savepoint);
    }
    done
}

fn purge_tree(state: &mut State, txn: &mut Txn, id: Id) -> SaveResult<()> {
    let (_, row) = state.row(id).ok_or_else(|| vec![SaveError::cross_reference()])?;
    let Some(deletion) = &row.deleted else {
        let text = "only records in the recycle bin can be removed from it";
        return Err(vec![SaveError::new("INVALID_OPERATION", text)]);
    };
    if deletion.root != id && state.row(deletion.root).is_some_and(|(_, row)| !row.is_live()) {
        let text = format!("{id} was deleted with {}: empty that one", deletion.root);
        return Err(vec![SaveError::new("INVALID_OPERATION", text)]);
    }
    let along = taken_along(state, id, deletion.at_s);
    purge_one(state, txn, id)?;
    for child in along {
        purge_one(state, txn, child)?;
    }
    Ok(())
}

fn purge_one(state: &mut State, txn: &mut Txn, id: Id) -> SaveResult<()> {
    let (table, _) = bin_row(state, id)?;
    lock(state, txn, LockKey::Row(id))?;
    let object = state.table(table).map(|table| table.object.name.clone()).unwrap_or_default();
    state.put(txn, table, id, None);
    let event = Event { op: Op::Purge, object: object.as_str().into(), id, changes: Vec::new() };
    txn.events.push(event);
    Ok(())
}

/// Merges losers into a winner: references move to the winner, losers go to the recycle bin
/// with `MasterRecordId` (SOAP guide, merge). Gives the records whose references moved.
pub(crate) fn merge(
    state: &mut State,
    txn: &mut Txn,
    (winner, losers): (Id, &[Id]),
    body: &serde_json::Map<String, serde_json::Value>,
    viewer: Option<&str>,
) -> SaveResult<Vec<Id>> {
    let savepoint = txn.savepoint();
    let mut moved = Vec::new();
    let done = merge_all(state, txn, (winner, losers), &mut moved)
        .and_then(|()| super::update(state, txn, winner, body, viewer));
    if done.is_err() {
        state.rollback_to(txn, savepoint);
    }
    done.map(|()| moved)
}

fn merge_all(
    state: &mut State,
    txn: &mut Txn,
    (winner, losers): (Id, &[Id]),
    moved: &mut Vec<Id>,
) -> SaveResult<()> {
    let (table, _) = live_row(state, winner)?;
    let Some(object) = state.table(table).map(|table| table.object.clone()) else {
        return Ok(());
    };
    if !object.mergeable {
        return Err(vec![SaveError::new("INVALID_OPERATION", "this object cannot be merged")]);
    }
    for &loser in losers {
        let (loser_table, _) = live_row(state, loser)?;
        if loser == winner || loser_table != table {
            let text = "a record merges with another record of the same object";
            return Err(vec![SaveError::new("INVALID_OPERATION", text)]);
        }
        lock(state, txn, LockKey::Row(loser))?;
        for (child, slot, _) in children(state, &object.name, loser) {
            if child != winner {
                set_reference(state, txn, child, slot, Some(winner))?;
                moved.push(child);
            }
        }
        lose(state, txn, loser, winner)?;
    }
    Ok(())
}

/// Puts a loser into the recycle bin with a pointer to its winner.
fn lose(state: &mut State, txn: &mut Txn, loser: Id, winner: Id) -> SaveResult<()> {
    let (table, mut row) = live_row(state, loser)?;
    let slot = state.table(table).and_then(|table| table.object.slot("MasterRecordId"));
    let mut changes = Vec::new();
    if let Some(slot) = slot {
        row.set(slot, Value::Id(winner));
        changes.push(FieldChange {
            field: "MasterRecordId".into(),
            old: Value::Null,
            new: Value::Id(winner),
            by_flow: false,
        });
    }
    row.deleted = Some(Deletion { by: txn.actor.user, at_s: txn.stamp_s, root: loser });
    row.set(slots::IS_DELETED, Value::Bool(true));
    stamps::modified(txn, &mut row);
    store(state, txn, table, row, Op::Merge, changes);
    Ok(())
}

/// Rows that point at a row of an object: id, slot of the reference, whether they go with it.
fn children(state: &State, object: &str, target: Id) -> Vec<(Id, usize, bool)> {
    let mut found = Vec::new();
    for table in state.tables.iter().filter(|table| !table.object.is_history) {
        for (slot, field) in table.object.references() {
            if field.reference_to.iter().any(|name| name == object) {
                let ids = table.pointing(slot, target);
                found.extend(ids.into_iter().map(|id| (id, slot, field.cascade_delete)));
            }
        }
    }
    found
}

/// A reference that the service itself changes; whether the child's stamp moves is a switch.
fn set_reference(
    state: &mut State,
    txn: &mut Txn,
    child: Id,
    slot: usize,
    target: Option<Id>,
) -> SaveResult<()> {
    let (table, mut row) = live_row(state, child)?;
    lock(state, txn, LockKey::Row(child))?;
    let Some(field) = state.table(table).and_then(|it| it.object.fields.get(slot)) else {
        return Ok(());
    };
    let new = target.map_or(Value::Null, Value::Id);
    let change = FieldChange {
        field: field.name.as_str().into(),
        old: row.get(slot).clone(),
        new: new.clone(),
        by_flow: true,
    };
    row.set(slot, new);
    if target.is_some() || state.settings.lookup_clear_moves_stamp {
        stamps::modified(txn, &mut row);
    }
    store(state, txn, table, row, Op::Update, vec![change]);
    Ok(())
}

fn store(
    state: &mut State,
    txn: &mut Txn,
    table: usize,
    row: Record,
    op: Op,
    changes: Vec<FieldChange>,
) {
    let object = state.table(table).map(|it| it.object.name.clone()).unwrap_or_default();
    let id = row.id;
    state.put(txn, table, id, Some(row));
    let event = Event { op, object: object.as_str().into(), id, changes };
    tracking::note(state, txn, &event);
    txn.events.push(event);
}

fn live_row(state: &State, id: Id) -> SaveResult<(usize, Record)> {
    match state.row(id) {
        Some((table, row)) if row.is_live() => Ok((table, row.clone())),
        Some(_) => Err(vec![SaveError::deleted()]),
        None => {
            let purged = state
                .table_of(id)
                .and_then(|at| state.table(at))
                .is_some_and(|table| table.purged.contains(&id));
            Err(vec![if purged {
                SaveError::cross_reference().with_status(404)
            } else {
                SaveError::gone(state.table_of(id).is_some(), id.as_str())
            }])
        }
    }
}

fn bin_row(state: &State, id: Id) -> SaveResult<(usize, Record)> {
    match state.row(id) {
        Some((table, row)) if !row.is_live() => Ok((table, row.clone())),
        Some(_) => {
            let text = "Entity is not in the recycle bin";
            Err(vec![SaveError::new("UNDELETE_FAILED", text)])
        }
        None => Err(vec![SaveError::cross_reference()]),
    }
}
