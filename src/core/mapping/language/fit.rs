//! Whether the values of one field fit into another: the static face of
//! [`crate::mapping::convert`].

use std::sync::Arc;

use syncline_sdk::{FieldSchema, FieldType, Normalizer};

/// How the values of one field fit into another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fit {
    /// All of them.
    Whole,
    /// Not these; the others do.
    Part(String),
    /// None of them.
    Never,
}

/// The most values of a list that a message names.
const NAMED_MAX: usize = 5;

/// How the values of `from` fit into `to`, null left aside.
pub(super) fn fit(from: &FieldSchema, to: &FieldSchema) -> Fit {
    if from.kind == FieldType::Raw || to.kind == FieldType::Raw {
        return raw(from, to);
    }
    kinds(&from.kind, &to.kind, &to.normalizers)
}

/// True when null fits as well.
pub(super) fn null_fits(from: &FieldSchema, to: &FieldSchema) -> bool {
    let fills =
        |step: &Normalizer| matches!(step, Normalizer::NullToEmpty | Normalizer::NullToFalse);
    !from.nullable || to.nullable || to.normalizers.iter().any(fills)
}

fn raw(from: &FieldSchema, to: &FieldSchema) -> Fit {
    match (&from.kind, &to.kind) {
        (FieldType::Raw, FieldType::Raw) if from.native == to.native => Fit::Whole,
        (FieldType::Raw, FieldType::Text { chars_max: None }) => Fit::Whole,
        (FieldType::Raw, FieldType::Text { chars_max: Some(max) }) => longer(*max),
        _ => Fit::Never,
    }
}

fn part(which: &str) -> Fit {
    Fit::Part(which.to_owned())
}

fn longer(max: u32) -> Fit {
    Fit::Part(format!("values of more than {max} characters"))
}

/// Whether the values travel as text.
fn is_text(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Text { .. } | FieldType::Enum { .. })
}

fn kinds(from: &FieldType, to: &FieldType, steps: &[Normalizer]) -> Fit {
    match (from, to) {
        (from, FieldType::Text { chars_max }) => text(from, *chars_max),
        (FieldType::Bool, FieldType::Bool)
        | (FieldType::Bytes, FieldType::Bytes)
        | (FieldType::Date, FieldType::Date | FieldType::Instant { .. })
        | (FieldType::Time, FieldType::Time)
        | (FieldType::Uuid, FieldType::Uuid)
        | (FieldType::Json, FieldType::Json)
        | (
            FieldType::Text { .. }
            | FieldType::Enum { .. }
            | FieldType::Int { .. }
            | FieldType::Uuid
            | FieldType::Reference { .. },
            FieldType::Reference { .. },
        ) => Fit::Whole,
        (from, FieldType::Bool) if is_text(from) => part("texts other than true and false"),
        (from, FieldType::Int { min, max }) => integer(from, *min, *max),
        (from, FieldType::Decimal { precision, scale }) => decimal(from, *precision, *scale, steps),
        (from, FieldType::Enum { values, restricted }) => member(from, values, *restricted, steps),
        (FieldType::Set { values: have, .. }, FieldType::Set { values, restricted: true }) => {
            list_fit(have, values, steps)
        }
        (FieldType::Set { .. }, FieldType::Set { .. }) => Fit::Whole,
        (FieldType::List(_), FieldType::Set { restricted: true, .. }) => {
            part("members that are not in its list")
        }
        (FieldType::List(inner), FieldType::Set { .. }) => text(inner, None),
        (FieldType::Set { .. }, FieldType::List(inner)) => {
            kinds(&FieldType::Text { chars_max: None }, inner, steps)
        }
        (FieldType::List(from), FieldType::List(to)) => kinds(from, to, steps),
        (FieldType::Instant { precision: from }, FieldType::Instant { precision: to }) => {
            let cuts = steps.iter().any(|step| matches!(step, Normalizer::Truncate(_)));
            if cuts || from <= to { Fit::Whole } else { part("instants with a finer fraction") }
        }
        (from, FieldType::Instant { .. }) if is_text(from) => part("texts that are no instants"),
        (from, FieldType::Date) if is_text(from) => part("texts that are no dates"),
        (from, FieldType::Time) if is_text(from) => part("texts that are no times of day"),
        (from, FieldType::Uuid) if is_text(from) => part("texts that are no UUIDs"),
        (FieldType::Reference { .. }, FieldType::Uuid) => part("ids that are no UUIDs"),
        _ => Fit::Never,
    }
}

