//! The save pipeline: what the service does between a write request and a stored row. Each rule
//! is a small function in the file of its concern, with the document it was taken from; this
//! file only puts them in order.

mod duplicates;
mod error;
mod fields;
mod flow;
mod names;
mod normalise;
mod owner;
mod people;
mod pipeline;
mod record_types;
mod references;
mod remove;
mod stamps;
mod tracking;
mod types;
mod unique;
mod validate;

pub use duplicates::DuplicateRule;
pub(crate) use error::SaveError;
pub use flow::FlowRule;
pub(crate) use pipeline::{Draft, SaveResult, create, lock, update};
pub(crate) use remove::{delete, merge, purge, undelete};
pub(crate) use types::{datetime as read_datetime, read as read_value};
