//! Which rows a statement has to look at: by id, by key, by reference, by stamp, or all.

use std::collections::BTreeSet;

use super::ast::Op;
use super::bound::{Bound, Column, Test};
use super::operand::Operand;
use crate::org::ids::Id;
use crate::org::table::Table;
use crate::org::value::Value;

/// The access path of a statement. Every path gives a superset of the answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    Ids(BTreeSet<Id>),
    /// Seconds, both ends included; rows come in the order of stamp and id.
    Stamps(i64, i64),
    Scan,
}

pub(crate) fn plan(table: &Table, bound: &Bound, with_deleted: bool) -> Plan {
    let test = bound.test.as_ref();
    if let Some(ids) = test.and_then(|test| ids(table, test, with_deleted)) {
        return Plan::Ids(ids);
    }
    let (from, to) = test.map_or((i64::MIN, i64::MAX), stamps);
    let by_stamp =
        bound.order.first().is_some_and(|(column, descending, _)| column.is_stamp() && !descending);
    if by_stamp || (from, to) != (i64::MIN, i64::MAX) { Plan::Stamps(from, to) } else { Plan::Scan }
}

/// The ids that a test narrows the rows to, when an index knows them. Key and reference indexes
/// hold live rows only.
fn ids(table: &Table, test: &Test, with_deleted: bool) -> Option<BTreeSet<Id>> {
    match test {
        Test::And(list) => list.iter().find_map(|test| ids(table, test, with_deleted)),
        Test::Or(list) => {
            let sets: Option<Vec<_>> =
                list.iter().map(|test| ids(table, test, with_deleted)).collect();
            Some(sets?.into_iter().flatten().collect())
        }
        Test::Compare { column, op: Op::Eq, operand } => {
            pointed(table, column, operand, with_deleted)
        }
        Test::In { column, negated: false, list, .. } => {
            let sets: Option<Vec<_>> =
                list.iter().map(|operand| pointed(table, column, operand, with_deleted)).collect();
            Some(sets?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

fn pointed(
    table: &Table,
    column: &Column,
    operand: &Operand,
    with_deleted: bool,
) -> Option<BTreeSet<Id>> {
    let slot = column.own_slot()?;
    match operand {
        Operand::Id(id) if column.is_id() => Some(BTreeSet::from([*id])),
        Operand::Id(id) if !with_deleted && table.indexes_reference(slot) => {
            Some(table.pointing(slot, *id).into_iter().collect())
        }
        Operand::Text(text, _) if !with_deleted && column.field.is_key() => {
            Some(table.with_key(slot, &Value::text(text)).iter().copied().collect())
        }
        _ => None,
    }
}

/// The seconds that a test narrows `SystemModstamp` to.
fn stamps(test: &Test) -> (i64, i64) {
    let all = (i64::MIN, i64::MAX);
    match test {
        Test::And(list) => list.iter().map(stamps).fold(all, |a, b| (a.0.max(b.0), a.1.min(b.1))),
        Test::Or(list) => {
            list.iter().map(stamps).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or(all)
        }
        Test::Compare { column, op, operand: Operand::Instants(from, until) }
            if column.is_stamp() =>
        {
            let (first, last) = (from.div_euclid(1000), until.div_euclid(1000));
            match op {
                Op::Eq => (first, last),
                Op::Lt => (i64::MIN, first),
                Op::Le => (i64::MIN, last),
                Op::Gt | Op::Ge => (first, i64::MAX),
                Op::Ne | Op::Like => all,
            }
        }
        _ => all,
    }
}
