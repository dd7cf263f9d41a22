//! `syncline plan`: what a run would write, ask and cost, with nothing written anywhere.

mod command;
mod findings;
mod json;
mod lines;
mod telling;

pub(super) use command::{Arguments, run};
