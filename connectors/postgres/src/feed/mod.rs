//! The change stream: a logical replication slot read with pgoutput.

mod identity;
mod open;
mod reader;
mod relation;
mod row;
mod stream;
mod transport;

#[cfg(test)]
mod tests;

pub(crate) use open::{open, start};
