//! The connector of the in-memory system.

mod client;
mod push;

pub use client::MemoryConnector;
