//! A mapping tried on records that its systems have (protocol M9).

use syncline_sdk::Value;

use super::record::told_of;
use crate::Side;
use crate::mapping::language::{Diagnostic, Diagnostics, MappingSpec};
use crate::mapping::{Mapping, NoImage};

/// Tries what a mapping would write for records that a side shows, each in the order of the
/// side's selection. A computed value that would come back as another one is an error, unless a
/// test of the mapping expects that unit to wait; a value that the other side cannot hold is a
/// warning. Writes nothing.
#[must_use]
pub fn try_records(
    spec: &MappingSpec,
    mapping: &Mapping,
    from: Side,
    records: &[Vec<Value>],
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let to = from.other();
    let units = mapping.units.iter().zip(&spec.units).enumerate();
    for (at, (unit, named)) in units.filter(|(_, (unit, _))| unit.direction.reaches(to)) {
        let masked = mapping.is_unit_sensitive(at);
        // A reference travels as a link, which no reading shows.
        if unit.pairs.iter().any(|pair| pair.reference.is_some()) || unit.is_missing(from) {
            continue;
        }
        let mut failed: Vec<(String, NoImage)> = Vec::new();
        for record in records {
            let source = |at: usize| record.get(at).unwrap_or(&Value::Absent);
            match unit.put(&mapping.sides, to, source, |_| &Value::Absent) {
                // Null where it may not be is left to the other side's own default.
                Ok(_) | Err(NoImage::NotNullable | NoImage::Absent) => {}
                Err(reason) => {
                    let fields = &mapping.sides[from].fields;
                    let shown: Vec<String> =
                        unit.fields(from).map(|at| told_of(&fields[at], source(at))).collect();
                    let reason = if masked { reason.masked() } else { reason };
                    failed.push((shown.join(", "), reason));
                }
            }
        }
        let Some((shown, reason)) = failed.first() else { continue };
        let loses = !unit.computed.is_empty()
            && failed.iter().any(|(_, reason)| matches!(reason, NoImage::WouldLose(_)));
        let known = spec.cases.iter().any(|case| case.expects_review(&unit.name));
        let message = format!(
            "`{}` of {} of {} records that were looked at cannot go to the {to} side",
            unit.name,
            failed.len(),
            records.len()
        );
        let diagnostic = match loses && !known {
            true => Diagnostic::error(message)
                .help("make the expressions undo one another, or write a test that expects it"),
            false => Diagnostic::warning(message).help("such a value waits for a person"),
        };
        let place = diagnostic.at(&spec.source, named.span);
        found.push(place.note(format!("for example {shown}: {reason}")));
    }
    found.extend(try_keys(spec, mapping, from, records));
    found
}

/// Tries the match rules: one whose field has no value that the other side's field could hold finds
/// nothing.
fn try_keys(
    spec: &MappingSpec,
    mapping: &Mapping,
    from: Side,
    records: &[Vec<Value>],
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let to = from.other();
    for (rule, named) in mapping.matches.iter().zip(&spec.matches) {
        let in_field = &mapping.sides[to].fields[rule.on(to)];
        let shown = records.iter().filter_map(|record| record.get(rule.on(from)));
        let shown: Vec<&Value> =
            shown.filter(|value| value.is_present() && !value.is_null()).collect();
        let Some(first) = shown.first() else { continue };
        if shown.iter().any(|value| rule.sought((*value).clone(), in_field).is_some()) {
            continue;
        }
        let field = &mapping.sides[from].fields[rule.on(from)];
        let message = format!(
            "no record can be matched: `{}` has no values of `{}`",
            in_field.name, field.name
        );
        let diagnostic = Diagnostic::warning(message)
            .help("match by two fields that hold the same thing")
            .note(format!("for example {}, of {} values", told_of(field, first), shown.len()));
        found.push(diagnostic.at(&spec.source, named.span));
    }
    found
}
