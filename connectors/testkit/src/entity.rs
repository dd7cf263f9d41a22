//! Entities of an in-memory system: fields, and what the system does on save.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use syncline_sdk::{
    EntityName, EntitySchema, FieldName, FieldSchema, FieldType, Normalizer, Value,
};

/// What the system does to a value of a field when it stores it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Save {
    /// A step that `describe` declares.
    Declared(Normalizer),
    /// A step that nobody is told of: it has to be learned (protocol N4).
    Hidden(Normalizer),
    /// Text is cut to so many characters, silently.
    Cut(usize),
    /// Text gets this at its end at each save: not idempotent (protocol N5).
    Append(Arc<str>),
}

impl Save {
    fn apply(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Declared(step) | Self::Hidden(step), value) => step.apply(value),
            (Self::Cut(chars), Value::Text(text)) => {
                Value::from(text.chars().take(*chars).collect::<String>())
            }
            (Self::Append(end), Value::Text(text)) => Value::from(format!("{text}{end}")),
            (_, value) => value,
        }
    }
}

/// Where an automation takes its value from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Derived {
    /// Always this one.
    Constant(Value),
    /// The value of the field that set it off.
    Copy,
    /// The text of that field and this.
    Suffix(Arc<str>),
    /// The text of that field in upper case.
    Uppercase,
}

impl Derived {
    pub(crate) fn from(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Constant(value), _) => value.clone(),
            (Self::Suffix(end), Value::Text(text)) => Value::from(format!("{text}{end}")),
            (Self::Uppercase, Value::Text(text)) => Value::from(text.to_uppercase()),
            (_, value) => value.clone(),
        }
    }
}

/// A rule of the system that writes a field whenever a save changed another (or the same) one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Automation {
    /// The field whose change sets it off.
    pub on: FieldName,
    /// The field that it writes.
    pub set: FieldName,
    /// With what.
    pub to: Derived,
    /// Nothing: within the same transaction and under the same user. Else so much later, as an
    /// automation of its own (protocol N7).
    pub delay: Option<Duration>,
}

/// An entity of an in-memory system. Starts with a text key field; everything else is added.
#[derive(Clone, Debug)]
pub struct EntityModel {
    pub(crate) schema: EntitySchema,
    pub(crate) saves: BTreeMap<FieldName, Vec<Save>>,
    pub(crate) automations: Vec<Automation>,
    pub(crate) out_of_line: BTreeSet<FieldName>,
    pub(crate) hidden: BTreeSet<FieldName>,
}

impl EntityModel {
    /// An entity with a key field and no other.
    #[must_use]
    pub fn new(entity: impl Into<EntityName>, key: impl Into<FieldName>) -> Self {
        let key = key.into();
        let mut schema = field_schema(key.clone(), FieldType::Text { chars_max: None });
        schema.updatable = false;
        schema.nullable = false;
        Self {
            schema: EntitySchema {
                entity: entity.into(),
                key: vec![key],
                fields: vec![schema],
                creatable: true,
                deletable: true,
                problems: Vec::new(),
                same: Vec::new(),
                fixed: Vec::new(),
            },
            saves: BTreeMap::new(),
            automations: Vec::new(),
            out_of_line: BTreeSet::new(),
            hidden: BTreeSet::new(),
        }
    }
    /// With a nullable, writable field.
    #[must_use]
    pub fn field(mut self, name: impl Into<FieldName>, kind: FieldType) -> Self {
        self.schema.fields.push(field_schema(name.into(), kind));
        self
    }
    /// With an unbounded text field.
    #[must_use]
    pub fn text(self, name: impl Into<FieldName>) -> Self {
        self.field(name, FieldType::Text { chars_max: None })
    }
    /// With a unique text field that may hold the link id.
    #[must_use]
    pub fn external_id(self, name: impl Into<FieldName>) -> Self {
        let name = name.into();
        self.text(name.clone()).change(&name, |field| {
            field.unique = true;
            field.external_id = true;
        })
    }
    /// The field changed as given: its nullability, uniqueness, rights. A field that is not there
    /// is left so.
    #[must_use]
    pub fn change(mut self, name: &FieldName, change: impl FnOnce(&mut FieldSchema)) -> Self {
        if let Some(field) = self.schema.fields.iter_mut().find(|field| field.name == *name) {
            change(field);
        }
        self
    }
    /// With no two living records sharing a value of the field.
    #[must_use]
    pub fn unique(self, name: impl Into<FieldName>) -> Self {
        self.change(&name.into(), |field| field.unique = true)
    }
    /// With a step on save of a field.
    #[must_use]
    pub fn save(mut self, name: impl Into<FieldName>, step: Save) -> Self {
        let name = name.into();
        if let Save::Declared(normalizer) = &step {
            let normalizer = normalizer.clone();
            self = self.change(&name, |field| field.normalizers.push(normalizer));
        }
        self.saves.entry(name).or_default().push(step);
        self
    }
    /// With an automation.
    #[must_use]
    pub fn automation(mut self, automation: Automation) -> Self {
        self.automations.push(automation);
        self
    }
    /// With a field that the feed leaves out of an update that did not change it (out-of-line
    /// storage).
    #[must_use]
    pub fn out_of_line(mut self, name: impl Into<FieldName>) -> Self {
        self.out_of_line.insert(name.into());
        self
    }

    pub(crate) fn stored(&self, field: &FieldName, value: Value) -> Value {
        let steps = self.saves.get(field).map_or(&[][..], Vec::as_slice);
        steps.iter().fold(value, |value, step| step.apply(value))
    }
    /// The field as these credentials see it.
    pub(crate) fn visible(&self, name: &FieldName) -> Option<&FieldSchema> {
        self.schema.field(name).filter(|field| !self.hidden.contains(&field.name))
    }
    pub(crate) fn key_field(&self) -> Option<&FieldName> {
        self.schema.key.first()
    }
}

fn field_schema(name: FieldName, kind: FieldType) -> FieldSchema {
    FieldSchema {
        name,
        native: native(&kind).into(),
        kind,
        nullable: true,
        creatable: true,
        updatable: true,
        required: false,
        unique: false,
        external_id: false,
        normalizers: Vec::new(),
        filled: None,
    }
}

fn native(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Bool => "boolean",
        FieldType::Int { .. } => "integer",
        FieldType::Decimal { .. } => "decimal",
        FieldType::Text { .. } => "text",
        FieldType::Enum { .. } => "enum",
        FieldType::Set { .. } => "set",
        FieldType::Bytes => "bytes",
        FieldType::Date => "date",
        FieldType::Time => "time",
        FieldType::Instant { .. } => "instant",
        FieldType::Uuid => "uuid",
        FieldType::Json => "json",
        FieldType::List(_) => "list",
        FieldType::Reference { .. } => "reference",
        FieldType::Raw => "raw",
    }
}
