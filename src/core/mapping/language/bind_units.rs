//! Units and ownership against the two schemas.

use syncline_sdk::{Cas, FieldSchema, FieldType, Filter, ReceiptKind};

use super::bind::Binder;
use super::bind_pairs::{given, pair, writable};
use super::constant::describe;
use super::{Condition, FieldSpec, Located, MappingSpec, ModeSpec, UnitSpec, ViewSpec};
use crate::mapping::{Computed, ForeignEdits, Formula, Mode, Pilot, Policy, Unit, View};
use crate::{Side, Sides};

/// The units, in the order of the file. Every field pair is looked at, so that all mistakes are
/// found.
pub(super) fn units(binder: &mut Binder<'_>) -> Option<Vec<Unit>> {
    let spec = binder.spec;
    let mut units = Vec::with_capacity(spec.units.len());
    let mut complete = true;
    for named in &spec.units {
        let first = &spec.fields[named.fields[0]];
        let mut unit = Unit {
            name: named.name.clone(),
            pairs: Vec::new(),
            computed: Vec::new(),
            direction: first.direction.value,
            conflict: first.conflict,
            foreign: foreign(spec, named),
            frozen: None,
        };
        for field in named.fields.iter().map(|at| &spec.fields[*at]) {
            complete &= member(binder, field, &mut unit).is_some();
        }
        units.push(unit);
    }
    complete.then_some(units)
}

/// What becomes of edits on the side that does not lead. Unless said, they are kept; a constant by
/// itself comes back, since its field always has that value.
fn foreign(spec: &MappingSpec, unit: &UnitSpec) -> ForeignEdits {
    let fields = || unit.fields.iter().map(|at| &spec.fields[*at]);
    let constant = fields().all(|field| field.constant.is_some());
    let unless_said = if constant { ForeignEdits::Revert } else { ForeignEdits::Keep };
    fields().next().and_then(|first| first.foreign).unwrap_or(unless_said)
}

fn member(binder: &mut Binder<'_>, field: &FieldSpec, unit: &mut Unit) -> Option<()> {
    if let Some(value) = &field.constant {
        let side = if field.fields.left.is_empty() { Side::Right } else { Side::Left };
        let name = &field.fields[side][0];
        let schema = binder.field(side, name)?;
        writable(binder, field, side, schema);
        let value = given(binder, value, schema)?;
        let mut group = Computed { fields: Sides::default(), formulas: Sides::default() };
        group.fields[side] = vec![binder.index(side, name)];
        group.formulas[side] = vec![Formula::Constant(value)];
        unit.computed.push(group);
        return Some(());
    }
    let Some(names) = field.pair() else {
        unit.computed.push(computed(binder, field)?);
        return Some(());
    };
    unit.pairs.push(pair(binder, field, names)?);
    mergeable(binder, field, names);
    Some(())
}

/// A group of fields with expressions.
fn computed(binder: &mut Binder<'_>, field: &FieldSpec) -> Option<Computed> {
    if matches!(field.conflict, Policy::Max | Policy::Min) || field.conflict.merges() {
        let diagnostic = binder
            .error(field.span, "this `conflict` decides plain pairs, and the field is computed")
            .help("write review, left, right or newest");
        binder.note(diagnostic);
    }
    let mut group = Computed { fields: Sides::default(), formulas: Sides::default() };
    for side in Side::BOTH {
        for name in &field.fields[side] {
            let schema = binder.field(side, name);
            if let (Some(schema), true) = (schema, field.direction.reaches(side)) {
                writable(binder, field, side, schema);
            }
            schema?;
            group.fields[side].push(binder.index(side, name));
        }
        let formulas = field.formulas[side].iter().cloned();
        group.formulas[side] = formulas.map(Formula::Expression).collect();
    }
    Some(group)
}

/// The coarser side of a pair, and what it shows.
pub(super) fn view(
    binder: &mut Binder<'_>,
    named: &Located<ViewSpec>,
    schemas: Sides<&FieldSchema>,
) -> Option<(Side, View)> {
    let is = |side: Side, fits: fn(&FieldType) -> bool| fits(&schemas[side].kind);
    let number =
        |kind: &FieldType| matches!(kind, FieldType::Int { .. } | FieldType::Decimal { .. });
    let text = |kind: &FieldType| matches!(kind, FieldType::Text { .. });
    let day = |kind: &FieldType| matches!(kind, FieldType::Date);
    let instant = |kind: &FieldType| matches!(kind, FieldType::Instant { .. });
    let both = |fits: fn(&FieldType) -> bool| is(Side::Left, fits) && is(Side::Right, fits);
    let found = match &named.value {
        ViewSpec::Round(side, digits) if both(number) => Some((*side, View::Round(*digits))),
        ViewSpec::Truncate(side, chars) if both(text) => Some((*side, View::Truncate(*chars))),
        ViewSpec::Zone(zone) => Side::BOTH
            .into_iter()
            .find(|side| is(*side, day) && is(side.other(), instant))
            .map(|side| (side, View::Day(zone.clone()))),
        _ => None,
    };
    if found.is_none() {
        let needs = match named.value {
            ViewSpec::Round(..) => "`round` is for two numbers",
            ViewSpec::Truncate(..) => "`truncate` is for two texts",
            ViewSpec::Zone(_) => "`zone` is for an instant and a date",
        };
        let (left, right) = (describe(schemas.left), describe(schemas.right));
        let diagnostic = binder
            .error(named.span, needs)
            .note(format!("`{}` is {left}, `{}` is {right}", schemas.left.name, schemas.right.name))
            .help("remove it, or pair other fields");
        binder.note(diagnostic);
    }
    found
}

