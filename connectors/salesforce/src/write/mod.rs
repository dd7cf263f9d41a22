//! Writing: what each write sends, what its answer means, and settling what is unknown.

mod answer;
mod contention;
mod job;
mod outcome;
mod plan;
mod push;
mod settle;

pub(crate) use contention::Contention;
pub(crate) use push::push;
pub(crate) use settle::settle;
