//! `syncline describe`: what a system has that could be mapped.

mod command;
mod entities;
mod fields;

pub(super) use command::{Arguments, run};
