//! The commands that work on the ledger, as processes, against a real one.

mod answers;
mod conflicts;
mod explain;
mod fixture;
mod status;
mod upkeep;
