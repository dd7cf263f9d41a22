//! The check of a mapping against its two systems.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_sdk::{
    Capabilities, EntityName, EntitySchema, FieldName, FieldSchema, FieldType, Guarantee,
    Selection, SystemName,
};

use super::suggestion::nearest;
use super::{
    Checked, Diagnostic, Diagnostics, FieldSpec, GuardRule, Located, MappingSpec, ModeSpec, Span,
    bind_pairs, bind_units, constant, sensitive,
};
use crate::mapping::{
    DeleteRule, LeaveRule, MappedField, MappedSide, Mapping, MappingId, MatchRule,
};
use crate::{Side, Sides};

/// The least length of a marker field: an installation's id and an intent's id.
const MARKER_CHARS_MIN: u32 = 64;

/// The length of a link id.
const LINK_ID_CHARS: u32 = 36;

/// A mapping as others refer to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MappingRef {
    /// Its name.
    pub name: Arc<str>,
    /// Its number in the ledger.
    pub id: MappingId,
    /// The system and the entity of each side.
    pub sides: Sides<(SystemName, EntityName)>,
}

impl MappingSpec {
    /// The mapping as others refer to it.
    #[must_use]
    pub fn outline(&self, id: MappingId) -> MappingRef {
        let side = |side: Side| {
            let side = &self.sides[side];
            (side.system.value.clone(), side.entity.value.clone())
        };
        MappingRef { name: Arc::clone(&self.name), id, sides: Sides::from_fn(side) }
    }
}

/// Checks a mapping against the two systems and resolves every name in it. `mappings` are all
/// mappings of the installation, this one among them.
///
/// # Errors
/// All findings at once, when at least one of them is an error.
pub fn bind(
    spec: &MappingSpec,
    id: MappingId,
    revision: i32,
    schemas: Sides<&EntitySchema>,
    capabilities: Sides<Capabilities>,
    mappings: &[MappingRef],
) -> Result<Checked<Mapping>, Diagnostics> {
    let found = Diagnostics::new();
    let narrow = Sides::default();
    let mut binder = Binder { spec, schemas, capabilities: &capabilities, mappings, found, narrow };
    let units = bind_units::units(&mut binder);
    let owners = bind_units::owners(&mut binder);
    let mode = bind_units::mode(&mut binder);
    let matches = matches(&mut binder);
    for side in Side::BOTH {
        binder.entity(side, capabilities[side].guarantee());
        binder.own_fields(side);
        binder.same_fields(side);
        binder.narrow(side);
        binder.required_fields(side);
    }
    binder.deletes();
    sensitive::bound(&mut binder);
    let left = binder.side(Side::Left, capabilities.left.clone());
    let right = binder.side(Side::Right, capabilities.right.clone());
    let make = || {
        Some(Mapping {
            id,
            name: Arc::clone(&spec.name),
            revision,
            former: BTreeMap::new(),
            sides: Sides { left: left?, right: right? },
            units: units?,
            matches: matches?,
            initial: spec.initial,
            owners: owners?,
            create: spec.create.value,
            delete: spec.delete.value,
            leave: spec.leave.value,
            mode: mode?,
            priority: spec.priority,
            objective: spec.objective,
            drifted: Sides::default(),
        })
    };
    let mapping = make();
    binder.found.check(mapping)
}

/// What binding looks things up in, and what it found.
pub(super) struct Binder<'a> {
    pub spec: &'a MappingSpec,
    pub schemas: Sides<&'a EntitySchema>,
    pub capabilities: &'a Sides<Capabilities>,
    pub mappings: &'a [MappingRef],
    pub found: Diagnostics,
    /// Written fields that hold less than the other side's and cannot be made wider, with what
    /// they do not hold.
    pub narrow: Sides<Vec<(Span, FieldName, String)>>,
}

