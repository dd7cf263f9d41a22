//! Literals, typed by the field they are compared with.

use std::cmp::Ordering;

use super::ast::{Literal, LiteralKind, Op};
use super::dates;
use super::error::Located;
use super::like::{Piece, like, pattern};
use crate::org::ids::Id;
use crate::org::value::Value;
use crate::schema::{FieldDef, FieldType};

/// The right-hand side of a comparison, ready to compare.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Null,
    Bool(bool),
    Number(f64),
    /// Lower-cased unless the field is case-sensitive.
    Text(String, bool),
    Pattern(Vec<Piece>),
    Id(Id),
    /// Milliseconds `[from, until)`; an instant is a range of one millisecond.
    Instants(i64, i64),
    /// Days `[from, until)`.
    Days(jiff::civil::Date, jiff::civil::Date),
}

/// A number, a date or a dateTime as the lexer found it.
pub(crate) fn date_or_number(text: &str) -> Option<LiteralKind> {
    if text.as_bytes().get(4) == Some(&b'-') {
        if text.len() == 10 {
            return text.parse().ok().map(LiteralKind::Date);
        }
        let at: jiff::Timestamp = text.parse().ok()?;
        return Some(LiteralKind::DateTime(at.as_millisecond()));
    }
    text.parse().ok().map(LiteralKind::Number)
}

/// Types a literal; a literal of another kind than the field is `INVALID_FIELD`.
pub(crate) fn operand(
    field: &FieldDef,
    op: Op,
    literal: &Literal,
    now_s: i64,
) -> Result<Operand, Located> {
    if let LiteralKind::Null = literal.kind {
        return Ok(Operand::Null);
    }
    if op == Op::Like {
        return match &literal.kind {
            LiteralKind::Text { pattern: text, .. } if field.ty.is_text() => {
                Ok(Operand::Pattern(pattern(text)))
            }
            _ => Err(wrong_operator(field, literal.at, "like")),
        };
    }
    match (field.ty, &literal.kind) {
        (FieldType::Boolean, LiteralKind::Bool(value)) => Ok(Operand::Bool(*value)),
        (FieldType::Id | FieldType::Reference, LiteralKind::Text { plain, .. }) => {
            Id::parse(plain).map(Operand::Id).ok_or_else(|| {
                let text = format!("invalid ID field: {plain}");
                Located::new("INVALID_QUERY_FILTER_OPERATOR", literal.at, text)
            })
        }
        // Stored text is never empty: '' is null.
        (ty, LiteralKind::Text { plain, .. }) if ty.is_text() && plain.is_empty() => {
            Ok(Operand::Null)
        }
        (ty, LiteralKind::Text { plain, .. }) if ty.is_text() => {
            let exact = field.case_sensitive;
            let text = if exact { plain.clone() } else { plain.to_lowercase() };
            Ok(Operand::Text(text, exact))
        }
        (FieldType::Time, LiteralKind::Text { plain, .. }) => {
            Ok(Operand::Text(plain.clone(), true))
        }
        (FieldType::Int, LiteralKind::Number(number)) => Ok(Operand::Number(*number)),
        (ty, LiteralKind::Number(number)) if ty.is_decimal() => Ok(Operand::Number(*number)),
        (FieldType::DateTime, LiteralKind::DateTime(ms)) => Ok(Operand::Instants(*ms, ms + 1)),
        (FieldType::Date, LiteralKind::Date(date)) => {
            let until = date.checked_add(jiff::ToSpan::days(1_i64)).unwrap_or(*date);
            Ok(Operand::Days(*date, until))
        }
        (FieldType::DateTime | FieldType::Date, LiteralKind::DateWord { name, number }) => {
            word(field, name, *number, now_s)
                .ok_or_else(|| Located::unexpected(literal.at, &format!("'{name}'")))
        }
        (_, kind) => Err(wrong_type(field, kind, literal.at)),
    }
}

fn word(field: &FieldDef, name: &str, number: Option<i64>, now_s: i64) -> Option<Operand> {
    let utc = jiff::tz::TimeZone::UTC;
    let today = jiff::Timestamp::from_second(now_s).ok()?.to_zoned(utc.clone()).date();
    let (from, until) = dates::range(name, number, today)?;
    if field.ty == FieldType::Date {
        return Some(Operand::Days(from, until));
    }
    let ms = |date: jiff::civil::Date| {
        Some(date.to_zoned(utc.clone()).ok()?.timestamp().as_millisecond())
    };
    Some(Operand::Instants(ms(from)?, ms(until)?))
}

