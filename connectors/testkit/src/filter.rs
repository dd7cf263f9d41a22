//! Filters, evaluated on stored values.

use std::cmp::Ordering;

use syncline_sdk::{Comparison, Decimal, Filter, Value};

/// Whether a record with these values passes a filter (two-valued, as the contract says).
pub(crate) fn passes(filter: &Filter, value: &impl Fn(&syncline_sdk::FieldName) -> Value) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| passes(part, value)),
        Filter::Or(parts) => parts.iter().any(|part| passes(part, value)),
        Filter::Not(part) => !passes(part, value),
        Filter::Compare { field, comparison, value: constant } => {
            holds(*comparison, &value(field), constant)
        }
        Filter::In { field, values } => values.contains(&value(field)),
    }
}

fn holds(comparison: Comparison, stored: &Value, constant: &Value) -> bool {
    let order = || compare(stored, constant);
    match comparison {
        Comparison::Equal => stored == constant,
        Comparison::NotEqual => stored != constant,
        Comparison::Less => order() == Some(Ordering::Less),
        Comparison::LessOrEqual => order().is_some_and(Ordering::is_le),
        Comparison::Greater => order() == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
    }
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
        (Value::Int(a), Value::Decimal(b)) => Decimal::from(*a).cmp(b),
        (Value::Decimal(a), Value::Int(b)) => a.cmp(&Decimal::from(*b)),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
        _ => return None,
    })
}
