//! Fields that are not what their mapping was bound to (protocol 1.10).

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_core::mapping::language::{Diagnostic, Diagnostics, MappingSpec};
use syncline_core::mapping::{Drift, Drifted, MappingId};
use syncline_core::{Side, Sides};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Description, Setup as _};
use syncline_sdk::{EntitySchema, FieldName};

/// What the sides of a mapping were last bound to.
///
/// # Errors
/// When the ledger gives no answer.
pub(crate) async fn agreed_of(
    ledger: &Postgres,
    spec: &MappingSpec,
    id: MappingId,
) -> syncline_ledger::Result<Sides<Option<Description>>> {
    let mut agreed = Sides::default();
    for side in Side::BOTH {
        let named = &spec.sides[side];
        let known = ledger.description(id, side).await?;
        agreed[side] = known.filter(|known| {
            known.system == named.system.value && known.entity == named.entity.value
        });
    }
    Ok(agreed)
}

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
        let why = format!("{}: {}", one.what, remedy(mapping, one));
        (format!("{mapping} {side} {}", one.field).into(), why)
    })
}

/// The fields of a mapping that are left alone, at their places in its file.
pub(crate) fn left_alone(spec: &MappingSpec, drift: &Sides<Vec<Drifted>>) -> Diagnostics {
    let mut found = Diagnostics::new();
    for side in Side::BOTH {
        for one in &drift[side] {
            let (fields, _) = spec.fields_of(side);
            let Some(at) = fields.into_iter().find(|at| at.value == one.field) else { continue };
            let name = format!("{} {side} {}", *spec.name, one.field);
            let message = format!("field {name} is observed and not written");
            let diagnostic = Diagnostic::warning(message)
                .at(&spec.source, at.span)
                .label(one.what.to_string())
                .help(remedy(&spec.name, one));
            found.push(diagnostic);
        }
    }
    found
}

/// What takes a field out of that state.
fn remedy(mapping: &str, one: &Drifted) -> String {
    match one.what {
        Drift::Gone => "bring it back, or take it out of the mapping".to_owned(),
        _ => format!("`syncline accept {mapping} {}` takes it as it is", one.field),
    }
}

/// The fields that are left alone, by what they are called to people, with why.
pub(super) type FrozenFields = BTreeMap<Arc<str>, String>;
