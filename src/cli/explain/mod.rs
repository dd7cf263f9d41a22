//! `syncline explain`: why a value is what it is.

mod command;
pub(crate) mod entry;
mod history;
pub(crate) mod link;
pub(crate) mod pair;
mod verdict;

pub(super) use command::{Arguments, run};
