//! Field pairs and match rules against the two schemas.

use std::sync::Arc;

use syncline_sdk::{FieldName, FieldSchema, FieldType, Normalizer, Value};

use super::bind::{Binder, MappingRef};
use super::bind_units::view;
use super::constant::{self, describe};
use super::fit::{Fit, fit, named, null_fits};
use super::overlap::may_be;
use super::suggestion::nearest;
use super::tree::Scalar;
use super::{FieldSpec, Located, MatchSpec, Span};
use crate::mapping::{Direction, MatchRule, Pair, ValueTable};
use crate::{Side, Sides};

/// What becomes of a value that the other side cannot hold.
pub(super) const HELD: &str = "such a value is never cut or changed: it waits for a person";

/// A plain pair with its fields resolved.
pub(super) fn pair(
    binder: &mut Binder<'_>,
    spec: &FieldSpec,
    names: Sides<&Located<FieldName>>,
) -> Option<Pair> {
    let left = binder.field(Side::Left, names.left);
    let right = binder.field(Side::Right, names.right);
    let schemas = Sides { left: left?, right: right? };
    // A side that cannot be written needs no second finding about what would fit there.
    let written = Sides::from_fn(|side| {
        spec.direction.reaches(side) && writable(binder, spec, side, schemas[side])
    });
    let reference = match &spec.reference {
        Some(name) => Some(reference(binder, spec, name, schemas)?),
        None => {
            plain_reference(binder, spec, schemas);
            None
        }
    };
    let values = match &spec.values {
        Some(_) => Some(table(binder, spec, schemas)?),
        None => None,
    };
    let view = match &spec.view {
        Some(named) => Some(view(binder, named, schemas)?),
        None => None,
    };
    if reference.is_none() && values.is_none() && view.is_none() {
        types(binder, spec, written, schemas);
    }
    text_only(binder, &spec.normalize, schemas);
    let mut default = Sides::default();
    for side in Side::BOTH {
        if let Some(scalar) = &spec.default[side] {
            default[side] = Some(given(binder, scalar, schemas[side])?);
        }
    }
    Some(Pair {
        left: binder.index(Side::Left, names.left),
        right: binder.index(Side::Right, names.right),
        values,
        reference: reference.map(|mapping| mapping.id),
        default,
        view,
        normalize: steps(&spec.normalize),
    })
}

/// A value of the file as a field holds it.
pub(super) fn given(
    binder: &mut Binder<'_>,
    scalar: &Located<Scalar>,
    field: &FieldSchema,
) -> Option<Value> {
    match constant::given(scalar, field) {
        Ok(value) => Some(value),
        Err(unfit) => {
            let diagnostic = binder.error(scalar.span, unfit.message).help(unfit.help);
            binder.note(diagnostic);
            None
        }
    }
}

/// The place of a field of a pair.
pub(super) fn place(pair: &FieldSpec, side: Side, field: &FieldSchema) -> Span {
    let named = pair.fields[side].iter().find(|name| ***name == field.name);
    named.map_or(pair.span, |name| name.span)
}

/// Whether edits can be written where they travel to.
pub(super) fn writable(
    binder: &mut Binder<'_>,
    pair: &FieldSpec,
    side: Side,
    field: &FieldSchema,
) -> bool {
    if binder.observes() {
        return true;
    }
    let span = place(pair, side, field);
    if !field.creatable && !field.updatable {
        let help = if *pair.direction == Direction::Both {
            format!("write `direction: to_{}` if only the other side follows it", side.other())
        } else {
            format!("pair a field that can be written on the {side} side")
        };
        let message = format!("`{}` is read-only, and edits travel to it", field.name);
        let diagnostic = binder.error(span, message).label("read-only").help(help);
        binder.note(diagnostic);
        return false;
    }
    if !field.updatable {
        let diagnostic = binder
            .warning(span, format!("`{}` can be set only when a record is created", field.name))
            .note("later edits of the other side wait for a person")
            .help(format!("write `direction: to_{}` if it is not to be followed", side.other()));
        binder.note(diagnostic);
    } else if !field.creatable && binder.spec.create[side] {
        let diagnostic = binder
            .warning(span, format!("`{}` cannot be set when a record is created", field.name))
            .note("it is written in a second step");
        binder.note(diagnostic);
    }
    true
}

