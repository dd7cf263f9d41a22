//! The metadata of the org: objects, fields, and the standard set an org starts with.

mod build;
mod change;
pub(crate) mod features;
mod field;
mod object;
mod standard;
pub(crate) mod tracking;

pub(crate) use change::NewObject;
pub use change::{FieldPatch, NewField};
pub use features::RecordTypePatch;
pub use field::FieldType;
pub(crate) use field::{FieldDef, PicklistValue};
pub(crate) use object::{ObjectDef, slots};
pub(crate) use standard::standard_objects;
