//! The type of a field, and what fills it.

use std::sync::Arc;

use syncline_sdk::{EntityName, FieldType, Precision};

use super::{RawField, wire};
use crate::wire::Wire;

/// What gives the field its value where nobody does.
pub(super) fn filled(field: &RawField) -> Option<&'static str> {
    match field {
        RawField { auto_number: true, .. } => Some("automatic number"),
        RawField { calculated: true, .. } => Some("calculated"),
        RawField { defaulted_on_create: true, .. } => Some("default"),
        _ => None,
    }
}

pub(super) fn native(field: &RawField) -> String {
    match field.kind.as_str() {
        "double" | "currency" | "percent" => {
            format!("{}({},{})", field.kind, field.precision, field.scale)
        }
        "string" | "textarea" | "email" | "phone" | "url" | "encryptedstring" => {
            format!("{}({})", field.kind, field.length)
        }
        kind => kind.to_owned(),
    }
}

pub(super) fn field_type(field: &RawField) -> FieldType {
    let texts = |active_only: bool| -> Vec<Arc<str>> {
        let values = field.picklist_values.iter();
        values
            .filter(|value| value.active || !active_only)
            .map(|value| value.value.as_str().into())
            .collect()
    };
    let restricted = field.restricted_picklist;
    match wire(&field.kind) {
        Wire::Id if field.kind == "reference" => FieldType::Reference {
            entities: field.reference_to.iter().map(|to| EntityName::new(to.as_str())).collect(),
        },
        Wire::Bool => FieldType::Bool,
        Wire::Int => int_type(field),
        Wire::Number => FieldType::Decimal {
            precision: (field.precision > 0).then_some(field.precision),
            scale: (field.precision > 0).then_some(field.scale),
        },
        Wire::Date => FieldType::Date,
        Wire::Time => FieldType::Time,
        Wire::Instant => FieldType::Instant { precision: Precision::Second },
        Wire::Set => FieldType::Set { values: texts(true), restricted },
        Wire::Compound => FieldType::Json,
        Wire::Opaque | Wire::Related | Wire::RecordType => FieldType::Raw,
        Wire::Text if matches!(field.kind.as_str(), "picklist" | "combobox") => {
            FieldType::Enum { values: texts(true), restricted }
        }
        Wire::Id | Wire::Text | Wire::Lines => {
            FieldType::Text { chars_max: (field.length > 0).then_some(field.length) }
        }
    }
}

/// `int` holds 32 bits, fewer when `digits` says so; `long` 64.
fn int_type(field: &RawField) -> FieldType {
    let (min, max) = if field.kind == "long" {
        (i64::MIN, i64::MAX)
    } else {
        (i64::from(i32::MIN), i64::from(i32::MAX))
    };
    let digits = 10_i64.checked_pow(field.digits).map(|power| power - 1);
    match digits {
        Some(most) if field.digits > 0 => {
            FieldType::Int { min: min.max(-most), max: max.min(most) }
        }
        _ => FieldType::Int { min, max },
    }
}
