//! What can be wrong between the mappings of one installation, and between them and the settings.

use syncline_sdk::SystemName;

use super::suggestion::{nearest, one_of};
use super::{Diagnostic, Diagnostics, MappingSpec};
use crate::Side;

/// Checks all mappings of an installation against each other and the names of its systems.
#[must_use]
pub fn check_together(specs: &[MappingSpec], systems: &[SystemName]) -> Diagnostics {
    let mut found = Diagnostics::new();
    for (at, spec) in specs.iter().enumerate() {
        unknown_systems(&mut found, spec, systems);
        references(&mut found, spec, specs);
        for earlier in &specs[..at] {
            if earlier.name == spec.name {
                found.push(
                    Diagnostic::error(format!("two mappings have the name `{}`", *spec.name))
                        .at(&spec.source, spec.name.span)
                        .also(&earlier.source, earlier.name.span, "the first one")
                        .help("give one of them another name"),
                );
            } else {
                overlap(&mut found, earlier, spec);
            }
        }
    }
    found
}

fn unknown_systems(found: &mut Diagnostics, spec: &MappingSpec, systems: &[SystemName]) {
    for (_, side) in spec.sides.iter().filter(|(_, side)| !systems.contains(&side.system)) {
        let known = || systems.iter().map(SystemName::as_str);
        let help = match nearest(side.system.as_str(), known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the settings name {}: add it there under `systems`", one_of(known())),
        };
        let message = format!("there is no system `{}`", *side.system);
        found.push(Diagnostic::error(message).at(&spec.source, side.system.span).help(help));
    }
}

fn references(found: &mut Diagnostics, spec: &MappingSpec, specs: &[MappingSpec]) {
    for name in spec.fields.iter().filter_map(|pair| pair.reference.as_ref()) {
        if specs.iter().any(|other| other.name == *name) {
            continue;
        }
        let help = match nearest(name, specs.iter().map(|other| &**other.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name a mapping of this installation".to_owned(),
        };
        let message = format!("there is no mapping `{}`", **name);
        found.push(Diagnostic::error(message).at(&spec.source, name.span).help(help));
    }
}

/// Two mappings may share a pair of entities only when a record cannot be in both; with a
/// condition on each that is the author's word, without one it cannot be.
fn overlap(found: &mut Diagnostics, earlier: &MappingSpec, spec: &MappingSpec) {
    let place = |spec: &MappingSpec, side: Side| {
        let side = &spec.sides[side];
        (side.system.value.clone(), side.entity.value.clone())
    };
    let filtered = |spec: &MappingSpec| spec.sides.iter().any(|(_, s)| s.condition.is_some());
    let crossed =
        Side::BOTH.into_iter().all(|side| place(spec, side) == place(earlier, side.other()));
    let same = Side::BOTH.into_iter().all(|side| place(spec, side) == place(earlier, side));
    if (same || crossed) && !(filtered(earlier) && filtered(spec)) {
        let message = format!("`{}` and `{}` join the same entities", *earlier.name, *spec.name);
        found.push(
            Diagnostic::error(message)
                .at(&spec.source, spec.name.span)
                .also(&earlier.source, earlier.name.span, "the first one")
                .note("a record in both would be written twice")
                .help("give each a `where` that no record of the other passes, or remove one"),
        );
    }
}
