//! Field pairs as a file says them.

use std::sync::Arc;

use syncline_sdk::{FieldName, Normalizer};

use super::computed::MappingTables;
use super::reader::{Keyed, Keys, Reader};
use super::tree::{Node, NodeKind, Scalar, Style};
use super::{
    FieldSpec, Located, Span, ValueRows, computed, constants, nearest, policies, sensitive, views,
};
use crate::mapping::{Direction, Policy};
use crate::{Side, Sides};

pub(super) const FIELD: Keys<'_> = Keys {
    of: "a field pair",
    known: &[
        "left",
        "right",
        "direction",
        "owner",
        "conflict",
        "foreign_edits",
        "values",
        "normalize",
        "reference",
        "default",
        "constant",
        "to_left",
        "to_right",
        "round",
        "truncate",
        "zone",
        "sensitive",
    ],
    refused: &[("units", "units belong to the mapping, beside `fields`: units: [[Street, City]]")],
};

pub(super) const DIRECTIONS: &[(&str, Direction)] =
    &[("both", Direction::Both), ("to_left", Direction::ToLeft), ("to_right", Direction::ToRight)];

/// What may be done to the values of a field pair: steps whose result is still the value.
pub(super) const FIELD_NORMALIZERS: &[(&str, Normalizer)] = &[
    ("trim", Normalizer::Trim),
    ("lowercase", Normalizer::Lowercase),
    ("empty_to_null", Normalizer::EmptyToNull),
    ("line_feeds", Normalizer::LineFeeds),
];

/// What may be done to the values that a match rule compares, which are never stored.
pub(super) const MATCH_NORMALIZERS: &[(&str, Normalizer)] = &[
    ("trim", Normalizer::Trim),
    ("lowercase", Normalizer::Lowercase),
    ("empty_to_null", Normalizer::EmptyToNull),
    ("line_feeds", Normalizer::LineFeeds),
    ("digits_only", Normalizer::DigitsOnly),
];

/// The field pairs of a mapping.
pub(super) fn read(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
    policy: Policy,
    tables: &MappingTables,
) -> Option<Vec<FieldSpec>> {
    let example = "fields: [{ left: Name, right: name }]";
    let node = reader.required(keyed, "a mapping", "fields", example)?;
    let items = reader.list(node, "fields")?;
    if items.is_empty() {
        let diagnostic = reader
            .error(node.span, "the mapping has no field pairs")
            .help(format!("name at least one, as in: {example}"));
        reader.note(diagnostic);
    }
    let fields: Vec<FieldSpec> =
        items.iter().filter_map(|item| field(reader, item, policy, tables)).collect();
    for side in Side::BOTH {
        once(reader, &fields, side);
    }
    Some(fields)
}

/// A field stands in one pair: else two pairs would write it, or one edit would travel twice.
fn once(reader: &mut Reader<'_>, fields: &[FieldSpec], side: Side) {
    for (at, pair) in fields.iter().enumerate() {
        for name in &pair.fields[side] {
            let mut earlier = fields[..at].iter().flat_map(|first| &first.fields[side]);
            if let Some(first) = earlier.find(|first| *first == name) {
                let diagnostic = reader
                    .error(name.span, format!("the {side} field `{}` is in two pairs", **name))
                    .label("again here")
                    .also(reader.source, first.span, "first here")
                    .help("keep it in one of them");
                reader.note(diagnostic);
            }
        }
    }
}

fn field(
    reader: &mut Reader<'_>,
    node: &Node,
    policy: Policy,
    tables: &MappingTables,
) -> Option<FieldSpec> {
    let keyed = reader.keys(node, FIELD)?;
    let computed = is_computed(keyed);
    let constant = keyed.get("constant").and_then(|node| constants::read(reader, node));
    let fields = match keyed.get("constant") {
        Some(_) => constants::one_side(reader, keyed),
        None if computed => both_names(reader, keyed),
        None => two_fields(reader, keyed, "a field pair")
            .map(|two| Sides { left: vec![two.left], right: vec![two.right] }),
    };
    let mut direction = keyed
        .get("direction")
        .and_then(|node| reader.word(node, "direction", DIRECTIONS))
        .unwrap_or(Located::new(Direction::Both, node.span));
    if let (Some(_), Some(fields)) = (keyed.get("constant"), &fields) {
        let to_left = !fields.left.is_empty();
        direction.value = if to_left { Direction::ToLeft } else { Direction::ToRight };
        constants::only(reader, keyed);
    }
    let formulas = match &fields {
        Some(fields) if computed => {
            computed::formulas(reader, keyed, fields, &mut direction, &tables.library)?
        }
        _ => Sides::default(),
    };
    let one_way = direction.value != Direction::Both;
    let own = policies::of_field(reader, keyed);
    if let (Some(own), true) = (&own, one_way) {
        let diagnostic = reader
            .error(own.span, "a field that travels one way has no conflicts")
            .also(reader.source, direction.span, "it travels one way")
            .help("remove `owner` and `conflict` here, or the direction");
        reader.note(diagnostic);
    }
    let conflict = own.map_or(policy, |own| own.value);
    let foreign = policies::foreign_edits(reader, keyed, &mut direction.value, conflict);
    let values = keyed.get("values").and_then(|node| values(reader, node, tables));
    let default = constants::defaults(reader, keyed, *direction);
    let normalize = normalize(reader, keyed, FIELD_NORMALIZERS);
    let reference = keyed.get("reference").and_then(|node| reader.text(node, "reference"));
    if reference.is_some() {
        for key in ["values", "normalize", "default"] {
            if let Some(span) = keyed.key_span(key) {
                let diagnostic = reader
                    .error(span, format!("a reference has no `{key}`"))
                    .note("it travels as the link of the record that it refers to")
                    .help(format!("remove `{key}`"));
                reader.note(diagnostic);
            }
        }
    }
    Some(FieldSpec {
        span: node.span,
        fields: fields?,
        direction,
        conflict,
        foreign,
        values,
        normalize,
        reference,
        default,
        constant,
        formulas,
        view: if computed { None } else { views::read(reader, keyed) },
        sensitive: sensitive::read(reader, keyed),
    })
}