/// Whether the policy of a field can work on its values.
fn mergeable(
    binder: &mut Binder<'_>,
    field: &FieldSpec,
    names: Sides<&Located<syncline_sdk::FieldName>>,
) {
    if field.conflict == Policy::Counter {
        counted(binder, field);
    }
    if field.conflict.merges() && (field.view.is_some() || field.values.is_some()) {
        let diagnostic = binder
            .error(field.span, "values that are merged are the same on both sides")
            .help("remove `round`, `truncate`, `zone` or `values`, or use another rule");
        binder.note(diagnostic);
    }
    for side in Side::BOTH {
        let Some(schema) = binder.field(side, names[side]) else { continue };
        if fits(field.conflict, &schema.kind) {
            continue;
        }
        let (word, needs) = match field.conflict {
            Policy::Max => ("max", "a number, a date, a time or an instant"),
            Policy::Min => ("min", "a number, a date, a time or an instant"),
            Policy::Counter => ("counter", "a number"),
            Policy::MergeText => ("merge_text", "text"),
            _ => ("merge_set", "a multi-select or a list"),
        };
        let message =
            format!("`{}` is {}, and `{word}` is not for it", schema.name, describe(schema));
        let diagnostic = binder
            .error(names[side].span, message)
            .help(format!("`{word}` needs {needs} on both sides: use another rule for conflicts"));
        binder.note(diagnostic);
    }
}

fn fits(policy: Policy, kind: &FieldType) -> bool {
    let number = matches!(kind, FieldType::Int { .. } | FieldType::Decimal { .. });
    match policy {
        Policy::Review | Policy::Wins(_) | Policy::Row(_) | Policy::Newest => true,
        Policy::Counter => number,
        Policy::Max | Policy::Min => {
            number || matches!(kind, FieldType::Date | FieldType::Time | FieldType::Instant { .. })
        }
        Policy::MergeText => matches!(kind, FieldType::Text { .. }),
        Policy::MergeSet => matches!(kind, FieldType::Set { .. } | FieldType::List(_)),
    }
}

/// Changes are added up exactly once only where each write is guarded and leaves a receipt
/// (protocol 5.1).
fn counted(binder: &mut Binder<'_>, field: &FieldSpec) {
    for side in Side::BOTH {
        let can = &binder.capabilities[side];
        // A receipt that is in the stream goes with the stream.
        let lasting = matches!(can.receipt, ReceiptKind::Table | ReceiptKind::MarkerField);
        if can.cas != Cas::None && lasting {
            continue;
        }
        let system = &binder.spec.sides[side].system;
        let message = format!("{} cannot tell whether a write of a counter went through", **system);
        let diagnostic = binder
            .error(field.span, message)
            .note(
                "after a lost reply, or a lost stream, a change would be added twice or not at all",
            )
            .help("give the side a `marker` field or a receipt table, or use another rule");
        binder.note(diagnostic);
    }
}

/// The conditions of ownership, which may read what the mapping carries.
pub(super) fn owners(binder: &mut Binder<'_>) -> Option<Sides<Option<Filter>>> {
    let what = (
        "decides who owns a record",
        "who owns a record is judged by what is known of it when a conflict is found",
    );
    known_conditions(binder, &binder.spec.owners, what)
}

/// Whether the mapping writes. The conditions of a pilot may read what the mapping carries.
pub(super) fn mode(binder: &mut Binder<'_>) -> Option<Mode> {
    match &binder.spec.mode.value {
        ModeSpec::Live => Some(Mode::Live),
        ModeSpec::Observe => Some(Mode::Observe),
        ModeSpec::Pilot(pilot) => {
            let what = (
                "decides whether a record is in the pilot",
                "whether a record is in the pilot is judged by what is known of it",
            );
            let conditions = known_conditions(binder, &pilot.conditions, what)?;
            Some(Mode::Pilot(Pilot { conditions, share: pilot.share }))
        }
    }
}

/// Conditions on what is known of a record: the fields of field pairs. Without them, `what` could
/// not be told.
fn known_conditions<'a>(
    binder: &mut Binder<'a>,
    conditions: &'a Sides<Option<Located<Condition>>>,
    (what, why): (&str, &str),
) -> Option<Sides<Option<Filter>>> {
    let spec = binder.spec;
    let mut found = Sides::default();
    let mut complete = true;
    for side in Side::BOTH {
        let Some(condition) = &conditions[side] else { continue };
        for name in condition.fields() {
            if spec.fields.iter().any(|pair| pair.fields[side].contains(name)) {
                continue;
            }
            let message = format!("`{}` is in no field pair, and {what}", **name);
            let diagnostic = binder
                .error(name.span, message)
                .note(why)
                .help("pair the field, or decide by one that is paired");
            binder.note(diagnostic);
            complete = false;
        }
        found[side] = binder.filter(side, condition);
        complete &= found[side].is_some();
    }
    complete.then_some(found)
}
