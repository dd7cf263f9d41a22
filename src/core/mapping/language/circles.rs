//! Circles of mappings: ways on which an edit comes back to its own field, or a new record to its
//! own entity, through other mappings. It would go round and round.

use std::collections::{BTreeMap, VecDeque};

use syncline_sdk::{EntityName, FieldName, SystemName};

use super::{Diagnostic, Diagnostics, MappingSpec};
use crate::Side;

/// An entity, by its system.
pub(super) type Entity<'a> = (&'a SystemName, &'a EntityName);

pub(super) fn entity(spec: &MappingSpec, side: Side) -> Entity<'_> {
    let side = &spec.sides[side];
    (&side.system.value, &side.entity.value)
}

/// One way that a mapping carries something: an edit from field to field, or a new record.
struct Way<'a> {
    spec: &'a MappingSpec,
    to: Side,
    /// The fields, the one read and the one written; nothing for a new record.
    fields: Option<[&'a FieldName; 2]>,
}

/// Where a way begins or ends.
type End<'a> = (Entity<'a>, Option<&'a FieldName>);

impl<'a> Way<'a> {
    fn start(&self) -> End<'a> {
        (entity(self.spec, self.to.other()), self.fields.map(|[read, _]| read))
    }
    fn end(&self) -> End<'a> {
        (entity(self.spec, self.to), self.fields.map(|[_, written]| written))
    }
    /// Whether what arrives by this way leaves by the other. A pair of records is in one mapping of
    /// its two entities, so nothing goes back to where it came from.
    fn leads_on(&self, next: &Way<'_>) -> bool {
        self.end() == next.start() && self.start().0 != next.end().0
    }
}

/// The ways of a mapping, those of edits first.
fn ways(spec: &MappingSpec) -> Vec<Way<'_>> {
    let mut found = Vec::new();
    for to in Side::BOTH {
        for pair in spec.fields.iter().filter(|pair| pair.direction.reaches(to)) {
            for read in &pair.fields[to.other()] {
                let written = pair.fields[to].iter();
                found.extend(written.map(|written| {
                    let fields = Some([&read.value, &written.value]);
                    Way { spec, to, fields }
                }));
            }
        }
    }
    let made = Side::BOTH.into_iter().filter(|to| spec.create.value[*to]);
    found.extend(made.map(|to| Way { spec, to, fields: None }));
    found
}

/// Ways by where they begin.
type Starts<'a> = BTreeMap<End<'a>, Vec<usize>>;

/// Notes the circle that a mapping closes with those before it.
pub(super) fn closed(found: &mut Diagnostics, earlier: &[MappingSpec], spec: &MappingSpec) {
    let all: Vec<Way<'_>> = earlier.iter().chain([spec]).flat_map(ways).collect();
    let mut from: Starts<'_> = BTreeMap::new();
    for (at, way) in all.iter().enumerate() {
        from.entry(way.start()).or_default().push(at);
    }
    for first in ways(spec) {
        let Some(others) = back(&all, &from, &first) else { continue };
        let names: Vec<String> = others.iter().map(|way| format!("`{}`", *way.spec.name)).collect();
        let (system, entity) = entity(spec, first.to.other());
        let (of, note, help) = match first.fields {
            Some([field, _]) => (
                "",
                format!("an edit of `{field}` of {entity} in {system} would come back to it"),
                "remove one of them, or let one travel in one direction",
            ),
            None => (
                " of new records",
                format!("a new record of {entity} in {system} would have another one made there"),
                "let one of them create on one side only: `create: left` or `create: right`",
            ),
        };
        let message = format!("`{}` closes a circle{of} with {}", *spec.name, names.join(", "));
        found.push(
            Diagnostic::error(message).at(&spec.source, spec.name.span).note(note).help(help),
        );
        return;
    }
}

/// The fewest ways that lead from the end of one back to its beginning.
fn back<'w, 'a>(
    all: &'w [Way<'a>],
    starts: &Starts<'a>,
    first: &'w Way<'a>,
) -> Option<Vec<&'w Way<'a>>> {
    // Of each way that is reached, the one that leads to it; `first` is in no place.
    let mut before: BTreeMap<usize, Option<usize>> = BTreeMap::new();
    let mut next = VecDeque::from([None]);
    while let Some(from) = next.pop_front() {
        let here = from.map_or(first, |from: usize| &all[from]);
        for at in starts.get(&here.end()).into_iter().flatten().copied() {
            let way = &all[at];
            if before.contains_key(&at) || !here.leads_on(way) {
                continue;
            }
            before.insert(at, from);
            if way.leads_on(first) {
                let steps = std::iter::successors(Some(at), |at| before[at]);
                let mut path: Vec<&Way<'_>> = steps.map(|at| &all[at]).collect();
                path.reverse();
                return Some(path);
            }
            next.push_back(Some(at));
        }
    }
    None
}
