//! Fields that are agreed together, as a file says them.

use std::sync::Arc;

use super::reader::{Keyed, Reader};
use super::suggestion::nearest;
use super::tree::{Node, NodeKind};
use super::{FieldSpec, Located, Span, UnitSpec};
use crate::Side;
use crate::mapping::{ForeignEdits, Policy};

/// The units of a mapping, in the order of their first fields: what `units` names, and every
/// other field pair by itself.
pub(super) fn read(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
    fields: &[FieldSpec],
) -> Vec<UnitSpec> {
    let mut named: Vec<UnitSpec> = Vec::new();
    match keyed.get("units") {
        None => {}
        Some(Node { kind: NodeKind::Map(entries), .. }) => {
            for entry in entries {
                let name = Some(Arc::clone(&entry.key));
                named.extend(unit(reader, fields, name, &entry.value, entry.key.span));
            }
        }
        Some(node) => {
            let lists = reader.list(node, "units").unwrap_or_default();
            for node in lists {
                named.extend(unit(reader, fields, None, node, node.span));
            }
        }
    }
    for (at, unit) in named.iter().enumerate() {
        let taken = |field: &usize| named[..at].iter().any(|before| before.fields.contains(field));
        if let Some(field) = unit.fields.iter().find(|field| taken(field)) {
            let name = fields[*field].unit_name();
            let diagnostic = reader
                .error(unit.span, format!("`{name}` is in two units"))
                .help("keep it in one of them");
            reader.note(diagnostic);
        }
    }
    let mut units: Vec<UnitSpec> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        match named.iter().find(|unit| unit.fields.contains(&at)) {
            Some(unit) if unit.fields.first() == Some(&at) => units.push(unit.clone()),
            Some(_) => {}
            None => {
                units.push(UnitSpec { span: field.span, name: field.unit_name(), fields: vec![at] })
            }
        }
    }
    units
}

fn unit(
    reader: &mut Reader<'_>,
    fields: &[FieldSpec],
    name: Option<Arc<str>>,
    node: &Node,
    span: Span,
) -> Option<UnitSpec> {
    let items = reader.list(node, "units")?;
    let mut members = Vec::new();
    let mut names = Vec::new();
    for item in items {
        let Some(text) = reader.text(item, "units") else { continue };
        let Some(at) = find(fields, &text) else {
            unknown(reader, fields, &text);
            continue;
        };
        names.push(text.to_string());
        if !members.contains(&at) {
            members.push(at);
        }
    }
    members.sort_unstable();
    if members.len() < 2 {
        if members.len() == items.len() || items.len() < 2 {
            let diagnostic = reader
                .error(node.span, "a unit has at least two field pairs")
                .note("a field pair by itself is a unit anyway")
                .help("name the fields that belong together, or remove it");
            reader.note(diagnostic);
        }
        return None;
    }
    together(reader, fields, &members, node.span);
    let name = name.unwrap_or_else(|| names.join("+").into());
    Some(UnitSpec { span, name, fields: members })
}

/// The field pair of a name: its left field's, or its right field's.
fn find(fields: &[FieldSpec], name: &str) -> Option<usize> {
    let has = |side: Side| {
        move |pair: &FieldSpec| pair.fields[side].iter().any(|field| field.as_str() == name)
    };
    fields.iter().position(has(Side::Left)).or_else(|| fields.iter().position(has(Side::Right)))
}

fn unknown(reader: &mut Reader<'_>, fields: &[FieldSpec], name: &Located<Arc<str>>) {
    let known = fields.iter().flat_map(|pair| &pair.fields.left).map(|field| field.as_str());
    let help = match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name fields of this mapping's `fields`, as the left side calls them".to_owned(),
    };
    let message = format!("no field pair has a field `{}`", **name);
    let diagnostic = reader.error(name.span, message).help(help);
    reader.note(diagnostic);
}

/// What is agreed together travels and is decided together.
fn together(reader: &mut Reader<'_>, fields: &[FieldSpec], members: &[usize], span: Span) {
    let first = &fields[members[0]];
    for member in &members[1..] {
        let other = &fields[*member];
        let same = other.direction.value == first.direction.value
            && other.conflict == first.conflict
            && other.foreign.unwrap_or(ForeignEdits::Keep)
                == first.foreign.unwrap_or(ForeignEdits::Keep);
        if !same {
            let diagnostic = reader
                .error(other.span, "fields of one unit have one direction and one owner")
                .also(reader.source, first.span, "its first field pair")
                .also(reader.source, span, "the unit")
                .help("give them the same `direction`, `owner`, `conflict` and `foreign_edits`");
            reader.note(diagnostic);
        }
    }
    let ordered = matches!(first.conflict, Policy::Max | Policy::Min);
    if ordered || first.conflict.merges() {
        let diagnostic = reader
            .error(span, "this `conflict` decides single fields, and the unit has several")
            .also(reader.source, first.span, "its first field pair")
            .help("write review, left, right or newest there, or take the field out of the unit");
        reader.note(diagnostic);
    }
}
