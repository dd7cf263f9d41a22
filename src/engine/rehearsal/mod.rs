//! Rehearsals: what a run would write, found by the same rounds over systems and a ledger that
//! are read and never written.

mod ahead;
mod findings;
mod plan;
mod run;
mod stand_in;
mod tally;

pub use plan::{Already, Asked, FieldPlan, MappingPlan, Plan, Sample, SystemPlan};
pub use run::rehearse;
