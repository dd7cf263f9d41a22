//! Sensitive fields: whose values the ledger keeps encrypted and nobody is shown unasked. What
//! would keep or show such a value in clear all the same is refused.

use syncline_sdk::FieldName;

use super::bind::Binder;
use super::reader::{Keyed, Reader};
use super::{
    Condition, Diagnostic, Diagnostics, FieldSpec, Literal, Located, MappingSpec, ModeSpec, Span,
};
use crate::Side;

const ANSWERS: &[(&str, bool)] = &[("true", true), ("false", false)];

/// Whether a field pair is sensitive; the place where the file says so.
pub(super) fn read(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Option<Span> {
    let said = keyed.get("sensitive").and_then(|node| reader.word(node, "sensitive", ANSWERS))?;
    if !said.value {
        return None;
    }
    if let Some(span) = keyed.key_span("reference") {
        let diagnostic = reader
            .error(said.span, "a reference cannot be sensitive")
            .also(reader.source, span, "here")
            .note("it names another record, and names of records are kept in clear")
            .help("remove `sensitive`");
        reader.note(diagnostic);
    }
    Some(said.span)
}

/// The sensitive field of that name on a side.
fn named<'a>(
    spec: &'a MappingSpec,
    side: Side,
    name: &FieldName,
) -> Option<&'a Located<FieldName>> {
    let pairs = spec.fields.iter().filter(|pair| pair.sensitive.is_some());
    pairs.flat_map(|pair| &pair.fields[side]).find(|field| field.value == *name)
}

/// Checks what else a file does with its sensitive fields.
pub(super) fn check(reader: &mut Reader<'_>, spec: &MappingSpec) {
    let mut found = Vec::new();
    for side in Side::BOTH {
        for rule in &spec.matches {
            let name = &rule.fields[side];
            if let Some(field) = named(spec, side, name) {
                found.push(in_clear(reader, name, field, "a match rule compares it").note(
                    "what match rules compare is kept in clear, so that no two pairs claim one \
                     record",
                ));
            }
        }
        if let Some(actor) = &spec.sides[side].actor
            && let Some(field) = named(spec, side, actor)
        {
            let diagnostic = in_clear(reader, actor, field, "it is the `actor` of its side");
            found.push(diagnostic.note("who changed a record is shown with each change"));
        }
        let pilot = match &spec.mode.value {
            ModeSpec::Pilot(pilot) => pilot.conditions[side].as_ref(),
            ModeSpec::Live | ModeSpec::Observe => None,
        };
        let conditions = [spec.sides[side].condition.as_ref(), spec.owners[side].as_ref(), pilot];
        for condition in conditions.into_iter().flatten() {
            let mut compared = Vec::new();
            literals(condition, &mut compared);
            for name in compared {
                if let Some(field) = named(spec, side, name) {
                    found.push(
                        in_clear(reader, name, field, "a condition compares it with a value")
                            .note("the value stands in this file, and the ledger keeps the file")
                            .help("compare it with null alone, or another field"),
                    );
                }
            }
        }
    }
    found.into_iter().for_each(|diagnostic| reader.note(diagnostic));
}

/// The fields that a condition compares with something that is not null.
fn literals<'a>(condition: &'a Condition, found: &mut Vec<&'a Located<FieldName>>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| literals(part, found));
        }
        Condition::Not(part) => literals(part, found),
        Condition::Compare { literal, .. } if literal.value == Literal::Null => {}
        Condition::Compare { field, .. } | Condition::In { field, .. } => found.push(field),
    }
}

fn in_clear(
    reader: &Reader<'_>,
    name: &Located<FieldName>,
    field: &Located<FieldName>,
    why: &str,
) -> Diagnostic {
    reader
        .error(name.span, format!("`{}` is sensitive, and {why}", **name))
        .also(reader.source, field.span, "sensitive here")
        .help("use another field, or remove `sensitive`")
}

/// Checks sensitive fields against the schemas: a key names its record everywhere.
pub(super) fn bound(binder: &mut Binder<'_>) {
    for side in Side::BOTH {
        let key = &binder.schemas[side].key;
        let pairs = binder.spec.fields.iter().filter(|pair| pair.sensitive.is_some());
        let keys: Vec<_> =
            pairs.flat_map(|pair| &pair.fields[side]).filter(|name| key.contains(name)).collect();
        for name in keys {
            let entity = &binder.schemas[side].entity;
            let diagnostic = binder
                .error(name.span, format!("`{}` is sensitive, and a key of {entity}", **name))
                .note("records are named by their keys, which are kept and shown in clear")
                .help("remove `sensitive`, or join the records by another key");
            binder.note(diagnostic);
        }
    }
}

/// Checks what another mapping of the same entity does with the sensitive fields of this one.
pub(super) fn elsewhere(found: &mut Diagnostics, of: &MappingSpec, other: &MappingSpec) {
    let place = |spec: &MappingSpec, side: Side| {
        let side = &spec.sides[side];
        (side.system.value.clone(), side.entity.value.clone())
    };
    for side in Side::BOTH {
        for there in Side::BOTH.into_iter().filter(|there| place(other, *there) == place(of, side))
        {
            let open = |pair: &&FieldSpec| pair.sensitive.is_none();
            let pairs = other.fields.iter().filter(open).flat_map(|pair| &pair.fields[there]);
            let rules = other.matches.iter().map(|rule| &rule.fields[there]);
            let actor = other.sides[there].actor.iter();
            for name in pairs.chain(rules).chain(actor) {
                let Some(field) = named(of, side, name) else { continue };
                let message = format!(
                    "`{}` is sensitive in `{}` and kept in clear by `{}`",
                    **name, *of.name, *other.name
                );
                found.push(
                    Diagnostic::error(message)
                        .at(&other.source, name.span)
                        .also(&of.source, field.span, "sensitive here")
                        .help("write `sensitive: true` in both, or use it in one of them only"),
                );
            }
        }
    }
}
