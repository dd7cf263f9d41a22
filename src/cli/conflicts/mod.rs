//! `syncline conflicts`: the review queue at the command line.
//!
//! An answer is one transaction on the ledger; the engine folds it after it has read both
//! records afresh, and asks again when one of them moved.

mod command;
mod flags;
mod list;
mod resolve;
mod show;

pub(super) use command::{Arguments, run};
