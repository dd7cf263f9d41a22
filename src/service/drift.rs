//! Fields that are not what their mapping was bound to (protocol 1.10).

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_core::Side;
use syncline_core::mapping::language::MappingSpec;
use syncline_core::mapping::{Drift, Drifted};
use syncline_ledger::Description;
use syncline_sdk::{EntitySchema, FieldName};

/// What has become of the fields of a side's image since `agreed` was kept.
pub(crate) fn drifted(
    spec: &MappingSpec,
    side: Side,
    agreed: &Description,
    now: &EntitySchema,
) -> Vec<Drifted> {
    let (fields, image_len) = spec.fields_of(side);
    let image = fields.into_iter().take(image_len).map(|field| &field.value);
    let changed = |field: &FieldName| {
        let was = agreed.schema.field(field)?;
        let what = match (agreed.gone.contains(field), now.field(field)) {
            (true, Some(_)) => Drift::Back,
            (_, now) => Drift::of(was, now).filter(Drift::freezes)?,
        };
        Some(Drifted { field: field.clone(), what })
    };
    image.filter_map(changed).collect()
}

/// How a side is described as its mapping is bound to it: as it is now, but for the fields that
/// have drifted, which stay what they were.
pub(crate) fn bound_to(
    now: &EntitySchema,
    agreed: &Description,
    drifted: &[Drifted],
) -> EntitySchema {
    let mut schema = now.clone();
    for one in drifted {
        let Some(was) = agreed.schema.field(&one.field) else { continue };
        schema.fields.retain(|field| field.name != one.field);
        schema.fields.push(was.clone());
    }
    schema
}

/// What the fields of a mapping that are left alone are called to people, each with why.
pub(super) fn told(
    mapping: &str,
    side: Side,
    drifted: &[Drifted],
) -> impl Iterator<Item = (Arc<str>, String)> {
    drifted.iter().map(move |one| {
        let field = &one.field;
        let remedy = match one.what {
            Drift::Gone => "bring it back, or take it out of the mapping".to_owned(),
            _ => format!("`syncline accept {mapping} {field}` takes it as it is"),
        };
        (format!("{mapping} {side} {field}").into(), format!("{}: {remedy}", one.what))
    })
}

/// The fields that are left alone, by what they are called to people, with why.
pub(super) type FrozenFields = BTreeMap<Arc<str>, String>;
