//! `syncline plan`: what a run would write, ask and cost, with nothing written anywhere.

mod command;
mod json;
mod lines;

pub(super) use command::{Arguments, run};
