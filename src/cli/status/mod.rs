//! `syncline status`: how an installation stands, from its ledger.

mod command;
mod lines;
pub(crate) mod removed;
pub(crate) mod report;

pub(super) use command::{Arguments, run};
