//! Filters, evaluated on captured records.

use std::cmp::Ordering;

use syncline_sdk::{Comparison, FieldName, Filter, Value};

use super::Mapping;
use crate::Side;

/// Whether a record passes a filter. `field` gives the record's value of a field. A value that
/// was not delivered counts as passing in every comparison: a record must never seem to leave a
/// mapping because a field could not be read.
pub fn passes<'a>(filter: &Filter, field: impl Fn(&FieldName) -> Option<&'a Value> + Copy) -> bool {
    holds(filter, field).unwrap_or(true)
}

/// The truth of a filter, or nothing when it hangs on a value that was not delivered.
pub fn holds<'a>(
    filter: &Filter,
    field: impl Fn(&FieldName) -> Option<&'a Value> + Copy,
) -> Option<bool> {
    match filter {
        Filter::And(parts) => {
            let verdicts: Vec<_> = parts.iter().map(|part| holds(part, field)).collect();
            if verdicts.contains(&Some(false)) {
                Some(false)
            } else if verdicts.contains(&None) {
                None
            } else {
                Some(true)
            }
        }
        Filter::Or(parts) => {
            let verdicts: Vec<_> = parts.iter().map(|part| holds(part, field)).collect();
            if verdicts.contains(&Some(true)) {
                Some(true)
            } else if verdicts.contains(&None) {
                None
            } else {
                Some(false)
            }
        }
        Filter::Not(part) => holds(part, field).map(|truth| !truth),
        Filter::Compare { field: name, comparison, value } => {
            let found = field(name).filter(|found| found.is_present())?;
            Some(compare(found, *comparison, value))
        }
        Filter::In { field: name, values } => {
            let found = field(name).filter(|found| found.is_present())?;
            Some(values.iter().any(|value| order(found, value) == Some(Ordering::Equal)))
        }
    }
}

fn compare(found: &Value, comparison: Comparison, value: &Value) -> bool {
    let order = order(found, value);
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        _ if found.is_null() || value.is_null() => false,
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// The order of two values of one field, or nothing when they are of kinds that do not compare.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Decimal(b)) => Some(syncline_sdk::Decimal::from(*a).cmp(b)),
        (Value::Decimal(a), Value::Int(b)) => Some(a.cmp(&syncline_sdk::Decimal::from(*b))),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Decimal(a), Value::Decimal(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Instant(a), Value::Instant(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Uuid(a), Value::Uuid(b)) => Some(a.cmp(b)),
        (a, b) => (a == b).then_some(Ordering::Equal),
    }
}

impl Mapping {
    /// Whether a condition on this side's records holds for these values (in the order of the
    /// selection).
    #[must_use]
    pub fn in_scope(&self, side: Side, values: &[Value]) -> bool {
        self.scope(side, values).unwrap_or(true)
    }
    /// The same; nothing when it hangs on a value that was not delivered.
    #[must_use]
    pub fn scope(&self, side: Side, values: &[Value]) -> Option<bool> {
        let selection = &self.sides[side].selection;
        let Some(filter) = &selection.filter else { return Some(true) };
        holds(filter, |field| {
            let at = selection.fields.iter().position(|name| name == field)?;
            values.get(at)
        })
    }
}
