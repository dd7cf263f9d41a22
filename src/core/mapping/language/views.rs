//! Sides that show less than the other: `round`, `truncate` and `zone` as a file says them.

use std::ops::RangeInclusive;

use super::reader::{Keyed, Keys, Reader};
use super::tree::Node;
use super::{Located, ViewSpec};
use crate::Side;
use crate::mapping::expression;

const KEYS: [&str; 3] = ["round", "truncate", "zone"];

/// What one side of a pair shows less of.
pub(super) fn read(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Option<Located<ViewSpec>> {
    let given: Vec<&str> = KEYS.into_iter().filter(|key| keyed.get(key).is_some()).collect();
    let key = *given.first()?;
    for other in ["values", "reference"].into_iter().chain(given[1..].iter().copied()) {
        if let Some(span) = keyed.key_span(other) {
            let diagnostic = reader
                .error(span, format!("`{other}` and `{key}` do not go together"))
                .help("remove one of them");
            reader.note(diagnostic);
        }
    }
    let node = keyed.get(key)?;
    let view = match key {
        "zone" => {
            let name = reader.text(node, key)?.value;
            if expression::zone(&name).is_none() {
                let diagnostic = reader
                    .error(node.span, format!("there is no time zone `{name}`"))
                    .help("write a name of the time zone database, as Europe/Berlin");
                reader.note(diagnostic);
                return None;
            }
            ViewSpec::Zone(name)
        }
        "round" => {
            let (side, digits) = number(reader, node, key, 0..=28)?;
            ViewSpec::Round(side, digits)
        }
        _ => {
            let (side, chars) = number(reader, node, key, 1..=1_000_000)?;
            ViewSpec::Truncate(side, chars)
        }
    };
    Some(Located::new(view, node.span))
}

/// The side that shows less, and how much.
fn number(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    known: RangeInclusive<u32>,
) -> Option<(Side, u32)> {
    let keys = Keys { of: "the side that shows less", known: &["left", "right"], refused: &[] };
    let keyed = reader.keys(node, keys)?;
    let mut found = None;
    for side in Side::BOTH {
        let Some(node) = keyed.get(side.as_str()) else { continue };
        let number = node.as_scalar().and_then(|scalar| scalar.text.parse::<u32>().ok());
        match number {
            Some(number) if known.contains(&number) && found.is_none() => {
                found = Some((side, number));
            }
            _ => {
                let (least, most) = (known.start(), known.end());
                let message = format!("`{key}` is one number of {least} to {most} for one side");
                let diagnostic = reader
                    .error(node.span, message)
                    .help(format!("write it as in: {key}: {{ right: 2 }}"));
                reader.note(diagnostic);
                return None;
            }
        }
    }
    if found.is_none() {
        let diagnostic = reader
            .error(node.span, format!("`{key}` does not say which side shows less"))
            .help(format!("write it as in: {key}: {{ right: 2 }}"));
        reader.note(diagnostic);
    }
    found
}
