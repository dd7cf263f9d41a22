//! The ledger: what Syncline believes, and why.
//!
//! [`Ledger`] is the narrow contract that the engine works on: a few set-based calls, each one
//! round trip or one transaction. It has two real implementations, [`memory`] (with crash
//! semantics, for the simulator) and `postgres`, held to one conformance suite.

mod contract;

pub use contract::{
    Committed, Ledger, LedgerError, LinkQuery, Loaded, OpenBatch, Ownership, Result,
};
