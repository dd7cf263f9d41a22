//! `syncline status`: how an installation stands, from its ledger.

mod command;
mod lines;

pub(super) use command::{Arguments, run};
