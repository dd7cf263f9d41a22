//! Expressions: a bounded, deterministic part of CEL, evaluated on the values of one record.
//!
//! What an expression may use is a list, not what the library happens to have: no time, no
//! randomness, no maps (their order is nobody's), no loop inside a loop. Its text, its tree and
//! the work that one evaluation may take are bounded, so that no mapping can hold up the others.

mod check;
mod convert;
mod evaluate;
mod fault;
mod functions;
mod limits;
mod names;
mod nulls;
#[cfg(test)]
mod tests;
mod text;

pub use evaluate::Expression;
pub use fault::Fault;
pub(in crate::mapping) use functions::zone;
pub use functions::{Library, Table, Tables};
pub use limits::{BRACKETS_MAX, DEPTH_MAX, MEMBERS_MAX, PARTS_MAX, TEXT_MAX, WORK_MAX};
pub use names::Variable;
