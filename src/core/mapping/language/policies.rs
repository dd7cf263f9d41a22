//! Who wins: `owner`, `conflict` and `foreign_edits` as a file says them.

use super::file::{SIDES, condition};
use super::reader::{Keyed, Keys, Reader};
use super::tree::NodeKind;
use super::{Condition, Located};
use crate::mapping::{Direction, ForeignEdits, Policy, Unowned};
use crate::{Side, Sides};

/// What may decide the conflicts of a whole mapping.
pub(super) const MAPPING_POLICIES: &[(&str, Policy)] = &[
    ("review", Policy::Review),
    ("left", Policy::Wins(Side::Left)),
    ("right", Policy::Wins(Side::Right)),
    ("newest", Policy::Newest),
];

/// What may decide the conflicts of a field.
pub(super) const FIELD_POLICIES: &[(&str, Policy)] = &[
    ("review", Policy::Review),
    ("left", Policy::Wins(Side::Left)),
    ("right", Policy::Wins(Side::Right)),
    ("newest", Policy::Newest),
    ("max", Policy::Max),
    ("min", Policy::Min),
    ("counter", Policy::Counter),
    ("merge_text", Policy::MergeText),
    ("merge_set", Policy::MergeSet),
];

pub(super) const FOREIGN_EDITS: &[(&str, ForeignEdits)] = &[
    ("keep", ForeignEdits::Keep),
    ("revert", ForeignEdits::Revert),
    ("review", ForeignEdits::Review),
];

/// The conditions by which a side owns a record.
pub(super) type Owners = Sides<Option<Located<Condition>>>;

/// The policy that `owner` and `conflict` of a field pair say together.
pub(super) fn of_field(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Option<Located<Policy>> {
    let owner = keyed.get("owner").and_then(|node| match &node.kind {
        NodeKind::Map(_) => {
            let diagnostic = reader
                .error(node.span, "`owner` of a field is `left` or `right`")
                .note("records are owned as a whole: ownership by row belongs to the mapping")
                .help("write `owner: left` or `owner: right`, or move it beside `fields`");
            reader.note(diagnostic);
            None
        }
        _ => reader.word(node, "owner", SIDES),
    });
    let conflict =
        keyed.get("conflict").and_then(|node| reader.word(node, "conflict", FIELD_POLICIES));
    let owner = owner.map(|owner| owner.map(Policy::Wins));
    together(reader, owner, conflict)
}

/// The policy of a whole mapping, and the conditions of `owner` by row.
pub(super) fn of_mapping(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
) -> (Option<Located<Policy>>, Owners) {
    let mut owners = Owners::default();
    let owner = keyed.get("owner").and_then(|node| match &node.kind {
        NodeKind::Map(_) => {
            let keys = Keys { of: "`owner`", known: &["left", "right"], refused: &[] };
            let sides = reader.keys(node, keys)?;
            for side in Side::BOTH {
                owners[side] =
                    sides.get(side.as_str()).and_then(|node| condition(reader, node, "owner"));
            }
            if sides.entries().is_empty() {
                let diagnostic = reader
                    .error(node.span, "`owner` says of no side which records it owns")
                    .help("write `owner: left`, or a condition: { right: \"region = 'EU'\" }");
                reader.note(diagnostic);
            }
            Some(Located::new(Policy::Row(Unowned::Review), node.span))
        }
        _ => Some(reader.word(node, "owner", SIDES)?.map(Policy::Wins)),
    });
    let conflict =
        keyed.get("conflict").and_then(|node| reader.word(node, "conflict", MAPPING_POLICIES));
    (together(reader, owner, conflict), owners)
}

/// An owner decides first. One that owns records by a condition leaves the others to `conflict`;
/// one that owns all of them leaves nothing to decide.
fn together(
    reader: &mut Reader<'_>,
    owner: Option<Located<Policy>>,
    conflict: Option<Located<Policy>>,
) -> Option<Located<Policy>> {
    match (owner, conflict) {
        (Some(Located { value: Policy::Row(_), span }), Some(conflict)) => {
            let unowned = match conflict.value {
                Policy::Wins(side) => Unowned::Wins(side),
                Policy::Newest => Unowned::Newest,
                _ => Unowned::Review,
            };
            Some(Located::new(Policy::Row(unowned), span))
        }
        (Some(owner), Some(conflict)) if conflict.value != owner.value => {
            let diagnostic = reader
                .error(conflict.span, "`conflict` would never decide: `owner` wins every conflict")
                .also(reader.source, owner.span, "the owner")
                .note("an owner by record, beside `fields`, leaves others to `conflict`")
                .help("remove one of them");
            reader.note(diagnostic);
            None
        }
        (Some(owner), _) => Some(owner),
        (None, conflict) => conflict,
    }
}

/// What becomes of edits on the side that does not lead a field. An owner that is given this rule
/// leads alone: the field travels from its side only.
pub(super) fn foreign_edits(
    reader: &mut Reader<'_>,
    keyed: Keyed<'_>,
    direction: &mut Direction,
    conflict: Policy,
) -> Option<ForeignEdits> {
    let node = keyed.get("foreign_edits")?;
    let word = reader.word(node, "foreign_edits", FOREIGN_EDITS)?;
    match (*direction, conflict) {
        (Direction::Both, Policy::Wins(Side::Left)) => *direction = Direction::ToRight,
        (Direction::Both, Policy::Wins(Side::Right)) => *direction = Direction::ToLeft,
        (Direction::Both, _) => {
            let diagnostic = reader
                .error(node.span, "`foreign_edits` needs a side that leads the field")
                .note("without one, an edit of either side is followed")
                .help("add `owner: left`, `owner: right` or a direction");
            reader.note(diagnostic);
        }
        _ => {}
    }
    Some(word.value)
}
