//! `mode`, `pilot` and `priority` as a file says them.

use super::file::condition;
use super::reader::{Keyed, Keys, Reader};
use super::tree::Node;
use super::{Located, ModeSpec, PilotSpec, Span};
use crate::Side;
use crate::mapping::{Priority, Share};

/// What a mapping may do, by its word.
pub(super) const MODE: &[(&str, Word)] =
    &[("observe", Word::Observe), ("pilot", Word::Pilot), ("live", Word::Live)];

pub(super) const PRIORITY: &[(&str, Priority)] =
    &[("high", Priority::High), ("normal", Priority::Normal), ("low", Priority::Low)];

pub(super) const PILOT: Keys<'_> = Keys {
    of: "`pilot`",
    known: &["left", "right", "share"],
    refused: &[
        ("where", "write the condition by its side: pilot: { left: \"...\" }"),
        ("first", "write a share of all records: pilot: { share: 5% }"),
    ],
};

/// The words of `mode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    Observe,
    Pilot,
    Live,
}

const EXAMPLE: &str = "pilot: { share: 5% }";

/// Whether the mapping writes, and which records a pilot is about.
pub(super) fn mode(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Located<ModeSpec> {
    let word = keyed.get("mode").and_then(|node| reader.word(node, "mode", MODE));
    let word = word.unwrap_or(Located::new(Word::Live, Span::default()));
    let node = keyed.get("pilot");
    if let (Some(key), false) = (keyed.key_span("pilot"), word.value == Word::Pilot) {
        let diagnostic = reader
            .error(key, "`pilot` has no effect: the mapping is not in `mode: pilot`")
            .help("write `mode: pilot`, or remove `pilot`");
        reader.note(diagnostic);
    }
    let mode = match word.value {
        Word::Observe => ModeSpec::Observe,
        Word::Live => ModeSpec::Live,
        Word::Pilot => match node {
            Some(node) => ModeSpec::Pilot(Box::new(pilot(reader, node))),
            None => {
                let diagnostic = reader
                    .error(word.span, "the pilot does not say which records it is about")
                    .help(format!("add a share, or a condition on a side, as in: {EXAMPLE}"));
                reader.note(diagnostic);
                ModeSpec::Observe
            }
        },
    };
    Located::new(mode, word.span)
}

fn pilot(reader: &mut Reader<'_>, node: &Node) -> PilotSpec {
    let mut pilot = PilotSpec::default();
    let Some(keyed) = reader.keys(node, PILOT) else { return pilot };
    for side in Side::BOTH {
        let node = keyed.get(side.as_str());
        pilot.conditions[side] = node.and_then(|node| condition(reader, node, side.as_str()));
    }
    pilot.share = keyed.get("share").and_then(|node| share(reader, node));
    if keyed.entries().is_empty() {
        let diagnostic = reader
            .error(node.span, "the pilot does not say which records it is about")
            .help(format!("add a share, or a condition on a side, as in: {EXAMPLE}"));
        reader.note(diagnostic);
    }
    pilot
}

/// A share in percent.
fn share(reader: &mut Reader<'_>, node: &Node) -> Option<Share> {
    let text = reader.text(node, "share")?;
    let found = text.strip_suffix('%').and_then(|percent| parts(percent.trim()));
    let share = found.and_then(Share::of_ten_thousand);
    if share.is_none() {
        let diagnostic = reader
            .error(node.span, format!("`{}` is no share of the records", *text))
            .help("write a percentage of up to two decimals, as in: share: 5%, share: 0.25%");
        reader.note(diagnostic);
    }
    share
}

/// Hundredths of a percent.
fn parts(percent: &str) -> Option<u16> {
    let (whole, rest) = percent.split_once('.').unwrap_or((percent, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(rest) || whole.len() > 3 || rest.len() > 2 {
        return None;
    }
    let rest: u16 = format!("{rest:0<2}").parse().ok()?;
    whole.parse::<u16>().ok()?.checked_mul(100)?.checked_add(rest)
}

/// How much the writes of the mapping matter.
pub(super) fn priority(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Priority {
    let word = keyed.get("priority").and_then(|node| reader.word(node, "priority", PRIORITY));
    word.map_or(Priority::Normal, |word| word.value)
}
