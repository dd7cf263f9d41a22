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
        _ => return makers(found, earlier, spec),
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

/// Two mappings that make records in one entity, each for those of another one: a record of either
/// that has the same key as one of the other is made once by each where both do so in the same
/// moment, unless the entity itself lets no key stand twice.
fn makers(found: &mut Diagnostics, earlier: &MappingSpec, spec: &MappingSpec) {
    let makes = |spec: &MappingSpec, side: Side| spec.create.value[side];
    let both = |side: &Side| makes(spec, *side);
    for side in Side::BOTH.into_iter().filter(both) {
        let there = Side::BOTH
            .into_iter()
            .find(|other| makes(earlier, *other) && entity(earlier, *other) == entity(spec, side));
        let Some(there) = there else { continue };
        let condition = |spec: &'_ MappingSpec, side: Side| spec.sides[side].condition.clone();
        let (theirs, mine) = (condition(earlier, there), condition(spec, side));
        let meet = overlap::witness(
            theirs.as_ref().map(|condition| &condition.value),
            mine.as_ref().map(|condition| &condition.value),
        );
        if meet.is_none() {
            continue;
        }
        let entity = &spec.sides[side].entity;
        let message =
            format!("`{}` and `{}` both make records of {}", *earlier.name, *spec.name, **entity);
        found.push(
            Diagnostic::warning(message)
                .at(&spec.source, entity.span)
                .also(&earlier.source, earlier.name.span, "the first one")
                .note(
                    "where both mean one record by its key, each may make it in the same moment: \
                     it is there twice then, unless that system lets no key stand twice",
                )
                .help(
                    "let a unique index or field there refuse the second one, or let one of the \
                     two make none (`create`): it takes the records of the other by its `match`",
                ),
        );
        return;
    }
}
