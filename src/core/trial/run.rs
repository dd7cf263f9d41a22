//! The tests of a mapping, run.

use std::collections::BTreeMap;

use syncline_sdk::{Capabilities, Cas, FeedKind, HistoryKind, LinkId, ReceiptKind, Value};

use super::record::{told_of, value, whole};
use super::{laws, schema};
use crate::mapping::language::{
    CaseSpec, Diagnostic, Diagnostics, MappingRef, MappingSpec, Severity, bind,
};
use crate::mapping::{Mapping, MappingId, NoImage};
use crate::model::{Base, Link, LinkState, Pending};
use crate::reconcile::{UnitPlan, decide_unit, written_fields};
use crate::{Side, Sides};

/// Runs the tests of a mapping, and tries its expressions on values of all kinds. `mappings` are
/// all mappings of the installation.
#[must_use]
pub fn try_out(spec: &MappingSpec, mappings: &[MappingRef]) -> Diagnostics {
    let mut found = Diagnostics::new();
    if spec.cases.is_empty() && !spec.fields.iter().any(|pair| pair.is_computed()) {
        return found;
    }
    let schemas = schema::schemas(spec, mappings);
    let both = Sides { left: &schemas.left, right: &schemas.right };
    let capable = Sides::from_fn(|_| capable());
    match bind(spec, MappingId(0), 0, both, capable, mappings) {
        Ok(mapping) => {
            for case in &spec.cases {
                Trial { spec, mapping: &mapping.value, case, found: &mut found }.run();
            }
            laws::check(spec, &mapping.value, &mut found);
        }
        Err(errors) => {
            for error in errors.iter().filter(|error| error.severity == Severity::Error) {
                let note = "fields have the types that their values here show";
                found.push(error.clone().note(note));
            }
        }
    }
    found
}

/// What a side can do in a trial: everything.
pub(super) fn capable() -> Capabilities {
    Capabilities {
        cas: Cas::ExactField,
        receipt: ReceiptKind::Table,
        history: HistoryKind::None,
        feed: FeedKind::Images,
        unique_external_id: true,
        conditional_delete: true,
        recycle_bin: None,
        transactional: true,
        stored_image: true,
        search_lag: Default::default(),
        request_horizon: Default::default(),
        push_writes_max: 1,
        push_guarded_max: 1,
        fetch_keys_max: 1,
    }
}

/// One test on its mapping.
struct Trial<'a> {
    spec: &'a MappingSpec,
    mapping: &'a Mapping,
    case: &'a CaseSpec,
    found: &'a mut Diagnostics,
}

/// What came of a test: what each side shows, and the units that wait for a person, with why.
#[derive(Default)]
struct Result {
    shows: Sides<Option<Vec<Value>>>,
    held: BTreeMap<usize, String>,
}

