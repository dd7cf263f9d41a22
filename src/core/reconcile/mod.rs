//! The reconciler: what a unit's base and observations ask for. Pure, without state of its own.

mod live;
mod merge;
mod unit;

pub use live::is_live;
pub use unit::{
    UnitPlan, agrees, both_written, decide_unit, is_first_match, times_decide, written_fields,
};

#[cfg(test)]
mod normal_tests;
#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod tests;
