//! Round trips: computed fields tried on values of all kinds (protocol M1, M9).

use syncline_sdk::{FieldType, Value};

use super::record::told;
use super::schema::is_shown;
use crate::Side;
use crate::mapping::language::{Diagnostic, Diagnostics, FieldSpec, MappingSpec};
use crate::mapping::{Mapping, NoImage, Unit};

/// Texts of many shapes.
const TEXTS: &[&str] = &[
    "",
    "a",
    "Ada",
    "Lovelace",
    "Ada Lovelace",
    "Mary Ann Evans",
    " x ",
    "12",
    "-3.5",
    "true",
    "2024-02-29",
    "2024-05-31T22:30:00Z",
    "Größe; 1/2, \"q\"",
    "a@b.example",
    "line\nline",
];

/// The most combinations of values that a unit is tried on, for each direction.
const SAMPLES_MAX: usize = 200;

/// Tries every computed unit that travels both ways. One that brings nothing back is an error:
/// each of its values would wait for a person. One that loses some is told with an example.
pub(super) fn check(spec: &MappingSpec, mapping: &Mapping, found: &mut Diagnostics) {
    for (unit, named) in mapping.units.iter().zip(&spec.units) {
        let both = Side::BOTH.into_iter().all(|side| unit.direction.reaches(side));
        if unit.computed.is_empty() || !both {
            continue;
        }
        // A test that expects such a value to wait says that its author knows.
        let known = spec.cases.iter().any(|case| case.expects_review(&unit.name));
        for from in Side::BOTH {
            let tried = try_unit(spec, mapping, unit, from);
            let to = from.other();
            let diagnostic = match (tried.kept, &tried.lost, &tried.failed) {
                (_, None, None) | (1.., None, _) => continue,
                (1.., Some(_), _) if known => continue,
                (0, Some((values, why)), _) => Diagnostic::error(format!(
                    "`{}` loses every value on the way to the {to} side and back",
                    unit.name
                ))
                .note(format!("{values}: {why}"))
                .help("make `to_left` and `to_right` undo one another, or keep one of them"),
                (0, None, Some((values, why))) => {
                    let message = format!(
                        "`{}` has no result on the {to} side for any value that was tried",
                        unit.name
                    );
                    let of = unit.fields(from).map(|at| mapping.field_name(from, at));
                    let guessed: Vec<&str> = of
                        .filter(|name| !is_shown(spec, from, name))
                        .map(|name| name.as_str())
                        .collect();
                    // It may be right for the type that the field has in its system.
                    let diagnostic = if guessed.is_empty() {
                        Diagnostic::error(message)
                    } else {
                        let fields = guessed.join(", ");
                        Diagnostic::warning(message).note(format!(
                            "nothing here shows the type of {fields}: texts were tried"
                        ))
                    };
                    diagnostic
                        .note(format!("{values}: {why}"))
                        .help("correct the expression; add a test with a value that it is made for")
                }
                (_, Some((values, why)), _) => Diagnostic::warning(format!(
                    "`{}` does not bring every value of the {from} side back",
                    unit.name
                ))
                .note(format!("{values}: {why}; such a value waits for a person"))
                .help("make the expressions undo one another if such values occur"),
            };
            found.push(diagnostic.at(&spec.source, named.span));
        }
    }
}

/// What came of the trials of one direction.
#[derive(Default)]
struct Tried {
    kept: usize,
    lost: Option<(String, String)>,
    failed: Option<(String, String)>,
}

fn try_unit(spec: &MappingSpec, mapping: &Mapping, unit: &Unit, from: Side) -> Tried {
    let to = from.other();
    let places: Vec<usize> = unit.fields(from).collect();
    let pools: Vec<Vec<Value>> = places.iter().map(|at| pool(spec, mapping, from, *at)).collect();
    let all: usize = pools.iter().map(Vec::len).fold(1, usize::saturating_mul);
    let absent = Value::Absent;
    let mut tried = Tried::default();
    for number in 0..all.min(SAMPLES_MAX) {
        // A stride that visits the combinations evenly where there are too many.
        let mut rest = number.saturating_mul(all.div_ceil(SAMPLES_MAX).max(1));
        let sample: Vec<&Value> = pools
            .iter()
            .map(|pool| {
                let value = &pool[rest % pool.len()];
                rest /= pool.len();
                value
            })
            .collect();
        let source = |at: usize| {
            let place = places.iter().position(|known| *known == at);
            place.map_or(&absent, |place| sample[place])
        };
        let values = || sample.iter().map(|value| told(value)).collect::<Vec<_>>().join(", ");
        match unit.put(&mapping.sides, to, source, |_| &absent) {
            Ok(_) => tried.kept += 1,
            Err(reason @ NoImage::WouldLose(_)) if tried.lost.is_none() => {
                tried.lost = Some((values(), reason.to_string()));
            }
            Err(NoImage::WouldLose(_)) => {}
            Err(reason) if tried.failed.is_none() => {
                tried.failed = Some((values(), reason.to_string()));
            }
            Err(_) => {}
        }
    }
    tried
}

/// Values of a field: some of many shapes, and those of the tests, which no finding may repeat of
/// a sensitive field.
fn pool(spec: &MappingSpec, mapping: &Mapping, side: Side, at: usize) -> Vec<Value> {
    let field = &mapping.sides[side].fields[at];
    let mut values: Vec<Value> = Vec::new();
    for case in spec.cases.iter().filter(|_| !field.sensitive) {
        for (name, written) in case.records(side).flat_map(|record| &record.fields) {
            if ***name == *field.name.as_str() {
                values.extend(super::record::value(written, &field.kind));
            }
        }
    }
    // What the expressions of the field compare it with.
    let named = |pair: &&FieldSpec| pair.fields[side].iter().any(|name| **name == field.name);
    let is_text = matches!(field.kind, FieldType::Text { .. });
    let pairs = spec.fields.iter().filter(|_| is_text).filter(named);
    let formulas = pairs.flat_map(|pair| Side::BOTH.into_iter().flat_map(|at| &pair.formulas[at]));
    values.extend(formulas.flat_map(|formula| literals(formula.text())));
    match &field.kind {
        FieldType::Text { .. } => values.extend(TEXTS.iter().map(|text| Value::from(*text))),
        FieldType::Int { .. } => values.extend([0, 1, -1, 42, 1_000_000].map(Value::Int)),
        FieldType::Decimal { .. } => {
            let texts = ["0", "1", "-1", "12.3456", "0.005", "1000000"];
            let numbers = texts.iter().filter_map(|text| text.parse().ok());
            values.extend(numbers.map(Value::Decimal));
        }
        FieldType::Bool => values.extend([true, false].map(Value::Bool)),
        _ => {}
    }
    values.push(Value::Null);
    let mut once: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}

/// The texts that stand in an expression, as far as they are plain.
fn literals(formula: &str) -> impl Iterator<Item = Value> {
    let between = |quote: char| formula.split(quote).skip(1).step_by(2).map(Value::from);
    ['\'', '"'].into_iter().flat_map(between)
}
