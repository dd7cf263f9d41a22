//! The commands that work on the ledger, as processes, against a real one.

mod answers;
mod conflicts;
mod doctor;
mod explain;
mod fixture;
mod status;
mod upkeep;
