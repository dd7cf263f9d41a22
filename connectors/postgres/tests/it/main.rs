//! The connector against a real server.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that goes wrong")]

mod conformance;
mod describe;
mod feed;
mod locks;
mod place;
mod push;
mod read;
mod refusal;
mod settle;
mod slots;
mod values;
