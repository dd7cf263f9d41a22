//! What was found beside a plan, told after it: one line a kind, then each finding in a line.

use std::collections::BTreeMap;

use syncline_core::mapping::language::{Diagnostic, Diagnostics, Severity};

/// Findings whose messages differ in names alone, by what they have in common.
type Kinds<'a> = BTreeMap<(Severity, String), Vec<&'a Diagnostic>>;

/// All of it, in lines; none where nothing was found.
pub(super) fn lines(found: &Diagnostics) -> Vec<String> {
    let mut kinds = Kinds::new();
    for one in found.iter() {
        kinds.entry((one.severity, pattern(&one.message))).or_default().push(one);
    }
    let mut lines: Vec<String> = kinds.values().map(|alike| summary(alike)).collect();
    for alike in kinds.values() {
        lines.push(String::new());
        details(alike, &mut lines);
    }
    lines
}

/// A message without the names in it.
fn pattern(message: &str) -> String {
    let parts = message.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { part } else { "`" }).collect()
}

/// The name that a message begins with, or else its first one.
fn name(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// `3 warnings: `Name` cannot hold all of `name`; so too `Phone`, `Fax``
fn summary(alike: &[&Diagnostic]) -> String {
    let [first, others @ ..] = alike else { return String::new() };
    let word = word(first.severity);
    if others.is_empty() {
        return format!("{word}: {}", first.message);
    }
    let names = others.iter().filter_map(|one| name(&one.message));
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let more = match names.len() {
        0 => String::new(),
        _ => format!("; so too {}", names.join(", ")),
    };
    format!("{} {word}s: {}{more}", alike.len(), first.message)
}

/// Each finding with its place; what is said of all of them once.
fn details(alike: &[&Diagnostic], lines: &mut Vec<String>) {
    let mut hints: Vec<(&str, &str)> = Vec::new();
    for one in alike {
        let place = one.place.as_ref().map_or_else(String::new, |place| {
            let (line, column) = place.source.position(place.span.start);
            format!("{}:{line}:{column}: ", place.source.path())
        });
        let label = one.place.as_ref().map(|place| place.label.as_str());
        let label = label.filter(|label| !label.is_empty());
        let label = label.map_or_else(String::new, |label| format!(" ({label})"));
        lines.push(format!("{place}{}{label}", one.message));
        for (word, text) in [("note", &one.note), ("help", &one.help)] {
            let said = text.as_deref().map(|text| (word, text));
            hints.extend(said.filter(|said| !hints.contains(said)));
        }
    }
    lines.extend(hints.into_iter().map(|(word, text)| format!("    {word}: {text}")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::mapping::language::{Source, Span};

    #[test]
    fn findings_that_differ_in_names_are_one_line_and_none_is_lost() {
        let source = Source::new("a.yaml", "fields:\n  - { left: Name, right: name }\n");
        let narrow = |from: &str, to: &str, at: usize| {
            Diagnostic::warning(format!("`{to}` cannot hold all of `{from}`"))
                .at(&source, Span::new(at, at + 1))
                .label("not values of more than 20 characters")
                .note("such a value waits for a person")
                .help(format!("make `{to}` wider"))
        };
        let mut found = Diagnostics::new();
        found.push(narrow("Name", "name", 12));
        found.push(Diagnostic::warning("the mapping has no `match`"));
        found.push(narrow("Phone", "phone", 20));
        let told = [
            "2 warnings: `name` cannot hold all of `Name`; so too `phone`",
            "warning: the mapping has no `match`",
            "",
            "a.yaml:2:5: `name` cannot hold all of `Name` (not values of more than 20 characters)",
            "a.yaml:2:13: `phone` cannot hold all of `Phone` (not values of more than 20 \
             characters)",
            "    note: such a value waits for a person",
            "    help: make `name` wider",
            "    help: make `phone` wider",
            "",
            "the mapping has no `match`",
        ];
        assert_eq!(lines(&found), told);
        assert!(lines(&Diagnostics::new()).is_empty());
    }
}
