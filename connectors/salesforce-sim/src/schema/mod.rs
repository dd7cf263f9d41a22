//! The metadata of the org: objects, fields, and the standard set an org starts with.

mod build;
mod change;
mod field;
mod object;
mod standard;

pub(crate) use change::{FieldPatch, NewField, NewObject};
pub(crate) use field::{FieldDef, FieldType, PicklistValue};
pub(crate) use object::{ObjectDef, slots};
pub(crate) use standard::standard_objects;