impl<'a> Binder<'a> {
    pub(super) fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.spec.source, span)
    }
    pub(super) fn warning(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(message).at(&self.spec.source, span)
    }
    pub(super) fn note(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// The field that a name means on a side; a name that means none is noted once.
    pub(super) fn field(
        &mut self,
        side: Side,
        name: &Located<FieldName>,
    ) -> Option<&'a FieldSchema> {
        let schema = self.schemas[side];
        let found = schema.field(name);
        if found.is_none() {
            let system = &self.spec.sides[side].system;
            let known = schema.fields.iter().map(|field| field.name.as_str());
            let help = match nearest(name.as_str(), known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("check the name, and that the user of {} may see the field", **system)
                }
            };
            let message = format!("{} of {} has no field `{}`", schema.entity, **system, **name);
            let diagnostic = self.error(name.span, message).label("not found").help(help);
            if !self.found.iter().any(|found| *found == diagnostic) {
                self.note(diagnostic);
            }
        }
        found
    }

    /// Where a field of a side stands in its selection.
    pub(super) fn index(&self, side: Side, name: &Located<FieldName>) -> usize {
        let (fields, _) = self.spec.fields_of(side);
        fields.iter().position(|field| *field == name).unwrap_or_default()
    }

    /// Whether it observes: what may not be written there concerns nobody yet.
    pub(super) fn observes(&self) -> bool {
        *self.spec.mode == ModeSpec::Observe
    }

    /// Whether anything is ever written on a side.
    fn is_written(&self, side: Side) -> bool {
        let spec = self.spec;
        if self.observes() {
            return false;
        }
        spec.create[side]
            || spec.fields.iter().any(|pair| pair.direction.reaches(side))
            || spec.delete[side.other()] == DeleteRule::Propagate
    }

    fn entity(&mut self, side: Side, guarantee: Guarantee) {
        let schema = self.schemas[side];
        let named = &self.spec.sides[side];
        for problem in &schema.problems {
            let message = format!("{} cannot be synchronised: {problem}", schema.entity);
            let diagnostic = self.error(named.entity.span, message);
            self.note(diagnostic);
        }
        let asks = *self.spec.guard == GuardRule::Prevent;
        if asks && guarantee > Guarantee::Coarse && self.is_written(side) {
            let message = format!("writes of {} cannot be made conditional", schema.entity);
            let diagnostic = self
                .error(self.spec.guard.span, message)
                .note("an edit that nobody had seen yet could be overwritten")
                .help("let `guard` be `detect`, so that its history tells, or write nothing there");
            self.note(diagnostic);
        }
        if guarantee == Guarantee::Unguarded && self.is_written(side) {
            let message = format!("{} can be neither guarded nor audited", schema.entity);
            let diagnostic = self
                .error(named.entity.span, message)
                .note("a write could overwrite an edit that nobody had seen, without a trace")
                .help(format!(
                    "write nothing there: `direction: to_{}`, `create: {}`",
                    side.other(),
                    side.other()
                ));
            self.note(diagnostic);
        }
        if self.spec.create[side] && !schema.creatable && !self.observes() {
            let span = self.spec.create.span;
            let message = format!("records of {} cannot be created", schema.entity);
            let other = if self.spec.create[side.other()] { side.other().as_str() } else { "none" };
            let diagnostic = self.error(span, message).help(format!("write `create: {other}`"));
            self.note(diagnostic);
        }
    }

    /// The external-id and marker fields, which are Syncline's own.
    fn own_fields(&mut self, side: Side) {
        let named = &self.spec.sides[side];
        let own = [("external_id", &named.external_id), ("marker", &named.marker)];
        for (key, name) in own {
            let Some(name) = name else { continue };
            let mut paired = self.spec.fields.iter().flat_map(|pair| &pair.fields[side]);
            if let Some(again) = paired.find(|field| *field == name) {
                let message = format!("`{}` is the {key} and also in a field pair", **name);
                let diagnostic = self
                    .error(name.span, message)
                    .also(&self.spec.source, again.span, "paired here")
                    .help("remove the pair: the field belongs to Syncline alone");
                self.note(diagnostic);
            }
            let Some(field) = self.field(side, name) else {
                continue;
            };
            let chars_min = if key == "marker" { MARKER_CHARS_MIN } else { LINK_ID_CHARS };
            let fits = match &field.kind {
                FieldType::Text { chars_max } => chars_max.is_none_or(|max| max >= chars_min),
                FieldType::Uuid => key == "external_id",
                _ => false,
            };
            let written = field.creatable && field.updatable;
            if !fits || !(written || self.observes()) {
                let message =
                    format!("`{}` cannot be the {key}: it is {}", field.name, about(field));
                let help = format!("use a writable text field of at least {chars_min} characters");
                let diagnostic = self.error(name.span, message).help(help);
                self.note(diagnostic);
            } else if key == "external_id"
                && !(field.external_id && field.unique)
                && !self.observes()
            {
                let message = format!("`{}` is not a unique external id", field.name);
                let diagnostic = self
                    .error(name.span, message)
                    .note("without it a create repeated after a lost answer makes a duplicate")
                    .help("make the field a unique external id on its side, or name another");
                self.note(diagnostic);
            }
        }
        if let Some(actor) = &named.actor {
            self.field(side, actor);
        }
    }

    /// Two names of one stored field: both would be written, and each write of both refused.
    fn same_fields(&mut self, side: Side) {
        let spec = self.spec;
        let written = |name: &FieldName| {
            let pairs = spec.fields.iter().filter(|pair| pair.direction.reaches(side));
            pairs.flat_map(|pair| &pair.fields[side]).find(|field| field.value == *name)
        };
        for (one, other) in &self.schemas[side].same {
            let (Some(first), Some(again)) = (written(one), written(other)) else { continue };
            let message = format!("`{one}` and `{other}` are two names of one field");
            let diagnostic = self
                .error(again.span, message)
                .also(&spec.source, first.span, "the other one")
                .note("a record is not written with both")
                .help(format!("keep one of the pairs, or let it not be written on the {side}"));
            self.note(diagnostic);
        }
    }

    /// A create must set every field that its side asks for.
    fn required_fields(&mut self, side: Side) {
        if !self.spec.create[side] {
            return;
        }
        let named = &self.spec.sides[side];
        let given = |name: &FieldName| {
            let has = |pair: &&FieldSpec| pair.fields[side].iter().any(|field| **field == *name);
            let pair = self.spec.fields.iter().find(has);
            let own = [&named.external_id, &named.marker];
            pair.is_some_and(|pair| pair.direction.reaches(side))
                || own.into_iter().flatten().any(|field| **field == *name)
        };
        let schema = self.schemas[side];
        let missing: Vec<&str> = schema
            .fields
            .iter()
            .filter(|field| field.required && !given(&field.name))
            .map(|field| field.name.as_str())
            .collect();
        if missing.is_empty() {
            return;
        }
        let message = format!("a new {} would lack {}", schema.entity, missing.join(", "));
        let other = if self.spec.create[side.other()] { side.other().as_str() } else { "none" };
        let diagnostic = self
            .error(self.spec.create.span, message)
            .note(format!("{} does not accept a record without it", *named.system))
            .help(format!("pair the field with one that fills it, or write `create: {other}`"));
        self.note(diagnostic);
    }

    fn deletes(&mut self) {
        for side in Side::BOTH {
            let target = self.schemas[side.other()];
            if target.deletable || self.observes() {
                continue;
            }
            let leaves = self.spec.sides[side].condition.is_some();
            let rules = [
                (self.spec.delete[side] == DeleteRule::Propagate, self.spec.delete.span, "delete"),
                (leaves && *self.spec.leave == LeaveRule::Delete, self.spec.leave.span, "leave"),
            ];
            for (asked, span, key) in rules {
                if asked {
                    let message = format!("records of {} cannot be deleted", target.entity);
                    let help = format!("let `{key}` be `review` or `keep` for the {side} side");
                    let diagnostic = self.error(span, message).help(help);
                    self.note(diagnostic);
                }
            }
        }
    }

    fn side(&mut self, side: Side, capabilities: Capabilities) -> Option<MappedSide> {
        let named = &self.spec.sides[side];
        let filter = match &named.condition {
            Some(condition) => Some(self.filter(side, condition)?),
            None => None,
        };
        let (names, image_len) = self.spec.fields_of(side);
        let mut fields = Vec::with_capacity(names.len());
        for name in names {
            // A field that is missing was noted where it is used.
            let field = self.schemas[side].field(name)?;
            let pair = self.spec.fields.iter().find(|pair| pair.fields[side].contains(name));
            let sensitive = pair.is_some_and(|pair| pair.sensitive.is_some());
            fields.push(MappedField { sensitive, ..MappedField::of(field) });
        }
        let mut selection = self.spec.draft_selection(side);
        selection.entity = self.schemas[side].entity.clone();
        let selection = Arc::new(Selection { filter, ..selection });
        let system = named.system.value.clone();
        Some(MappedSide { system, selection, fields, image_len, capabilities })
    }
}

/// The type of a field and what may not be done with it.
fn about(field: &FieldSchema) -> String {
    let read_only = if field.updatable { "" } else { ", read-only" };
    format!("{}{read_only}", constant::describe(field))
}

fn matches(binder: &mut Binder<'_>) -> Option<Vec<MatchRule>> {
    let rules: Vec<Option<MatchRule>> =
        binder.spec.matches.iter().map(|rule| bind_pairs::match_rule(binder, rule)).collect();
    rules.into_iter().collect()
}
