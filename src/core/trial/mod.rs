//! Trials: a mapping tried out on the values of its own tests, without any system.
//!
//! Nobody describes the systems here, so the types of fields are those of the values that the
//! mapping and its tests write down; everything else is what runs in earnest: the same binding,
//! the same decision of each unit.

mod laws;
mod live;
mod record;
mod run;
mod schema;
#[cfg(test)]
mod tests;

pub use live::try_records;
pub use run::try_out;