/// Whether the values fit, in each direction in which they travel.
fn types(
    binder: &mut Binder<'_>,
    pair: &FieldSpec,
    written: Sides<bool>,
    schemas: Sides<&FieldSchema>,
) {
    for to in Side::BOTH.into_iter().filter(|to| written[*to]) {
        let (from, target) = (schemas[to.other()], schemas[to]);
        let span = place(pair, to, target);
        match fit(from, target) {
            Fit::Never => {
                let message = format!(
                    "`{}` is {}, and `{}` is {}: no value fits",
                    from.name,
                    describe(from),
                    target.name,
                    describe(target)
                );
                let back = fit(target, from) != Fit::Never && *pair.direction == Direction::Both;
                let help = if back {
                    format!("pair fields of one type, or write `direction: to_{}`", to.other())
                } else {
                    "pair fields of one type, or translate with `values`".to_owned()
                };
                let diagnostic = binder.error(span, message).help(help);
                binder.note(diagnostic);
                continue;
            }
            Fit::Part(which) if binder.is_fixed(to, target) => {
                binder.narrow[to].push((span, target.name.clone(), which));
            }
            Fit::Part(which) => {
                let message = format!("`{}` cannot hold all of `{}`", target.name, from.name);
                let diagnostic = binder
                    .warning(span, message)
                    .label(format!("not {which}"))
                    .note(HELD)
                    .help(wider(target));
                binder.note(diagnostic);
            }
            Fit::Whole => {}
        }
        nullable(binder, pair, to, schemas);
    }
}

/// What to do about a field that is too narrow.
fn wider(target: &FieldSchema) -> String {
    match target.kind {
        FieldType::Enum { .. } | FieldType::Set { .. } => {
            "translate with `values`, or add the values to the list on that side".to_owned()
        }
        _ => format!("make `{}` wider on its side if such values occur", target.name),
    }
}

fn nullable(binder: &mut Binder<'_>, pair: &FieldSpec, to: Side, schemas: Sides<&FieldSchema>) {
    let (from, target) = (schemas[to.other()], schemas[to]);
    if null_fits(from, target) || pair.default[to].is_some() {
        return;
    }
    let message = format!("`{}` may be null, and `{}` may not", from.name, target.name);
    let diagnostic = binder
        .warning(place(pair, to, target), message)
        .note("a record without the value is neither created nor changed there: it waits")
        .help("make the field required on the other side, or this one nullable");
    binder.note(diagnostic);
}

/// A native id means nothing on the other side.
fn plain_reference(binder: &mut Binder<'_>, pair: &FieldSpec, schemas: Sides<&FieldSchema>) {
    let is_reference = |field: &FieldSchema| matches!(field.kind, FieldType::Reference { .. });
    if is_reference(schemas.left) && is_reference(schemas.right) {
        let diagnostic = binder
            .error(pair.span, "both fields refer to other records")
            .note("an id of one side means nothing on the other")
            .help("name the mapping of those records: `reference: accounts`");
        binder.note(diagnostic);
    }
}

fn reference<'m>(
    binder: &mut Binder<'m>,
    pair: &FieldSpec,
    name: &Located<Arc<str>>,
    schemas: Sides<&FieldSchema>,
) -> Option<&'m MappingRef> {
    let mappings = binder.mappings;
    let Some(target) = mappings.iter().find(|mapping| mapping.name == name.value) else {
        let known = mappings.iter().map(|mapping| &*mapping.name);
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name a mapping of this installation".to_owned(),
        };
        let message = format!("there is no mapping `{}`", **name);
        let diagnostic = binder.error(name.span, message).help(help);
        binder.note(diagnostic);
        return None;
    };
    for side in Side::BOTH {
        let (system, entity) = &target.sides[side];
        let own = &binder.spec.sides[side].system;
        if *system != own.value {
            let message = format!("the {side} side of `{}` is in {system}, not {}", **name, **own);
            let diagnostic = binder
                .error(name.span, message)
                .help("the two mappings must have the same system on the same side");
            binder.note(diagnostic);
            continue;
        }
        let field = schemas[side];
        let message = match &field.kind {
            FieldType::Reference { entities } if entities.contains(entity) => continue,
            FieldType::Reference { entities } => {
                let names: Vec<&str> = entities.iter().map(AsRef::as_ref).collect();
                format!("`{}` refers to {}, not to {entity}", field.name, named(&names))
            }
            FieldType::Text { .. } | FieldType::Int { .. } | FieldType::Uuid => continue,
            _ => format!("`{}` is {}, not a reference", field.name, describe(field)),
        };
        let diagnostic = binder
            .error(place(pair, side, field), message)
            .also(&binder.spec.source, name.span, format!("records of {entity} are meant here"))
            .help("name the mapping of the records that the field refers to");
        binder.note(diagnostic);
    }
    for to in Side::BOTH.into_iter().filter(|to| pair.direction.reaches(*to)) {
        nullable(binder, pair, to, schemas);
    }
    Some(target)
}

