//! Values that a file gives a side: `default` and `constant`.

use super::Located;
use super::reader::{Keyed, Keys, Reader};
use super::tree::{Node, NodeKind, Scalar};
use crate::mapping::Direction;
use crate::{Side, Sides};
use syncline_sdk::FieldName;

/// What a field pair with a constant has beside it.
const BESIDE: &[&str] = &["left", "right", "constant", "foreign_edits"];

/// One value.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Located<Scalar>> {
    if let Some(scalar) = node.as_scalar() {
        return Some(Located::new(scalar.clone(), node.span));
    }
    let diagnostic = reader
        .error(node.span, format!("a value stands here, not {}", node.what()))
        .help("write one value, as in: { right: origin, constant: crm }");
    reader.note(diagnostic);
    None
}

/// The one field that a constant is written to.
pub(super) fn one_side(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
) -> Option<Sides<Vec<Located<FieldName>>>> {
    let mut fields = Sides::default();
    let nodes = Side::BOTH.map(|side| (side, keyed.get(side.as_str())));
    let [(_, left), (_, right)] = &nodes;
    if left.is_some() == right.is_some() {
        let span = keyed.key_span("constant").unwrap_or(keyed.span);
        let diagnostic = reader
            .error(span, "a constant is written to one side")
            .note("the other side has no field for it")
            .help("name one field, as in: { right: origin, constant: crm }");
        reader.note(diagnostic);
        return None;
    }
    for (side, node) in nodes {
        let Some(node) = node else { continue };
        let name = reader.text(node, side.as_str())?.map(FieldName::new);
        fields[side] = vec![name];
    }
    Some(fields)
}

/// A constant has nothing to translate, and no side that could contradict it.
pub(super) fn only(reader: &mut Reader<'_>, keyed: Keyed<'_>) {
    for entry in keyed.entries() {
        let key: &str = &entry.key;
        if !BESIDE.contains(&key) {
            let diagnostic = reader
                .error(entry.key.span, format!("a constant has no `{key}`"))
                .help(format!("remove `{key}`, or the constant"));
            reader.note(diagnostic);
        }
    }
}

/// What each side is given where the other has nothing: one value for a field that travels one
/// way, else by side.
pub(super) fn defaults(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
    direction: Direction,
) -> Sides<Option<Located<Scalar>>> {
    let mut defaults = Sides::default();
    let Some(node) = keyed.get("default") else { return defaults };
    if let NodeKind::Map(_) = &node.kind {
        let keys = Keys { of: "`default`", known: &["left", "right"], refused: &[] };
        let Some(keyed) = reader.keys(node, keys) else { return defaults };
        for side in Side::BOTH {
            let Some(node) = keyed.get(side.as_str()) else { continue };
            if !direction.reaches(side) {
                let diagnostic = reader
                    .error(node.span, format!("nothing is written to the {side} side"))
                    .help("remove this default, or the direction");
                reader.note(diagnostic);
                continue;
            }
            defaults[side] = read(reader, node);
        }
        return defaults;
    }
    match direction {
        Direction::ToLeft => defaults.left = read(reader, node),
        Direction::ToRight => defaults.right = read(reader, node),
        Direction::Both => {
            let diagnostic = reader
                .error(node.span, "`default` does not say for which side it is")
                .note("it is what that side is given where the other one has nothing")
                .help("write `default: { right: ... }` or `default: { left: ... }`");
            reader.note(diagnostic);
        }
    }
    defaults
}
