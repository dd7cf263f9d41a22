//! The text form of each native type, to and from [`syncline_sdk::Value`], exact both ways.
//!
//! Everything travels as the server's own text under pinned session settings (ISO dates, UTC,
//! hexadecimal bytes): it is what the change stream, reads and writes have in common.

mod array;
mod decode;
mod encode;
mod kind;

pub(crate) use decode::decode;
pub(crate) use encode::encode;
pub(crate) use kind::Kind;

#[cfg(test)]
mod tests;
