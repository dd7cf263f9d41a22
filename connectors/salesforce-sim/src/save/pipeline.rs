//! The rules in their order, from a write request to a stored row.

use super::{
    SaveError, duplicates, fields, flow, names, owner, people, record_types, references, stamps,
    tracking, unique, validate,
};
use serde_json::{Map, Value as Raw};

use crate::history::{Event, FieldChange, Op};
use crate::org::ids::Id;
use crate::org::locks::LockKey;
use crate::org::state::State;
use crate::org::table::Record;
use crate::org::txn::Txn;
use crate::org::value::Value;
use crate::schema::slots;

/// Every error of one record, as the service reports them together.
pub(crate) type SaveResult<T> = Result<T, Vec<SaveError>>;

/// A row on its way through the rules.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) table: usize,
    pub(crate) before: Option<Record>,
    pub(crate) row: Record,
    /// Slots that the caller gave.
    pub(crate) given: Vec<usize>,
    /// Slots that a flow set.
    pub(crate) by_flow: Vec<usize>,
}

impl Draft {
    pub(crate) fn is_create(&self) -> bool {
        self.before.is_none()
    }
}

/// Creates a row. `viewer` is the user name whose field permissions count; `None` sees all.
pub(crate) fn create(
    state: &mut State,
    txn: &mut Txn,
    table: usize,
    body: &Map<String, Raw>,
    viewer: Option<&str>,
) -> SaveResult<Id> {
    let savepoint = txn.savepoint();
    let made = try_create(state, txn, table, body, viewer);
    if made.is_err() {
        state.rollback_to(txn, savepoint);
    }
    made
}

/// Updates a live row.
pub(crate) fn update(
    state: &mut State,
    txn: &mut Txn,
    id: Id,
    body: &Map<String, Raw>,
    viewer: Option<&str>,
) -> SaveResult<()> {
    let savepoint = txn.savepoint();
    let made = try_update(state, txn, id, body, viewer);
    if made.is_err() {
        state.rollback_to(txn, savepoint);
    }
    made
}

fn try_create(
    state: &mut State,
    txn: &mut Txn,
    table: usize,
    body: &Map<String, Raw>,
    viewer: Option<&str>,
) -> SaveResult<Id> {
    let Some(object) = state.table(table).map(|table| &table.object) else {
        return Err(vec![SaveError::not_found()]);
    };
    if !object.createable {
        return Err(vec![SaveError::no_access()]);
    }
    let name = object.name.clone();
    let prefix = object.prefix.clone();
    let given = fields::resolve(state, table, body, true, viewer)?;
    if let Some(error) = state.faults.record_error(txn.actor.api, &name, None, body) {
        return Err(vec![error]);
    }
    let id = state.new_id(&prefix);
    let mut draft =
        Draft { table, before: None, row: Record::new(id), given: Vec::new(), by_flow: Vec::new() };
    fields::assign(state, &mut draft, given)?;
    validate::defaults(state, &mut draft);
    names::auto_number(state, &mut draft);
    owner::on_create(state, txn, &mut draft);
    finish(state, txn, draft)?;
    Ok(id)
}

fn try_update(
    state: &mut State,
    txn: &mut Txn,
    id: Id,
    body: &Map<String, Raw>,
    viewer: Option<&str>,
) -> SaveResult<()> {
    let Some((table, before)) = state.row(id) else {
        return Err(vec![SaveError::gone(state.table_of(id).is_some(), id.as_str())]);
    };
    if !before.is_live() {
        return Err(vec![SaveError::deleted()]);
    }
    let before = before.clone();
    let object = state.table(table).map(|table| table.object.name.clone()).unwrap_or_default();
    let given = fields::resolve(state, table, body, false, viewer)?;
    lock(state, txn, LockKey::Row(id))?;
    if let Some(error) = state.faults.record_error(txn.actor.api, &object, Some(id), body) {
        return Err(vec![error]);
    }
    let mut draft = Draft {
        table,
        row: before.clone(),
        before: Some(before),
        given: Vec::new(),
        by_flow: Vec::new(),
    };
    fields::assign(state, &mut draft, given)?;
    finish(state, txn, draft)
}

/// The rules that create and update share, from the compound name to the stored row.
fn finish(state: &mut State, txn: &mut Txn, mut draft: Draft) -> SaveResult<()> {
    record_types::check(state, txn, &mut draft)?;
    people::before_save(state, &mut draft)?;
    flow::before_save(state, &mut draft)?;
    names::compose(state, &mut draft);
    validate::all(state, &draft)?;
    references::check(state, &draft)?;
    for parent in state.parents(draft.table, &draft.row) {
        lock(state, txn, LockKey::Row(parent))?;
    }
    unique::check(state, txn, &draft)?;
    duplicates::check(state, txn, &draft)?;
    stamps::on_save(txn, &mut draft);
    let event = event_of(state, &draft);
    let (table, id) = (draft.table, draft.row.id);
    state.put(txn, table, id, Some(draft.row.clone()));
    tracking::note(state, txn, &event);
    txn.events.push(event);
    people::after_save(state, txn, &draft)?;
    flow::after_save(state, txn, &draft)
}

/// Takes a lock or reports who must be waited for (error guide, `UNABLE_TO_LOCK_ROW`).
pub(crate) fn lock(state: &State, txn: &mut Txn, key: LockKey) -> SaveResult<()> {
    if !state.locks.is_taken(&key, txn.id) {
        return Ok(());
    }
    let error = SaveError::locked(&key);
    txn.blocked.push(key);
    Err(vec![error])
}

/// The history event of a save: every field that differs, the system stamps left out.
fn event_of(state: &State, draft: &Draft) -> Event {
    let mut changes = Vec::new();
    let Some(table) = state.table(draft.table) else {
        return Event { op: Op::Update, object: "".into(), id: draft.row.id, changes };
    };
    for (slot, field) in table.object.live().skip_while(|(slot, _)| *slot <= slots::SYSTEM_MODSTAMP)
    {
        let old = draft.before.as_ref().map_or(&Value::Null, |row| row.get(slot));
        let new = draft.row.get(slot);
        if old != new {
            changes.push(FieldChange {
                field: field.name.as_str().into(),
                old: old.clone(),
                new: new.clone(),
                by_flow: draft.by_flow.contains(&slot),
            });
        }
    }
    let op = if draft.is_create() { Op::Create } else { Op::Update };
    Event { op, object: table.object.name.as_str().into(), id: draft.row.id, changes }
}
