//! The ledger in Postgres.
//!
//! One file a table; a commit is one transaction of a few set-based statements. Statements are
//! checked against the migrations when they are compiled. Every call has a deadline: a connection
//! that stops answering, or whose call was dropped half-way, is closed and never used again, so
//! that it cannot hold its place in the pool for ever.

mod access;
mod alias;
mod api_request;
mod api_token;
mod awaited;
mod awaits;
mod batch;
mod calls;
mod claim;
mod code;
mod commit;
mod connect;
mod counter;
mod decided;
mod deliveries;
mod delivery;
mod delivery_notice;
mod depth;
mod description;
mod encrypt;
mod error;
mod figure;
mod gap;
mod handle;
mod hint;
mod install;
mod journal;
mod keyring;
mod lease;
mod ledger;
mod link;
mod link_key;
mod load;
mod mapping;
mod mapping_revision;
mod owning;
mod parked;
mod people;
mod position;
mod prune;
mod report;
mod review;
mod review_change;
mod schedule;
mod schedules;
mod schema_snapshot;
mod seal;
mod session;
mod setup;
mod sweep;
mod tally;
mod token;

pub use connect::{Access, connect, migrate};
pub use handle::Postgres;
pub use seal::{SealError, SealKey};
