//! What can be wrong between the mappings of one installation, and between them and the settings.

use syncline_sdk::SystemName;

use super::circles::{self, entity};
use super::suggestion::{nearest, one_of};
use super::{Diagnostic, Diagnostics, MappingSpec, overlap, sensitive};
use crate::Side;

/// Checks all mappings of an installation against each other and the names of its systems.
#[must_use]
pub fn check_together(specs: &[MappingSpec], systems: &[SystemName]) -> Diagnostics {
    let mut found = Diagnostics::new();
    for (at, spec) in specs.iter().enumerate() {
        unknown_systems(&mut found, spec, systems);
        references(&mut found, spec, specs);
        circles::closed(&mut found, &specs[..at], spec);
        for earlier in &specs[..at] {
            if earlier.name == spec.name {
                found.push(
                    Diagnostic::error(format!("two mappings have the name `{}`", *spec.name))
                        .at(&spec.source, spec.name.span)
                        .also(&earlier.source, earlier.name.span, "the first one")
                        .help("give one of them another name"),
                );
            } else {
                sharing(&mut found, earlier, spec);
                sensitive::elsewhere(&mut found, earlier, spec);
                sensitive::elsewhere(&mut found, spec, earlier);
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

/// Two mappings may share a pair of entities only when a record cannot be in both.
fn sharing(found: &mut Diagnostics, earlier: &MappingSpec, spec: &MappingSpec) {
    let stands_on = |side: Side, crossed: bool| if crossed { side.other() } else { side };
    let joins = |crossed: bool| {
        let mut sides = Side::BOTH.into_iter();
        sides.all(|side| entity(spec, side) == entity(earlier, stands_on(side, crossed)))
    };
    let crossed = match (joins(false), joins(true)) {
        (true, _) => false,
        (_, true) => true,
        _ => return,
    };
    let condition = |spec: &MappingSpec, side: Side| spec.sides[side].condition.clone();
    for side in Side::BOTH {
        let (mine, theirs) = (condition(spec, side), condition(earlier, stands_on(side, crossed)));
        let both = overlap::witness(
            theirs.as_ref().map(|condition| &condition.value),
            mine.as_ref().map(|condition| &condition.value),
        );
        let Some(witness) = both else { continue };
        let entity = &spec.sides[side].entity;
        let message =
            format!("a record of {} may be in `{}` and `{}`", **entity, *earlier.name, *spec.name);
        let span = mine.map_or(entity.span, |condition| condition.span);
        found.push(
            Diagnostic::error(message)
                .at(&spec.source, span)
                .also(&earlier.source, earlier.name.span, "the first one")
                .note(format!("for example one with {witness}; it would be written twice"))
                .help("give each a `where` that no record of the other meets"),
        );
        return;
    }
}
