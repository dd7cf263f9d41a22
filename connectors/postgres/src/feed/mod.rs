//! The change stream: a logical replication slot read with pgoutput.

mod identity;
mod lag;
mod open;
mod reader;
mod relation;
mod row;
mod stream;
mod transaction;
mod transport;

#[cfg(test)]
mod tests;

pub(crate) use lag::Lag;
pub(crate) use open::{open, start};
