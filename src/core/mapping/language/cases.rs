//! The tests of a mapping, as its file says them.

use std::sync::Arc;

use super::reader::{Keyed, Keys, Reader};
use super::tree::{Entry, Node, NodeKind, Scalar};
use super::{Located, Span};
use crate::{Side, Sides};

pub(super) const CASE: Keys<'_> =
    Keys { of: "a test", known: &["name", "agreed", "given", "expect"], refused: &[] };

pub(super) const RECORDS: Keys<'_> =
    Keys { of: "the records of a test", known: &["left", "right"], refused: &[] };

pub(super) const EXPECT: Keys<'_> = Keys {
    of: "what a test expects",
    known: &["left", "right", "review", "skipped"],
    refused: &[],
};

/// A value of a test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CaseValue {
    /// A single value.
    One(Scalar),
    /// A list.
    Many(Vec<Scalar>),
}

/// The fields of one record of a test.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CaseRecord {
    /// Each field with its value.
    pub fields: Vec<(Located<Arc<str>>, Located<CaseValue>)>,
}

/// One test.
#[derive(Clone, PartialEq, Debug)]
pub struct CaseSpec {
    /// Its place.
    pub span: Span,
    /// Its name.
    pub name: Located<Arc<str>>,
    /// What both sides agreed upon before; nothing for a first match or a create.
    pub agreed: Option<Sides<CaseRecord>>,
    /// What each side shows now.
    pub given: Sides<Option<CaseRecord>>,
    /// What each side is to show then.
    pub expect: Sides<CaseRecord>,
    /// The units that are to wait for a person.
    pub review: Vec<Located<Arc<str>>>,
    /// The side whose record is to be no part of the mapping.
    pub skipped: Option<Located<Side>>,
}

impl CaseSpec {
    /// All that the test says of a side: agreed before, shown now, expected then.
    pub fn records(&self, side: Side) -> impl Iterator<Item = &CaseRecord> {
        let agreed = self.agreed.as_ref().map(|agreed| &agreed[side]);
        agreed.into_iter().chain(&self.given[side]).chain([&self.expect[side]])
    }

    /// Whether the test expects that a unit waits for a person.
    #[must_use]
    pub fn expects_review(&self, unit: &str) -> bool {
        self.review.iter().any(|name| *name.value == *unit)
    }
}

/// The tests of a mapping.
pub(super) fn read(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Vec<CaseSpec> {
    let Some(node) = keyed.get("tests") else { return Vec::new() };
    let Some(items) = reader.list(node, "tests") else { return Vec::new() };
    items.iter().filter_map(|item| case(reader, item)).collect()
}

fn case(reader: &mut Reader<'_>, node: &Node) -> Option<CaseSpec> {
    let keyed = reader.keys(node, CASE)?;
    let example = "- { name: ..., given: { left: {...} }, expect: { right: {...} } }";
    let name = reader.required(keyed, "a test", "name", example);
    let name = name.and_then(|node| reader.text(node, "name"));
    let given = reader.required(keyed, "a test", "given", example);
    let given = given.and_then(|node| records(reader, node));
    let agreed = keyed.get("agreed").map(|node| records(reader, node));
    let expect = reader.required(keyed, "a test", "expect", example)?;
    let expect = reader.keys(expect, EXPECT)?;
    let expected = both(reader, expect);
    let mut review = Vec::new();
    if let Some(node) = expect.get("review") {
        for item in reader.list(node, "review").unwrap_or_default() {
            review.extend(reader.text(item, "review"));
        }
    }
    let sides = [("left", Side::Left), ("right", Side::Right)];
    let skipped = expect.get("skipped").and_then(|node| reader.word(node, "skipped", &sides));
    let given = given?;
    let lone = given.iter().filter(|(_, record)| record.is_some()).count() < 2;
    let agreed = match agreed {
        None => None,
        Some(agreed) => {
            let agreed = agreed?;
            Some(Sides {
                left: agreed.left.unwrap_or_default(),
                right: agreed.right.unwrap_or_default(),
            })
        }
    };
    if agreed.is_none() && lone && given.iter().all(|(_, record)| record.is_none()) {
        let diagnostic = reader
            .error(node.span, "nothing is given")
            .help("write the record of one side, or of both, under `given`");
        reader.note(diagnostic);
        return None;
    }
    Some(CaseSpec {
        span: node.span,
        name: name?,
        agreed,
        given,
        expect: expected,
        review,
        skipped,
    })
}

fn records(reader: &mut Reader<'_>, node: &Node) -> Option<Sides<Option<CaseRecord>>> {
    let keyed = reader.keys(node, RECORDS)?;
    let mut found = Sides::default();
    for side in Side::BOTH {
        found[side] = keyed.get(side.as_str()).and_then(|node| record(reader, node));
    }
    Some(found)
}

fn both(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Sides<CaseRecord> {
    Sides::from_fn(|side| {
        keyed.get(side.as_str()).and_then(|node| record(reader, node)).unwrap_or_default()
    })
}

fn record(reader: &mut Reader<'_>, node: &Node) -> Option<CaseRecord> {
    let NodeKind::Map(entries) = &node.kind else {
        let diagnostic = reader
            .error(node.span, format!("a record has fields with values, not {}", node.what()))
            .help("write one as in: { Name: Acme, Phone: null }");
        reader.note(diagnostic);
        return None;
    };
    let mut record = CaseRecord::default();
    for Entry { key, value } in entries {
        let found = match &value.kind {
            NodeKind::Scalar(scalar) => Some(CaseValue::One(scalar.clone())),
            NodeKind::List(items) => {
                let scalars: Option<Vec<Scalar>> =
                    items.iter().map(|item| item.as_scalar().cloned()).collect();
                scalars.map(CaseValue::Many)
            }
            NodeKind::Map(_) => None,
        };
        match found {
            Some(found) => record.fields.push((key.clone(), Located::new(found, value.span))),
            None => {
                let diagnostic = reader
                    .error(value.span, "a field of a test has one value, or a list of values")
                    .help("write a text, a number, a date, true, false, null or [a, b]");
                reader.note(diagnostic);
            }
        }
    }
    Some(record)
}
