//! Checks of single values, and the defaults of a create.

use super::{Draft, SaveError, SaveResult};
use crate::org::state::State;
use crate::org::value::Value;
use crate::schema::{FieldDef, FieldType};

/// Fields that a create leaves out take their default (REST guide, `defaultedOnCreate`).
pub(crate) fn defaults(state: &State, draft: &mut Draft) {
    let Some(table) = state.table(draft.table) else {
        return;
    };
    for (slot, field) in table.object.live() {
        if !field.default.is_null() && !draft.given.contains(&slot) {
            draft.row.set(slot, field.default.clone());
        }
    }
}

/// All checks of a draft; several failures of one record come together.
pub(crate) fn all(state: &State, draft: &Draft) -> SaveResult<()> {
    let Some(table) = state.table(draft.table) else {
        return Ok(());
    };
    let mut errors = Vec::new();
    errors.extend(required(draft, table.object.live()));
    for (slot, field) in table.object.live() {
        let value = draft.row.get(slot);
        let unchanged = draft.before.as_ref().is_some_and(|before| before.get(slot) == value);
        if unchanged || value.is_null() {
            continue;
        }
        let checks = [length, number_range, restricted_picklist, email_address, date_range];
        errors.extend(checks.iter().find_map(|check| check(field, value)));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Recorded text: all missing fields in one message.
fn required<'a>(
    draft: &Draft,
    fields: impl Iterator<Item = (usize, &'a FieldDef)>,
) -> Option<SaveError> {
    let missing: Vec<String> = fields
        .filter(|(slot, field)| {
            let touched = draft.is_create() || draft.given.contains(slot);
            touched
                && !field.nillable
                && field.createable
                && draft.row.get(*slot).is_null()
                && (field.required() || draft.given.contains(slot))
        })
        .map(|(_, field)| field.name.clone())
        .collect();
    if missing.is_empty() {
        return None;
    }
    let text = format!("Required fields are missing: [{}]", missing.join(", "));
    let mut error = SaveError::new("REQUIRED_FIELD_MISSING", text);
    error.fields = missing;
    Some(error)
}

/// Recorded text; never a silent cut (SOAP guide, `AllowFieldTruncationHeader` is SOAP only).
fn length(field: &FieldDef, value: &Value) -> Option<SaveError> {
    let (Value::Text(text), true) = (value, field.ty.is_text() && field.length > 0) else {
        return None;
    };
    let max = usize::try_from(field.length).unwrap_or(usize::MAX);
    if text.len() <= max || text.chars().count() <= max {
        return None;
    }
    let message = format!("{}: data value too large: {text} (max length={max})", field.label);
    Some(SaveError::new("STRING_TOO_LONG", message).on(&field.name))
}

/// Too many digits before the decimal point (describe: `precision` less `scale`).
fn number_range(field: &FieldDef, value: &Value) -> Option<SaveError> {
    let (shown, fits) = match value {
        Value::Int(number) => {
            let digits = number.unsigned_abs().to_string().len();
            (number.to_string(), digits <= usize::try_from(field.precision).unwrap_or(0))
        }
        Value::Double(number) => {
            let digits = i32::try_from(field.precision.saturating_sub(field.scale)).unwrap_or(0);
            (number.to_string(), number.abs() < 10_f64.powi(digits))
        }
        _ => return None,
    };
    if fits {
        return None;
    }
    let message =
        format!("{}: value outside of valid range on numeric field: {shown}", field.label);
    Some(SaveError::new("NUMBER_OUTSIDE_VALID_RANGE", message).on(&field.name))
}

/// Error guide, `INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST`.
fn restricted_picklist(field: &FieldDef, value: &Value) -> Option<SaveError> {
    if !(field.restricted && field.ty.is_picklist()) {
        return None;
    }
    let text = value.as_text()?;
    let known = |part: &str| field.picklist.iter().any(|it| it.active && it.value == part);
    let parts: Vec<&str> = match field.ty {
        FieldType::MultiPicklist => text.split(';').collect(),
        _ => vec![text],
    };
    let bad = parts.into_iter().find(|part| !known(part))?;
    let message = format!("{}: bad value for restricted picklist field: {bad}", field.label);
    Some(SaveError::new("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message).on(&field.name))
}

/// Error guide, `INVALID_EMAIL_ADDRESS`.
fn email_address(field: &FieldDef, value: &Value) -> Option<SaveError> {
    if field.ty != FieldType::Email {
        return None;
    }
    let text = value.as_text()?;
    let good = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.contains('@')
            && !text.contains(char::is_whitespace)
            && domain.contains('.')
            && domain.split('.').all(|label| !label.is_empty())
    });
    if good {
        return None;
    }
    let message = format!("{}: invalid email address: {text}", field.label);
    Some(SaveError::new("INVALID_EMAIL_ADDRESS", message).on(&field.name))
}

/// Dates lie between 1700 and 4000 (SOAP guide, date type).
fn date_range(field: &FieldDef, value: &Value) -> Option<SaveError> {
    let year = match value {
        Value::Date(date) => i64::from(date.year()),
        Value::DateTime(second) => {
            let at = jiff::Timestamp::from_second(*second).ok()?;
            i64::from(at.to_zoned(jiff::tz::TimeZone::UTC).year())
        }
        _ => return None,
    };
    if (1700..=4000).contains(&year) {
        return None;
    }
    let message = format!("{}: invalid date: {}", field.label, value.display());
    Some(SaveError::new("INVALID_FIELD", message).on(&field.name))
}
