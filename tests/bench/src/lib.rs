//! Measurements printed beside their targets. Never a timed test: what is measured depends on
//! the machine and on what else it does.

mod capture;
mod clock;
mod crm;
mod figures;
mod latency;
mod ledger;
mod load;
mod people;
mod process;
pub mod report;
mod stage;
mod suite;
mod sustained;

pub use suite::{BENCHES, Bench, Run, Settings};
