//! Writing: one transaction a batch, guarded per field under the rows' locks, with a marker at
//! its beginning and a receipt at its end.
//!
//! The way of a batch: `begin` and marker in one round trip, one statement for each group of
//! writes of one shape, receipt and `commit` in one round trip. When the server refuses a
//! statement, everything is rolled back and done again row by row where needed, behind
//! savepoints, in one transaction that still commits once ([`careful`]).

mod answer;
mod apply;
mod careful;
mod close;
mod plan;
mod sending;
mod state;
mod statement;

pub(crate) use sending::push;
