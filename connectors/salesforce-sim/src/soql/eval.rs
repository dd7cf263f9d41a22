//! Runs a bound statement.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::bound::{Bound, Column, Test};
use super::operand::{compare, equals, sort_order};
use super::plan::{Plan, plan};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::org::table::{Record, Table};
use crate::org::value::Value;

/// The ids of the rows that answer the statement, in its order, cut by its limit.
pub(crate) fn run(state: &State, bound: &Bound, with_deleted: bool) -> Vec<Id> {
    let Some(table) = state.table(bound.table) else {
        return Vec::new();
    };
    let access = plan(table, bound, with_deleted);
    run_on(state, table, bound, &access, with_deleted)
}

/// As [`run`], among the given live rows only.
pub(crate) fn run_among(state: &State, bound: &Bound, ids: BTreeSet<Id>) -> Vec<Id> {
    let Some(table) = state.table(bound.table) else {
        return Vec::new();
    };
    run_on(state, table, bound, &Plan::Ids(ids), false)
}

fn run_on(
    state: &State,
    table: &Table,
    bound: &Bound,
    access: &Plan,
    with_deleted: bool,
) -> Vec<Id> {
    let wanted = bound.limit.map(|limit| limit.saturating_add(bound.offset));
    let sorted = is_sorted(access, bound);
    let enough = if sorted { wanted.unwrap_or(usize::MAX) } else { usize::MAX };
    let mut rows: Vec<&Record> = rows(table, access)
        .filter(|row| with_deleted || row.is_live())
        .filter(|row| bound.test.as_ref().is_none_or(|test| matches(state, test, row)))
        .take(enough)
        .collect();
    if !sorted {
        sort(state, bound, &mut rows);
    }
    let kept = rows.into_iter().skip(bound.offset).take(bound.limit.unwrap_or(usize::MAX));
    kept.map(|row| row.id).collect()
}

/// How many rows answer the statement.
pub(crate) fn count(state: &State, bound: &Bound, with_deleted: bool) -> usize {
    let plain = bound.test.is_none() && bound.limit.is_none() && bound.offset == 0;
    match state.table(bound.table) {
        Some(table) if plain && !with_deleted => table.live_count(),
        _ => run(state, bound, with_deleted).len(),
    }
}

fn rows<'a>(table: &'a Table, access: &'a Plan) -> Box<dyn Iterator<Item = &'a Record> + 'a> {
    match access {
        Plan::Ids(ids) => Box::new(ids.iter().filter_map(|id| table.get(*id))),
        Plan::Stamps(from, to) => Box::new(table.stamped(*from, *to)),
        Plan::Scan => Box::new(table.all()),
    }
}

/// Does the access path already give the order that the statement wants.
fn is_sorted(access: &Plan, bound: &Bound) -> bool {
    let ascending: Option<Vec<&Column>> =
        bound.order.iter().map(|(column, descending, _)| (!descending).then_some(column)).collect();
    match (access, ascending.as_deref()) {
        (_, Some([])) => true,
        (Plan::Stamps(..), Some([stamp])) => stamp.is_stamp(),
        (Plan::Stamps(..), Some([stamp, id])) => stamp.is_stamp() && id.is_id(),
        (Plan::Ids(_) | Plan::Scan, Some([id])) => id.is_id(),
        _ => false,
    }
}

fn sort(state: &State, bound: &Bound, rows: &mut Vec<&Record>) {
    let mut keyed: Vec<(Vec<Value>, &Record)> = rows
        .drain(..)
        .map(|row| {
            let keys = bound.order.iter().map(|(column, ..)| value(state, column, row));
            (keys.collect(), row)
        })
        .collect();
    keyed.sort_by(|(left, a), (right, b)| {
        let each = left.iter().zip(right).zip(&bound.order);
        let decided = each
            .map(|((left, right), (_, descending, nulls_first))| {
                key_order(left, right, *descending, *nulls_first)
            })
            .find(|order| order.is_ne());
        decided.unwrap_or_else(|| a.id.cmp(&b.id))
    });
    rows.extend(keyed.into_iter().map(|(_, row)| row));
}

fn key_order(left: &Value, right: &Value, descending: bool, nulls_first: bool) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) if nulls_first => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, true) if nulls_first => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if descending => sort_order(right, left),
        (false, false) => sort_order(left, right),
    }
}

fn matches(state: &State, test: &Test, row: &Record) -> bool {
    match test {
        Test::And(list) => list.iter().all(|test| matches(state, test, row)),
        Test::Or(list) => list.iter().any(|test| matches(state, test, row)),
        Test::Not(inner) => !matches(state, inner, row),
        Test::Compare { column, op, operand } => compare(&cell(state, column, row), *op, operand),
        Test::In { column, negated, list, ids } => {
            let value = cell(state, column, row);
            let found = match &*value {
                Value::Id(id) if !ids.is_empty() => ids.contains(id),
                value => list.iter().any(|operand| equals(value, operand)),
            };
            found != *negated
        }
        Test::Includes { column, negated, sets } => {
            let value = cell(state, column, row);
            let chosen: Vec<String> =
                value.as_text().unwrap_or_default().split(';').map(str::to_lowercase).collect();
            let found = sets.iter().any(|set| set.iter().all(|want| chosen.contains(want)));
            found != *negated
        }
    }
}

/// The value of a column for a row, by way of its parents.
pub(crate) fn value(state: &State, column: &Column, row: &Record) -> Value {
    cell(state, column, row).into_owned()
}

fn cell<'a>(state: &'a State, column: &Column, row: &'a Record) -> Cow<'a, Value> {
    if column.hops.is_empty() {
        return Cow::Borrowed(row.get(column.slot));
    }
    let mut at = row;
    for hop in &column.hops {
        match parent(state, at, hop) {
            Some(next) => at = next,
            None => return Cow::Owned(Value::Null),
        }
    }
    let table = state.table_of(at.id).and_then(|table| state.table(table));
    match table.and_then(|table| table.object.slot(&column.field.name)) {
        Some(slot) => Cow::Borrowed(at.get(slot)),
        None => Cow::Owned(Value::Null),
    }
}

/// The row that a reference field points at.
pub(crate) fn parent<'a>(state: &'a State, row: &Record, reference: &str) -> Option<&'a Record> {
    let table = state.table(state.table_of(row.id)?)?;
    let id = row.get(table.object.slot(reference)?).as_id()?;
    state.row(id).map(|(_, row)| row)
}
