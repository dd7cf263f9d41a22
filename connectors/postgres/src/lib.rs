//! The Postgres connector.
//!
//! Captures changes from the write-ahead log through a logical replication slot, reads by key in
//! pages, and writes whole batches in one transaction each: every field is compared with its old
//! value under the row's lock, and a receipt is committed with the writes.
//!
//! Needs PostgreSQL 14 or later with `wal_level = logical`; column lists in the publication need
//! PostgreSQL 15.

mod catalog;
mod check;
mod codec;
mod connector;
mod error;
mod feed;
mod filter;
mod grants;
mod layout;
mod matching;
mod names;
mod prepare;
mod push;
mod read;
mod receipt;
mod session;
mod settings;
mod settle;
mod shared;
mod version;

pub use connector::PostgresConnector;
pub use settings::{PostgresSettings, TlsMode};
