//! Mappings: a validated pair of entities with its rules.
//!
//! [`Mapping`] is what the rest of the core works with: every name resolved to an index, every
//! rule decided. It is made from a file and the two sides' schemas; nothing in it can be wrong
//! any more.

mod drift;
pub mod expression;
mod filter;
mod former;
mod image;
pub mod language;
mod match_key;
mod mode;
mod objective;
mod reference;
mod rules;
mod sensitive;
#[cfg(test)]
mod tests;
mod translate;
mod value_table;
mod view;

pub use drift::{Drift, Drifted};
pub use filter::{holds, passes};
pub use former::Former;
pub use image::{Put, stored};
pub use mode::{Mode, Pilot, Priority, Share};
pub use objective::Objective;
pub use reference::named;
pub use rules::{
    Computed, DeleteRule, Direction, ForeignEdits, Formula, Initial, LeaveRule, MappedField,
    MappedSide, Mapping, MappingId, MatchRule, Pair, Policy, Unit, Unowned, View,
};
pub use sensitive::MASK;
pub use translate::{NoImage, convert};
pub use value_table::ValueTable;
