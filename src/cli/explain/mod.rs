//! `syncline explain`: why a value is what it is.

mod command;
mod history;
mod pair;

pub(super) use command::{Arguments, run};