/// Whether a pair has expressions, or should have some.
fn is_computed(keyed: Keyed<'_>) -> bool {
    let lists =
        |key: &str| keyed.get(key).is_some_and(|node| matches!(node.kind, NodeKind::List(_)));
    let said = keyed.get("to_left").is_some() || keyed.get("to_right").is_some();
    keyed.get("constant").is_none() && (said || lists("left") || lists("right"))
}

fn both_names(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Option<Sides<Vec<Located<FieldName>>>> {
    let left = computed::names(reader, keyed, Side::Left);
    let right = computed::names(reader, keyed, Side::Right);
    Some(Sides { left: left?, right: right? })
}

/// `left` and `right` of a pair or rule: one field each.
pub(super) fn two_fields(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
    of: &str,
) -> Option<Sides<Located<FieldName>>> {
    let mut one = |side: Side| {
        let node = reader.required(keyed, of, side.as_str(), "{ left: Name, right: name }")?;
        if let NodeKind::List(_) = node.kind {
            let diagnostic = reader
                .error(node.span, format!("`{side}` is one field, not a list"))
                .help("name the one field that is compared");
            reader.note(diagnostic);
            return None;
        }
        Some(reader.text(node, side.as_str())?.map(FieldName::new))
    };
    let (left, right) = (one(Side::Left), one(Side::Right));
    Some(Sides { left: left?, right: right? })
}

/// The steps of `normalize`.
pub(super) fn normalize(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
    known: &[(&str, Normalizer)],
) -> Vec<Located<Normalizer>> {
    let Some(node) = keyed.get("normalize") else {
        return Vec::new();
    };
    if node.as_scalar().is_some_and(|scalar| !scalar.is_null()) {
        return reader.word(node, "normalize", known).into_iter().collect();
    }
    let Some(items) = reader.list(node, "normalize") else {
        return Vec::new();
    };
    items.iter().filter_map(|item| reader.word(item, "normalize", known)).collect()
}

/// A value table: left values as keys, right values as values.
fn values(
    reader: &mut Reader<'_>,
    node: &Node,
    tables: &MappingTables,
) -> Option<Located<ValueRows>> {
    if let Some(scalar) = node.as_scalar().filter(|scalar| !scalar.is_null()) {
        return named_values(reader, node.span, &scalar.text, tables);
    }
    let NodeKind::Map(entries) = &node.kind else {
        let diagnostic = reader
            .error(node.span, format!("`values` is a table, not {}", node.what()))
            .help("write left and right values as in: values: { Banking: BNK, Energy: ENR }");
        reader.note(diagnostic);
        return None;
    };
    let mut table = Vec::new();
    for entry in entries {
        let Some(right) = entry.value.as_scalar() else {
            let message = format!("a right value is a single value, not {}", entry.value.what());
            let diagnostic =
                reader.error(entry.value.span, message).help("write one right value a left value");
            reader.note(diagnostic);
            continue;
        };
        // The way in which a key was written shows in the file only.
        let first = reader.source.text().as_bytes().get(entry.key.span.start);
        let style = match first {
            Some(b'\'') => Style::Single,
            Some(b'"') => Style::Double,
            _ => Style::Plain,
        };
        let left = Scalar { text: Arc::clone(&entry.key), style };
        table.push((
            Located::new(left, entry.key.span),
            Located::new(right.clone(), entry.value.span),
        ));
    }
    if table.is_empty() {
        let diagnostic =
            reader.error(node.span, "the value table is empty").help("fill it, or remove `values`");
        reader.note(diagnostic);
    }
    Some(Located::new(table, node.span))
}

/// A table of the mapping as a value table: its keys are left values.
fn named_values(
    reader: &mut Reader<'_>,
    span: Span,
    name: &str,
    tables: &MappingTables,
) -> Option<Located<ValueRows>> {
    let Some(rows) = tables.rows.get(name) else {
        let known = || tables.rows.keys().map(|name| &**name);
        let help = match nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add the table to `tables`, or write the values here".to_owned(),
        };
        let diagnostic = reader.error(span, format!("there is no table `{name}`")).help(help);
        reader.note(diagnostic);
        return None;
    };
    // One without rows was noted where it is, or was not looked at.
    (!rows.is_empty()).then(|| Located::new(rows.clone(), span))
}