fn text(from: &FieldType, chars_max: Option<u32>) -> Fit {
    let longest = match from {
        FieldType::Set { .. } | FieldType::List(_) | FieldType::Bytes => return Fit::Never,
        FieldType::Bool => Some(5),
        FieldType::Int { min, max } => {
            u32::try_from(min.to_string().len().max(max.to_string().len())).ok()
        }
        // A sign, a point, and a zero before it.
        FieldType::Decimal { precision, .. } => precision.map(|digits| digits.saturating_add(3)),
        FieldType::Text { chars_max } => *chars_max,
        FieldType::Enum { values, restricted: true } => values
            .iter()
            .map(|value| u32::try_from(value.chars().count()).unwrap_or(u32::MAX))
            .max(),
        FieldType::Date => Some(10),
        FieldType::Time => Some(15),
        FieldType::Instant { .. } => Some(27),
        FieldType::Uuid => Some(36),
        _ => None,
    };
    match (longest, chars_max) {
        (_, None) => Fit::Whole,
        (Some(longest), Some(max)) if longest <= max => Fit::Whole,
        (_, Some(max)) => longer(max),
    }
}

fn integer(from: &FieldType, min: i64, max: i64) -> Fit {
    match from {
        FieldType::Int { min: least, max: most } if *least >= min && *most <= max => Fit::Whole,
        FieldType::Int { .. } => Fit::Part(format!("numbers outside {min} to {max}")),
        FieldType::Decimal { scale: Some(0), .. } => {
            Fit::Part(format!("numbers outside {min} to {max}"))
        }
        FieldType::Decimal { .. } => {
            Fit::Part(format!("numbers with a fraction, or outside {min} to {max}"))
        }
        FieldType::Reference { .. } => part("ids that are no whole numbers"),
        from if is_text(from) => part("texts that are no whole numbers"),
        _ => Fit::Never,
    }
}

fn decimal(
    from: &FieldType,
    precision: Option<u32>,
    scale: Option<u32>,
    steps: &[Normalizer],
) -> Fit {
    let (digits, fraction) = match from {
        FieldType::Int { min, max } => {
            let digits = min.unsigned_abs().max(max.unsigned_abs()).to_string().len();
            (u32::try_from(digits).ok(), Some(0))
        }
        FieldType::Decimal { precision, scale } => (*precision, *scale),
        from if is_text(from) => return part("texts that are no numbers"),
        _ => return Fit::Never,
    };
    let fraction_fits = match (fraction, scale) {
        (_, None) => true,
        (Some(fraction), Some(scale)) => fraction <= scale,
        (None, Some(_)) => false,
    };
    let whole = |digits: u32, fraction: Option<u32>| digits.saturating_sub(fraction.unwrap_or(0));
    let digits_fit = match (digits, precision) {
        (_, None) => true,
        (Some(digits), Some(precision)) => whole(digits, fraction) <= whole(precision, scale),
        (None, Some(_)) => false,
    };
    let significant = steps.iter().find_map(|step| match step {
        Normalizer::SignificantDigits(digits) => Some(u32::from(*digits)),
        _ => None,
    });
    if !fraction_fits {
        let scale = scale.unwrap_or(0);
        return Fit::Part(format!("numbers with more than {scale} digits behind the point"));
    }
    if !digits_fit {
        return part("numbers with more digits before the point");
    }
    match significant {
        Some(kept) if digits.is_none_or(|digits| digits > kept) => {
            Fit::Part(format!("numbers of more than {kept} digits"))
        }
        _ => Fit::Whole,
    }
}

fn member(from: &FieldType, values: &[Arc<str>], restricted: bool, steps: &[Normalizer]) -> Fit {
    match (from, restricted) {
        (FieldType::Set { .. } | FieldType::List(_) | FieldType::Bytes, _) => Fit::Never,
        (_, false) => Fit::Whole,
        (FieldType::Enum { values: have, .. }, true) => list_fit(have, values, steps),
        (_, true) => part("values that are not in its list"),
    }
}

/// Which values of one list the other does not have.
fn list_fit(from: &[Arc<str>], to: &[Arc<str>], steps: &[Normalizer]) -> Fit {
    let stored = |value: &Arc<str>| {
        Normalizer::apply_all(steps, syncline_sdk::Value::Text(Arc::clone(value)))
    };
    let known = |value: &&Arc<str>| {
        let stored = stored(value);
        stored.as_text().is_none_or(|stored| to.iter().any(|known| **known == *stored))
    };
    let missing: Vec<&str> =
        from.iter().filter(|value| !known(value)).map(|value| &**value).collect();
    if missing.is_empty() { Fit::Whole } else { Fit::Part(named(&missing)) }
}

/// The first few values, quoted, and how many more there are.
pub(super) fn named(values: &[&str]) -> String {
    let shown: Vec<String> =
        values.iter().take(NAMED_MAX).map(|value| format!("`{value}`")).collect();
    let more = values.len().saturating_sub(NAMED_MAX);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
