//! `syncline explain`: why a value is what it is.

mod command;
mod entry;
mod history;
mod link;
mod pair;
mod verdict;

pub(super) use command::{Arguments, run};
