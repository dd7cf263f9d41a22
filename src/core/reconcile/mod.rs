//! The reconciler: what a unit's base and observations ask for. Pure, without state of its own.

mod unit;

pub use unit::{UnitPlan, agrees, decide_unit, written_fields};

#[cfg(test)]
mod tests;
