//! `syncline init`: a first mapping, proposed from what both systems describe and hold.

mod command;
mod draft;
mod evidence;
mod likeness;
mod proposal;
mod sample;

pub(super) use command::{Arguments, run};