impl Trial<'_> {
    fn run(mut self) {
        if !self.names_known() {
            return;
        }
        let given = Sides::from_fn(|side| {
            let case = self.case;
            let agreed = case.agreed.as_ref().map(|agreed| &agreed[side]);
            let record = case.given[side].as_ref();
            let there = record.is_some() || agreed.is_some();
            there.then(|| whole(self.mapping, side, record, agreed))
        });
        if self.is_skipped(&given) {
            return;
        }
        let result = match (&given.left, &given.right) {
            (Some(left), Some(right)) => self.pair(left, right),
            (Some(_), None) => self.lone(Side::Left, given),
            _ => self.lone(Side::Right, given),
        };
        self.compare(&result);
    }

    fn error(&self, span: crate::mapping::language::Span, what: String) -> Diagnostic {
        let text = format!("test `{}`: {what}", *self.case.name);
        Diagnostic::error(text).at(&self.spec.source, span)
    }

    /// Whether every name of the test is one of the mapping.
    fn names_known(&mut self) -> bool {
        let mut known = true;
        for side in Side::BOTH {
            for (name, _) in self.case.records(side).flat_map(|record| &record.fields) {
                let mut fields = self.mapping.sides[side].fields.iter();
                if fields.any(|field| field.name.as_str() == &***name) {
                    continue;
                }
                known = false;
                let what = format!("the mapping has no {side} field `{}`", **name);
                let told = self.error(name.span, what).help("correct the name, or pair the field");
                self.found.push(told);
            }
        }
        for name in &self.case.review {
            if self.mapping.units.iter().any(|unit| unit.name == name.value) {
                continue;
            }
            known = false;
            let units: Vec<&str> = self.mapping.units.iter().map(|unit| &*unit.name).collect();
            let what = format!("the mapping has no unit `{}`", **name);
            let help = format!("its units are {}", units.join(", "));
            let told = self.error(name.span, what).help(help);
            self.found.push(told);
        }
        known
    }

    /// Whether a record is no part of the mapping, or was expected to be none.
    fn is_skipped(&mut self, given: &Sides<Option<Vec<Value>>>) -> bool {
        let out = Side::BOTH.into_iter().find(|side| {
            given[*side].as_ref().is_some_and(|values| !self.mapping.in_scope(*side, values))
        });
        let told = match (out, &self.case.skipped) {
            (Some(side), Some(expected)) if side == expected.value => return true,
            (None, None) => return false,
            (Some(side), _) => self
                .error(self.case.name.span, format!("the {side} record does not meet `where`"))
                .help(format!("expect `skipped: {side}`, or give it values that meet it")),
            (None, Some(expected)) => {
                let what = format!("the {} record meets `where`", expected.value);
                self.error(expected.span, what).help("remove `skipped`, or correct the condition")
            }
        };
        self.found.push(told);
        true
    }

    /// Both records are there: matched now, or agreed upon before.
    fn pair(&self, left: &[Value], right: &[Value]) -> Result {
        let agreed = self.case.agreed.as_ref().map(|agreed| {
            Sides::from_fn(|side| whole(self.mapping, side, Some(&agreed[side]), None))
        });
        let link = link(self.mapping, agreed.as_ref(), Sides { left, right });
        let shows = Sides { left: Some(left.to_vec()), right: Some(right.to_vec()) };
        let mut result = Result { shows, held: BTreeMap::new() };
        for at in 0..self.mapping.units.len() {
            match decide_unit(self.mapping, &link, at) {
                UnitPlan::Write { to, fields, .. } => result.write(to, &fields),
                UnitPlan::Merge(fields) => {
                    result.write(Side::Left, &fields.left);
                    result.write(Side::Right, &fields.right);
                }
                UnitPlan::Hold => {
                    result.held.insert(at, "both sides differ, and a person is asked".to_owned());
                }
                UnitPlan::NoImage(side, reason) => {
                    result.held.insert(at, self.cannot(at, side, &reason));
                }
                UnitPlan::Rest | UnitPlan::Agree | UnitPlan::Keep(_) | UnitPlan::Unreadable => {}
            }
        }
        result
    }

    /// One record is there: the other is created, where the mapping says so.
    fn lone(&self, from: Side, given: Sides<Option<Vec<Value>>>) -> Result {
        let to = from.other();
        let mut result = Result { shows: given, held: BTreeMap::new() };
        if !self.mapping.create[to] {
            return result;
        }
        let empty = vec![Value::Absent; self.mapping.sides[to].fields.len()];
        let shown = result.shows[from].clone().unwrap_or_default();
        let now = match from {
            Side::Left => Sides { left: shown.as_slice(), right: empty.as_slice() },
            Side::Right => Sides { left: empty.as_slice(), right: shown.as_slice() },
        };
        let link = link(self.mapping, None, now);
        result.shows[to] = Some(vec![Value::Null; self.mapping.sides[to].fields.len()]);
        for (at, unit) in self.mapping.units.iter().enumerate() {
            let written = match unit.direction.reaches(to) {
                true => to,
                // Constants of the side whose record is there.
                false if unit.is_missing(to) => from,
                false => continue,
            };
            match written_fields(self.mapping, &link, at, written) {
                Ok(fields) => result.write(written, &fields),
                Err(reason) => {
                    result.held.insert(at, self.cannot(at, written, &reason));
                }
            }
        }
        result
    }

    fn cannot(&self, unit: usize, side: Side, reason: &NoImage) -> String {
        let reason =
            if self.mapping.is_unit_sensitive(unit) { reason.masked() } else { reason.clone() };
        format!("the {side} side cannot store it: {reason}")
    }

    fn compare(&mut self, result: &Result) {
        for (at, why) in &result.held {
            let unit = &self.mapping.units[*at].name;
            if !self.case.expects_review(unit) {
                let told = self.error(self.case.name.span, format!("`{unit}` waits for a person"));
                let help = format!("expect `review: [{unit}]`, or change the rule");
                self.found.push(told.note(why.clone()).help(help));
            }
        }
        for name in &self.case.review {
            let at = self.mapping.units.iter().position(|unit| unit.name == name.value);
            if at.is_some_and(|at| !result.held.contains_key(&at)) {
                let told = self.error(name.span, format!("`{}` does not wait", **name));
                self.found.push(told.help("remove it from `review`, or change the rule"));
            }
        }
        for side in Side::BOTH {
            for (name, written) in &self.case.expect[side].fields {
                let mut fields = self.mapping.sides[side].fields.iter();
                let Some(at) = fields.position(|field| field.name.as_str() == &*name.value) else {
                    continue;
                };
                let field = &self.mapping.sides[side].fields[at];
                let told = |value: &Value| told_of(field, value);
                let expected = value(written, &field.kind);
                let shows = result.shows[side].as_ref().map(|values| &values[at]);
                if shows.is_some() && shows == expected.as_ref() {
                    continue;
                }
                let gets = match shows {
                    Some(value) => told(value),
                    None => "no record".to_owned(),
                };
                let expected = expected.as_ref().map_or_else(|| "another type".to_owned(), told);
                let what = format!("the {side} `{}` is {gets}, not {expected}", **name);
                let told = self.error(written.span, what).label(format!("gets {gets}"));
                self.found.push(told.help("correct the rule of the field, or the expectation"));
            }
        }
    }
}

impl Result {
    fn write(&mut self, to: Side, fields: &[crate::model::WrittenField]) {
        if let Some(shows) = &mut self.shows[to] {
            for field in fields {
                shows[usize::from(field.field)] = field.image.clone();
            }
        }
    }
}

/// A link whose sides agreed on one image each, and show another.
fn link(mapping: &Mapping, agreed: Option<&Sides<Vec<Value>>>, now: Sides<&[Value]>) -> Link {
    let id = LinkId(uuid::Uuid::nil());
    let base = Sides::from_fn(|side| {
        let image = agreed?[side].iter().take(mapping.sides[side].image_len).cloned().collect();
        Some(Base { exists: true, image })
    });
    let pending = Sides::from_fn(|side| {
        let shown = now[side].iter().take(mapping.sides[side].image_len).enumerate();
        let changed = shown.filter(|(at, value)| {
            base[side].as_ref().is_none_or(|base: &Base| base.image[*at] != **value)
        });
        let values =
            changed.map(|(at, value)| (u16::try_from(at).unwrap_or(u16::MAX), value.clone()));
        Pending { values: values.collect(), ..Pending::default() }
    });
    Link { base, pending, ..Link::new(mapping.id, id, LinkState::Linked) }
}