/// Recorded wording of the type errors of a filter.
fn wrong_type(field: &FieldDef, kind: &LiteralKind, at: usize) -> Located {
    let wanted = match field.ty {
        FieldType::DateTime => "dateTime",
        FieldType::Id | FieldType::Reference => "ID",
        ty if ty.is_text() => "string",
        ty => ty.name(),
    };
    let quotes = if matches!(kind, LiteralKind::Text { .. }) { "should not" } else { "should" };
    let name = &field.name;
    let text = format!(
        "value of filter criterion for field '{name}' must be of type {wanted} and {quotes} be \
         enclosed in quotes"
    );
    Located::new("INVALID_FIELD", at, text)
}

pub(crate) fn wrong_operator(field: &FieldDef, at: usize, operator: &str) -> Located {
    let text = format!("invalid operator on {} field: {operator}", field.ty.name());
    Located::new("INVALID_QUERY_FILTER_OPERATOR", at, text)
}

/// A stored value against an operand. Null is equal to null only, and below or above nothing.
pub(crate) fn compare(value: &Value, op: Op, operand: &Operand) -> bool {
    if value.is_null() || matches!(operand, Operand::Null) {
        let equal = value.is_null() && matches!(operand, Operand::Null);
        return match op {
            Op::Eq => equal,
            Op::Ne => !equal,
            _ => false,
        };
    }
    match operand {
        Operand::Pattern(pieces) => value.as_text().is_some_and(|text| like(text, pieces)),
        Operand::Instants(from, until) => match value {
            Value::DateTime(second) => in_range(second * 1000, op, *from, *until),
            _ => false,
        },
        Operand::Days(from, until) => match value {
            Value::Date(date) => in_range(*date, op, *from, *until),
            _ => false,
        },
        simple => match order(value, simple) {
            Some(order) => holds(op, order),
            None => op == Op::Ne,
        },
    }
}

/// Equality for `IN` lists.
pub(crate) fn equals(value: &Value, operand: &Operand) -> bool {
    compare(value, Op::Eq, operand)
}

fn order(value: &Value, operand: &Operand) -> Option<Ordering> {
    match (value, operand) {
        (Value::Bool(left), Operand::Bool(right)) => Some(left.cmp(right)),
        (Value::Id(left), Operand::Id(right)) => Some(left.cmp(right)),
        (Value::Text(left), Operand::Text(right, true)) => Some((**left).cmp(right.as_str())),
        (Value::Text(left), Operand::Text(right, false)) => {
            Some(left.to_lowercase().as_str().cmp(right.as_str()))
        }
        (Value::Double(left), Operand::Number(right)) => left.partial_cmp(right),
        (Value::Int(left), Operand::Number(right)) => {
            left.to_string().parse::<f64>().ok()?.partial_cmp(right)
        }
        (time @ Value::Time(_), Operand::Text(right, _)) => {
            Some(time.display().as_str().cmp(right.as_str()))
        }
        _ => None,
    }
}

fn in_range<T: PartialOrd>(value: T, op: Op, from: T, until: T) -> bool {
    match op {
        Op::Eq => value >= from && value < until,
        Op::Ne => value < from || value >= until,
        Op::Lt => value < from,
        Op::Le => value < until,
        Op::Gt => value >= until,
        Op::Ge => value >= from,
        Op::Like => false,
    }
}

fn holds(op: Op, order: Ordering) -> bool {
    match op {
        Op::Eq => order.is_eq(),
        Op::Ne => order.is_ne(),
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        Op::Gt => order.is_gt(),
        Op::Ge => order.is_ge(),
        Op::Like => false,
    }
}

/// Order of two stored values for `ORDER BY`; nulls are placed by the caller.
pub(crate) fn sort_order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
        (Value::Id(left), Value::Id(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Double(left), Value::Double(right)) => left.total_cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::DateTime(left), Value::DateTime(right)) => left.cmp(right),
        (Value::Time(left), Value::Time(right)) => left.cmp(right),
        _ => Ordering::Equal,
    }
}
