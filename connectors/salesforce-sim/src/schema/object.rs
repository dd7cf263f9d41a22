//! One object: its flags, its fields by slot, and the look-ups by name.

use std::collections::HashMap;

use super::build::{of_type, reference};
use super::field::{FieldDef, FieldType};
use crate::org::value::Value;

/// Slots of the fields that every object has, in this order.
pub(crate) mod slots {
    pub(crate) const ID: usize = 0;
    pub(crate) const IS_DELETED: usize = 1;
    pub(crate) const CREATED_DATE: usize = 2;
    pub(crate) const CREATED_BY: usize = 3;
    pub(crate) const LAST_MODIFIED_DATE: usize = 4;
    pub(crate) const LAST_MODIFIED_BY: usize = 5;
    pub(crate) const SYSTEM_MODSTAMP: usize = 6;
}

/// What an org knows about an object. Fields keep their slot for ever; a removed field's slot
/// is never used again.
#[derive(Clone, Debug)]
pub(crate) struct ObjectDef {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) label_plural: String,
    pub(crate) prefix: String,
    pub(crate) custom: bool,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) deletable: bool,
    pub(crate) undeletable: bool,
    pub(crate) mergeable: bool,
    pub(crate) replicateable: bool,
    /// The object that keeps the history of its tracked fields, once there was one.
    pub(crate) history: Option<String>,
    /// It is such an object: its rows stay where their parent goes.
    pub(crate) is_history: bool,
    pub(crate) fields: Vec<FieldDef>,
    /// When the metadata changed last, seconds; for the conditional describe.
    pub(crate) changed_at: i64,
    by_name: HashMap<String, usize>,
}

impl ObjectDef {
    /// An object with its system fields and an owner.
    pub(crate) fn new(name: &str, label: &str, plural: &str, prefix: &str) -> Self {
        let custom = name.ends_with("__c");
        let mut made = Self {
            name: name.to_owned(),
            label: label.to_owned(),
            label_plural: plural.to_owned(),
            prefix: prefix.to_owned(),
            custom,
            createable: true,
            updateable: true,
            deletable: true,
            undeletable: true,
            mergeable: false,
            replicateable: true,
            history: None,
            is_history: false,
            fields: Vec::new(),
            changed_at: 0,
            by_name: HashMap::new(),
        };
        for field in system_fields(&format!("{label} ID")) {
            made.add(field);
        }
        made
    }

    pub(crate) fn with(mut self, fields: impl IntoIterator<Item = FieldDef>) -> Self {
        for field in fields {
            self.add(field);
        }
        self
    }

    /// Owner of its own rather than of a parent.
    pub(crate) fn owned(self) -> Self {
        let mut owner = reference("OwnerId", "Owner ID", &["User"], "Owner");
        owner.nillable = false;
        owner.defaulted_on_create = true;
        self.with([owner])
    }

    /// Owned by a person or a queue (recorded: `OwnerId` of a custom object points at `Group` and
    /// `User`).
    pub(crate) fn owned_by_queues(self) -> Self {
        let mut made = self.owned();
        if let Some(field) = made.slot("OwnerId").and_then(|slot| made.fields.get_mut(slot)) {
            field.reference_to = vec![String::from("Group"), String::from("User")];
        }
        made
    }

    /// Adds or replaces a live field of that name; gives its slot.
    pub(crate) fn add(&mut self, field: FieldDef) -> usize {
        let slot = self.fields.len();
        if let Some(old) = self.by_name.insert(field.name.to_ascii_lowercase(), slot)
            && let Some(old) = self.fields.get_mut(old)
        {
            old.removed = true;
        }
        self.fields.push(field);
        slot
    }

    /// Takes a field out of the schema.
    pub(crate) fn remove(&mut self, name: &str) -> Option<usize> {
        let slot = self.by_name.remove(&name.to_ascii_lowercase())?;
        if let Some(field) = self.fields.get_mut(slot) {
            field.removed = true;
        }
        Some(slot)
    }

    /// The slot of a live field; names match in any case.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        match self.by_name.get(name) {
            Some(&slot) => Some(slot),
            None => self.by_name.get(&name.to_ascii_lowercase()).copied(),
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<(usize, &FieldDef)> {
        let slot = self.slot(name)?;
        Some((slot, self.fields.get(slot)?))
    }

    /// Live fields with their slots, in order of definition.
    pub(crate) fn live(&self) -> impl Iterator<Item = (usize, &FieldDef)> {
        self.fields.iter().enumerate().filter(|(_, field)| !field.removed)
    }

    /// Reference fields with their slots.
    pub(crate) fn references(&self) -> impl Iterator<Item = (usize, &FieldDef)> {
        self.live().filter(|(_, field)| field.ty == FieldType::Reference)
    }

    /// The reference field that a relationship name stands for.
    pub(crate) fn relationship(&self, name: &str) -> Option<(usize, &FieldDef)> {
        self.references().find(|(_, field)| {
            field.relationship.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(name))
        })
    }
}

/// The audit fields (SOAP guide, system fields).
fn system_fields(id_label: &str) -> Vec<FieldDef> {
    let mut id = of_type("Id", id_label, FieldType::Id).read_only().id_lookup().require();
    id.defaulted_on_create = true;
    let mut deleted = of_type("IsDeleted", "Deleted", FieldType::Boolean).read_only();
    deleted.default = Value::Bool(false);
    let stamp = |name, label| {
        let mut made = of_type(name, label, FieldType::DateTime).read_only().require();
        made.defaulted_on_create = true;
        made
    };
    let by = |name, label, relationship| {
        let mut made = reference(name, label, &["User"], relationship).read_only().require();
        made.defaulted_on_create = true;
        made
    };
    vec![
        id,
        deleted,
        stamp("CreatedDate", "Created Date"),
        by("CreatedById", "Created By ID", "CreatedBy"),
        stamp("LastModifiedDate", "Last Modified Date"),
        by("LastModifiedById", "Last Modified By ID", "LastModifiedBy"),
        stamp("SystemModstamp", "System Modstamp"),
    ]
}
