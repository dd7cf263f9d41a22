//! Writing: what each write sends, what its answer means, and settling what is unknown.

mod answer;
mod collections;
mod contention;
mod guarded;
mod job;
mod outcome;
mod packing;
mod plan;
mod push;
mod settle;
mod sorting;

pub(crate) use contention::Contention;
pub(crate) use push::push;
pub(crate) use settle::settle;
