//! Normalisers: what a side does to a value when it stores it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Decimal, Precision, Value};

/// One step of what a side does to a value on save, declared by its connector for a field. The
/// planner applies it to predict the stored image of a write, so that the changed image coming
/// back is known for an echo (protocol 1.8). A mapping uses some of them to compare match keys.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalizer {
    /// Cuts white space (ASCII only: a no-break space stays) off both ends of text.
    Trim,
    /// Empty text and the empty list become null.
    EmptyToNull,
    /// Null becomes empty text.
    NullToEmpty,
    /// Text in lower case.
    Lowercase,
    /// CRLF and CR become LF.
    LineFeeds,
    /// Instants and times of day are cut to a precision.
    Truncate(Precision),
    /// Decimals are rounded to so many significant digits (15 where a double is kept).
    SignificantDigits(u8),
    /// Null becomes false.
    NullToFalse,
    /// Lists are put into the order given here, without repeats; unknown members follow in text
    /// order.
    SetOrder(Vec<Arc<str>>),
    /// Text that equals a value given here but for case becomes that value.
    FoldCase(Vec<Arc<str>>),
    /// Only digits of the text are kept (for match keys such as telephone numbers).
    DigitsOnly,
}

impl Normalizer {
    /// The image of a value. A value that the step does not concern comes back as it is.
    #[must_use]
    pub fn apply(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Trim, Value::Text(text)) => {
                let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
                if trimmed.len() == text.len() { Value::Text(text) } else { trimmed.into() }
            }
            (Self::EmptyToNull, Value::Text(text)) if text.is_empty() => Value::Null,
            (Self::EmptyToNull, Value::List(items)) if items.is_empty() => Value::Null,
            (Self::NullToEmpty, Value::Null) => Value::text(""),
            (Self::Lowercase, Value::Text(text)) => Value::from(text.to_lowercase()),
            (Self::LineFeeds, Value::Text(text)) if text.contains('\r') => {
                Value::from(text.replace("\r\n", "\n").replace('\r', "\n"))
            }
            (Self::Truncate(precision), Value::Instant(instant)) => {
                Value::Instant(instant.truncate(*precision))
            }
            (Self::Truncate(precision), Value::Time(time)) => Value::Time(cut(time, *precision)),
            (Self::SignificantDigits(digits), Value::Decimal(decimal)) => {
                Value::Decimal(round(&decimal, *digits))
            }
            (Self::NullToFalse, Value::Null) => Value::Bool(false),
            (Self::SetOrder(order), Value::List(items)) => Value::List(in_order(order, &items)),
            (Self::FoldCase(known), Value::Text(text)) => {
                let found = known.iter().find(|value| value.to_lowercase() == text.to_lowercase());
                Value::Text(found.cloned().unwrap_or(text))
            }
            (Self::DigitsOnly, Value::Text(text)) => {
                Value::from(text.chars().filter(char::is_ascii_digit).collect::<String>())
            }
            (_, value) => value,
        }
    }
    /// The image of a value after all steps, in order.
    #[must_use]
    pub fn apply_all(steps: &[Self], value: Value) -> Value {
        steps.iter().fold(value, |value, step| step.apply(value))
    }
}

fn cut(time: jiff::civil::Time, precision: Precision) -> jiff::civil::Time {
    let finest = match precision {
        Precision::Second => 1_000_000_000,
        Precision::Milli => 1_000_000,
        Precision::Micro => 1_000,
    };
    let fraction = time.subsec_nanosecond();
    time.with().subsec_nanosecond(fraction - fraction % finest).build().unwrap_or(time)
}

fn round(decimal: &Decimal, digits: u8) -> Decimal {
    decimal.round_significant(usize::from(digits))
}

fn in_order(order: &[Arc<str>], items: &[Value]) -> Arc<[Value]> {
    let place = |item: &Value| {
        let text = item.as_text().unwrap_or_default();
        order.iter().position(|known| **known == *text).unwrap_or(usize::MAX)
    };
    let mut sorted: Vec<Value> = items.to_vec();
    sorted.sort_by_key(|item| (place(item), item.to_string()));
    sorted.dedup();
    sorted.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_settles_after_one_application() {
        let order: Vec<Arc<str>> = vec!["b".into(), "a".into()];
        let steps = [
            Normalizer::Trim,
            Normalizer::EmptyToNull,
            Normalizer::Lowercase,
            Normalizer::LineFeeds,
            Normalizer::Truncate(Precision::Second),
            Normalizer::Truncate(Precision::Milli),
            Normalizer::SignificantDigits(3),
            Normalizer::NullToFalse,
            Normalizer::SetOrder(order.clone()),
            Normalizer::FoldCase(order),
            Normalizer::DigitsOnly,
        ];
        let values = [
            Value::from("  Ab\r\nc\u{a0} "),
            Value::from("   "),
            Value::from("B"),
            Value::Null,
            Value::Absent,
            Value::Decimal("1234.5".parse().unwrap()),
            Value::Instant(crate::Instant::from_micros(1_700_000_000_123_456)),
            Value::List(vec!["a".into(), "z".into(), "b".into(), "a".into()].into()),
        ];
        for step in &steps {
            for value in &values {
                let once = step.apply(value.clone());
                assert_eq!(step.apply(once.clone()), once, "{step:?} on {value:?}");
            }
        }
    }

    #[test]
    fn trims_ascii_space_only_and_orders_sets() {
        assert_eq!(Normalizer::Trim.apply(" a\u{a0} ".into()), "a\u{a0}".into());
        let steps = [Normalizer::Trim, Normalizer::EmptyToNull];
        assert_eq!(Normalizer::apply_all(&steps, "  ".into()), Value::Null);
        let set = Normalizer::SetOrder(vec!["b".into(), "a".into()]);
        let list = Value::List(vec!["a".into(), "b".into(), "a".into()].into());
        assert_eq!(set.apply(list), Value::List(vec!["b".into(), "a".into()].into()));
    }
}
