//! `syncline conflicts`: the review queue at the command line.
//!
//! An answer is one transaction on the ledger; the engine folds it after it has read both
//! records afresh, and asks again when one of them moved.

pub(crate) mod answering;
mod command;
mod flags;
pub(crate) mod list;
pub(crate) mod offer;
pub(crate) mod question;
pub(crate) mod reference;
mod resolve;
pub(crate) mod show;
mod typed;

pub(super) use command::{Arguments, run};