fn table(
    binder: &mut Binder<'_>,
    pair: &FieldSpec,
    schemas: Sides<&FieldSchema>,
) -> Option<ValueTable> {
    let rows = pair.values.as_ref()?;
    let mut pairs = Vec::with_capacity(rows.len());
    for (left, right) in &rows.value {
        let value = |binder: &mut Binder<'_>, side: Side| {
            let scalar = if side == Side::Left { left } else { right };
            constant::entry(scalar, schemas[side])
                .map_err(|unfit| {
                    let diagnostic = binder.error(scalar.span, unfit.message).help(unfit.help);
                    binder.note(diagnostic);
                })
                .ok()
        };
        let (left_value, right_value) = (value(binder, Side::Left), value(binder, Side::Right));
        let (Some(left_value), Some(right_value)) = (left_value, right_value) else {
            continue;
        };
        let again = pairs.iter().any(|(_, known)| *known == right_value);
        if again && pair.direction.reaches(Side::Left) {
            let message = format!("`{right_value}` stands for several left values");
            let diagnostic = binder
                .warning(right.span, message)
                .note("an edit on the right is written as the first of them")
                .help("give each left value its own right value if they must be told apart");
            binder.note(diagnostic);
        }
        pairs.push((left_value, right_value));
    }
    let complete = pairs.len() == rows.len();
    let table = ValueTable { pairs };
    let steps = steps(&pair.normalize);
    for to in Side::BOTH.into_iter().filter(|to| pair.direction.reaches(*to)) {
        let from = pair.default[to.other()].as_ref();
        let default = from.and_then(|from| constant::entry(from, schemas[to.other()]).ok());
        let has = |value: Value| {
            default.as_ref() == Some(&value)
                || table.translate(to, &Normalizer::apply_all(&steps, value), &steps).is_some()
        };
        uncovered(binder, rows, to.other(), schemas[to.other()], has);
        if !has(Value::Null) {
            nullable(binder, pair, to, schemas);
        }
    }
    complete.then_some(table)
}

/// Values that the table has no entry for, where the side lists its values. Records with one that
/// the filter keeps out are not carried over.
fn uncovered(
    binder: &mut Binder<'_>,
    rows: &Located<impl Sized>,
    side: Side,
    from: &FieldSchema,
    has: impl Fn(Value) -> bool,
) {
    let FieldType::Enum { values, .. } = &from.kind else {
        return;
    };
    let missing: Vec<&str> = values
        .iter()
        .filter(|value| !has(Value::Text(Arc::clone(value))))
        .filter(|value| {
            may_be(
                binder.spec.sides[side].condition.as_ref().map(|it| &it.value),
                &from.name,
                value,
            )
        })
        .map(|value| &**value)
        .collect();
    if missing.is_empty() {
        return;
    }
    let message = format!("the table has no entry for {} of `{}`", named(&missing), from.name);
    let diagnostic = binder
        .warning(rows.span, message)
        .note(HELD)
        .help("add an entry for each value that occurs");
    binder.note(diagnostic);
}

fn steps(named: &[Located<Normalizer>]) -> Vec<Normalizer> {
    named.iter().map(|step| step.value.clone()).collect()
}

/// `normalize` works on text.
fn text_only(binder: &mut Binder<'_>, steps: &[Located<Normalizer>], schemas: Sides<&FieldSchema>) {
    let Some(step) = steps.first() else { return };
    for (_, field) in schemas.iter() {
        if !matches!(field.kind, FieldType::Text { .. } | FieldType::Enum { .. }) {
            let message =
                format!("`{}` is {}, and `normalize` is for text", field.name, describe(field));
            let diagnostic = binder.error(step.span, message).help("remove `normalize`");
            binder.note(diagnostic);
        }
    }
}

/// A match rule with its fields resolved.
pub(super) fn match_rule(binder: &mut Binder<'_>, rule: &MatchSpec) -> Option<MatchRule> {
    let left = binder.field(Side::Left, &rule.fields.left);
    let right = binder.field(Side::Right, &rule.fields.right);
    let schemas = Sides { left: left?, right: right? };
    let comparable = |kind: &FieldType| {
        let unfit = [FieldType::Json, FieldType::Bytes, FieldType::Raw];
        !unfit.contains(kind) && !matches!(kind, FieldType::List(_) | FieldType::Set { .. })
    };
    let fits = fit(schemas.left, schemas.right) != Fit::Never
        || fit(schemas.right, schemas.left) != Fit::Never;
    if !fits || !comparable(&schemas.left.kind) || !comparable(&schemas.right.kind) {
        let message = format!(
            "`{}` is {} and `{}` is {}: they are never equal",
            schemas.left.name,
            describe(schemas.left),
            schemas.right.name,
            describe(schemas.right)
        );
        let diagnostic =
            binder.error(rule.span, message).help("match by two fields that hold the same thing");
        binder.note(diagnostic);
    }
    text_only(binder, &rule.normalize, schemas);
    Some(MatchRule {
        left: binder.index(Side::Left, &rule.fields.left),
        right: binder.index(Side::Right, &rule.fields.right),
        normalize: steps(&rule.normalize),
    })
}
